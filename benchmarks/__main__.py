"""`python -m benchmarks [NAME…]`: run all benchmarks, or some, and write what came of it."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys

from benchmarks import report
from benchmarks.harness import Bench, sorted_by_need

MODULES = ["ledger", "import_orders", "assessments", "reconciliation", "payouts", "memory"]


def main() -> int:
    """Run them in turn. Figures are no test: a missed goal is told, and fails only `--strict`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"some of: {', '.join(MODULES)}; default all")
    parser.add_argument("--rounds", type=int, default=5, help="samples of each subject")
    parser.add_argument("--seconds", type=float, default=5, help="length of one sample")
    parser.add_argument("--scale", type=float, default=1, help="below 1 for smaller populations")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a goal is missed")
    arguments = parser.parse_args()
    bench = Bench(rounds=arguments.rounds, seconds=arguments.seconds, scale=arguments.scale)
    # Ended from outside, it stops its servers and removes their data all the same.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    for name in sorted_by_need(MODULES, arguments.names):
        print(f"{name}:", flush=True)
        importlib.import_module(f"benchmarks.{name}").run(bench)
    print(f"\n{report.as_markdown(bench)}\nWritten to {report.write(bench)}")
    return 1 if arguments.strict and not all(goal.is_met for goal in bench.goals) else 0


if __name__ == "__main__":
    raise SystemExit(main())
