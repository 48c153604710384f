"""`kuaitui worker`: carries payouts out, delivers news, keeps clocks."""

from __future__ import annotations

import argparse
import importlib

import django

from kuaitui.interfaces.cli.database import start_database

THREADS = 32


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--threads",
        type=int,
        default=THREADS,
        choices=range(1, 129),
        metavar="N",
        help=f"how many channel calls at a time (default {THREADS})",
    )


def run(arguments: argparse.Namespace) -> int:
    """Work until asked to stop."""
    start_database()
    django.setup()
    # The command line starts the other interfaces and knows nothing of them.
    process = importlib.import_module("kuaitui.interfaces.worker.process")
    process.Worker(threads=arguments.threads).run()
    return 0
