"""`kuaitui demo`: a seeded marketplace with web, worker and simulated channel."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from signal import SIGINT, SIGTERM, signal

import django

from kuaitui.demo.processes import Installation
from kuaitui.kernel.clock import read_clock, read_stopwatch_s


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--var", type=Path, default=Path("var/demo"), help="its data (default var/demo)"
    )
    parser.add_argument("--port", type=int, default=8000, help="where the pages are (default 8000)")
    parser.add_argument(
        "--channel-port", type=int, default=8790, help="where the channel is (default 8790)"
    )
    parser.add_argument("--seed", type=int, default=7, help="another number makes other shops")
    parser.add_argument("--seed-only", action="store_true", help="make the marketplace and stop")


def run(arguments: argparse.Namespace) -> int:
    """Start everything, print where to look, and stop everything at the end."""
    began = read_stopwatch_s()
    stop = threading.Event()
    for number in (SIGINT, SIGTERM):
        signal(number, lambda *_: stop.set())
    with Installation(arguments.var, arguments.port, arguments.channel_port) as installation:
        print("Starting the database …", flush=True)
        installation.start_database()
        installation.start_web()
        installation.start_simulator("--demo-rules")
        installation.enter()
        django.setup()
        # Only now: these modules read the settings that were made above.
        from kuaitui.channels.simulator.director import Director  # noqa: PLC0415
        from kuaitui.channels.simulator.signing import shared_key  # noqa: PLC0415
        from kuaitui.demo.marketplace import Marketplace, visitors_links  # noqa: PLC0415

        director = Director(installation.simulator_url, shared_key(installation.simulator_key))
        marketplace = Marketplace(director=director, seed=arguments.seed, now=read_clock())
        marketplace.make_visited_shops()
        if arguments.seed_only:
            print(f"The marketplace has {marketplace.make_crowd()} shops.")
            return 0
        installation.start_worker()
        installation.await_web()
        _invite(installation, visitors_links(now=read_clock()), read_stopwatch_s() - began)
        print(f"The marketplace has {marketplace.make_crowd()} shops now.", flush=True)
        while not stop.wait(1):
            if ended := installation.ended():
                print(f"{', '.join(ended)} ended: see {installation.log_of(ended[0])}")
                return 1
    return 0


def _invite(installation: Installation, links: list[tuple[str, str]], seconds: float) -> None:
    print(f"Ready after {seconds:.1f} s.\n")
    print(f"  Pages      {installation.web_url}/")
    print(f"  Staff      {installation.web_url}/console/")
    print(f"  Channel    {installation.simulator_url}/ (for signed calls, not for browsers)\n")
    print("One-time links (each lets one person in once; start the demo again for new ones):")
    for who, path in links:
        print(f"  {who:<58} {installation.web_url}{path}")
    print("\nCtrl-C stops everything. More shops are being made meanwhile …", flush=True)
