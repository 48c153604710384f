"""Hands on one leg: set it aside, put it back, ask now."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet

from kuaitui.audit.operations import record
from kuaitui.kernel.actor import Actor
from kuaitui.kit.outbox import publish, wake
from kuaitui.payouts.errors import LegUnknown, ReasonMissing, SendBackUnknown
from kuaitui.payouts.events import PayoutDelayed
from kuaitui.payouts.models import PayoutLeg, SendBack
from kuaitui.payouts.operations.batch_gate import leave_unsent
from kuaitui.payouts.states import ASKABLE, LegState

REASON_LENGTH_MAX = 200


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
    if leg.state == LegState.READY:
        leave_unsent(leg, now=now)
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
def request_query_now(*, leg_id: str, actor: Actor, now: dt.datetime) -> bool:
    """Let the channel be asked about a sent leg at once; whether there is anything to ask.

    During a call it is asked once more after it: the call's answer may be older than the wish.
    It leaves a line in the trail: asking changes no money, and shows who watched it.

    Raises:
        LegUnknown: there is no such leg.
    """
    legs = PayoutLeg.objects.filter(public_id=leg_id)
    if not legs.exists():
        raise LegUnknown(leg=leg_id)
    if not _ask(legs, now):
        return False
    record(
        actor=actor,
        action="payout.query_requested",
        object_id=leg_id,
        shop_key=legs.values_list("payout__shop_key", flat=True).get(),
        now=now,
    )
    return True


@transaction.atomic(durable=True)
def request_send_back_query_now(*, send_back_id: str, actor: Actor, now: dt.datetime) -> bool:
    """Let the channel be asked about a payment on its way back, as `request_query_now` does of a leg.

    Raises:
        SendBackUnknown: there is none.
    """
    rows = SendBack.objects.filter(public_id=send_back_id)
    suspense_id = rows.values_list("suspense_id", flat=True).first()
    if suspense_id is None:
        raise SendBackUnknown(send_back=send_back_id)
    if not _ask(rows, now):
        return False
    record(
        actor=actor,
        action="payout.query_requested",
        object_id=suspense_id,
        shop_key=None,
        details={"send_back": send_back_id},
        now=now,
    )
    return True


@transaction.atomic(durable=True)
def note_hint(*, channel: str, number: str, now: dt.datetime) -> bool:
    """A channel says that something happened to a number: ask it; whether there is anything to ask.

    A hint changes nothing but when we ask. It may come twice, late, early, or for a number that
    is not ours. One that overtakes the answer of a call under way is kept until that is recorded.
    """
    going_back = SendBack.objects.filter(channel=channel, number=number)
    legs = PayoutLeg.objects.filter(channel=channel, channel_number=number)
    return _ask(going_back, now) or _ask(legs, now)


def _ask(legs: QuerySet[PayoutLeg] | QuerySet[SendBack], now: dt.datetime) -> bool:
    asked = legs.filter(state__in=ASKABLE).update(next_check_at=now)
    if asked:
        wake()
    return bool(asked)
