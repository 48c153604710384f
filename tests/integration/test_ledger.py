"""The ledger keeps its promises, through its operations and against raw SQL."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence

import pytest
from django.db import DatabaseError, IntegrityError, InternalError, connection, transaction

from kuaitui.kernel.money import MINOR_MAX, AmountTooLarge, Money
from kuaitui.ledger import queries
from kuaitui.ledger.errors import BookUnknown, InsufficientBalance, ReferenceReused
from kuaitui.ledger.operations import open_book, open_books, post_journal, post_journals
from kuaitui.ledger.queries import TimeAxis
from kuaitui.ledger.types import Account, Journal, Line

NOW = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)
CNY = "CNY"

pytestmark = pytest.mark.django_db


def yuan(amount: int) -> Money:
    return Money(amount * 100, CNY)


def journal(
    book: int,
    debit: Account,
    credit: Account,
    amount: Money,
    *,
    kind: str = "test",
    reference: str = "r1",
    occurred_at: dt.datetime = NOW,
) -> Journal:
    return Journal(book, kind, reference, occurred_at, (Line(debit, credit, amount),))


def funded_book(amount: Money) -> int:
    book = open_book(currency=CNY, now=NOW)
    pay_in = journal(
        book, Account.AT_CHANNEL, Account.AVAILABLE, amount, reference="lot", kind="pay_in"
    )
    post_journal(pay_in, now=NOW)
    return book


def held(book: int) -> dict[str, int]:
    balances = queries.balances(book)
    return {
        account.name: balances.of(account).minor
        for account in Account
        if balances.of(account).minor
    }


def test_a_journal_moves_both_sides_by_its_amount() -> None:
    book = funded_book(yuan(3000))

    posted = post_journal(
        journal(book, Account.AVAILABLE, Account.FROZEN, yuan(1000), reference="rfa"), now=NOW
    )

    assert posted.is_new
    assert posted.journal_no == 2
    assert held(book) == {"AT_CHANNEL": 300000, "AVAILABLE": 200000, "FROZEN": 100000}


def test_posting_twice_returns_the_first_and_moves_nothing() -> None:
    book = funded_book(yuan(3000))
    freeze = journal(book, Account.AVAILABLE, Account.FROZEN, yuan(1000), reference="rfa")
    first = post_journal(freeze, now=NOW)
    before = held(book)

    again = post_journal(freeze, now=NOW + dt.timedelta(days=400))
    many = post_journals([freeze, freeze], now=NOW)

    assert not again.is_new
    assert again.journal_no == first.journal_no
    assert [posted.is_new for posted in many] == [False, False]
    assert held(book) == before


def test_a_reference_cannot_be_reused_for_other_lines() -> None:
    book = funded_book(yuan(3000))
    post_journal(journal(book, Account.AVAILABLE, Account.FROZEN, yuan(1)), now=NOW)
    before = held(book)
    other = journal(book, Account.AVAILABLE, Account.FROZEN, yuan(2))

    with pytest.raises(ReferenceReused):
        post_journal(other, now=NOW)
    with pytest.raises(ReferenceReused):
        post_journals([other], now=NOW)

    assert held(book) == before


def test_thousands_are_posted_in_one_call_in_order() -> None:
    books = open_books(currency=CNY, count=50, now=NOW)
    asked = [
        journal(book, Account.AT_CHANNEL, Account.AVAILABLE, yuan(1), reference=f"lot{number}")
        for number in range(40)
        for book in books
    ]

    posted = post_journals(asked, now=NOW)

    assert [answer.book_id for answer in posted] == [one.book_id for one in asked]
    assert {answer.journal_no for answer in posted if answer.book_id == books[7]} == set(
        range(1, 41)
    )
    assert all(held(book) == {"AT_CHANNEL": 4000, "AVAILABLE": 4000} for book in books)


def test_a_reference_twice_in_one_call_is_posted_once() -> None:
    book = funded_book(yuan(10))
    freeze = journal(book, Account.AVAILABLE, Account.FROZEN, yuan(1))

    posted = post_journals([freeze, freeze], now=NOW)

    assert [answer.is_new for answer in posted] == [True, False]
    assert posted[0].journal_no == posted[1].journal_no
    assert held(book)["FROZEN"] == 100


def test_one_refusal_in_many_posts_none() -> None:
    book = funded_book(yuan(10))
    before = held(book)
    fits = journal(book, Account.AVAILABLE, Account.FROZEN, yuan(9), reference="fits")
    exceeds = journal(book, Account.AVAILABLE, Account.FROZEN, yuan(2), reference="exceeds")

    with pytest.raises(InsufficientBalance), transaction.atomic():
        post_journals([fits, exceeds], now=NOW)

    assert held(book) == before


@pytest.mark.parametrize("account", [Account.AVAILABLE, Account.FROZEN, Account.IN_TRANSIT])
def test_a_liability_to_the_seller_never_goes_below_zero(account: Account) -> None:
    book = funded_book(yuan(10))
    before = held(book)

    with pytest.raises(InsufficientBalance), transaction.atomic():
        post_journal(journal(book, account, Account.PENALTY_INCOME, yuan(11)), now=NOW)

    assert held(book) == before


def test_a_book_never_holds_more_than_money_can_count() -> None:
    book = funded_book(Money(MINOR_MAX, CNY))
    before = held(book)
    one_fen = journal(book, Account.AT_CHANNEL, Account.AVAILABLE, Money(1, CNY))

    with pytest.raises(AmountTooLarge), transaction.atomic():
        post_journal(one_fen, now=NOW)
    with pytest.raises(AmountTooLarge), transaction.atomic():
        post_journals([one_fen], now=NOW)

    assert held(book) == before


def test_an_unknown_book_is_refused() -> None:
    missing = journal(2**60, Account.AT_CHANNEL, Account.AVAILABLE, yuan(1))

    with pytest.raises(BookUnknown), transaction.atomic():
        post_journal(missing, now=NOW)
    with pytest.raises(BookUnknown), transaction.atomic():
        post_journals([missing], now=NOW)
    with pytest.raises(BookUnknown):
        queries.balances(2**60)


def test_a_deduction_larger_than_the_deposit_becomes_a_receivable() -> None:
    book = funded_book(yuan(10))
    lines = (
        Line(Account.AVAILABLE, Account.COMPENSATION_PAYABLE, yuan(10)),
        Line(Account.RECEIVABLE, Account.COMPENSATION_PAYABLE, yuan(5)),
    )

    post_journal(Journal(book, "deduction", "ded", NOW, lines), now=NOW)

    assert held(book) == {"AT_CHANNEL": 1000, "RECEIVABLE": 500, "COMPENSATION_PAYABLE": 1500}
    assert [entry.entry_no for entry in queries.entries(book)[:2]] == [2, 1]


def test_balances_at_a_past_moment_follow_either_clock() -> None:
    book = open_book(currency=CNY, now=NOW)
    day = dt.timedelta(days=1)
    paid = journal(
        book, Account.AT_CHANNEL, Account.AVAILABLE, yuan(5), reference="a", occurred_at=NOW
    )
    late = journal(
        book,
        Account.AT_CHANNEL,
        Account.AVAILABLE,
        yuan(7),
        reference="b",
        occurred_at=NOW - 3 * day,
    )
    post_journal(paid, now=NOW)
    post_journal(late, now=NOW + 2 * day)

    def available(at: dt.datetime, axis: TimeAxis) -> int:
        return queries.balances_at(book, at=at, axis=axis).of(Account.AVAILABLE).minor

    assert available(NOW - 2 * day, TimeAxis.OCCURRED) == 700
    assert available(NOW - 2 * day, TimeAxis.RECORDED) == 0
    assert available(NOW, TimeAxis.RECORDED) == 500
    assert available(NOW, TimeAxis.OCCURRED) == 1200
    assert available(NOW + 2 * day, TimeAxis.RECORDED) == 1200


INSERT = (
    "INSERT INTO ledger_journal (book_id, journal_no, kind, reference, occurred_at, recorded_at, debits,"
    " credits, amounts)"
    " VALUES (%s, %s, 'raw', %s, now(), now(), %s::smallint[], %s::smallint[], %s::bigint[])"
)


def run_raw(statement: str, parameters: Sequence[object] = ()) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, list(parameters))


@pytest.mark.parametrize(
    ("lines", "constraint"),
    [
        (("{4}", "{5}", "{0}"), "entry_amount_is_positive"),
        (("{5}", "{4}", "{-5}"), "entry_amount_is_positive"),
        (("{4}", "{5}", "{NULL}"), "entry_amount_is_positive"),
        (("{4,4}", "{5,5}", "{5,NULL}"), "entry_amount_is_positive"),
        (("{4}", "{4}", "{5}"), "an entry joins two accounts"),
        (("{4}", "{10}", "{5}"), "entry_accounts_are_of_the_chart"),
        (("{0}", "{5}", "{5}"), "entry_accounts_are_of_the_chart"),
        (("{NULL}", "{5}", "{5}"), "entry_accounts_are_of_the_chart"),
        (("{4}", "{5,6}", "{5}"), "a_journal_has_lines"),
        (("{4,5}", "{5}", "{5}"), "a_journal_has_lines"),
        (("{}", "{}", "{}"), "a_journal_has_lines"),
        (("{{4}}", "{{5}}", "{{5}}"), "a_journal_has_lines"),
        (("[0:0]={4}", "[0:0]={5}", "[0:0]={5}"), "an entry joins two accounts"),
        (("{4}", "{5}", "{1001}"), "available_is_not_negative"),
        (("{5}", "{4}", "{1}"), "frozen_is_not_negative"),
        (("{6}", "{4}", "{1}"), "in_transit_is_not_negative"),
        (("{7}", "{4}", "{1}"), "compensation_payable_is_not_negative"),
        (("{8}", "{4}", "{1}"), "penalty_income_is_not_negative"),
        (("{9}", "{4}", "{1}"), "fee_income_is_not_negative"),
        (("{2}", "{1}", "{1001}"), "at_channel_is_not_negative"),
        (("{1}", "{2}", "{1}"), "receivable_is_not_negative"),
        (("{1}", "{3}", "{1}"), "channel_fee_is_not_negative"),
        (("{1}", "{4}", "{999999999999001}"), "a_book_holds_no_more_than_money_can_count"),
    ],
)
def test_database_refuses_a_malformed_journal(lines: tuple[str, str, str], constraint: str) -> None:
    book = funded_book(yuan(10))
    before = held(book)

    with pytest.raises((IntegrityError, InternalError), match=constraint):
        run_raw(INSERT, [book, 2, "raw", *lines])

    assert held(book) == before
    assert queries.balances(book).journals_count == 1


@pytest.mark.parametrize(
    ("balances", "constraint"),
    [
        ("{1,0,0,0,0,0,0,0,0}", "debits_equal_credits"),
        ("{0,0,0,1,0,0,0,0,0}", "debits_equal_credits"),
        ("{0,0,0,1,-1,0,0,0,0}", "frozen_is_not_negative"),
        ("{0,0,0,0,0,0,0,0}", "every_account_has_a_balance"),
        ("{0,0,0,0,0,0,0,0,0,0}", "every_account_has_a_balance"),
        ("{0,0,0,0,0,0,0,0,NULL}", "every_account_has_a_balance"),
    ],
)
def test_no_value_of_unsound_balances_can_exist(balances: str, constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        run_raw("SELECT %s::ledger_balances", [balances])


def test_database_refuses_the_same_reference_twice() -> None:
    book = funded_book(yuan(10))
    run_raw(INSERT, [book, 2, "same", "{4}", "{5}", "{5}"])

    with pytest.raises(IntegrityError, match="a_reference_is_posted_once"):
        run_raw(INSERT, [book, 3, "same", "{4}", "{5}", "{5}"])

    assert held(book)["FROZEN"] == 5


def test_database_numbers_journals_without_a_gap_whatever_the_writer_says() -> None:
    book = funded_book(yuan(10))

    run_raw(INSERT, [book, 77, "a", "{4}", "{5}", "{5}"])
    run_raw(INSERT, [book, 1, "b", "{4}", "{5}", "{5}"])

    assert [entry.journal_no for entry in queries.entries(book)] == [3, 2, 1]


def test_database_moves_balances_for_raw_inserts_too() -> None:
    # The trigger journals_move_balances does it, whoever writes.
    book = funded_book(yuan(10))

    run_raw(INSERT, [book, 2, "raw", "{4,5}", "{5,6}", "{500,200}"])

    assert held(book) == {"AT_CHANNEL": 1000, "AVAILABLE": 500, "FROZEN": 300, "IN_TRANSIT": 200}
    assert queries.differences() == []


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("UPDATE ledger_journal SET amounts = '{1}'", "journals_never_change"),
        ("UPDATE ledger_journal SET reference = 'x' WHERE false", "journals_never_change"),
        ("DELETE FROM ledger_journal", "journals_never_change"),
        ("TRUNCATE ledger_journal", "journals_never_change"),
        ("DELETE FROM ledger_book", "books_never_leave"),
        ("TRUNCATE ledger_book CASCADE", "books_never_leave"),
        (
            "UPDATE ledger_book SET balances = '{1001,0,0,1001,0,0,0,0,0}'",
            "only_journals_move_balances",
        ),
        ("UPDATE ledger_book SET currency = 'USD'", "only_journals_move_balances"),
        ("UPDATE ledger_book SET journals_count = 0", "only_journals_move_balances"),
        ("UPDATE ledger_entry SET amount_minor = 1", "cannot update view"),
        ("DELETE FROM ledger_entry", "cannot delete from view"),
        ("UPDATE ledger_balance SET available = 1", "cannot update"),
        (
            "INSERT INTO ledger_book (currency, balances) VALUES ('CNY', '{5,0,0,5,0,0,0,0,0}')",
            "a_new_book_is_empty",
        ),
        (
            "INSERT INTO ledger_book (currency, journals_count) VALUES ('CNY', 1)",
            "a_new_book_is_empty",
        ),
        (
            "INSERT INTO ledger_book (currency, balances) VALUES ('CNY', '{0,0,0,5,0,0,0,0,0}')",
            "debits_equal_credits",
        ),
    ],
)
def test_database_refuses_to_rewrite_the_books(statement: str, rule: str) -> None:
    book = funded_book(yuan(10))
    before = held(book)

    with pytest.raises(DatabaseError, match=rule):
        run_raw(statement)

    assert held(book) == before
    assert queries.differences() == []


def test_verification_sees_a_balance_that_its_entries_do_not_explain() -> None:
    book = funded_book(yuan(10))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE ledger_book DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE ledger_book SET balances = '{1001,0,0,1001,0,0,0,0,0}' WHERE id = %s",
            [book],
        )
        cursor.execute("ALTER TABLE ledger_book ENABLE TRIGGER USER")

    assert queries.differences() == [f"book {book}: balances and entries differ"]


@pytest.mark.django_db(transaction=True)
def test_many_threads_posting_one_reference_post_it_once() -> None:
    with transaction.atomic():
        book = funded_book(yuan(10))
    freeze = journal(book, Account.AVAILABLE, Account.FROZEN, yuan(3))
    answers: list[bool] = []

    def post() -> None:
        try:
            with transaction.atomic():
                answers.append(post_journal(freeze, now=NOW).is_new)
        finally:
            connection.close()

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [False] * 7 + [True]
    assert held(book)["FROZEN"] == 300


@pytest.mark.django_db(transaction=True)
def test_callers_that_post_to_the_same_books_in_other_orders_do_not_block_for_ever() -> None:
    with transaction.atomic():
        books = [funded_book(yuan(1000)) for _ in range(6)]
    failures: list[BaseException] = []

    def post(name: int) -> None:
        try:
            for round_no in range(10):
                order = books if name % 2 else books[::-1]
                asked = [
                    journal(
                        book,
                        Account.AVAILABLE,
                        Account.FROZEN,
                        yuan(1),
                        reference=f"{name}/{round_no}",
                    )
                    for book in order
                ]
                with transaction.atomic():
                    post_journals(asked, now=NOW)
        except BaseException as failure:
            failures.append(failure)
            raise
        finally:
            connection.close()

    threads = [threading.Thread(target=post, args=[name]) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)

    assert failures == []
    assert all(held(book)["FROZEN"] == 4000 for book in books)


def test_posting_outside_a_transaction_is_a_bug() -> None:
    from kuaitui.kernel.invariants import InvariantViolated

    connection.in_atomic_block, before = False, connection.in_atomic_block
    try:
        with pytest.raises(InvariantViolated, match="inside a transaction"):
            open_book(currency=CNY, now=NOW)
    finally:
        connection.in_atomic_block = before
