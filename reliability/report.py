"""What a run showed, for people: docs/reliability.md is written here and by nobody else."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kuaitui.kernel.clock import read_clock

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "reliability.md"
HEAD = """# What kuaitui withstands
Written by `make reliability` itself on {on}, for commit {commit}, on {cores} cores of {machine}.

| figure | this run | goal of the whole run |
|---|---|---|
"""
METHOD = """
## What the figures are
- **Simulated years** are years of small marketplaces, played from seeds. The real operations run on a real PostgreSQL; clock, channels and chance are replaced. An auditor that shares no code with them compares books, channels' books and rules. See [simulation](explanation/simulation.md).
- **Kills and crashes** replace nothing: workers, pages, the simulated channel and PostgreSQL are processes of their own and die by SIGKILL, at named points and at any moment, while people apply and decide. The channel forgets numbers, so whatever is sent twice is paid twice. Judges are plain SQL, the channel's own book, and what applicants were told.
- Each `make test` plays a helping of both; `make reliability` plays all of it, for hours. A run that was stopped goes on where it stood, as long as the program is the same.
- [Every part](reliability-parts.jsonl) is written down with its figures and can be played again by its name: `years-1501-50` is `kuaitui simulate --shops 2 --density 0.7 --seed 1501 --years 50`, `flood-7` the same with `--seed 7 --years 1 --repeats 1000`, `crashes-3-300-20` is `python -m reliability crashes --anew --seed 3 --kills 300 --database-crashes 20`. On another machine `make reliability RELIABILITY_ARGS=--go-on` plays only what is missing. Each part names the program that it was played with; where parts of two programs are added up, `reliability/kept.py` says why both play the same histories.

## What they are not
Simulated years are not calendar years. Process death is shown, power loss is not: that is PostgreSQL's promise with `fsync` on. The channels are our own simulators, which clients that nobody here wrote drive too. One database, no replicas.
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure, and what the whole run aims at."""

    name: str
    value: float
    goal: float | None = None


def write(
    crashes: Mapping[str, Any],
    years: Mapping[str, Any],
    told: Mapping[str, Any],
    *,
    document: Path = DOCUMENT,
) -> str:
    """Write the page, and return it."""
    findings = [*crashes["findings"], *years["findings"], *told["findings"]]
    figures = [
        Figure("simulated years", years["years"], 10_000),
        Figure("… money operations in them", years["money_operations"]),
        Figure("… payments by code in them", years["payments"]),
        Figure("… faults of channels in them", years["faults"]),
        Figure("… crashes between two commits in them", years["crashes"]),
        Figure("… restores from a backup in them", years["restores"]),
        Figure(
            "notifications, repeated, late, out of order, forged", told["notifications"], 1_000_000
        ),
        Figure("processes killed under load", crashes["kills"], 3_000),
        Figure("crashes of PostgreSQL under load", crashes["crashes_database"], 200),
        Figure("applications made meanwhile", crashes["applications"]),
        Figure("payments in made meanwhile", crashes["payments"]),
        Figure("findings: lost, doubled, stuck, untrue", len(findings), 0),
    ]
    rows = "\n".join(
        f"| {one.name} | {one.value:,.0f} | {'' if one.goal is None else f'{one.goal:,.0f}'} |"
        for one in figures
    )
    found = "".join(f"- {finding}\n" for finding in findings)
    head = HEAD.format(
        on=f"{read_clock():%Y-%m-%d}", commit=_commit(), cores=os.cpu_count(), machine=_machine()
    )
    points = "\n".join(
        f"| {where} | {times} |" for where, times in sorted(crashes["kills_at"].items())
    )
    text = (
        f"{head}{rows}\n"
        + (f"\n## Findings\n{found}" if found else "")
        + f"{METHOD}\n## Where they died\n| where | times |\n|---|---|\n{points}\n"
    )
    document.write_text(text, encoding="utf-8")
    return text


def _commit() -> str:
    said = subprocess.run(
        ["git", "rev-parse", "--short=10", "HEAD"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return said.stdout.strip() or "unknown"


def _machine() -> str:
    return f"{platform.machine()}, Python {platform.python_version()}"
