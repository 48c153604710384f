"""Stop and release sending, for one channel or for all. Asking never stops."""

from __future__ import annotations

import datetime as dt
from typing import Final

import structlog
from django.db import connection, transaction

from kuaitui.audit.operations import record
from kuaitui.kernel.actor import Actor
from kuaitui.kit.outbox import publish, wake
from kuaitui.kit.transactions import requires_transaction
from kuaitui.payouts.errors import (
    ReasonMissing,
    ReleaseNeedsAnother,
    ReleaseNotProposed,
    SendingNotStopped,
)
from kuaitui.payouts.events import SendingStopped
from kuaitui.payouts.models import ChannelSwitch
from kuaitui.payouts.types import ALL_CHANNELS

REASON_LENGTH_MAX = 200
SWITCH_LOCK = 0x6B74_7061_796F  # "ktpayo": one advisory lock for all switches
log = structlog.get_logger(__name__)
STOPPED: Final = """
    SELECT EXISTS (SELECT 1 FROM payouts_channel_switch WHERE is_stopped AND channel IN (%s, %s))
        OR EXISTS (SELECT 1 FROM payouts_hold WHERE released_at IS NULL)
"""


@transaction.atomic(durable=True)
def stop_sending(*, channel: str, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Turn the kill switch of a channel, or of all (`*`): one person, or the system, is enough.

    When this returns, no further send can begin; calls already under way end as they end. Asking
    never stops. A release that was proposed before is void.

    Raises:
        ReasonMissing: nobody stops sending without saying why.
    """
    if not reason.strip():
        raise ReasonMissing(channel=channel)
    _stop(channel, reason=reason, actor=actor, now=now)


@transaction.atomic(durable=True)
def propose_resume(*, channel: str, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Say why sending may go on, so that somebody else can release it.

    Raises:
        ReasonMissing: say what was found.
        SendingNotStopped: this switch does not stop anything.
    """
    if not reason.strip():
        raise ReasonMissing(channel=channel)
    switch = _lock_stopped(channel)
    switch.release_proposed_by, switch.release_proposed_at = actor.id, now
    switch.release_reason = reason.strip()[:REASON_LENGTH_MAX]
    switch.save()
    record(
        actor=actor,
        action="payout.sending_release_proposed",
        object_id=f"channel:{channel}",
        details={"reason": switch.release_reason},
        now=now,
    )


@transaction.atomic(durable=True)
def confirm_resume(*, channel: str, actor: Actor, now: dt.datetime) -> None:
    """Release sending, as somebody else proposed.

    Raises:
        SendingNotStopped: this switch does not stop anything.
        ReleaseNotProposed: nobody said why it may go on.
        ReleaseNeedsAnother: the same person proposed it. The database would refuse it too.
    """
    switch = _lock_stopped(channel)
    if switch.release_proposed_at is None:
        raise ReleaseNotProposed(channel=channel)
    if switch.release_proposed_by == actor.id:
        raise ReleaseNeedsAnother(channel=channel)
    switch.is_stopped = False
    switch.reason = switch.release_reason
    switch.set_by, switch.set_at = actor.id, now
    switch.save()
    record(
        actor=actor,
        action="payout.sending_released",
        object_id=f"channel:{channel}",
        details={"proposed_by": switch.release_proposed_by, "reason": switch.reason},
        now=now,
    )
    wake()


@transaction.atomic(durable=True)
def stop_rejected_channel(*, channel: str, code: str, now: dt.datetime) -> None:
    """The channel refuses us: stop before every payout meets the same refusal."""
    switch = ChannelSwitch.objects.filter(channel=channel).first()
    if switch is not None and switch.is_stopped:
        return
    actor = Actor.system("payouts.rejected_config")
    _stop(channel, reason=f"refused: {code}", actor=actor, now=now)


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


def _lock_stopped(channel: str) -> ChannelSwitch:
    lock_switches()
    switch = ChannelSwitch.objects.filter(channel=channel, is_stopped=True).first()
    if switch is None:
        raise SendingNotStopped(channel=channel)
    return switch


def _stop(channel: str, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    lock_switches()
    told = reason.strip()[:REASON_LENGTH_MAX]
    ChannelSwitch.objects.update_or_create(
        channel=channel,
        defaults={
            "is_stopped": True,
            "reason": told,
            "set_by": actor.id,
            "set_at": now,
            "release_proposed_by": "",
            "release_proposed_at": None,
            "release_reason": "",
        },
    )
    record(
        actor=actor,
        action="payout.sending_stopped",
        object_id=f"channel:{channel}",
        details={"reason": told},
        now=now,
    )
    log.error("payout.sending_stopped", channel=channel)
    publish(SendingStopped(channel, told, now), now=now)
