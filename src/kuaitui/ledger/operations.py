"""Opening books and posting to them. Each operation is one round trip inside the caller's transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, connection
from psycopg import errors as pg

from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import AmountTooLarge, Money
from kuaitui.kit.transactions import requires_transaction
from kuaitui.ledger.errors import BookUnknown, InsufficientBalance, ReferenceReused
from kuaitui.ledger.queries import lines_of
from kuaitui.ledger.types import Journal, Posted

JOURNALS_MAX = 50_000

_POST_ONE = (
    "SELECT posted_no, is_new FROM"
    " ledger_post(%s, %s, %s, %s, %s, %s::smallint[], %s::smallint[], %s::bigint[])"
)
_POST_MANY = "SELECT posted_no, is_new FROM ledger_post_many(%s, %s, %s, %s, %s, %s, %s, %s)"
_CEILING = "a_book_holds_no_more_than_money_can_count"
_OPEN = "INSERT INTO ledger_book (currency, opened_at) SELECT %s, %s FROM generate_series(1, %s) RETURNING id"


@requires_transaction
def open_book(*, currency: str, now: dt.datetime) -> int:
    """Open one empty book and return its id."""
    return open_books(currency=currency, count=1, now=now)[0]


@requires_transaction
def open_books(*, currency: str, count: int, now: dt.datetime) -> list[int]:
    """Open many empty books in one round trip and return their ids.

    Raises:
        CurrencyUnknown: the currency is not supported.
    """
    Money.zero(currency)
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [currency, now, count])
        return [row[0] for row in cursor.fetchall()]


@requires_transaction
def post_journal(journal: Journal, *, now: dt.datetime) -> Posted:
    """Post one journal.

    Idempotent by (book, kind, reference) for ever: posting it again changes nothing and returns
    where it stands. `now` becomes `recorded_at`.

    Raises:
        InsufficientBalance: an account would fall below zero.
        AmountTooLarge: the book would hold more than `Money` can count.
        BookUnknown: there is no such book.
        ReferenceReused: the reference was posted before with other lines.
    """
    debits, credits_, amounts = _columns(journal)
    parameters = [
        journal.book_id, journal.kind, journal.reference, journal.occurred_at, now,
        debits, credits_, amounts,
    ]  # fmt: skip
    rows = _execute(_POST_ONE, parameters)
    return _answer([journal], rows)[0]


@requires_transaction
def post_journals(journals: Sequence[Journal], *, now: dt.datetime) -> list[Posted]:
    """Post many journals in one round trip: all of them, or none.

    Answers come in the order of `journals`. Idempotent, and raises, as `post_journal`; a reference
    that stands twice in `journals` is posted once.
    """
    ensure(len(journals) <= JOURNALS_MAX, f"at most {JOURNALS_MAX} journals are posted at once")
    if not journals:
        return []
    columns = [_columns(journal) for journal in journals]
    parameters = [
        [journal.book_id for journal in journals],
        [journal.kind for journal in journals],
        [journal.reference for journal in journals],
        [journal.occurred_at for journal in journals],
        now,
        *([_literal(column[side]) for column in columns] for side in range(3)),
    ]
    rows = _execute(_POST_MANY, parameters)
    while any(number is None for number, _ in rows):
        # Another writer posted one of the references meanwhile; the next look sees it.
        seen = _execute(_POST_MANY, parameters)
        rows = [(number, was) for (number, _), (_, was) in zip(seen, rows, strict=True)]
    return _answer(journals, rows)


def _columns(journal: Journal) -> tuple[list[int], list[int], list[int]]:
    lines = journal.lines
    return (
        [line.debit.value for line in lines],
        [line.credit.value for line in lines],
        [line.amount.minor for line in lines],
    )


def _literal(numbers: list[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


def _execute(statement: str, parameters: list[Any]) -> list[tuple[int, bool]]:
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            answers: list[tuple[int, bool]] = cursor.fetchall()
            return answers
    except IntegrityError as error:
        match error.__cause__:
            case pg.CheckViolation() as cause if _names_a_floor(cause):
                raise InsufficientBalance(account=str(cause.diag.constraint_name)) from error
            case pg.CheckViolation() as cause if cause.diag.constraint_name == _CEILING:
                raise AmountTooLarge from error
            case pg.ForeignKeyViolation():
                raise BookUnknown from error
        raise


def _names_a_floor(cause: pg.CheckViolation) -> bool:
    return (cause.diag.constraint_name or "").endswith("_is_not_negative")


def _answer(journals: Sequence[Journal], rows: list[tuple[int, bool]]) -> list[Posted]:
    ensure(len(rows) == len(journals), "every journal gets an answer")
    posted = [
        Posted(journal.book_id, number, is_new)
        for journal, (number, is_new) in zip(journals, rows, strict=True)
    ]
    repeated = [
        (journal, stands)
        for journal, stands in zip(journals, posted, strict=True)
        if not stands.is_new
    ]
    if repeated:
        known = lines_of([(stands.book_id, stands.journal_no) for _, stands in repeated])
        for journal, stands in repeated:
            if known[stands.book_id, stands.journal_no] != _columns(journal):
                raise ReferenceReused(
                    book=journal.book_id, kind=journal.kind, reference=journal.reference
                )
    return posted
