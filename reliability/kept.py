"""Parts of a long run that are done, kept outside of git: a run that was stopped goes on there.

Parts are kept for a commit, and only of a clean tree: figures of two programs are never added up.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "var" / "reliability"

Figures = dict[str, Any]


class Kept:
    """The parts that are done. Without a folder nothing is kept, and every part is played."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def part(self, name: str, play: Callable[[], Figures]) -> Figures:
        """What a part came to: kept from an earlier run, or played now.

        One with a finding is not kept: it is played again until it is mended.
        """
        if self._folder is None:
            return play()
        path = self._folder / f"{name}.json"
        if path.exists():
            return dict(json.loads(path.read_text(encoding="utf-8")))
        figures = play()
        if not figures["findings"]:
            self._folder.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".part")
            unfinished.write_text(json.dumps(figures), encoding="utf-8")
            unfinished.replace(path)
        return figures


def kept_for_this_commit() -> Kept:
    """What earlier runs of exactly this program have left."""
    changed = _git("status", "--porcelain", "--untracked-files=no")
    commit = _git("rev-parse", "--short=10", "HEAD")
    return Kept(FOLDER / commit if commit and not changed else None)


def _git(*arguments: str) -> str:
    said = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    return said.stdout.strip() if said.returncode == 0 else ""
