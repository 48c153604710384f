"""The ledger against a model of a few dictionaries, over any history hypothesis can think of."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from kuaitui.kernel.money import MINOR_MAX, AmountTooLarge, Money
from kuaitui.ledger import queries
from kuaitui.ledger.errors import BookUnknown, InsufficientBalance, ReferenceReused
from kuaitui.ledger.operations import open_books, post_journal, post_journals
from kuaitui.ledger.queries import TimeAxis
from kuaitui.ledger.types import Account, Journal, Line

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
MISSING_BOOK = 2**50
DEBIT_NORMAL = {Account.AT_CHANNEL, Account.RECEIVABLE, Account.CHANNEL_FEE}


@dataclass
class ModelBook:
    """What one book must hold: nothing but its journals, replayed on every question."""

    currency: str
    journals: list[tuple[Journal, dt.datetime]] = field(default_factory=list)

    def known(self, journal: Journal) -> tuple[int, Journal] | None:
        for number, (posted, _) in enumerate(self.journals, start=1):
            if (posted.kind, posted.reference) == (journal.kind, journal.reference):
                return number, posted
        return None

    def holds(self, *journals: Journal) -> dict[Account, int]:
        held = dict.fromkeys(Account, 0)
        for journal in (*(posted for posted, _ in self.journals), *journals):
            for line in journal.lines:
                held[line.debit] += line.amount.minor * (1 if line.debit in DEBIT_NORMAL else -1)
                held[line.credit] -= line.amount.minor * (1 if line.credit in DEBIT_NORMAL else -1)
        return held

    def as_of(self, at: dt.datetime, axis: TimeAxis) -> dict[Account, int]:
        past = ModelBook(self.currency)
        for journal, recorded_at in self.journals:
            moment = recorded_at if axis is TimeAxis.RECORDED else journal.occurred_at
            if moment <= at:
                past.journals.append((journal, recorded_at))
        return past.holds()


def money_movements() -> st.SearchStrategy[tuple[Account, Account, int]]:
    accounts = st.sampled_from(Account)
    # The usual ways of money, so that histories get somewhere, and any other.
    usual = st.sampled_from(
        [
            (Account.AT_CHANNEL, Account.AVAILABLE),
            (Account.AVAILABLE, Account.FROZEN),
            (Account.FROZEN, Account.AVAILABLE),
            (Account.FROZEN, Account.IN_TRANSIT),
            (Account.IN_TRANSIT, Account.AT_CHANNEL),
            (Account.AVAILABLE, Account.PENALTY_INCOME),
            (Account.RECEIVABLE, Account.COMPENSATION_PAYABLE),
        ]
    )
    pairs = usual | st.tuples(accounts, accounts).filter(lambda pair: pair[0] != pair[1])
    amounts = st.integers(min_value=1, max_value=20) | st.sampled_from([1_000, MINOR_MAX - 5])
    return st.tuples(pairs, amounts).map(lambda drawn: (*drawn[0], drawn[1]))


@st.composite
def proposals(draw: st.DrawFn) -> tuple[int, str, str, int, list[tuple[Account, Account, int]]]:
    """A journal before it knows its book: which book, kind, reference, when, lines."""
    return (
        draw(st.integers(min_value=0, max_value=2)),
        draw(st.sampled_from(["freeze", "pay_in"])),
        draw(st.sampled_from(["a", "b", "c", "d", "e", "f", "退款"])),
        draw(st.integers(min_value=-100, max_value=100)),
        draw(st.lists(money_movements(), min_size=1, max_size=4)),
    )


class LedgerHistory(RuleBasedStateMachine):
    """Posts to three books and to the model; both must give the same answer."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.history = transaction.atomic()
        self.history.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.history.__exit__(None, None, None)

    @initialize(currency=st.sampled_from(["CNY", "JPY"]))
    def open_three_books(self, currency: str) -> None:
        ids = open_books(currency=currency, count=3, now=self.now)
        self.books = {book: ModelBook(currency) for book in ids}

    @rule(hours=st.integers(min_value=0, max_value=48))
    def time_passes(self, hours: int) -> None:
        self.now += dt.timedelta(hours=hours)

    @rule(proposal=proposals())
    def post_one(self, proposal) -> None:
        journal = self.journal(proposal)

        self.agree([journal], lambda: [post_journal(journal, now=self.now)])

    @rule(proposed=st.lists(proposals(), max_size=6))
    def post_many(self, proposed) -> None:
        journals = [self.journal(proposal) for proposal in proposed]

        self.agree(journals, lambda: post_journals(journals, now=self.now))

    @precondition(lambda self: any(book.journals for book in self.books.values()))
    @rule(data=st.data())
    def post_again(self, data) -> None:
        posted = [journal for book in self.books.values() for journal, _ in book.journals]
        again = data.draw(st.lists(st.sampled_from(posted), min_size=1, max_size=4))

        self.agree(again, lambda: post_journals(again, now=self.now))
        self.agree(again[:1], lambda: [post_journal(again[0], now=self.now)])

    @rule(proposal=proposals())
    def post_to_a_book_that_is_not_there(self, proposal) -> None:
        journal = self.journal(proposal)
        lost = Journal(MISSING_BOOK, journal.kind, "lost", journal.occurred_at, journal.lines)

        self.agree([journal, lost], lambda: post_journals([journal, lost], now=self.now))

    @precondition(lambda self: any(book.journals for book in self.books.values()))
    @rule(hours=st.integers(min_value=-120, max_value=120), axis=st.sampled_from(TimeAxis))
    def ask_for_a_past_moment(self, hours: int, axis: TimeAxis) -> None:
        at = self.now + dt.timedelta(hours=hours)
        for book, model in self.books.items():
            balances = queries.balances_at(book, at=at, axis=axis)
            assert _held(balances) == model.as_of(at, axis)

    @invariant()
    def balances_equal_the_model(self) -> None:
        for book, model in getattr(self, "books", {}).items():
            balances = queries.balances(book)
            assert balances.journals_count == len(model.journals)
            assert _held(balances) == model.holds()
            assert all(minor >= 0 for minor in balances.minor)
            assets = sum(balances.of(account).minor for account in DEBIT_NORMAL)
            assert assets * 2 == sum(balances.minor)

    @invariant()
    def verification_finds_nothing(self) -> None:
        assert queries.differences() == []

    def journal(self, proposal) -> Journal:
        which, kind, reference, hours, movements = proposal
        book = list(self.books)[which]
        currency = self.books[book].currency
        lines = tuple(
            Line(debit, credit, Money(minor, currency)) for debit, credit, minor in movements
        )
        return Journal(book, kind, reference, self.now + dt.timedelta(hours=hours), lines)

    def agree(self, journals, post) -> None:
        """The ledger must answer as the model does, and keep nothing of what it refuses."""
        expected = self.expected(journals)
        if isinstance(expected, type):
            with pytest.raises(expected), transaction.atomic():
                post()
            return
        with transaction.atomic():
            answers = post()
        assert [(a.book_id, a.journal_no, a.is_new) for a in answers] == expected
        for journal, answer in zip(journals, answers, strict=True):
            if answer.is_new:
                self.books[journal.book_id].journals.append((journal, self.now))

    def expected(self, journals):
        """The answers in order, or the refusal: floors and books first, then reused references."""
        trial = {key: ModelBook(b.currency, list(b.journals)) for key, b in self.books.items()}
        answers, reused = {}, False
        # Books are moved in the order of their ids, and each book in the order asked.
        for place, journal in sorted(enumerate(journals), key=lambda pair: pair[1].book_id):
            if journal.book_id not in trial:
                return BookUnknown
            book = trial[journal.book_id]
            if known := book.known(journal):
                number, stands = known
                reused |= stands.lines != journal.lines
                answers[place] = (journal.book_id, number, False)
                continue
            held = book.holds(journal)
            if sum(held[account] for account in DEBIT_NORMAL) > MINOR_MAX:
                return AmountTooLarge
            if min(held.values()) < 0:
                return InsufficientBalance
            book.journals.append((journal, self.now))
            answers[place] = (journal.book_id, len(book.journals), True)
        return ReferenceReused if reused else [answers[place] for place in range(len(journals))]


def _held(balances: queries.Balances) -> dict[Account, int]:
    return {account: balances.of(account).minor for account in Account}


@pytest.mark.django_db
def test_any_history_of_the_ledger_equals_the_model() -> None:
    assert connection.in_atomic_block
    run(
        LedgerHistory,
        settings=settings(
            max_examples=80,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
