"""The end of a number that its channel does not know and that may not be sent again."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.audit.operations import record
from kuaitui.deposits.queries import ways_out
from kuaitui.kernel.actor import Actor
from kuaitui.kit.outbox import publish
from kuaitui.ledger.operations import post_journal
from kuaitui.payouts.errors import (
    GiveUpNeedsAnother,
    InterventionMissing,
    InterventionOpen,
    LegNotLost,
    LegUnknown,
    PayoutBeingAskedBack,
    ReasonMissing,
)
from kuaitui.payouts.events import LegFailed
from kuaitui.payouts.models import LegIntervention, Payout, PayoutLeg
from kuaitui.payouts.operations.postings import journal_of
from kuaitui.payouts.operations.writing import save_legs
from kuaitui.payouts.queries.holds import current_hold_began
from kuaitui.payouts.queries.lost import is_lost
from kuaitui.payouts.states import LegState, PayoutState
from kuaitui.payouts.types import GIVEN_UP, InterventionEnd, InterventionKind, PostingKind

REASON_LENGTH_MAX = 200


@transaction.atomic(durable=True)
def propose_give_up(*, leg_id: str, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Propose to say of a leg that it was never paid. Nothing moves before somebody else confirms.

    Only where the machine has come to its end: the channel does not know the number, was asked after
    its floor, and the leg may not be sent again.

    Raises:
        LegUnknown: there is no such leg.
        LegNotLost: it may still be paid or sent, or the channel was not asked lately.
        InterventionOpen: something is decided about it already.
        ReasonMissing: nobody gives a payment up without saying what was found.
        PayoutBeingAskedBack: sending is on hold after a restore.
    """
    leg = _lock(leg_id)
    _require_lost(leg, now)
    if LegIntervention.objects.filter(leg=leg, ended_at=None).exists():
        raise InterventionOpen(leg=leg_id)
    if not reason.strip():
        raise ReasonMissing(leg=leg_id)
    LegIntervention.objects.create(
        leg=leg,
        kind=InterventionKind.GIVE_UP,
        reason=reason.strip()[:REASON_LENGTH_MAX],
        proposed_by=actor.id,
        proposed_at=now,
    )
    _record(leg, "payout.give_up_proposed", actor, now)


@transaction.atomic(durable=True)
def confirm_give_up(*, leg_id: str, actor: Actor, now: dt.datetime) -> None:
    """Say of a leg that it was never paid, as a colleague proposed: it has failed.

    Posts *in transit → frozen*. Its seller names another account, under a new number, or two people
    close it out. Should the channel have paid the number after all, reconciliation finds it.

    Raises:
        LegUnknown: there is no such leg.
        InterventionMissing: no such proposal waits (any more).
        GiveUpNeedsAnother: this person proposed it. The database would refuse it too.
        LegNotLost: the channel has answered since, or was not asked lately.
        PayoutBeingAskedBack: sending is on hold after a restore.
    """
    leg = _lock(leg_id)
    decided = (
        LegIntervention.objects.select_for_update()
        .filter(leg=leg, kind=InterventionKind.GIVE_UP, ended_at=None)
        .first()
    )
    if decided is None:
        raise InterventionMissing(leg=leg_id)
    if decided.proposed_by == actor.id:
        raise GiveUpNeedsAnother(leg=leg_id)
    _require_lost(leg, now)
    decided.confirmed_by, decided.confirmed_at = actor.id, now
    decided.save(update_fields=["confirmed_by", "confirmed_at"])
    _fail(leg, now)
    decided.ended_at, decided.ended_as = now, InterventionEnd.WENT_ON
    decided.save(update_fields=["ended_at", "ended_as"])
    _record(leg, "payout.given_up", actor, now)


def _lock(leg_id: str) -> PayoutLeg:
    """The leg, its payout first, as everywhere."""
    payouts = Payout.objects.select_for_update(of=("self",))
    if payouts.filter(legs__public_id=leg_id).first() is None:
        raise LegUnknown(leg=leg_id)
    return (
        PayoutLeg.objects.select_related("payout")
        .select_for_update(of=("self",))
        .get(public_id=leg_id)
    )


def _require_lost(leg: PayoutLeg, now: dt.datetime) -> None:
    if current_hold_began() is not None:
        raise PayoutBeingAskedBack(leg=leg.public_id)
    if not is_lost(leg, declared=ways_out().channels.get(leg.channel), now=now):
        raise LegNotLost(leg=leg.public_id)


def _fail(leg: PayoutLeg, now: dt.datetime) -> None:
    payout = leg.payout
    post_journal(journal_of(leg, PostingKind.FAILED, occurred_at=now), now=now)
    leg.state, leg.since, leg.waits_for = LegState.FAILED.value, now, ""
    leg.failed_at, leg.code = now, GIVEN_UP
    leg.next_check_at = leg.lease_until = None
    leg.hand_over_sealed, leg.hand_over_key_id = None, ""
    save_legs([leg])
    Payout.objects.filter(pk=payout.pk).update(state=PayoutState.NEEDS_REPAIR)
    publish(
        LegFailed(
            payout.application_id,
            payout.public_id,
            leg.public_id,
            leg.amount_minor,
            leg.currency,
            GIVEN_UP,
            now,
        ),
        now=now,
    )


def _record(leg: PayoutLeg, action: str, actor: Actor, now: dt.datetime) -> None:
    record(
        actor=actor,
        action=action,
        object_id=leg.public_id,
        shop_key=leg.payout.shop_key,
        details={"amount_minor": leg.amount_minor, "currency": leg.currency},
        now=now,
    )
