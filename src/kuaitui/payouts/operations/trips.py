"""Sending stops by itself when too many sends have no clear result, or fail."""

from __future__ import annotations

import datetime as dt

from kuaitui.kernel.actor import Actor
from kuaitui.payouts.operations.switches import stop_sending
from kuaitui.payouts.queries.rates import send_rates
from kuaitui.payouts.types import TripRates

TRIP = Actor.system("payouts.trip")


def trip_on_rates(*, rates: TripRates, now: dt.datetime) -> tuple[str, ...]:
    """Stop every channel of which too large a share of the last sends is unknown or failed.

    What was sent before people last released a channel does not count again. Returns the channels
    stopped. Stopping what stands still already is not done twice.
    """
    stopped = []
    for found in send_rates(since=now - rates.window):
        reason = rates.broken_by(sends=found.sends, unknown=found.unknown, failed=found.failed)
        if reason and not found.is_stopped:
            stop_sending(
                channel=found.channel,
                reason=f"{reason}: {found.unknown} unknown and {found.failed} failed of {found.sends}",
                actor=TRIP,
                now=now,
            )
            stopped.append(found.channel)
    return tuple(stopped)
