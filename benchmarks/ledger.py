"""Posting beside `pgbench -b tpcb-like` and django-hordak, on one durable server."""

from __future__ import annotations

import tempfile
from pathlib import Path

import psycopg

from benchmarks.harness import Bench, Server, run_python, run_pythons
from kuaitui.kernel.clock import read_stopwatch_s

TPCB_SCALE = 50
BOOKS_FEW, BOOKS_MANY = 10_000, 1_000_000
PROCESSES = 8
START_DELAY_S = 3.0  # processes load Django first, then begin at one moment

# Every subject keeps all its pages in memory, so that what is measured is the work and the log.
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "32GB", "checkpoint_timeout": "1d"}

# A reference as long as the ids that production posts with, and never the same twice.
POST_ONE = r"""
\set book random(1, :books)
\set high random(1, 9000000000000000)
\set low random(1, 900000000)
SELECT posted_no, is_new FROM ledger_post(:book, 'bench', 'rfa_' || :high || :low, now(), now(),
    '{4}', '{5}', '{1}');
"""

FUND = """
INSERT INTO ledger_book (currency, opened_at) SELECT 'CNY', now() FROM generate_series(1, %s);
INSERT INTO ledger_journal
    (book_id, kind, reference, occurred_at, recorded_at, debits, credits, amounts)
    SELECT id, 'pay_in', 'lot_' || id, now(), now(), '{1}', '{4}', '{100000000}' FROM ledger_book;
"""


def run(bench: Bench) -> None:
    """Measure the ledger."""
    with bench.server(**SETTINGS) as server, tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "post_one.sql"
        script.write_text(POST_ONE)
        tpcb = server.database("tpcb")
        server.prepare_pgbench(tpcb, scale=max(1, round(TPCB_SCALE * bench.scale)))
        few, many = (
            _books(server, name, max(100, round(count * bench.scale)))
            for name, count in (("few", BOOKS_FEW), ("many", BOOKS_MANY))
        )
        hordak = _hordak(server)
        _settle(tpcb, few[0], many[0], hordak)
        _warm(bench, server, tpcb, script, few, many)
        _one_per_call(bench, server, tpcb, script, few)
        _thousand_per_call(bench, server, tpcb, few[0])
        _growth(bench, server, script, few, many)
        _beside_hordak(bench, server, script, many, hordak)


def _books(server: Server, name: str, count: int) -> tuple[str, int]:
    url = server.migrated_database(name)
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in FUND.split(";\n")[:2]:
            connection.execute(statement, [count] if "%s" in statement else None)
    return url, count


def _hordak(server: Server) -> str:
    url = server.database("hordak")
    run_python("benchmarks.peers.hordak", "prepare", database_url=url)
    return url


