"""`kuaitui journey`: the seven steps, headless, over real pages, worker and channel."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import django

from kuaitui.demo.processes import Installation
from kuaitui.kernel.clock import read_clock, read_stopwatch_s


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    sample = str(files("kuaitui.demo") / "data" / "orders-sample.csv")
    parser.add_argument(
        "--orders", nargs="+", default=[sample], metavar="FILE", help="an order export"
    )
    parser.add_argument(
        "--mapping", default="kuaitui-csv", help="how to read it (see `kuaitui import`)"
    )
    parser.add_argument("--json", action="store_true", help="print what happened as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Walk the journey on a temporary installation; 0 when every step and the books are right."""
    began = read_stopwatch_s()
    with tempfile.TemporaryDirectory(prefix="kuaitui-journey-") as directory:
        Path(directory).chmod(0o755)  # the database's own account must get through
        with Installation(Path(directory) / "var") as installation:
            report = _walk(installation, arguments)
    report["seconds"] = round(read_stopwatch_s() - began, 2)
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        _print_books(report)
    return 0 if report["is_proven"] and report["refused"]["nothing_moved"] else 1


def _walk(installation: Installation, arguments: argparse.Namespace) -> dict[str, Any]:
    _say("Starting database, channel, pages and worker …")
    installation.start_database()
    installation.start_simulator()
    imported = installation.run(
        "import", "orders", *arguments.orders, "--mapping", arguments.mapping, check=False
    )
    installation.start_web()
    installation.start_worker()
    installation.await_web()
    installation.enter()
    django.setup()
    # Only now: these modules read the settings that were made above.
    from kuaitui.demo.cast_of_journey import cast_journey  # noqa: PLC0415
    from kuaitui.demo.journey import Log  # noqa: PLC0415
    from kuaitui.demo.walk import walk  # noqa: PLC0415

    _say((imported.stdout or imported.stderr).strip()[-400:])
    report = walk(installation, cast_journey(now=read_clock()), Log(_say))
    return {"orders": [Path(name).name for name in arguments.orders], **report}


def _print_books(report: dict[str, Any]) -> None:
    print(
        json.dumps(
            {name: report[name] for name in ("refused", "books", "channel")},
            ensure_ascii=False,
            indent=2,
        )
    )
    verdict = (
        "agree with every entry and with the channel" if report["is_proven"] else "DO NOT AGREE"
    )
    print(f"The books {verdict}. {report['seconds']} s in all.")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
