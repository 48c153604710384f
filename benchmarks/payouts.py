"""Straight-through payouts: claim, call, record against the simulated channel, and their history."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.harness import Bench, Server, python_environment, run_python, run_pythons
from benchmarks.many_payouts import add_paid
from kuaitui.demo.processes import console_script
from kuaitui.kernel.clock import read_clock, read_stopwatch_s

LEGS = 2_000  # carried out in one sample
HISTORY = 2_000  # paid legs before the first sample; ten and a hundred times as many beside it
LEGS_PER_S_MIN = 400
GROWTH_MAX = 1.2
PROCESSES, THREADS = 2, 64  # `kuaitui worker --threads 64` on each of two cores
CLIENTS = 8
TPCB_SCALE = 50
START_DELAY_S = 4.0
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "32GB", "checkpoint_timeout": "1d"}


@dataclass(frozen=True, slots=True)
class Desk:
    """One database with a history, whose legs are carried out."""

    url: str
    environment: dict[str, str]
    legs: int

    def legs_per_s(self) -> float:
        """Legs that reach PAID per second, from the first claim to the last record."""
        count = str(self.legs)
        run_python("benchmarks.peers.payouts", "seed", f"--count={count}",
                   database_url=self.url, environment=self.environment)  # fmt: skip
        begin_at = read_stopwatch_s() + START_DELAY_S
        run_pythons("benchmarks.peers.payouts", "carry", f"--threads={THREADS}",
                    f"--begin-at={begin_at}", database_url=self.url, processes=PROCESSES,
                    environment=self.environment)  # fmt: skip
        paid, seconds = self._outcome()
        if paid != self.legs:
            raise RuntimeError(f"{paid} of {self.legs} legs were paid")
        return paid / seconds

    def _outcome(self) -> tuple[int, float]:
        newest = "SELECT id FROM payouts_leg ORDER BY id DESC LIMIT %s"
        with psycopg.connect(self.url) as connection:
            row = connection.execute(
                "SELECT count(*) FILTER (WHERE leg.state = 'paid'),"
                " extract(epoch FROM max(attempt.finished_at) - min(attempt.started_at))"
                " FROM payouts_attempt AS attempt JOIN payouts_leg AS leg ON leg.id = leg_id"
                f" WHERE leg_id IN ({newest})",
                [self.legs],
            ).fetchone()
        if row is None or row[1] is None:
            raise RuntimeError("no leg was carried out")
        return int(row[0]), float(row[1])


def run(bench: Bench) -> None:
    """Measure legs per second beside R(8), then with histories of other lengths."""
    legs = max(200, round(LEGS * bench.scale))
    history = max(200, round(HISTORY * bench.scale))
    with bench.server(**SETTINGS) as server, tempfile.TemporaryDirectory() as folder:
        tpcb = server.database("tpcb")
        server.prepare_pgbench(tpcb, scale=max(1, round(TPCB_SCALE * bench.scale)))
        with _simulated_channel(Path(folder)) as environment:
            desks = {
                f"{history * times:,} paid before": _desk(
                    server, f"times_{times}", environment, history=history * times, legs=legs
                )
                for times in (1, 10, 100)
            }
            _beside_pgbench(bench, server, tpcb, next(iter(desks.values())))
            _growth(bench, desks)


def _beside_pgbench(bench: Bench, server: Server, tpcb: str, desk: Desk) -> None:
    base, subject = f"R({CLIENTS}): pgbench tpcb-like", "legs paid"
    table = bench.measure(
        f"Claim, call, record: {PROCESSES} workers with {THREADS} threads",
        {
            base: lambda: server.pgbench(
                tpcb, "-b", "tpcb-like", clients=CLIENTS, seconds=bench.seconds
            ),
            subject: desk.legs_per_s,
        },
        unit="/s",
    )
    bench.goal("legs paid per second", table.rows[subject].median, at_least=LEGS_PER_S_MIN)
    bench.note(f"legs paid : R({CLIENTS}) = {table.ratio(subject, base):.3f}")
    bench.note(
        "The workers, the simulated channel with its own book, and the database share the machine. "
        "Delivering the news of a payment to other contexts is not part of the figure."
    )


def _growth(bench: Bench, desks: dict[str, Desk]) -> None:
    table = bench.measure(
        "The length of the history does not matter",
        {name: desk.legs_per_s for name, desk in desks.items()},
        unit="/s",
    )
    first, *longer = desks
    for name in longer:
        ratio = table.ratio(first, name)
        bench.goal(f"cost of a leg with {name} : with {first}", ratio, at_most=GROWTH_MAX)


def _desk(
    server: Server, name: str, environment: dict[str, str], *, history: int, legs: int
) -> Desk:
    url = server.migrated_database(name)
    add_paid(url, count=history, now=read_clock())
    desk = Desk(url, environment, legs)
    desk.legs_per_s()  # brings tables and code into memory
    return desk


@contextlib.contextmanager
def _simulated_channel(folder: Path) -> Iterator[dict[str, str]]:
    """A channel as a process of its own; gives what a worker's environment says of it."""
    environment = {"KUAITUI_VAR": str(folder)}
    command = [console_script(), "simulate-channel", "--port", "0"]
    places = ["--book", str(folder / "channel.sqlite3")]
    process = subprocess.Popen(
        [*command, *places],
        env={**python_environment(os.environ.get("DATABASE_URL", ""), environment)},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        said = process.stdout.readline() if process.stdout else ""
        match = re.search(r"http://127\.0\.0\.1:\d+", said)
        if match is None:
            raise RuntimeError(f"the simulated channel did not start: {said!r}")
        yield {**environment, "KUAITUI_SIMULATOR_URL": match[0]}
    finally:
        process.terminate()
        process.wait(timeout=30)
