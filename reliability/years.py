"""Simulated years and floods of notifications, in several processes.

Each process plays seeds of its own on a database of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from typing import Any

from reliability.kept import Kept

THIN = ("--shops", "2", "--density", "0.7")
"""The world of long runs: fewer acts a year, of the same kinds, under the same faults."""
YEARS_A_PROCESS = 50.0
"""So long that starting a database does not count, so short that progress is seen."""
SEEDS_A_PROCESS = 100
REPEATS = "1000"
SUMMED = (
    "years", "histories", "shops", "money_operations", "attempts", "notifications", "payments",
    "crashes", "clock_jumps", "restores", "audits",
)  # fmt: skip


def play_years(
    years: float, *, seed: int, processes: int, kept: Kept, say: Callable[[str], None]
) -> dict[str, Any]:
    """Play that many years in so many processes at once; the figures of all together.

    After the first finding no further seed begins.
    """
    parts: list[tuple[int, float]] = []
    left = years
    while left > 0:
        parts.append((seed + len(parts) * SEEDS_A_PROCESS, min(left, YEARS_A_PROCESS)))
        left -= YEARS_A_PROCESS
    total: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    findings: list[str] = []
    with ThreadPoolExecutor(processes) as threads:
        playing = [
            threads.submit(kept.part, f"years-{first}-{part:g}", partial(_play, first, part))
            for first, part in parts
        ]
        for done in as_completed(playing):
            figures = done.result()
            total.update({name: figures[name] for name in SUMMED})
            faults.update(figures["faults"])
            findings += figures["findings"]
            say(f"{total['years']:,.0f} of {years:,.0f} years, {len(findings)} findings")
            if findings:
                break
        for one in playing:
            one.cancel()
    return {
        **total,
        "faults": sum(faults.values()),
        "fault_kinds": len(faults),
        "findings": findings,
    }


def flood(
    count: int, *, seed: int, processes: int, kept: Kept, say: Callable[[str], None]
) -> dict[str, Any]:
    """Play years in which everything is told a thousand times, until that many were delivered.

    Repeated, up to 60 days late, out of order, and a tenth of them forged.
    """
    delivered, years = 0, 0.0
    findings: list[str] = []
    with ThreadPoolExecutor(processes) as threads:
        while delivered < count and not findings:
            seeds = range(seed + int(years), seed + int(years) + processes)
            playing = [
                threads.submit(
                    kept.part, f"flood-{one}", partial(_play, one, 1.0, "--repeats", REPEATS)
                )
                for one in seeds
            ]
            for done in playing:
                figures = done.result()
                delivered += figures["notifications"]
                years += figures["years"]
                findings += figures["findings"]
            say(f"{delivered:,} of {count:,} notifications, {len(findings)} findings")
    return {"notifications": delivered, "years": years, "findings": findings}


def _play(seed: int, years: float, *options: str) -> dict[str, Any]:
    finished = subprocess.run(
        [sys.executable, "-m", "kuaitui.interfaces.cli", "simulate", "--json", *THIN,
         "--seed", str(seed), "--years", str(years), *options],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if finished.returncode not in {0, 1}:
        raise RuntimeError(
            f"seed {seed} ended with {finished.returncode}: {finished.stderr[-2000:]}"
        )
    return dict(json.loads(finished.stdout[finished.stdout.index("{") :]))
