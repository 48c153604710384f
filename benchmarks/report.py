"""The result of a run, for people and for programs."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.harness import Bench, Goal, Table
from benchmarks.machine import commit, describe
from kuaitui.kernel.clock import read_clock

RESULTS = Path(__file__).parent / "results"


def write(bench: Bench, *, directory: Path = RESULTS) -> Path:
    """Write the run as JSON and as Markdown; returns the path of the latter."""
    directory.mkdir(exist_ok=True)
    stem = f"{read_clock():%Y-%m-%d-%H%M}-{commit()}"
    (directory / f"{stem}.json").write_text(json.dumps(_document(bench), indent=1) + "\n")
    path = directory / f"{stem}.md"
    path.write_text(as_markdown(bench))
    return path


def as_markdown(bench: Bench) -> str:
    """The run as a page."""
    machine = ", ".join(f"{name} {value}" for name, value in describe().items())
    method = (
        f"Machine: {machine}. Rounds: {bench.rounds} of {bench.seconds:g} s a sample, subjects in "
        "turn; medians, smallest–largest in brackets; *others* is the share of the machine that "
        "unrelated processes used during the samples."
    )
    parts = [
        f"# Benchmarks of {commit()}, {read_clock():%Y-%m-%d}",
        method,
        *(_table(table) for table in bench.tables),
        _goals(bench.goals),
        *bench.notes,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(table: Table) -> str:
    lines = [f"## {table.title}", "", f"| subject | {table.unit} | others |", "|---|---|---|"]
    for row in table.rows.values():
        spread = f"{row.median:,.1f} ({min(row.samples):,.1f}–{max(row.samples):,.1f})"
        lines.append(f"| {row.subject} | {spread} | {max(row.others_cpu):.0%} |")
    return "\n".join(lines)


def _goals(goals: list[Goal]) -> str:
    if not goals:
        return ""
    lines = ["## Goals", "", "| figure | measured | goal | |", "|---|---|---|---|"]
    for goal in goals:
        bound = f"≥ {goal.at_least:g}" if goal.at_least is not None else f"≤ {goal.at_most:g}"
        verdict = "met" if goal.is_met else "**missed**"
        lines.append(f"| {goal.statement} | {goal.value:,.2f} | {bound} | {verdict} |")
    return "\n".join(lines)


def _document(bench: Bench) -> dict[str, object]:
    return {
        "commit": commit(),
        "measured_at": read_clock().isoformat(),
        "machine": describe(),
        "rounds": bench.rounds,
        "seconds": bench.seconds,
        "scale": bench.scale,
        "tables": [
            {
                "title": table.title,
                "unit": table.unit,
                "rows": [
                    {"subject": row.subject, "median": row.median, "samples": row.samples,
                     "others_cpu": row.others_cpu}
                    for row in table.rows.values()
                ],
            }
            for table in bench.tables
        ],
        "goals": [
            {"statement": goal.statement, "value": goal.value, "at_least": goal.at_least,
             "at_most": goal.at_most, "is_met": goal.is_met}
            for goal in bench.goals
        ],
        "notes": bench.notes,
    }  # fmt: skip
