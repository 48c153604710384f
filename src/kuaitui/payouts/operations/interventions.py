"""What people decide about a leg with which the machine cannot go on.

What a channel holds for a person a worker tells it; what no channel knows any more ends here.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.audit.operations import record
from kuaitui.channels.port import ChannelCapabilities, NeededAction, PayeeAccount, PayeeKind
from kuaitui.deposits.queries import destination, payee_details, ways_out
from kuaitui.kernel.actor import Actor
from kuaitui.kit.outbox import wake
from kuaitui.payouts.errors import (
    GiveUpNeedsAnother,
    HandOverAccountUnfit,
    HandOverNeedsAnother,
    InterventionMissing,
    InterventionOpen,
    InterventionUnderWay,
    LegNotCancellable,
    LegNotLost,
    LegNotRefused,
    LegNotStuck,
    LegUnknown,
    PayoutBeingAskedBack,
    ReasonMissing,
)
from kuaitui.payouts.models import LegIntervention, Payout, PayoutAttempt, PayoutLeg
from kuaitui.payouts.operations.batch_gate import leave_batch
from kuaitui.payouts.operations.failing import fail_leg
from kuaitui.payouts.operations.requests import seal_payee
from kuaitui.payouts.queries.holds import current_hold_began
from kuaitui.payouts.queries.lost import is_lost
from kuaitui.payouts.queries.refused import is_refused
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import GIVEN_UP, InterventionEnd, InterventionKind

REASON_LENGTH_MAX = 200
STUCK = frozenset({NeededAction.ABNORMAL_REFUND, NeededAction.MISSING_BANK_DETAILS})


@transaction.atomic(durable=True)
def propose_hand_over(
    *, leg_id: str, destination_id: str, reason: str, actor: Actor, now: dt.datetime
) -> None:
    """Propose to send a stuck refund to a checked bank account of the same shop.

    Nothing is told to the channel until somebody else confirms.

    Raises:
        LegUnknown: there is no such leg.
        LegNotStuck: it does not wait for an account, or its channel takes none.
        InterventionOpen: something is decided about it already.
        ReasonMissing: nobody sends money elsewhere without saying why.
        DestinationUnknown, DestinationUnverified, HandOverAccountUnfit: not such an account.
        HandOverNeedsAnother: the same person entered the account. The database would refuse it too.
    """
    leg = _lock(leg_id)
    if not (_waits_for(leg) in STUCK and _declared(leg).hands_over_abnormal):
        raise LegNotStuck(leg=leg_id)
    _ensure_none_open(leg)
    chosen = destination(destination_id)
    account = payee_details(destination_id)
    is_fit = (
        chosen.shop_key == leg.payout.shop_key
        and account.kind is PayeeKind.BANK_ACCOUNT
        and not chosen.is_cooling_down(now=now)
    )
    if not is_fit:
        raise HandOverAccountUnfit(leg=leg_id)
    if chosen.added_by == actor.id:
        raise HandOverNeedsAnother(leg=leg_id)
    payee = PayeeAccount(
        account.holder_name,
        account.bank_name,
        account.account_number,
        kind=account.kind,
        bank_code=account.bank_code,
        is_company=account.is_company,
    )
    sealed = seal_payee(payee, leg_id=leg_id, destination_id=destination_id)
    LegIntervention.objects.create(
        leg=leg,
        kind=InterventionKind.HAND_OVER,
        reason=_reason(reason, leg_id),
        destination_id=destination_id,
        destination_added_by=chosen.added_by,
        payee_sealed=sealed.content,
        payee_key_id=sealed.key_id,
        proposed_by=actor.id,
        proposed_at=now,
    )
    _record(leg, "payout.hand_over_proposed", actor, now, destination=destination_id)


@transaction.atomic(durable=True)
def confirm_hand_over(*, leg_id: str, destination_id: str, actor: Actor, now: dt.datetime) -> None:
    """Let the channel be told. `destination_id` is what was shown to the one who confirms.

    Raises:
        LegUnknown: there is no such leg.
        InterventionMissing: no such proposal waits (any more), or of another account.
        HandOverNeedsAnother: the same person proposed it or entered the account. The database would
            refuse it too.
    """
    leg = _lock(leg_id)
    decided = _open(leg)
    if decided is None or decided.confirmed_at or decided.destination_id != destination_id:
        raise InterventionMissing(leg=leg_id)
    if actor.id in {decided.proposed_by, decided.destination_added_by}:
        raise HandOverNeedsAnother(leg=leg_id)
    decided.confirmed_by, decided.confirmed_at = actor.id, now
    decided.save(update_fields=["confirmed_by", "confirmed_at"])
    _tell_soon(leg, now)
    _record(leg, "payout.hand_over_confirmed", actor, now, destination=destination_id)


@transaction.atomic(durable=True)
def call_back(*, leg_id: str, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Let the channel be asked to cancel what its payee has not confirmed.

    Only the channel's word ends the leg: the payee may be faster.

    Raises:
        LegUnknown: there is no such leg.
        LegNotCancellable: it waits for no confirmation, or its channel calls nothing back.
        InterventionOpen: it was asked for before.
        ReasonMissing: say why.
    """
    leg = _lock(leg_id)
    if _waits_for(leg) is not NeededAction.USER_CONFIRM or not _declared(leg).can_cancel:
        raise LegNotCancellable(leg=leg_id)
    _ensure_none_open(leg)
    LegIntervention.objects.create(
        leg=leg,
        kind=InterventionKind.CANCEL,
        reason=_reason(reason, leg_id),
        proposed_by=actor.id,
        proposed_at=now,
    )
    _tell_soon(leg, now)
    _record(leg, "payout.called_back", actor, now)


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
    _ensure_none_open(leg)
    LegIntervention.objects.create(
        leg=leg,
        kind=InterventionKind.GIVE_UP,
        reason=_reason(reason, leg_id),
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
    decided = _open(leg)
    if decided is None or decided.kind != InterventionKind.GIVE_UP:
        raise InterventionMissing(leg=leg_id)
    if decided.proposed_by == actor.id:
        raise GiveUpNeedsAnother(leg=leg_id)
    _require_lost(leg, now)
    decided.confirmed_by, decided.confirmed_at = actor.id, now
    decided.save(update_fields=["confirmed_by", "confirmed_at"])
    fail_leg(leg, GIVEN_UP, now=now)
    decided.ended_at, decided.ended_as = now, InterventionEnd.WENT_ON
    decided.save(update_fields=["ended_at", "ended_as"])
    _record(leg, "payout.given_up", actor, now)


@transaction.atomic(durable=True)
def stop_trying(*, leg_id: str, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Say of a leg that its channel refuses again and again that it is not paid this way.

    Posts *in transit → frozen*. Its seller names another account, under a new number, and two people
    approve that one. Nothing was paid and nothing is under way, so one person ends it.

    Raises:
        LegUnknown: there is no such leg.
        LegNotRefused: its channel has taken it since, or its last word was another.
        ReasonMissing: say what was found.
        PayoutBeingAskedBack: sending is on hold after a restore.
    """
    leg = _lock(leg_id)
    if current_hold_began() is not None:
        raise PayoutBeingAskedBack(leg=leg_id)
    if not is_refused(leg, declared=ways_out().channels.get(leg.channel), now=now):
        raise LegNotRefused(leg=leg_id)
    said = _reason(reason, leg_id)
    leave_batch(leg, now=now)
    fail_leg(leg, leg.code, now=now)
    _record(leg, "payout.stopped_trying", actor, now, reason=said)


@transaction.atomic(durable=True)
def withdraw_intervention(*, leg_id: str, actor: Actor, now: dt.datetime) -> None:
    """Take back what was decided about a leg, so that something else can be decided.

    A call that was made stays made; the channel pays a number once, to whichever account it took.

    Raises:
        LegUnknown: there is no such leg.
        InterventionMissing: nothing is decided (any more).
        InterventionUnderWay: the channel is being told at this moment.
    """
    leg = _lock(leg_id)
    decided = _open(leg)
    if decided is None:
        raise InterventionMissing(leg=leg_id)
    if PayoutAttempt.objects.filter(leg=leg, outcome=None).exists():
        raise InterventionUnderWay(leg=leg_id)
    decided.ended_at, decided.ended_as = now, InterventionEnd.WITHDRAWN
    decided.save(update_fields=["ended_at", "ended_as"])
    _record(leg, "payout.intervention_withdrawn", actor, now, kind=decided.kind)


def _lock(leg_id: str) -> PayoutLeg:
    """The leg, its payout first, as everywhere."""
    payouts = Payout.objects.select_for_update(of=("self",))
    if payouts.filter(legs__public_id=leg_id).first() is None:
        raise LegUnknown(leg=leg_id)
    return PayoutLeg.objects.select_for_update().get(public_id=leg_id)


def _require_lost(leg: PayoutLeg, now: dt.datetime) -> None:
    if current_hold_began() is not None:
        raise PayoutBeingAskedBack(leg=leg.public_id)
    if not is_lost(leg, declared=ways_out().channels.get(leg.channel), now=now):
        raise LegNotLost(leg=leg.public_id)


def _waits_for(leg: PayoutLeg) -> NeededAction | None:
    return NeededAction(leg.code) if leg.state == LegState.NEEDS_ACTION and leg.code else None


def _declared(leg: PayoutLeg) -> ChannelCapabilities:
    return ways_out().channels[leg.channel]


def _open(leg: PayoutLeg) -> LegIntervention | None:
    return LegIntervention.objects.select_for_update().filter(leg=leg, ended_at=None).first()


def _ensure_none_open(leg: PayoutLeg) -> None:
    if _open(leg) is not None:
        raise InterventionOpen(leg=leg.public_id)


def _reason(reason: str, leg_id: str) -> str:
    if not reason.strip():
        raise ReasonMissing(leg=leg_id)
    return reason.strip()[:REASON_LENGTH_MAX]


def _tell_soon(leg: PayoutLeg, now: dt.datetime) -> None:
    """The worker comes to it at once, and after that as quickly as after a send."""
    leg.next_check_at = now
    leg.checks = 0
    leg.save(update_fields=["next_check_at", "checks"])
    wake()


def _record(leg: PayoutLeg, action: str, actor: Actor, now: dt.datetime, **details: str) -> None:
    record(
        actor=actor,
        action=action,
        object_id=leg.public_id,
        shop_key=leg.payout.shop_key,
        details=dict(details),
        now=now,
    )
