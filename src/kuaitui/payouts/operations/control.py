"""Hands on the machine: stop and release sending, set a leg aside, ask now."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from django.db.models import QuerySet

from kuaitui.audit.operations import record
from kuaitui.kernel.actor import Actor
from kuaitui.kit.outbox import publish, wake
from kuaitui.kit.transactions import requires_transaction
from kuaitui.payouts.errors import LegUnknown, ReasonMissing
from kuaitui.payouts.events import PayoutDelayed, SendingStopped
from kuaitui.payouts.models import ChannelSwitch, PayoutLeg
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import ALL_CHANNELS

REASON_LENGTH_MAX = 200
SWITCH_LOCK = 0x6B74_7061_796F  # "ktpayo": one advisory lock for all switches
ASKABLE = (LegState.UNKNOWN, LegState.ACCEPTED, LegState.NEEDS_ACTION, LegState.PAID)


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
    """Whether the kill switch stops sending through a channel; for a claim's transaction.

    Claims share a lock that whoever turns a switch takes alone. So the turn waits for the claims
    under way, and once it is turned no further send can begin.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [SWITCH_LOCK])
    switches = ChannelSwitch.objects.filter(channel__in=[channel, ALL_CHANNELS])
    return switches.filter(is_stopped=True).exists()


@transaction.atomic(durable=True)
def set_leg_aside(*, leg_id: str, reason: str, now: dt.datetime) -> None:
    """Take a leg out of the machine until a person looks: something that must be true is not."""
    leg = PayoutLeg.objects.select_for_update().filter(public_id=leg_id).first()
    if leg is None:
        raise LegUnknown(leg=leg_id)
    if leg.set_aside_at is not None:
        return
    leg.set_aside_at, leg.set_aside_reason = now, reason[:REASON_LENGTH_MAX]
    leg.save(update_fields=["set_aside_at", "set_aside_reason"])
    payout = leg.payout
    publish(
        PayoutDelayed(payout.application_id, payout.public_id, leg_id, leg.state, "set_aside", now),
        now=now,
    )
    record(
        actor=Actor.system("payouts.worker"),
        action="payout.leg_set_aside",
        object_id=leg_id,
        shop_key=payout.shop_key,
        details={"reason": leg.set_aside_reason},
        now=now,
    )


@transaction.atomic(durable=True)
def release_leg(*, leg_id: str, actor: Actor, reason: str, now: dt.datetime) -> None:
    """Put a leg that was set aside back; what is due next follows from its state as ever.

    Raises:
        LegUnknown: there is no such leg.
        ReasonMissing: say what was found.
    """
    if not reason.strip():
        raise ReasonMissing(leg=leg_id)
    leg = PayoutLeg.objects.select_for_update().filter(public_id=leg_id).first()
    if leg is None:
        raise LegUnknown(leg=leg_id)
    if leg.set_aside_at is None:
        return
    leg.set_aside_at, leg.set_aside_reason = None, ""
    leg.save(update_fields=["set_aside_at", "set_aside_reason"])
    record(
        actor=actor,
        action="payout.leg_released",
        object_id=leg_id,
        shop_key=leg.payout.shop_key,
        details={"reason": reason[:REASON_LENGTH_MAX]},
        now=now,
    )


@transaction.atomic(durable=True)
def request_query_now(*, leg_id: str, now: dt.datetime) -> bool:
    """Let the channel be asked about a sent leg at once; whether there is anything to ask.

    Raises:
        LegUnknown: there is no such leg.
    """
    legs = PayoutLeg.objects.filter(public_id=leg_id)
    if not legs.exists():
        raise LegUnknown(leg=leg_id)
    return _ask(legs, now)


@transaction.atomic(durable=True)
def note_hint(*, channel: str, number: str, now: dt.datetime) -> bool:
    """A channel says that something happened to a number: ask it; whether there is anything to ask.

    A hint changes nothing but when we ask. It may come twice, late, early, or for a number that
    is not ours.
    """
    return _ask(PayoutLeg.objects.filter(channel=channel, channel_number=number), now)


def _ask(legs: QuerySet[PayoutLeg], now: dt.datetime) -> bool:
    asked = legs.filter(state__in=ASKABLE).update(next_check_at=now)
    if asked:
        wake()
    return bool(asked)


def _turn(channel: str, *, is_stopped: bool, reason: str, actor: Actor, now: dt.datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SWITCH_LOCK])
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
