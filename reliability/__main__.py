"""`python -m reliability`: years and deaths, what was found, and docs/reliability.md.

`python -m reliability crashes`, `years` or `notifications` plays one of them and writes nothing.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reliability import report
from reliability.crashes.run import run_crashes
from reliability.years import flood, play_years


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
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()

    def say(text: str) -> None:
        if not arguments.json:
            print(text, flush=True)

    if arguments.part == "crashes":
        return _tell(_crashes(arguments, say), arguments)
    if arguments.part == "years":
        return _tell(play_years(arguments.years, seed=arguments.seed, say=say), arguments)
    if arguments.part == "notifications":
        told = flood(arguments.notifications, seed=arguments.seed, say=say)
        return _tell(told, arguments)
    crashes = _crashes(arguments, say)
    years = play_years(arguments.years, seed=arguments.seed, say=say)
    told = flood(arguments.notifications, seed=arguments.seed, say=say)
    print(report.write(crashes, years, told))
    return 1 if crashes["findings"] or years["findings"] or told["findings"] else 0


def _crashes(arguments: argparse.Namespace, say: Callable[[str], None]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="kuaitui-crashes-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        return run_crashes(
            folder,
            kills=arguments.kills,
            database_crashes=arguments.database_crashes,
            seed=arguments.seed,
            say=say,
        ).to_json()


def _tell(figures: dict[str, Any], arguments: argparse.Namespace) -> int:
    print(json.dumps(figures, indent=None if arguments.json else 2))
    return 1 if figures["findings"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
