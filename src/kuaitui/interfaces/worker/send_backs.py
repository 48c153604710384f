"""Payments in suspense that two people ordered back: the worker's calls about them."""

from __future__ import annotations

import structlog

from kuaitui.channels.registry import Channels
from kuaitui.interfaces.worker.crew import BROKEN
from kuaitui.interfaces.worker.restore import RestoreWatch
from kuaitui.kernel.clock import read_clock, read_stopwatch_s
from kuaitui.payouts.operations import carry_out_send_back, set_send_back_aside
from kuaitui.payouts.queries import due_send_backs
from kuaitui.payouts.types import Pace

log = structlog.get_logger(__name__)


def carry_out_send_backs(channels: Channels, pace: Pace, watch: RestoreWatch) -> bool:
    """Make the calls that are due, one after the other; whether there were any.

    They are rare: no crew is kept for them. `watch` looks first whether the database was restored.
    """
    found = False
    watch.look(now=read_clock(), stopwatch_s=read_stopwatch_s())
    for send_back_id in due_send_backs(now=read_clock()):
        try:
            state = carry_out_send_back(
                send_back_id=send_back_id, channels=channels, pace=pace, clock=read_clock
            )
        except BROKEN as failure:
            log.critical("worker.send_back.set_aside", thing_id=send_back_id, exc_info=failure)
            set_send_back_aside(
                send_back_id=send_back_id, reason=type(failure).__name__, now=read_clock()
            )
        else:
            found = found or state is not None
    return found
