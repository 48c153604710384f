"""The parts of a run as they stand in docs/reliability-parts.jsonl: the figures behind the page.

Each line is one part, with the mark of the program that it was played with; its name says the seed,
so anybody can play it again. A run on another machine goes on from there (`--go-on`) if its program
is the same, or plays alike (`kept.PLAYS_ALIKE`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from reliability.kept import PLAYED_BY, PLAYS_ALIKE, ROOT, Figures, Kept
from reliability.years import SUMMED

PARTS: Final = ROOT / "docs" / "reliability-parts.jsonl"
COUNTED: Final = {
    "years": frozenset({*SUMMED, "faults", "findings"}),
    "flood": frozenset({"notifications", "years", "findings"}),
}
"""What is added up of a part; of the others everything."""


def write_down(runs: Iterable[Kept], path: Path = PARTS) -> None:
    """Write down all parts that are kept."""
    lines = [
        json.dumps(
            {
                "program": figures.get(PLAYED_BY, kept.program),
                "part": name,
                "figures": _counted(name, figures),
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for kept in runs
        for name, figures in kept.parts()
    ]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def take_over(runs: Iterable[Kept], path: Path = PARTS) -> int:
    """Keep what is written down and was played with this program, or one that plays alike.

    Returns how many parts were new.
    """
    if not path.exists():
        return 0
    told = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return sum(
        kept.put(one["part"], one["figures"], program=one["program"])
        for kept in runs
        for one in told
        if one["program"] in {kept.program, PLAYS_ALIKE.get(kept.program)}
    )


def _counted(name: str, figures: Figures) -> Figures:
    counted = COUNTED.get(name.partition("-")[0])
    return {
        key: value
        for key, value in figures.items()
        if key != PLAYED_BY and (counted is None or key in counted)
    }
