"""What books hold, now and at a past moment, and how they came to hold it."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence

from django.db import connection

from kuaitui.kernel.money import Money
from kuaitui.ledger.errors import BookUnknown
from kuaitui.ledger.types import ACCOUNTS, Account, Balances, Entry

ENTRIES_MAX = 500
# A relation to compare in bulk: what each journal of one line moved, without the cost of unfolding it.
MOVED_BY_ONE_LINE = """
    SELECT book_id, kind, reference,
        CASE WHEN cardinality(amounts) = 1 THEN amounts[1] END AS amount_minor FROM ledger_journal"""


def _net(account: Account) -> str:
    """SQL: what entries add up to for one account, on its normal side."""
    grows, shrinks = ("debit", "credit") if account.is_debit_normal else ("credit", "debit")
    return (
        f"COALESCE(sum(CASE {account.value} WHEN {grows} THEN amount_minor"
        f" WHEN {shrinks} THEN -amount_minor END), 0)::bigint AS {account.name.lower()}"
    )


_NET = ", ".join(_net(account) for account in ACCOUNTS)


class TimeAxis(enum.Enum):
    """Which clock a past moment is read on."""

    OCCURRED = "occurred_at"
    """As it was in the world."""
    RECORDED = "recorded_at"
    """As we knew it."""


def balances(book_id: int) -> Balances:
    """What every account of the book holds now.

    Raises:
        BookUnknown: there is no such book.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT currency, journals_count, balances FROM ledger_book WHERE id = %s", [book_id]
        )
        row = cursor.fetchone()
    if row is None:
        raise BookUnknown(book=book_id)
    return Balances(row[0], row[1], tuple(row[2]))


def balances_of(book_ids: Sequence[int]) -> dict[int, Balances]:
    """What every account of several books holds now, by book; unknown books are left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, currency, journals_count, balances FROM ledger_book"
            " WHERE id = ANY (%s::bigint[])",
            [list(book_ids)],
        )
        return {row[0]: Balances(row[1], row[2], tuple(row[3])) for row in cursor.fetchall()}


def balances_at(book_id: int, *, at: dt.datetime, axis: TimeAxis = TimeAxis.RECORDED) -> Balances:
    """What every account held at a past moment, that moment included, derived from the entries.

    Raises:
        BookUnknown: there is no such book.
    """
    current = balances(book_id)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(DISTINCT journal_no), {_NET} FROM ledger_entry"
            f" WHERE book_id = %s AND {axis.value} <= %s",
            [book_id, at],
        )
        row = cursor.fetchone()
    return Balances(current.currency, row[0], tuple(row[1:]))


def entries(
    book_id: int, *, before_no: int | None = None, limit: int = 50, oldest_first: bool = False
) -> list[Entry]:
    """Entries of a book, newest journal first unless `oldest_first`; `before_no` pages on."""
    order = "ASC" if oldest_first else "DESC"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry.book_id, journal_no, entry_no, kind, reference, occurred_at, recorded_at,"
            " debit, credit, amount_minor, currency"
            " FROM ledger_entry AS entry JOIN ledger_book AS book ON book.id = entry.book_id"
            " WHERE entry.book_id = %s AND (%s::int IS NULL OR journal_no < %s)"
            f" ORDER BY journal_no {order}, entry_no {order} LIMIT %s",
            [book_id, before_no, before_no, min(limit, ENTRIES_MAX)],
        )
        return [
            Entry(
                book_id=row[0],
                journal_no=row[1],
                entry_no=row[2],
                kind=row[3],
                reference=row[4],
                occurred_at=row[5],
                recorded_at=row[6],
                debit=Account(row[7]),
                credit=Account(row[8]),
                amount=Money(row[9], row[10]),
            )
            for row in cursor.fetchall()
        ]


def lines_of(
    journals: Sequence[tuple[int, int]],
) -> dict[tuple[int, int], tuple[list[int], list[int], list[int]]]:
    """The debits, credits and amounts of some journals, by book and number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT book_id, journal_no, debits, credits, amounts FROM ledger_journal"
            " JOIN unnest(%s::bigint[], %s::int[]) AS asked (book_id, journal_no)"
            " USING (book_id, journal_no)",
            [[book for book, _ in journals], [number for _, number in journals]],
        )
        return {(row[0], row[1]): (row[2], row[3], row[4]) for row in cursor.fetchall()}


def totals() -> list[Balances]:
    """The platform's totals: sums over all books, one for each currency."""
    sums = ", ".join(f"sum({account.name.lower()})::bigint" for account in ACCOUNTS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT currency, sum(journals_count), {sums} FROM ledger_balance"
            " GROUP BY currency ORDER BY currency"
        )
        return [Balances(row[0], row[1], tuple(row[2:])) for row in cursor.fetchall()]


def differences(*, limit: int = 100) -> list[str]:
    """Books whose balances are not what their entries add up to, or whose numbers have gaps.

    There are none unless somebody went around the database's own rules.
    """
    wrong = " OR ".join(
        f"book.{account.name.lower()} <> COALESCE(derived.{account.name.lower()}, 0)"
        for account in ACCOUNTS
    )
    statement = (
        "SELECT book.book_id FROM ledger_balance AS book LEFT JOIN ("
        f"SELECT book_id, count(DISTINCT journal_no) AS journals, max(journal_no) AS last_no, {_NET}"
        " FROM ledger_entry GROUP BY book_id) AS derived ON derived.book_id = book.book_id"
        f" WHERE {wrong} OR book.journals_count <> COALESCE(derived.journals, 0)"
        " OR book.journals_count <> COALESCE(derived.last_no, 0) ORDER BY book.book_id LIMIT %s"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [limit])
        return [f"book {row[0]}: balances and entries differ" for row in cursor.fetchall()]


def counts() -> tuple[int, int, int]:
    """How many books, journals and entries there are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM ledger_book), count(*), COALESCE(sum(cardinality(amounts)), 0)"
            " FROM ledger_journal"
        )
        books, journals, lines = cursor.fetchone()
    return books, journals, lines
