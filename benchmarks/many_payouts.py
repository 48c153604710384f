"""Payouts in bulk: legs that wait to be sent, and a history of legs that were paid.

Every row is as the operations would have left it; made one by one they would take minutes. The books
and their journals, lots, shares and attempts agree with each other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

import psycopg

AMOUNT_MINOR = 300_000
# One shop, book, lot, application and leg for each number from `first` to `last`.
STATEMENTS = (
    """
    INSERT INTO ledger_book (id, currency, opened_at, journals_count, balances)
        SELECT n, 'CNY', %(paid_at)s, CASE WHEN %(is_paid)s THEN 4 ELSE 2 END,
            CASE WHEN %(is_paid)s THEN '{0,0,0,0,0,0,0,0,0}'::bigint[]
                ELSE ARRAY[%(amount)s, 0, 0, 0, %(amount)s, 0, 0, 0, 0]::bigint[] END
        FROM generate_series(%(first)s, %(last)s) AS n
    """,
    """
    INSERT INTO ledger_journal
        (book_id, journal_no, kind, reference, occurred_at, recorded_at, debits, credits, amounts)
        SELECT n, step.no, step.kind, step.of || n, %(paid_at)s, %(paid_at)s,
            ARRAY[step.debit]::smallint[], ARRAY[step.credit]::smallint[], ARRAY[%(amount)s]::bigint[]
        FROM generate_series(%(first)s, %(last)s) AS n, (VALUES
            (1, 'pay_in', 'lot_', 1, 4), (2, 'freeze', 'rfa_', 4, 5),
            (3, 'payout.leg_sent', 'leg_', 5, 6), (4, 'payout.leg_settled', 'leg_', 6, 1)
        ) AS step (no, kind, of, debit, credit)
        WHERE step.no <= 2 OR %(is_paid)s
    """,
    """
    INSERT INTO deposits_account (id, public_id, shop_key, kind, currency, book_id, required_minor,
        lots_count, opened_at)
        SELECT n, 'dep_' || n, n, 'shop', 'CNY', n, 0, 1, %(paid_at)s
        FROM generate_series(%(first)s, %(last)s) AS n
    """,
    """
    INSERT INTO deposits_lot (account_id, number, public_id, amount_minor, paid_at, channel,
        channel_reference, refundable_until, reserved_minor, refunded_minor)
        SELECT n, 1, 'lot_' || n, %(amount)s, %(paid_at)s, 'simulator', 'P' || n,
            %(paid_at)s + interval '365 days',
            CASE WHEN %(is_paid)s THEN 0 ELSE %(amount)s END,
            CASE WHEN %(is_paid)s THEN %(amount)s ELSE 0 END
        FROM generate_series(%(first)s, %(last)s) AS n
    """,
    """
    INSERT INTO deposits_hold (account_id, reference, amount_minor, settled_minor, frozen_at)
        SELECT n, 'rfa_' || n, %(amount)s, CASE WHEN %(is_paid)s THEN %(amount)s ELSE 0 END, %(now)s
        FROM generate_series(%(first)s, %(last)s) AS n
    """,
    """
    INSERT INTO deposits_lot_share
        (account_id, leg_id, lot_number, hold_reference, amount_minor, state)
        SELECT n, 'leg_' || n, 1, 'rfa_' || n, %(amount)s,
            CASE WHEN %(is_paid)s THEN 'settled' ELSE 'reserved' END
        FROM generate_series(%(first)s, %(last)s) AS n
    """,
    """
    INSERT INTO payouts_payout (id, public_id, application_id, account_id, shop_key, book_id,
        amount_minor, currency, approval_hash, state, begun_at, paid_at)
        SELECT n, 'pay_' || n, 'rfa_' || n, 'dep_' || n, n, n, %(amount)s, 'CNY', %(approval)s,
            CASE WHEN %(is_paid)s THEN 'paid' ELSE 'paying' END, %(now)s,
            CASE WHEN %(is_paid)s THEN %(now)s END
        FROM generate_series(%(first)s, %(last)s) AS n
    """,
    """
    INSERT INTO payouts_leg (id, public_id, payout_id, book_id, lot_id, amount_minor, currency, route,
        route_open_until, destination_id, tail, channel, channel_number, request_sealed,
        request_key_id, approval_hash, approved_by, created_at, state, since, fence, next_check_at,
        checks, sends, first_sent_at, last_sent_at, settled_at, bank_reference, code,
        set_aside_reason, clear_since)
        SELECT n, 'leg_' || n, n, n, 'lot_' || n, %(amount)s, 'CNY', 'original',
            %(paid_at)s + interval '365 days', '', '', 'simulator', request.number, request.content,
            request.key_id, %(approval)s, '["usr_1", "usr_2"]', %(now)s,
            CASE WHEN %(is_paid)s THEN 'paid' ELSE 'ready' END, %(now)s, %(is_paid)s::int,
            CASE WHEN %(is_paid)s THEN %(now)s + (1 + n %% 86400) * interval '1 second'
                + interval '1 day' ELSE %(now)s END,
            0, %(is_paid)s::int, moments.at, moments.at, moments.at,
            CASE WHEN %(is_paid)s THEN 'SIM' || n ELSE '' END, '', '', %(now)s
        FROM generate_series(%(first)s, %(last)s) AS n
            JOIN request USING (n),
            LATERAL (SELECT CASE WHEN %(is_paid)s
                THEN %(now)s - (n %% 2592000) * interval '1 second' END) AS moments (at)
    """,
    """
    INSERT INTO payouts_attempt
        (leg_id, attempt_no, kind, fence, started_at, finished_at, outcome, cause)
        SELECT id, 1, 'send', 1, first_sent_at, first_sent_at, 'succeeded', '' FROM payouts_leg
        WHERE id BETWEEN %(first)s AND %(last)s AND %(is_paid)s
    """,
    """
    INSERT INTO kit_outbox
        (event, payload, published_at, deliver_after, attempts_count, delivered_at, failure)
        SELECT event, jsonb_build_object('leg_id', 'leg_' || n), %(now)s, %(now)s, 1, %(now)s, ''
        FROM generate_series(%(first)s, %(last)s) AS n,
            unnest('{payouts.LegSent,payouts.LegPaid,payouts.PayoutPaid}'::text[]) AS event
        WHERE %(is_paid)s
    """,
)
APPROVAL = "a hash of what two people approved"

# By the leg's number: its channel number, sealed request and the key it is sealed with.
Request = tuple[str, bytes, str]
MakeRequest = Callable[[int], Request]


def add_waiting(url: str, make: MakeRequest, *, count: int, now: dt.datetime) -> None:
    """Add legs whose turn has come, each of a shop of its own."""
    _add(url, make, count=count, now=now, is_paid=False)


def add_paid(url: str, *, count: int, now: dt.datetime) -> None:
    """Add legs that were paid in the last thirty days, with all that they left behind."""
    content = bytes(220)
    _add(url, lambda n: (f"paid{n}", content, "k1"), count=count, now=now, is_paid=True)


def _add(url: str, make: MakeRequest, *, count: int, now: dt.datetime, is_paid: bool) -> None:
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        # What the triggers would refuse is the shortcut itself: rows that begin half-way.
        connection.execute("SET session_replication_role = replica")
        row = connection.execute("SELECT COALESCE(max(id), 0) + 1 FROM ledger_book").fetchone()
        first = int(row[0]) if row else 1
        numbers = range(first, first + count)
        with connection.transaction():
            _bring_requests(connection, ((n, *make(n)) for n in numbers))
            values = {
                "first": first,
                "last": numbers[-1],
                "amount": AMOUNT_MINOR,
                "approval": APPROVAL,
                "is_paid": is_paid,
                "now": now,
                "paid_at": now - dt.timedelta(days=200),
            }
            for statement in STATEMENTS:
                connection.execute(statement, values)
        connection.execute("VACUUM (ANALYZE)")


def _bring_requests(
    connection: psycopg.Connection[tuple[object, ...]], rows: Iterable[tuple[object, ...]]
) -> None:
    connection.execute(
        "CREATE TEMPORARY TABLE request (n bigint, number text, content bytea, key_id text)"
        " ON COMMIT DROP"
    )
    with connection.cursor() as cursor, cursor.copy("COPY request FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
