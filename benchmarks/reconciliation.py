"""A bill of a million lines against a million payments, held against a bare full outer join."""

from __future__ import annotations

import json

import psycopg

from benchmarks.harness import Bench, run_python
from kuaitui.kernel.clock import read_clock

PAYMENTS = 1_000_000
DEPOSITS = 1_000
RATIO_MAX = 3.0
# One payment in ten thousand is on no bill, and one in ten thousand has another amount there.
STATEMENTS = (
    """
    INSERT INTO ledger_book (id, currency, opened_at)
        SELECT n, 'CNY', %(now)s FROM generate_series(1, %(deposits)s) AS n
    """,
    """
    INSERT INTO deposits_account
        (id, public_id, shop_key, kind, currency, book_id, required_minor, opened_at)
        SELECT n, 'dep_' || n, n, 'shop', 'CNY', n, 0, %(now)s
        FROM generate_series(1, %(deposits)s) AS n
    """,
    """
    INSERT INTO deposits_lot
        (account_id, number, public_id, amount_minor, paid_at, channel, channel_reference)
        SELECT 1 + n %% %(deposits)s, n / %(deposits)s, 'lot_' || n, 100 + n %% 900,
            %(day)s + interval '1 hour', 'paper', '4200002345' || lpad(n::text, 18, '0')
        FROM generate_series(1, %(payments)s) AS n
    """,
    """
    INSERT INTO ledger_journal
        (book_id, journal_no, kind, reference, occurred_at, recorded_at, debits, credits, amounts)
        SELECT account_id, number + 1, 'pay_in', public_id, paid_at, paid_at, '{1}', '{4}',
            ARRAY[amount_minor] FROM deposits_lot
    """,
    """
    INSERT INTO reconciliation_file (id, public_id, channel, bill, day, version, sha256, content,
        file_name, source, brought_by, brought_at)
        VALUES (1, 'bil_1', 'paper', 'funds', %(day)s, 1, encode(sha256(''), 'hex'), '', '',
            'imported', 'benchmark', %(now)s)
    """,
    """
    INSERT INTO reconciliation_reading (id, file_id, parser, read_at, state, reason, line_no,
        lines_count, lines_sha256) VALUES (1, 1, 'paper', %(now)s, 'read', '', 0, %(payments)s, '')
    """,
    """
    INSERT INTO reconciliation_line (reading_id, line_no, kind, event, key, number, reference,
        amount_minor, currency, occurred_at, state)
        SELECT 1, row_number() OVER (ORDER BY md5(public_id)), 'pay_in', 'pay_in', channel_reference,
            'order', channel_reference, amount_minor + (number %% 10000 = 7)::int, 'CNY', paid_at, ''
        FROM deposits_lot WHERE hashtext(public_id) %% 10000 <> 0
    """,
    "ANALYZE",
)


def run(bench: Bench) -> None:
    """Measure the bulk comparison of one day."""
    payments = max(10_000, round(PAYMENTS * bench.scale))
    with bench.server(shared_buffers="512MB", work_mem="256MB") as server:
        url = server.migrated_database("bills")
        _populate(url, payments)
        _seconds(url, "ours")  # brings the tables into memory
        table = bench.measure(
            f"One day of {payments:,} payments and as many lines",
            {
                "compared three ways": lambda: _seconds(url, "ours"),
                "bare full outer join": lambda: _seconds(url, "bare"),
            },
            unit="s",
        )
    ratio = table.ratio("compared three ways", "bare full outer join")
    bench.goal("three-way comparison : bare full outer join", ratio, at_most=RATIO_MAX)


def _populate(url: str, payments: int) -> None:
    now = read_clock()
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    values = {"now": now, "day": day, "deposits": DEPOSITS, "payments": payments}
    with psycopg.connect(url, autocommit=True) as connection:
        # The rows are what the triggers would have made; making them one by one measures something else.
        connection.execute("SET session_replication_role = replica")
        for statement in STATEMENTS:
            connection.execute(statement, values if "%" in statement else None)


def _seconds(url: str, subject: str) -> float:
    said = run_python("benchmarks.peers.bills", subject, database_url=url)
    return float(json.loads(said.splitlines()[-1])["seconds"])
