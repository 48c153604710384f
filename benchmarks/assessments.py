"""Assessing a million shops at once, and one of them with its page, on the embedded server."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys

from benchmarks.harness import Bench, python_environment, run_python
from benchmarks.million_shops import populate
from kuaitui.kernel.clock import read_clock, read_stopwatch_s

SHOPS = 1_000_000
PROCESSES = 2
START_DELAY_S = 4.0  # processes load Django first, then begin at one moment
GOAL_SHOPS_PER_S = 300_000
GOAL_PAGE_MS = 60
PAGES = 210


def run(bench: Bench) -> None:
    """Measure assessments."""
    shops = max(1_000, round(SHOPS * bench.scale))
    with bench.server() as server:
        url = server.migrated_database("marketplace")
        populate(url, shops=shops, now=read_clock())
        _bulk(url, shops)  # brings the tables into memory
        bulk = bench.measure(
            f"Assessing {shops:,} shops, {PROCESSES} connections",
            {"assess_in_bulk": lambda: _bulk(url, shops)},
            unit="shops/s",
        )
        _pages(url, shops)
        pages = bench.measure(
            f"One assessment with its page, {shops:,} shops present",
            {"eligibility page, p95": lambda: _pages(url, shops)},
            unit="ms",
        )
    speed = bulk.rows["assess_in_bulk"].median
    bench.goal("bulk assessment, shops/s", speed, at_least=GOAL_SHOPS_PER_S)
    page_ms = pages.rows["eligibility page, p95"].median
    bench.goal("one assessment with its page, p95, ms", page_ms, at_most=GOAL_PAGE_MS)


def _bulk(url: str, shops: int) -> float:
    """Shops per second of two processes that share the keys between them."""
    begin_at = read_stopwatch_s() + START_DELAY_S
    share = -(-shops // PROCESSES)
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.peers.assessments", "bulk",
             f"--begin-at={begin_at}", f"--after={number * share}",
             f"--up-to={min(shops, (number + 1) * share)}"],
            env=python_environment(url), stdout=subprocess.PIPE, text=True,
        )
        for number in range(PROCESSES)
    ]  # fmt: skip
    answers = [json.loads(process.communicate()[0]) for process in started]
    done = sum(answer["count"] for answer in answers)
    if done != shops:
        raise RuntimeError(f"{done} of {shops} shops were assessed")
    return float(done / max(answer["seconds"] for answer in answers))


def _pages(url: str, shops: int) -> float:
    """The 95th percentile of the time the server takes for a page, in milliseconds."""
    said = run_python(
        "benchmarks.peers.assessments", "pages", f"--up-to={shops}", f"--pages={PAGES}",
        database_url=url,
    )  # fmt: skip
    return statistics.quantiles(json.loads(said.splitlines()[-1])["milliseconds"], n=20)[-1]
