"""Parts of a long run that are done, kept outside of git: a run that was stopped goes on there.

Parts are kept for one state of the program and only if it is committed: figures of two programs are
never added up, and a change of words or documents does not begin anew.
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

Figures = dict[str, Any]


class Kept:
    """The parts that are done. Without a folder nothing is kept, and every part is played."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def part(self, name: str, play: Callable[[], Figures]) -> Figures:
        """What a part came to: kept from an earlier run, or played now.

        One with a finding is played again until it is mended; what was found lies beside the
        others, as `NAME.found`.
        """
        if self._folder is None:
            return play()
        path = self._folder / f"{name}.json"
        if path.exists():
            return dict(json.loads(path.read_text(encoding="utf-8")))
        figures = play()
        self._folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{name}.part")
        unfinished.write_text(json.dumps(figures), encoding="utf-8")
        unfinished.replace(path.with_name(f"{name}.found") if figures["findings"] else path)
        return figures


def kept_for_this_program() -> Kept:
    """What earlier runs of exactly this program have left."""
    changed = _git("status", "--porcelain", "--", *PROGRAM)
    trees = _git("rev-parse", *(f"HEAD:{part}" for part in PROGRAM))
    if changed or not trees:
        return Kept(None)
    return Kept(FOLDER / hashlib.sha256(trees.encode()).hexdigest()[:12])


def _git(*arguments: str) -> str:
    said = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    return said.stdout.strip() if said.returncode == 0 else ""
