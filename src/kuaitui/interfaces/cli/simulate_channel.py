"""`kuaitui simulate-channel`: the simulated payment channel as a process of its own."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import signal
import threading
from pathlib import Path

from kuaitui.channels.simulator.book import Book
from kuaitui.channels.simulator.faults import DEMO_RULES
from kuaitui.channels.simulator.notifier import Notifier
from kuaitui.channels.simulator.server import SimulatorServer
from kuaitui.channels.simulator.signing import shared_key
from kuaitui.kernel.clock import read_clock


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    var = Path(os.environ.get("KUAITUI_VAR", "var"))
    parser.add_argument("--port", type=int, default=8790, help="0 takes a free one (default 8790)")
    parser.add_argument("--book", type=Path, default=var / "simulator.sqlite3", metavar="FILE")
    parser.add_argument("--key-file", type=Path, default=var / "simulator_key", metavar="FILE")
    parser.add_argument(
        "--clock",
        type=dt.datetime.fromisoformat,
        metavar="TIME",
        help="let its clock run from here",
    )
    parser.add_argument("--processing-s", type=float, default=0.0, help="how long a payout takes")
    parser.add_argument("--notify", metavar="URL", help="tell this address what happens to payouts")
    parser.add_argument(
        "--demo-rules", action="store_true", help="let payees misbehave by their last four digits"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until asked to stop."""
    arguments.book.parent.mkdir(parents=True, exist_ok=True)
    book = Book(str(arguments.book), clock=lambda: read_clock().timestamp())
    _prepare(book, arguments)
    key = shared_key(arguments.key_file)
    server = SimulatorServer(host="127.0.0.1", port=arguments.port, book=book, key=key)
    notifier = Notifier(book=book, url=arguments.notify, key=key) if arguments.notify else None
    if notifier is not None:
        notifier.start()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        # `shutdown` waits for the serving loop, which the handler interrupts: another thread asks.
        signal.signal(signal_number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"The simulated channel listens on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever(poll_interval=0.5)
    server.server_close()
    if notifier is not None:
        notifier.stop()
    book.close()
    return 0


def _prepare(book: Book, arguments: argparse.Namespace) -> None:
    settings = {"processing_s": str(arguments.processing_s)}
    if arguments.clock is not None:
        start = (
            arguments.clock if arguments.clock.tzinfo else arguments.clock.replace(tzinfo=dt.UTC)
        )
        settings["clock_ahead_s"] = str((start - read_clock()).total_seconds())
    book.set_settings(settings)
    if arguments.demo_rules:
        book.clear_rules()
        for rule in DEMO_RULES:
            book.add_rule(rule)
