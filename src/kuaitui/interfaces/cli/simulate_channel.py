"""`kuaitui simulate-channel [NAME]`: a simulated payment channel as a process of its own."""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import json
import os
from pathlib import Path
from typing import Final, Protocol, cast

from kuaitui.channels.simulator.money_book import parse_fee_rate
from kuaitui.channels.simulator.process import HOST, SimulatedChannel, SimulatorOptions
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal

# name: (module, usual port). A module offers `build(options)` and `settings_entry(options)`.
SIMULATORS = {
    "simulator": ("kuaitui.channels.simulator.process", 8790),
    "wechatpay": ("kuaitui.channels.simulator.wechatpay.process", 8791),
    "alipay": ("kuaitui.channels.simulator.alipay.process", 8792),
    "bank": ("kuaitui.channels.simulator.bank.process", 8793),
}


WITH_FEES: Final = ("wechatpay", "alipay")


class FeesNotTaken(Refusal):
    """This simulated channel takes no fees."""

    code = "simulate_channel.fees_not_taken"


class SimulatorModule(Protocol):
    """What the module of a simulated channel offers."""

    def build(self, options: SimulatorOptions) -> SimulatedChannel:
        """The channel, listening on its port and not yet serving."""

    def settings_entry(self, options: SimulatorOptions) -> dict[str, object]:
        """What `KUAITUI_CHANNELS` says of it; makes the keys that it names."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    ports = ", ".join(f"{name} {port}" for name, (_, port) in SIMULATORS.items())
    parser.add_argument("name", nargs="?", choices=SIMULATORS, default="simulator")
    parser.add_argument("--port", type=int, help=f"0 takes a free one (default {ports})")
    parser.add_argument("--book", type=Path, metavar="FILE", help="default var/NAME.sqlite3")
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="whoever directs it has it")
    parser.add_argument("--keys", type=Path, metavar="DIR", help="keys of channel and merchant")
    parser.add_argument(
        "--clock",
        type=dt.datetime.fromisoformat,
        metavar="TIME",
        help="let its clock run from here",
    )
    parser.add_argument("--processing-s", type=float, default=0.0, help="how long a payout takes")
    parser.add_argument(
        "--fee-rate",
        type=parse_fee_rate,
        default="0",
        metavar="PERCENT",
        help=f"fee of each payment, as your contract says; {' and '.join(WITH_FEES)} only (default 0)",
    )
    parser.add_argument("--notify", metavar="URL", help="tell this address what happens to payouts")
    parser.add_argument(
        "--demo-rules", action="store_true", help="let payees misbehave by their last four digits"
    )
    parser.add_argument("--trouble", type=float, default=0.0, metavar="CHANCE", help="of any fault")
    parser.add_argument("--seed", type=int, default=0, help="decides which calls are in trouble")
    parser.add_argument(
        "--print-settings", action="store_true", help="print its entry for KUAITUI_CHANNELS, end"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until asked to stop."""
    if arguments.fee_rate and arguments.name not in WITH_FEES:
        raise FeesNotTaken(channel=arguments.name)
    options = _options(arguments)
    simulator = _load(arguments.name)
    if arguments.print_settings:
        entry = simulator.settings_entry(options)
        print(json.dumps({arguments.name: entry}, ensure_ascii=False, indent=2))
        return 0
    options.book.parent.mkdir(parents=True, exist_ok=True)
    channel = simulator.build(options)
    url = f"http://{HOST}:{channel.server.server_port}"
    print(f"The simulated channel listens on {url}", flush=True)
    channel.serve_until_asked_to_stop()
    return 0


def _load(name: str) -> SimulatorModule:
    return cast("SimulatorModule", importlib.import_module(SIMULATORS[name][0]))


def _options(arguments: argparse.Namespace) -> SimulatorOptions:
    var = Path(os.environ.get("KUAITUI_VAR", "var"))
    _, usual_port = SIMULATORS[arguments.name]
    starts_at = arguments.clock
    if starts_at is not None and starts_at.tzinfo is None:
        starts_at = starts_at.replace(tzinfo=dt.UTC)
    return SimulatorOptions(
        port=usual_port if arguments.port is None else arguments.port,
        book=arguments.book or var / f"{arguments.name}.sqlite3",
        key_file=arguments.key_file or var / "simulator_key",
        keys=arguments.keys or var / f"{arguments.name}_keys",
        clock=read_clock,
        starts_at=starts_at,
        processing_s=arguments.processing_s,
        fee_rate=arguments.fee_rate,
        notify_url=arguments.notify or "",
        behaves_as_demo=arguments.demo_rules,
        seed=arguments.seed,
        trouble_chance=arguments.trouble,
    )
