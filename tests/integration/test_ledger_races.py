"""Two writers, one book: whoever comes second waits, looks again, and answers truly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction

from kuaitui.kernel.errors import Refusal
from kuaitui.ledger import queries
from kuaitui.ledger.errors import InsufficientBalance, ReferenceReused
from kuaitui.ledger.operations import post_journal, post_journals
from kuaitui.ledger.types import Account, Journal, Posted
from tests.integration.test_ledger import INSERT, NOW, funded_book, held, journal, run_raw, yuan

pytestmark = pytest.mark.django_db(transaction=True)

WAYS: dict[str, Callable[[Journal], Posted]] = {
    "one": lambda asked: post_journal(asked, now=NOW),
    "many": lambda asked: post_journals([asked], now=NOW)[0],
}
every_way = pytest.mark.parametrize("way", WAYS)


def insert_with_a_number_that_is_long_past(asked: Journal) -> None:
    run_raw(INSERT, [asked.book_id, 77, asked.reference, "{4}", "{5}", "{1000}"])


class Second(threading.Thread):
    """Posts in a connection of its own while the first writer has not committed."""

    def __init__(self, way: Callable[[Journal], Posted | None], asked: Journal) -> None:
        super().__init__()
        self.post, self.asked = way, asked
        self.answer: Posted | Refusal | None = None
        self.failure: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            with transaction.atomic():
                self.answer = self.post(self.asked)
        except Refusal as refusal:
            self.answer = refusal
        except DatabaseError as failure:
            self.failure = failure
        finally:
            connection.close()


def until_somebody_waits_for_a_lock() -> None:
    deadline = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    raise AssertionError("nobody waited")


def race(first: Journal, second: Journal, way: str) -> Posted | Refusal | None:
    with transaction.atomic():
        post_journal(first, now=NOW)
        thread = Second(WAYS[way], second)
        until_somebody_waits_for_a_lock()
    thread.join(timeout=20)
    assert thread.failure is None
    return thread.answer


@pytest.fixture
def book() -> int:
    with transaction.atomic():
        return funded_book(yuan(10))


@every_way
def test_the_second_of_two_equal_postings_is_told_where_the_first_stands(book, way) -> None:
    everything = journal(book, Account.AVAILABLE, Account.FROZEN, yuan(10))

    answer = race(everything, everything, way)

    assert answer == Posted(book, 2, is_new=False)
    assert held(book) == {"AT_CHANNEL": 1000, "FROZEN": 1000}
    assert queries.balances(book).journals_count == 2


@every_way
def test_the_second_with_the_reference_of_the_first_and_other_lines_is_refused(book, way) -> None:
    freeze = journal(book, Account.AVAILABLE, Account.FROZEN, yuan(4))
    other = journal(book, Account.AVAILABLE, Account.FROZEN, yuan(5))

    answer = race(freeze, other, way)

    assert isinstance(answer, ReferenceReused)
    assert held(book) == {"AT_CHANNEL": 1000, "AVAILABLE": 600, "FROZEN": 400}


@every_way
def test_the_second_gets_the_number_after_the_first(book, way) -> None:
    freeze = journal(book, Account.AVAILABLE, Account.FROZEN, yuan(4), reference="first")
    also = journal(book, Account.AVAILABLE, Account.FROZEN, yuan(5), reference="second")

    answer = race(freeze, also, way)

    assert answer == Posted(book, 3, is_new=True)
    assert held(book) == {"AT_CHANNEL": 1000, "AVAILABLE": 100, "FROZEN": 900}
    assert queries.differences() == []


@every_way
def test_the_second_cannot_take_what_the_first_took(book, way) -> None:
    freeze = journal(book, Account.AVAILABLE, Account.FROZEN, yuan(6), reference="first")
    deduct = journal(book, Account.AVAILABLE, Account.PENALTY_INCOME, yuan(6), reference="second")

    answer = race(freeze, deduct, way)

    assert isinstance(answer, InsufficientBalance)
    assert held(book) == {"AT_CHANNEL": 1000, "AVAILABLE": 400, "FROZEN": 600}


def test_a_writer_whose_number_is_long_past_waits_and_leaves_a_posted_reference_out(book) -> None:
    everything = journal(
        book, Account.AVAILABLE, Account.FROZEN, yuan(10), kind="raw", reference="same"
    )
    with transaction.atomic():
        post_journal(everything, now=NOW)
        second = Second(insert_with_a_number_that_is_long_past, everything)
        until_somebody_waits_for_a_lock()
    second.join(timeout=20)

    assert second.failure is None
    assert held(book) == {"AT_CHANNEL": 1000, "FROZEN": 1000}
    assert queries.balances(book).journals_count == 2
