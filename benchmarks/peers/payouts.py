"""Adds waiting legs, or carries them out as a worker does, in a process of its own.

python -m benchmarks.peers.payouts seed --count N
python -m benchmarks.peers.payouts carry --threads N --begin-at S
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from pathlib import Path

import django

from benchmarks.many_payouts import AMOUNT_MINOR, APPROVAL, Request, add_waiting
from kuaitui.kernel.clock import read_clock, read_stopwatch_s

LOOK_EVERY_S = 0.1
REST_S = 1.0


def main() -> None:
    """Do what was asked and print one line of JSON."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("mode", choices=["seed", "carry"])
    arguments.add_argument("--count", type=int, default=0)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--begin-at", type=float, default=0)
    asked = arguments.parse_args()
    django.setup()
    if asked.mode == "seed":
        add_waiting(os.environ["DATABASE_URL"], _request, count=asked.count, now=read_clock())
        print(json.dumps({"count": asked.count}))
    else:
        _carry(threads=asked.threads, begin_at=asked.begin_at)


def _request(number: int) -> Request:
    from kuaitui.channels.port import OriginalPayment, PayoutInstruction  # noqa: PLC0415
    from kuaitui.kernel.money import Money  # noqa: PLC0415
    from kuaitui.payouts.operations.requests import seal_request  # noqa: PLC0415
    from kuaitui.payouts.rules import channel_number  # noqa: PLC0415

    # A number of its own for each database: the simulated channel knows a number for ever.
    payment = f"{os.environ['DATABASE_URL']} P{number}"
    amount = Money(AMOUNT_MINOR, "CNY")
    instruction = PayoutInstruction(
        channel_number("simulator", payment, nth=1), amount, OriginalPayment(f"P{number}", amount)
    )
    sealed = seal_request(instruction, leg_id=f"leg_{number}", approval_hash=APPROVAL)
    return instruction.number, sealed.content, sealed.key_id


def _carry(*, threads: int, begin_at: float) -> None:
    """The payout loop of `kuaitui worker`, until nothing waits."""
    from django.conf import settings  # noqa: PLC0415

    from kuaitui.channels.registry import build_channels  # noqa: PLC0415
    from kuaitui.interfaces.worker.carriers import Carriers  # noqa: PLC0415
    from kuaitui.interfaces.worker.loops import Loop  # noqa: PLC0415
    from kuaitui.interfaces.worker.restore import RestoreWatch  # noqa: PLC0415
    from kuaitui.payouts.types import Pace  # noqa: PLC0415

    def look_again() -> None:
        loop.nudge()

    stopping = threading.Event()
    carriers = Carriers(
        channels=build_channels(settings.KUAITUI_CHANNELS, clock=read_clock),
        pace=Pace(),
        threads=threads,
        when_free=look_again,
        watch=RestoreWatch(Path(settings.KUAITUI_PAYOUT_MARKS)),
    )
    loop = Loop("payouts", carriers.take_turn, rest_s=REST_S, stopping=stopping)
    time.sleep(max(0.0, begin_at - read_stopwatch_s()))
    begun = read_stopwatch_s()
    loop.start()
    while _is_work_left():
        time.sleep(LOOK_EVERY_S)
    stopping.set()
    loop.nudge()
    loop.join()
    carriers.stop()
    print(json.dumps({"seconds": read_stopwatch_s() - begun}))


def _is_work_left() -> bool:
    from kuaitui.payouts.queries import due_legs  # noqa: PLC0415

    return bool(due_legs(now=read_clock(), limit=1))


if __name__ == "__main__":
    main()
