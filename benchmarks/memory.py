"""What an installation at rest takes: pages, worker and database together."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.harness import Bench, Row, Table
from benchmarks.machine import descendants, proportional_memory_bytes
from kuaitui.demo.processes import Installation

REST_S = 20
MIB = 2**20
PAGES = ("/login", "/", "/console/")


def run(bench: Bench) -> None:
    """Start everything as an operator does, ask for some pages, let it rest, and weigh it."""
    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory(prefix="kuaitui-bench-") as folder:
        Path(folder).chmod(0o755)
        with Installation(Path(folder)) as installation:
            installation.start_database()
            installation.start_worker()
            installation.start_web()
            installation.await_web()
            for page in PAGES * 5:
                httpx.get(installation.web_url + page, timeout=30, trust_env=False)
            time.sleep(REST_S)
            for name, pids in _processes(installation).items():
                rows[name] = Row(name, [proportional_memory_bytes(pids) / MIB], [0])
    total = sum(row.median for row in rows.values())
    rows["together"] = Row("together", [total], [0])
    bench.tables.append(Table("Memory at rest", "MiB", rows))
    bench.goal("web + worker + embedded database at rest, MiB", total, at_most=350)
    bench.note(
        f"Memory is the proportional share (PSS: what processes share is counted once), {REST_S} s "
        "after the last page."
    )


def _processes(installation: Installation) -> dict[str, list[int]]:
    postmaster = installation.database.server_pid()
    return {
        "web": descendants(installation.pid_of("web")),
        "worker": descendants(installation.pid_of("worker")),
        "database": [] if postmaster is None else descendants(postmaster),
    }
