"""`kuaitui demo`: a seeded marketplace with web, worker and simulated institutions."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from signal import SIGINT, SIGTERM, signal
from typing import Final

import django
import httpx

from kuaitui.channels.simulator.director import Director
from kuaitui.channels.simulator.signing import shared_key
from kuaitui.demo.institutions import DAYS_BEFORE, NAMES, ZONE, Institutions, noon
from kuaitui.demo.processes import Installation
from kuaitui.kernel.clock import read_clock, read_stopwatch_s
from kuaitui.kernel.errors import Refusal, RefusalKind

# Beside the first channel's port, as `kuaitui simulate-channel` has them.
PORTS: Final = {"simulator": 0, "wechatpay": 1, "bank": 3}
ENVIRONMENT: Final = {"KUAITUI_PAYERS": "bank_account=bank", "KUAITUI_PAYOUT_PACE": "brisk"}
SPAN: Final = re.compile(r"([1-9]\d?)([dh])")


class DemoNotRunning(Refusal):
    """No demo runs on this folder (var/demo). Start it in another terminal: `make demo`."""

    code = "demo.not_running"
    kind = RefusalKind.UNAVAILABLE


def span(text: str) -> dt.timedelta:
    """How long the bank's clock jumps: `1d`, `12h`.

    Raises:
        ArgumentTypeError: it is not written so.
    """
    match = SPAN.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text}: write 1d or 12h")
    number = int(match[1])
    return dt.timedelta(days=number) if match[2] == "d" else dt.timedelta(hours=number)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--var", type=Path, default=Path("var/demo"), help="its data (default var/demo)"
    )
    parser.add_argument("--port", type=int, default=8000, help="where the pages are (default 8000)")
    parser.add_argument(
        "--channel-port",
        type=int,
        default=8790,
        help="where the plain channel is (default 8790); WeChat Pay and bank are 1 and 3 beside it",
    )
    parser.add_argument("--seed", type=int, default=7, help="another number makes other shops")
    parser.add_argument("--seed-only", action="store_true", help="make the marketplace and stop")
    parser.add_argument(
        "--advance-bank",
        type=span,
        metavar="SPAN",
        help="let time pass at the bank of a running demo, 1d or 12h, and stop",
    )


def run(arguments: argparse.Namespace) -> int:
    """Start everything, print where to look, and stop everything at the end."""
    installation = Installation(
        arguments.var,
        arguments.port,
        environment=ENVIRONMENT,
        institutions=NAMES,
        ports={name: arguments.channel_port + beside for name, beside in PORTS.items()},
    )
    if arguments.advance_bank:
        return _advance_bank(installation, arguments.advance_bank)
    began, now = read_stopwatch_s(), read_clock()
    stop = threading.Event()
    for number in (SIGINT, SIGTERM):
        signal(number, lambda *_: stop.set())
    with installation:
        print("Starting the database …", flush=True)
        institutions = _start(installation, now)
        django.setup()
        # Only now: these modules read the settings that were made above.
        from kuaitui.demo.marketplace import Marketplace, visitors_links  # noqa: PLC0415

        marketplace = Marketplace(institutions=institutions, seed=arguments.seed, now=now)
        marketplace.make_visited_shops()
        if arguments.seed_only:
            print(f"The marketplace has {marketplace.make_crowd()} shops.")
            return 0
        # The institutions' notifications about the past find nobody, as they come too early.
        installation.start_web()
        installation.start_worker()
        links = visitors_links(now=read_clock())
        installation.await_web()
        _invite(installation, links, read_stopwatch_s() - began)
        print(f"The marketplace has {marketplace.make_crowd()} shops now.", flush=True)
        while not stop.wait(1):
            if ended := installation.ended():
                print(f"{', '.join(ended)} ended: see {installation.log_of(ended[0])}")
                return 1
    return 0


def _start(installation: Installation, now: dt.datetime) -> Institutions:
    """Database and institutions; on the first start, these begin in the past."""
    is_first_start = not installation.channels_file.exists()
    begins_at = noon(now, DAYS_BEFORE)
    options: tuple[str, ...] = ("--demo-rules",)
    if is_first_start:
        options += ("--clock", begins_at.isoformat())
    with ThreadPoolExecutor() as together:
        database = together.submit(installation.database.start)
        installation.name_channels()
        database.result()
        started = together.submit(installation.start_institutions, **dict.fromkeys(NAMES, options))
        installation.start_database()
        started.result()
    installation.enter()
    return Institutions.of(installation, at=begins_at if is_first_start else now)


def _advance_bank(installation: Installation, by: dt.timedelta) -> int:
    """Direct the bank of the demo that runs in another terminal."""
    if not installation.channels_file.exists():
        raise DemoNotRunning
    bank = json.loads(installation.channels_file.read_text())["bank"]
    director = Director(bank["base_url"], shared_key(installation.simulator_key))
    try:
        director.advance(seconds=by.total_seconds())
        at = dt.datetime.fromtimestamp(float(director.book()["now"]), ZONE)
    except httpx.ConnectError as problem:
        raise DemoNotRunning from problem
    finally:
        director.close()
    print(f"At the bank it is {at:%A %Y-%m-%d %H:%M} now.")
    return 0


def _invite(installation: Installation, links: list[tuple[str, str]], seconds: float) -> None:
    print(f"Ready after {seconds:.1f} s.\n")
    print(f"  Pages         {installation.web_url}/")
    print(f"  Staff         {installation.web_url}/console/")
    print(f"  WeChat Pay    {installation.url_of('wechatpay')}/ (simulated; payers get pages here)")
    print(f"  Bank          {installation.url_of('bank')}/ (simulated, for signed calls)")
    print(f"  Channel       {installation.simulator_url}/ (simulated, for signed calls)\n")
    print("One-time links (each lets one person in once; start the demo again for new ones):")
    for who, path in links:
        print(f"  {who}\n      {installation.web_url}{path}")
    print("\nThe bank books at ten on business days. To let a day pass there, in another terminal:")
    print("银行只在工作日上午十点记账。想看钱到账，请在另一个终端让银行过一天：")
    print("  .venv/bin/kuaitui demo --advance-bank 1d")
    print("\nCtrl-C stops everything. More shops are being made meanwhile …", flush=True)
