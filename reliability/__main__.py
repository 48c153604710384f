"""`python -m reliability`: years and deaths, what was found, and docs/reliability.md.

`python -m reliability crashes`, `years` or `notifications` plays one of them and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from reliability import report
from reliability.crashes.run import run_crashes
from reliability.kept import (
    NO_PART_IN_CRASHES,
    NO_PART_IN_YEARS,
    Kept,
    kept_for_this_program,
)
from reliability.parts import take_over, write_down
from reliability.years import flood, play_years

KILLS_A_PART: Final = 300
APART: Final = frozenset({"seed", "kills_at", "is_sound"})


def main() -> int:
    """1 when anything was found."""
    parser = argparse.ArgumentParser(prog="python -m reliability", description=__doc__)
    parser.add_argument(
        "part", nargs="?", choices=("all", "crashes", "years", "notifications"), default="all"
    )
    parser.add_argument("--kills", type=int, default=3000)
    parser.add_argument("--database-crashes", type=int, default=200)
    parser.add_argument("--years", type=float, default=10_000)
    parser.add_argument("--notifications", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--processes",
        type=int,
        default=os.cpu_count() or 1,
        help="so many histories at once (as many as there are cores); one more fills them better",
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--anew",
        action="store_true",
        help="play also what an earlier run of this program has played",
    )
    parser.add_argument(
        "--go-on",
        action="store_true",
        help="play only what docs/reliability-parts.jsonl does not tell of",
    )
    arguments = parser.parse_args()
    of_crashes, of_years = (
        Kept(None) if arguments.anew else kept_for_this_program(no_part=no_part)
        for no_part in (NO_PART_IN_CRASHES, NO_PART_IN_YEARS)
    )

    def say(text: str) -> None:
        if not arguments.json:
            print(text, flush=True)

    if arguments.go_on:
        say(f"{take_over((of_crashes, of_years))} parts taken over")
    if arguments.part == "crashes":
        return _tell(_crashes(arguments, of_crashes, say), arguments)
    how: dict[str, Any] = {
        "seed": arguments.seed, "processes": arguments.processes, "kept": of_years, "say": say,
    }  # fmt: skip
    if arguments.part == "years":
        return _tell(play_years(arguments.years, **how), arguments)
    if arguments.part == "notifications":
        return _tell(flood(arguments.notifications, **how), arguments)
    crashes = _crashes(arguments, of_crashes, say)
    years, told = play_years(arguments.years, **how), flood(arguments.notifications, **how)
    write_down((of_crashes, of_years))
    print(report.write(crashes, years, told))
    return 1 if crashes["findings"] or years["findings"] or told["findings"] else 0


def _crashes(
    arguments: argparse.Namespace, kept: Kept, say: Callable[[str], None]
) -> dict[str, Any]:
    """Kills in parts of a few hundred, each with its own load, quiet end and audit."""
    parts = max(1, math.ceil(arguments.kills / KILLS_A_PART))
    kills, crashes = (
        math.ceil(asked / parts) for asked in (arguments.kills, arguments.database_crashes)
    )
    play = partial(_crash_part, say=say) if parts == 1 else _crash_part_apart
    total: dict[str, Any] = {}
    for number in range(parts):
        seed = arguments.seed + number
        figures = kept.part(
            f"crashes-{seed}-{kills}-{crashes}", partial(play, seed, kills, crashes)
        )
        total = added(total, figures)
        say(f"{total['kills']:,} of {arguments.kills:,} kills, {len(total['findings'])} findings")
        if total["findings"]:
            break
    return total


def added(total: Mapping[str, Any], figures: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of two parts together."""
    if not total:
        return dict(figures)
    both = {name: total[name] + figures[name] for name in figures if name not in APART}
    at = Counter(total["kills_at"]) + Counter(figures["kills_at"])
    return {
        **both,
        "seed": total["seed"],
        "kills_at": dict(at),
        "is_sound": total["is_sound"] and figures["is_sound"],
    }


def _crash_part(
    seed: int, kills: int, database_crashes: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """One part, in this very process, which belongs to the part's installation from then on."""
    folder = Path(tempfile.mkdtemp(prefix="kuaitui-crashes-"))
    folder.chmod(0o755)
    figures = run_crashes(
        folder,
        kills=kills,
        database_crashes=database_crashes,
        seed=seed,
        say=say,
    ).to_json()
    if figures["findings"]:
        say(f"the installation in which something was found is kept: {folder}")
    else:
        shutil.rmtree(folder)
    return figures


def _crash_part_apart(seed: int, kills: int, database_crashes: int) -> dict[str, Any]:
    """One part in a process of its own: no process can belong to two installations."""
    finished = subprocess.run(
        [sys.executable, "-m", "reliability", "crashes", "--json", "--anew", "--seed", str(seed),
         "--kills", str(kills), "--database-crashes", str(database_crashes)],
        stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if finished.returncode not in {0, 1}:
        raise RuntimeError(f"the part of seed {seed} ended with {finished.returncode}")
    return dict(json.loads(finished.stdout.splitlines()[-1]))


def _tell(figures: dict[str, Any], arguments: argparse.Namespace) -> int:
    print(json.dumps(figures, indent=None if arguments.json else 2))
    return 1 if figures["findings"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
