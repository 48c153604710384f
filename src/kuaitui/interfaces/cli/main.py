"""`kuaitui`: every command in one table, each loaded only when it is called."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Protocol, cast

from kuaitui.kernel.errors import Refusal

# name: (module, one line of help). A module offers `configure(parser)` and `run(arguments)`.
COMMANDS = {
    "demo": ("demo", "a seeded marketplace with web, worker and simulated channel"),
    "serve": ("serve", "the web pages"),
    "worker": ("worker", "the process that carries payouts out and keeps clocks"),
    "simulate-channel": ("simulate_channel", "a payment channel of our own, with faults on demand"),
    "simulate": (
        "simulate",
        "years of a made-up marketplace with every fault, judged by an auditor",
    ),
    "database": ("database", "start, stop or look at the embedded PostgreSQL; migrate"),
    "eligibility": ("eligibility", "assess facts from a file, without a database"),
    "people": ("people", "who may log in, and for which shops"),
    "import": ("import_facts", "facts from a marketplace's export"),
    "journey": ("journey", "the seven steps, headless, over real pages and a real worker"),
    "payouts": ("payouts", "look at the hold after a restore, begin it, release it by two people"),
    "reconcile": ("reconcile", "a day's bills against the books, in one line"),
    "verify": ("verify", "re-derive every balance and check the audit chain"),
    "doctor": ("doctor", "what is wrong with this installation, and how to mend it"),
}


class Command(Protocol):
    """What a command's module offers."""

    def configure(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Do it; the result is the exit code."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command; a refusal is printed in plain words and exits with 2."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kuaitui.config.settings")
    parser = argparse.ArgumentParser(
        prog="kuaitui", description="The deposit desk of an online marketplace."
    )
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command: Command | None = None
    for name, (module, summary) in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=summary, description=summary)
        if arguments[:1] == [name]:
            command = cast("Command", importlib.import_module(f"kuaitui.interfaces.cli.{module}"))
            command.configure(subparser)
    parsed = parser.parse_args(arguments)
    if command is None:  # argparse has refused already
        raise SystemExit(2)
    try:
        code = command.run(parsed)
    except Refusal as refusal:
        print(f"kuaitui: {refusal}", file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        code = 130
    raise SystemExit(code)
