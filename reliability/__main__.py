"""`python -m reliability crashes`: how many deaths it takes, and what was found."""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from reliability.crashes.run import run_crashes


def main() -> int:
    """1 when anything was found."""
    parser = argparse.ArgumentParser(prog="python -m reliability", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    crashes = commands.add_parser("crashes")
    crashes.add_argument("--kills", type=int, default=3000)
    crashes.add_argument("--database-crashes", type=int, default=200)
    crashes.add_argument("--seed", type=int, default=1)
    crashes.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kuaitui-crashes-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        figures = run_crashes(
            folder, kills=arguments.kills, database_crashes=arguments.database_crashes,
            seed=arguments.seed, say=lambda text: None if arguments.json else print(text, flush=True),
        )  # fmt: skip
    print(json.dumps(figures.to_json(), indent=None if arguments.json else 2))
    return 0 if figures.is_sound else 1


if __name__ == "__main__":
    raise SystemExit(main())
