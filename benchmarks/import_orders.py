"""`kuaitui import orders` from a file to facts, on the durable embedded server, and its memory."""

from __future__ import annotations

import datetime as dt
import os
import random
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import psycopg

from benchmarks.harness import Bench, Server, python_environment
from kuaitui.kernel.clock import read_stopwatch_s

ROWS_FEW, ROWS_MANY = 250_000, 1_000_000
SHOPS = 20_000
GOAL_ROWS_PER_S = 60_000
STATUSES = ("placed", "paid", "shipped", "received", *["completed"] * 5, "closed")
BEGIN = dt.datetime(2025, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))
COMMAND = "from kuaitui.interfaces.cli.main import main; main()"


def run(bench: Bench) -> None:
    """Measure the import, each sample into a database of its own."""
    few, many = (max(1_000, round(rows * bench.scale)) for rows in (ROWS_FEW, ROWS_MANY))
    with bench.server() as server, tempfile.TemporaryDirectory() as folder:
        paths = {rows: _write(Path(folder) / f"{rows}.csv", rows) for rows in (few, many)}
        server.migrated_database("template")
        peaks: dict[int, list[int]] = {few: [], many: []}
        names = {rows: f"kuaitui-csv, {rows:,} rows" for rows in (few, many)}
        table = bench.measure(
            f"Order facts through the command line, {SHOPS:,} shops",
            {
                names[rows]: partial(_import, server, paths[rows], rows, peaks[rows])
                for rows in (few, many)
            },
            unit="rows/s",
            rounds=min(bench.rounds, 3),
        )
    bench.goal("order facts through kuaitui import, rows/s", table.rows[names[many]].median,
               at_least=GOAL_ROWS_PER_S)  # fmt: skip
    bench.goal(f"peak memory of the import, {many:,} rows : {few:,} rows",
               max(peaks[many]) / max(peaks[few]), at_most=1.1)  # fmt: skip
    bench.note(f"Peak memory of the larger process of an import: {max(peaks[many]) // 1024} MB.")


def _write(path: Path, rows: int) -> Path:
    draw = random.Random(7)
    with path.open("w") as handle:
        handle.write("shop_id,order_id,status,status_at,amount_minor\n")
        for number in range(rows):
            status_at = BEGIN + dt.timedelta(seconds=draw.randrange(40_000_000))
            handle.write(
                f"S{draw.randrange(SHOPS):07d},{260_000_000_000 + number * 7},"
                f"{draw.choice(STATUSES)},{status_at.isoformat()},{draw.randrange(100, 100_000)}\n"
            )
    return path


def _import(server: Server, path: Path, rows: int, peaks: list[int]) -> float:
    """Rows per second from the start of the command to its end, with all it has to load."""
    name = f"sample_{rows}_{len(peaks)}"
    with psycopg.connect(server.database("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template")
        begun = read_stopwatch_s()
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", COMMAND, "import", "orders", str(path),
             "--mapping=kuaitui-csv"],
            env=python_environment(server.postgres.url(name)), cwd=path.parent,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        elapsed_s = read_stopwatch_s() - begun
        if status != 0:
            raise RuntimeError("the import failed")
        peaks.append(used.ru_maxrss)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    return rows / elapsed_s