def _settle(*urls: str) -> None:
    """Clean every subject's tables and write all pages out, so that no subject pays for another."""
    for url in urls:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM (FREEZE, ANALYZE)")
    with psycopg.connect(urls[0], autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def _warm(
    bench: Bench,
    server: Server,
    tpcb: str,
    script: Path,
    few: tuple[str, int],
    many: tuple[str, int],
) -> None:
    """Touch every page once after the checkpoint, as a server that has run for a while has done."""
    bench.note(
        "No checkpoint falls into a sample: pages are written to the log in full once after a "
        "checkpoint, and each subject has had its pages written before the first sample."
    )
    with psycopg.connect(tpcb, autocommit=True) as connection:
        connection.execute("UPDATE pgbench_accounts SET abalance = 0 WHERE aid % 20 = 0")
        connection.execute("VACUUM pgbench_accounts")
    for url, _ in (few, many):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO ledger_journal (book_id, kind, reference, occurred_at, recorded_at,"
                " debits, credits, amounts) SELECT id, 'warm', 'warm' || id, now(), now(), '{4}',"
                " '{5}', '{1}' FROM ledger_book WHERE id % 5 = 0"
            )
            connection.execute("VACUUM ledger_book")
    server.pgbench(tpcb, "-b", "tpcb-like", clients=PROCESSES, seconds=bench.seconds)
    for url, books in (few, many):
        _post(server, url, script, books, bench.seconds)


def _post(
    server: Server, url: str, script: Path, books: int, seconds: float, clients: int = PROCESSES
) -> float:
    arguments = ("-f", str(script), "-D", f"books={books}")
    return server.pgbench(url, *arguments, clients=clients, seconds=seconds)


def _tpcb(server: Server, url: str, seconds: float, clients: int) -> float:
    return server.pgbench(url, "-b", "tpcb-like", clients=clients, seconds=seconds)


def _one_per_call(
    bench: Bench, server: Server, tpcb: str, script: Path, few: tuple[str, int]
) -> None:
    url, books = few
    table = bench.measure(
        f"One journal per call, {PROCESSES} connections, {books:,} books",
        {
            "R(8): pgbench tpcb-like": lambda: _tpcb(server, tpcb, bench.seconds, PROCESSES),
            "ledger_post": lambda: _post(server, url, script, books, bench.seconds),
            "post_journal, Python": lambda: _python(url, "one", bench.seconds, PROCESSES),
        },
        unit="journals/s",
    )
    ratio = table.ratio("ledger_post", "R(8): pgbench tpcb-like")
    bench.goal("one journal per call, 8 connections : R(8)", ratio, at_least=1.5)


def _thousand_per_call(bench: Bench, server: Server, tpcb: str, url: str) -> None:
    table = bench.measure(
        "1,000 journals per call, one connection",
        {
            "R(1): pgbench tpcb-like": lambda: _tpcb(server, tpcb, bench.seconds, 1),
            "ledger_post_many": lambda: _python(url, "thousand_sql", bench.seconds, 1),
            "post_journals, Python": lambda: _python(url, "thousand", bench.seconds, 1),
        },
        unit="journals/s",
    )
    base = "R(1): pgbench tpcb-like"
    for subject in ("ledger_post_many", "post_journals, Python"):
        bench.goal(f"{subject}, 1,000 per call : R(1)", table.ratio(subject, base), at_least=12)


def _growth(
    bench: Bench, server: Server, script: Path, few: tuple[str, int], many: tuple[str, int]
) -> None:
    names = [f"{books:,} books" for _, books in (few, many)]
    table = bench.measure(
        "The number of books does not matter",
        {
            names[0]: lambda: _post(server, few[0], script, few[1], bench.seconds),
            names[1]: lambda: _post(server, many[0], script, many[1], bench.seconds),
        },
        unit="journals/s",
        rounds=bench.rounds + 2,
    )
    ratio = table.ratio(names[0], names[1])
    bench.goal(f"cost of a journal with {names[1]} : with {names[0]}", ratio, at_most=1.2)


def _beside_hordak(
    bench: Bench, server: Server, script: Path, many: tuple[str, int], hordak: str
) -> None:
    url, books = many
    table = bench.measure(
        f"Beside django-hordak, {PROCESSES} connections",
        {
            "django-hordak transfer_to": lambda: _transfers(hordak, bench.seconds),
            "ledger_post": lambda: _post(server, url, script, books, bench.seconds),
            "post_journal, Python": lambda: _python(url, "one", bench.seconds, PROCESSES),
            "post_journals of 1,000, Python": lambda: _python(url, "thousand", bench.seconds, 1),
        },
        unit="journals/s",
    )
    base = "django-hordak transfer_to"
    bench.goal("ledger_post : hordak", table.ratio("ledger_post", base), at_least=8)
    for subject in ("post_journal, Python", "post_journals of 1,000, Python"):
        bench.note(f"{subject} : django-hordak = {table.ratio(subject, base):.1f}")


def _python(url: str, mode: str, seconds: float, processes: int) -> float:
    return _together("benchmarks.peers.ours", mode, url=url, seconds=seconds, processes=processes)


def _transfers(url: str, seconds: float) -> float:
    return _together(
        "benchmarks.peers.hordak", "measure", url=url, seconds=seconds, processes=PROCESSES
    )


def _together(module: str, mode: str, *, url: str, seconds: float, processes: int) -> float:
    begin_at = read_stopwatch_s() + START_DELAY_S  # one clock for every process of the machine
    arguments = (mode, f"--begin-at={begin_at}", f"--seconds={seconds}")
    answers = run_pythons(module, *arguments, database_url=url, processes=processes)
    return sum(answer["count"] / answer["seconds"] for answer in answers)
