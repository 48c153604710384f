"""Parts of a long run that are done, kept outside of git: a run that was stopped goes on there.

Parts are kept for one state of what plays them, and only if it is committed: figures of two programs
are never added up. What has no part in them (documents; for crashes the simulation, for years the
pages) may change meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "var" / "reliability"
PROGRAM: Final = ("src", "reliability", "requirements")
PLAYED_BY: Final = "played_by"
NO_PART: Final = (
    "reliability/__main__.py",
    "reliability/kept.py",
    "reliability/parts.py",
    "reliability/report.py",
    "src/kuaitui/demo/",
)
NO_PART_IN_CRASHES: Final = (*NO_PART, "reliability/years.py", "src/kuaitui/simulation/")
# The simulation stands below the interfaces, so it can reach none of them; import-linter holds it.
NO_PART_IN_YEARS: Final = (
    *NO_PART,
    "reliability/crashes/",
    *(f"src/kuaitui/interfaces/{pages}/" for pages in ("callbacks", "console", "design", "portal")),
)
PLAYS_ALIKE: Final = {
    # By how many sends a channel stops by itself is counted anew where its own switch and that of
    # all were both turned: no history plays that sweep, and no crash turns a switch. Of crashes and
    # of years.
    "7914ba1ea1c1": "dfeb5df55b58",
    "934553ffabbb": "92fd7068f4fe",
}
"""A program, and the one before it that played the same histories, but for those that are findings.

By hand, with the reason, and only for what cannot change a history that was sound. It can be tried:
a part of the earlier one, played again, comes to the same figures.
"""

Figures = dict[str, Any]


class Kept:
    """The parts that are done. Without a folder nothing is kept, and every part is played."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @property
    def program(self) -> str:
        """The mark of the program whose parts these are."""
        return "" if self._folder is None else self._folder.name

    def parts(self) -> list[tuple[str, Figures]]:
        """All parts that are done and sound, by name."""
        paths = [] if self._folder is None else sorted(self._folder.glob("*.json"))
        return [(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in paths]

    def put(self, name: str, figures: Figures, *, program: str) -> bool:
        """Keep a part that `program` has played elsewhere, unless it is here; whether it is new."""
        if self._folder is None or (self._folder / f"{name}.json").exists():
            return False
        self._write(name, figures if program == self.program else {**figures, PLAYED_BY: program})
        return True

    def part(self, name: str, play: Callable[[], Figures]) -> Figures:
        """What a part came to: kept from an earlier run, or played now.

        One with a finding is played again until it is mended; what was found lies beside the
        others, as `NAME.found`.
        """
        if self._folder is None:
            return play()
        path = self._folder / f"{name}.json"
        if path.exists():
            kept = dict(json.loads(path.read_text(encoding="utf-8")))
            kept.pop(PLAYED_BY, None)
            return kept
        figures = play()
        self._write(name, figures)
        return figures

    def _write(self, name: str, figures: Figures) -> None:
        assert self._folder is not None  # for the type checker
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = self._folder / f"{name}.part"
        unfinished.write_text(json.dumps(figures), encoding="utf-8")
        unfinished.replace(self._folder / f"{name}.{'found' if figures['findings'] else 'json'}")


def kept_for_this_program(*, no_part: tuple[str, ...]) -> Kept:
    """What earlier runs of exactly this program have left; `no_part` are paths that play no part."""
    changed = _git("status", "--porcelain", "--", *PROGRAM)
    listing = _git("ls-tree", "-r", "HEAD", "--", *PROGRAM)
    if changed or not listing:
        return Kept(None)
    return Kept(FOLDER / mark_of(listing, no_part=no_part))


def mark_of(listing: str, *, no_part: tuple[str, ...]) -> str:
    """The mark of a program, from git's listing of its files: `MODE TYPE HASH<tab>PATH` a line."""
    lines = [
        line for line in listing.splitlines() if not line.partition("\t")[2].startswith(no_part)
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]


def _git(*arguments: str) -> str:
    said = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    return said.stdout.strip() if said.returncode == 0 else ""
