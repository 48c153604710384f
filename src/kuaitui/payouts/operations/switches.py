"""Stop and release sending, for one channel or for all. Asking never stops."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection, transaction

from kuaitui.audit.operations import record
from kuaitui.kernel.actor import Actor
from kuaitui.kit.outbox import publish
from kuaitui.kit.transactions import requires_transaction
from kuaitui.payouts.errors import ReasonMissing
from kuaitui.payouts.events import SendingStopped
from kuaitui.payouts.models import ChannelSwitch
from kuaitui.payouts.types import ALL_CHANNELS

REASON_LENGTH_MAX = 200
SWITCH_LOCK = 0x6B74_7061_796F  # "ktpayo": one advisory lock for all switches
STOPPED: Final = """
    SELECT EXISTS (SELECT 1 FROM payouts_channel_switch WHERE is_stopped AND channel IN (%s, %s))
        OR EXISTS (SELECT 1 FROM payouts_hold WHERE released_at IS NULL)
"""


@transaction.atomic(durable=True)
def set_kill_switch(
    *, channel: str, is_stopped: bool, reason: str, actor: Actor, now: dt.datetime
) -> None:
    """Stop sending through a channel, or through all (`*`), or release it. Asking never stops.

    When this returns, no further send can begin; calls already under way end as they end.

    Raises:
        ReasonMissing: a switch is not turned without saying why.
    """
    if not reason.strip():
        raise ReasonMissing(channel=channel)
    _turn(channel, is_stopped=is_stopped, reason=reason, actor=actor, now=now)


@transaction.atomic(durable=True)
def stop_rejected_channel(*, channel: str, code: str, now: dt.datetime) -> None:
    """The channel refuses us: stop before every payout meets the same refusal."""
    switch = ChannelSwitch.objects.filter(channel=channel).first()
    if switch is not None and switch.is_stopped:
        return
    actor = Actor.system("payouts.rejected_config")
    _turn(channel, is_stopped=True, reason=f"refused: {code}", actor=actor, now=now)


@requires_transaction
def is_sending_stopped(channel: str) -> bool:
    """Whether a kill switch or a hold stops sending through a channel; for a claim's transaction.

    Claims share a lock that whoever turns a switch or begins a hold takes alone. So the turn waits
    for the claims under way, and once it is turned no further send can begin.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [SWITCH_LOCK])
        cursor.execute(STOPPED, [channel, ALL_CHANNELS])
        return bool(cursor.fetchone()[0])


@requires_transaction
def lock_switches() -> None:
    """Wait for the claims under way, and let none begin before this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SWITCH_LOCK])


def _turn(channel: str, *, is_stopped: bool, reason: str, actor: Actor, now: dt.datetime) -> None:
    lock_switches()
    ChannelSwitch.objects.update_or_create(
        channel=channel,
        defaults={
            "is_stopped": is_stopped,
            "reason": reason.strip()[:REASON_LENGTH_MAX],
            "set_by": actor.id,
            "set_at": now,
        },
    )
    record(
        actor=actor,
        action="payout.sending_stopped" if is_stopped else "payout.sending_released",
        object_id=f"channel:{channel}",
        details={"reason": reason.strip()[:REASON_LENGTH_MAX]},
        now=now,
    )
    if is_stopped:
        publish(SendingStopped(channel, reason.strip()[:REASON_LENGTH_MAX], now), now=now)
