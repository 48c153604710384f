"""A difference that means money could be going wrong stops sending; asking goes on."""

from __future__ import annotations

import datetime as dt

from kuaitui.kernel.actor import Actor
from kuaitui.payouts.operations import stop_sending
from kuaitui.reconciliation.models import BreakRow
from kuaitui.reconciliation.types import BreakState

STOPPER = Actor.system("reconciliation")


def stop_for_breaks(*, now: dt.datetime) -> tuple[str, ...]:
    """Turn the kill switch of every channel with a dangerous break that has not stopped it yet.

    Each break stops its channel once: when people have released the switch, it stays released. If
    we die in between, the next run turns it (again). Returns the channels.
    """
    waiting = BreakRow.objects.filter(is_dangerous=True, stopped_sending_at=None).exclude(
        state=BreakState.CLOSED
    )
    stopped: list[str] = []
    for row in waiting.order_by("id"):
        if row.channel not in stopped:
            stop_sending(
                channel=row.channel,
                reason=f"reconciliation: {row.kind}, {row.event} {row.key}, {row.public_id}",
                actor=STOPPER,
                now=now,
            )
            stopped.append(row.channel)
        BreakRow.objects.filter(pk=row.pk).update(stopped_sending_at=now)
    return tuple(stopped)
