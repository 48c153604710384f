"""Posts journals through the ledger's own operations."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import django

from benchmarks.peers import pace

BATCH = 1_000


def main() -> None:
    """Post in the asked way for the asked time."""
    arguments = pace.parser().parse_args()
    django.setup()
    step = {"one": _one, "thousand": _thousand, "thousand_sql": _thousand_sql}[arguments.mode]()
    pace.repeat(step, begin_at=arguments.begin_at, seconds=arguments.seconds)


def _journal_maker() -> Callable[[], Any]:
    from django.db import connection  # noqa: PLC0415 - Django is set up by now

    from kuaitui.kernel.clock import read_clock  # noqa: PLC0415
    from kuaitui.kernel.money import Money  # noqa: PLC0415
    from kuaitui.ledger.types import Account, Journal, Line  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM ledger_book")
        books = cursor.fetchone()[0]
    now = read_clock()
    line = Line(Account.AVAILABLE, Account.FROZEN, Money(1, "CNY"))

    def journal() -> Journal:
        reference = f"rfa_{random.getrandbits(80):026d}"
        return Journal(random.randint(1, books), "bench", reference, now, (line,))

    return journal


def _one() -> Callable[[], int]:
    from django.db import transaction  # noqa: PLC0415

    from kuaitui.kernel.clock import read_clock  # noqa: PLC0415
    from kuaitui.ledger.operations import post_journal  # noqa: PLC0415

    make, now = _journal_maker(), read_clock()

    def step() -> int:
        with transaction.atomic():
            post_journal(make(), now=now)
        return 1

    return step


def _thousand() -> Callable[[], int]:
    from django.db import transaction  # noqa: PLC0415

    from kuaitui.kernel.clock import read_clock  # noqa: PLC0415
    from kuaitui.ledger.operations import post_journals  # noqa: PLC0415

    make, now = _journal_maker(), read_clock()

    def step() -> int:
        with transaction.atomic():
            post_journals([make() for _ in range(BATCH)], now=now)
        return BATCH

    return step


def _thousand_sql() -> Callable[[], int]:
    """The bare statement, with the values made in the database: what the function itself costs."""
    from django.db import connection  # noqa: PLC0415

    _journal_maker()
    statement = """
        SELECT count(*) FROM (
            SELECT array_agg(1 + (random() * (:books - 1))::bigint) AS books,
                array_agg('bench'::varchar) AS kinds,
                array_agg(('rfa_' || gen_random_uuid())::varchar) AS refs,
                array_agg(now()) AS times, array_agg('{4}'::text) AS debits,
                array_agg('{5}'::text) AS credits, array_agg('{1}'::text) AS amounts
            FROM generate_series(1, 1000)) AS made,
        LATERAL ledger_post_many(made.books, made.kinds, made.refs, made.times, now(),
            made.debits, made.credits, made.amounts)"""
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM ledger_book")
        statement = statement.replace(":books", str(cursor.fetchone()[0]))

    def step() -> int:
        with connection.cursor() as cursor:
            cursor.execute(statement)
        return BATCH

    return step


if __name__ == "__main__":
    main()
