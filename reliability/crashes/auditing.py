"""Who judges: plain SQL over the tables and the channel's own book. Nothing of the domain's code."""

from __future__ import annotations

from collections import Counter
from typing import Any

import psycopg

# Places of a book's accounts, as the ledger's documents number them.
AT_CHANNEL, RECEIVABLE, CHANNEL_FEE = 1, 2, 3
DEBIT_NORMAL = (AT_CHANNEL, RECEIVABLE, CHANNEL_FEE)
FINAL = ("paid", "withdrawn", "rejected", "expired")

ENTRIES = """
    SELECT book_id, account, sum(minor)::bigint FROM (
        SELECT book_id, unnest(debits) AS account, unnest(amounts) AS minor FROM ledger_journal
        UNION ALL
        SELECT book_id, unnest(credits), -unnest(amounts) FROM ledger_journal
    ) AS sides GROUP BY book_id, account
"""


def unfinished(url: str) -> list[tuple[str, str]]:
    """Applications that have not come to their end, with their states."""
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT public_id, state FROM refunds_application"
            " WHERE state <> 'draft' AND NOT state = ANY (%s)",
            [list(FINAL)],
        ).fetchall()


def let_leases_end(url: str) -> None:
    """As if the minutes had passed for which dead workers had taken news: nobody else holds any."""
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE kit_outbox SET deliver_after = now() WHERE delivered_at IS NULL")


def findings(url: str, theirs: dict[str, Any], promises: dict[str, tuple[str, int]]) -> list[str]:
    """Everything that is not as it must be, once all is quiet.

    `theirs` is the channel's account of each number; `promises` what applicants were told.
    """
    with psycopg.connect(url) as connection:
        return [
            *_numbers(connection, theirs),
            *_promises(connection, promises),
            *_books(connection, theirs),
            *_attempts(connection),
        ]


def _numbers(connection: psycopg.Connection[Any], theirs: dict[str, Any]) -> list[str]:
    legs = dict(
        connection.execute("SELECT channel_number, amount_minor FROM payouts_leg").fetchall()
    )
    found = [f"the channel paid {number}, which no leg carries" for number in theirs.keys() - legs]
    for number, minor in legs.items():
        said = theirs.get(number, {"times_paid": 0, "with_payee_minor": 0})
        if said["times_paid"] != 1:
            found.append(f"{number} was paid {said['times_paid']} times")
        elif said["with_payee_minor"] != minor:
            found.append(f"{number}: {said['with_payee_minor']} went out instead of {minor}")
    return found


def _promises(
    connection: psycopg.Connection[Any], promises: dict[str, tuple[str, int]]
) -> list[str]:
    rows = {
        row[0]: (row[1], row[2], row[3])
        for row in connection.execute(
            "SELECT public_id, account_id, amount_minor, state FROM refunds_application"
            " WHERE state <> 'draft'"
        ).fetchall()
    }
    found = [f"{kept} was confirmed and is not there" for kept in promises.keys() - rows]
    found += [f"{extra} is there and was never asked for" for extra in rows.keys() - promises]
    for application_id, (account_id, minor) in promises.items():
        row = rows.get(application_id)
        if row is not None and row != (account_id, minor, "paid"):
            found.append(f"{application_id} is {row} instead of paid {minor}")
    journals = Counter(
        row[0]
        for row in connection.execute(
            "SELECT reference FROM ledger_journal WHERE kind = 'payout.leg_settled'"
        ).fetchall()
    )
    found += [f"{leg} was settled {times} times" for leg, times in journals.items() if times > 1]
    return found


def _books(connection: psycopg.Connection[Any], theirs: dict[str, Any]) -> list[str]:
    found, at_channel = [], 0
    sums: dict[int, int] = {}
    for book_id, account, minor in connection.execute(ENTRIES).fetchall():
        sums[book_id] = sums.get(book_id, 0) + minor
        natural = minor if account in DEBIT_NORMAL else -minor
        if natural < 0:
            found.append(f"book {book_id}: account {account} stands at {natural}")
        at_channel += minor if account == AT_CHANNEL else 0
    found += [f"book {book} is out of balance by {odd}" for book, odd in sums.items() if odd]
    paid_in = connection.execute(
        "SELECT sum(amount_minor)::bigint FROM (SELECT amount_minor FROM deposits_lot"
        " UNION ALL SELECT amount_minor FROM deposits_suspense) AS came"
    ).fetchone()
    gone = sum(said["with_payee_minor"] for said in theirs.values())
    if paid_in is not None and paid_in[0] - gone != at_channel:
        found.append(f"{paid_in[0]} came, {gone} went, and the books hold {at_channel}")
    return found


def _attempts(connection: psycopg.Connection[Any]) -> list[str]:
    """Two sends in a row, with no question in between, could have been two payments."""
    rows = connection.execute(
        "SELECT leg_id, attempt_no FROM (SELECT leg_id, attempt_no, kind, outcome,"
        " lag(kind) OVER by_leg AS before, lag(outcome) OVER by_leg AS outcome_before"
        " FROM payouts_attempt WINDOW by_leg AS (PARTITION BY leg_id ORDER BY attempt_no)) AS a"
        " WHERE kind = 'send' AND before = 'send'"
        " AND outcome_before NOT IN ('not_sent', 'rejected_config', 'failed_retryable')"
    ).fetchall()
    return [f"leg {leg}: attempt {number} sent without asking" for leg, number in rows]
