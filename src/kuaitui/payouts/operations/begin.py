"""From an approval to legs that wait to be sent, and back while nothing was sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import Q

from kuaitui.channels.port import OriginalPayment, PayeeAccount, PayoutInstruction
from kuaitui.deposits.errors import LotUnknown
from kuaitui.deposits.operations import release_share, reserve_share
from kuaitui.deposits.queries import deposit, payee_details, plan_again, ways_out
from kuaitui.deposits.rules import tail_of
from kuaitui.deposits.types import Lot, PlannedLeg, Route, RoutePlan
from kuaitui.kernel.ids import IdPrefix, new_id
from kuaitui.kernel.money import Money
from kuaitui.kit.crashpoints import reach
from kuaitui.kit.transactions import requires_transaction
from kuaitui.payouts.errors import (
    ApprovalMissing,
    LegNotRepairable,
    LegReplaced,
    LegUnknown,
    LotUnderWay,
    PayoutBeingAskedBack,
    PayoutChanged,
    PayoutUnderWay,
    PayoutUnknown,
)
from kuaitui.payouts.models import LegCloseOut, Payout, PayoutLeg
from kuaitui.payouts.operations.batch_gate import leave_batch
from kuaitui.payouts.operations.requests import seal_request
from kuaitui.payouts.queries.holds import last_held_at
from kuaitui.payouts.rules import channel_number, must_ask
from kuaitui.payouts.states import LIVE, REPAIRABLE, LegState, PayoutState


@requires_transaction
def begin_payout(
    *,
    application_id: str,
    account_id: str,
    plan: RoutePlan,
    approval_hash: str,
    approved_by: Sequence[str] = (),
    now: dt.datetime,
) -> str:
    """Write down what will be sent, one leg for each part of the plan, and return the payout's id.

    `approved_by` are the people whose approval it is, as far as the caller knows: none of them may
    release a batch with these legs. The money is frozen already under the application's id. Nothing
    is sent here: a worker claims the legs after the caller's commit. Idempotent per application.

    Raises:
        ApprovalMissing: no approval hash.
        PayoutChanged: a payout for this application was begun with another amount or approval.
        DepositAccountUnknown, LotUnknown, HoldUnknown, LotExhausted: the plan does not fit.
        DestinationUnknown, DestinationUnverified: a leg has nowhere to go.
        LotUnderWay: another application's part of the same payment has not ended.
    """
    if not approval_hash:
        raise ApprovalMissing(application=application_id)
    summary = deposit(account_id)
    payout, is_new = Payout.objects.get_or_create(
        application_id=application_id,
        defaults={
            "public_id": new_id(IdPrefix.PAYOUT, now=now),
            "account_id": account_id,
            "shop_key": summary.shop_key,
            "book_id": summary.book_id,
            "amount_minor": plan.total.minor,
            "currency": plan.total.currency,
            "approval_hash": approval_hash,
            "begun_at": now,
        },
    )
    if not is_new:
        asked = (account_id, plan.total.minor, approval_hash)
        if asked != (payout.account_id, payout.amount_minor, payout.approval_hash):
            raise PayoutChanged(application=application_id)
        return payout.public_id
    for planned in plan.legs:
        _add_leg(payout, planned, approval=(approval_hash, approved_by), now=now)
    reach("payouts.begin.uncommitted")
    return payout.public_id


@requires_transaction
def cancel_payout(*, application_id: str, now: dt.datetime) -> None:
    """Call a payout off while no leg of it was ever sent. Again is a no-op.

    The caller releases the frozen money. A worker that is just claiming a leg makes this wait,
    and then refuse.

    Raises:
        PayoutUnknown: there is no payout for this application.
        PayoutUnderWay: a leg was sent, or may have been.
        PayoutBeingAskedBack: after a restore, and the channels have not all answered yet.
    """
    payout = Payout.objects.select_for_update().filter(application_id=application_id).first()
    if payout is None:
        raise PayoutUnknown(application=application_id)
    if payout.state == PayoutState.CANCELLED:
        return
    legs = list(PayoutLeg.objects.select_for_update().filter(payout=payout).order_by("id"))
    if any(leg.state != LegState.READY or leg.sends for leg in legs):
        raise PayoutUnderWay(application=application_id)
    held_at = last_held_at()
    if any(must_ask(clear_since=leg.clear_since, held_at=held_at) for leg in legs):
        raise PayoutBeingAskedBack(application=application_id)
    for leg in legs:
        release_share(account_id=payout.account_id, leg_id=leg.public_id, now=now)
        leg.state, leg.since, leg.next_check_at = LegState.CANCELLED, now, None
        leg.waits_for = ""
        leg.save(update_fields=["state", "since", "next_check_at", "waits_for"])
        leave_batch(leg, now=now)
    payout.state = PayoutState.CANCELLED
    payout.save(update_fields=["state"])


@requires_transaction
def repair_leg(
    *,
    leg_id: str,
    destination_id: str,
    approval_hash: str,
    approved_by: Sequence[str] = (),
    now: dt.datetime,
) -> str:
    """Send a leg's money to another account, under a new number, and return the new leg's id.

    Only after the first number certainly did not pay, or was paid and came back; the decision of
    two people that the hash stands for is the caller's to enforce. The same call again returns the
    same leg.

    Raises:
        ApprovalMissing: no approval hash.
        LegUnknown: there is no such leg.
        LegNotRepairable: the leg may still be paid, is paid, or was called off or closed out.
        LegReplaced: another account was chosen before.
        DestinationUnknown, DestinationUnverified: the new account cannot be used.
        LotUnderWay: another application's part of the same payment has not ended.
        NoWayOut, PartTooSmall, PartTooLarge: no channel here pays such an account, or this amount.
    """
    if not approval_hash:
        raise ApprovalMissing(leg=leg_id)
    payout = Payout.objects.select_for_update(of=("self",)).filter(legs__public_id=leg_id).first()
    if payout is None:
        raise LegUnknown(leg=leg_id)
    leg = PayoutLeg.objects.select_for_update().get(public_id=leg_id)
    newer = PayoutLeg.objects.filter(replaces=leg).first()
    if newer is not None:
        if (newer.destination_id, newer.approval_hash) != (destination_id, approval_hash):
            raise LegReplaced(leg=leg_id)
        return newer.public_id
    if LegState(leg.state) not in REPAIRABLE or LegCloseOut.objects.filter(leg=leg).exists():
        raise LegNotRepairable(leg=leg_id, state=leg.state)
    release_share(account_id=payout.account_id, leg_id=leg_id, now=now)
    planned = plan_again(
        _lot(payout.account_id, leg.lot_id),
        amount=Money(leg.amount_minor, leg.currency),
        destination_id=destination_id,
    )
    replacement = _add_leg(
        payout, planned, approval=(approval_hash, approved_by), now=now, replaces=leg
    )
    payout.state = PayoutState.PAYING
    others = payout.legs.filter(state__in=REPAIRABLE, replaced_by=None, close_out=None).exclude(
        pk=leg.pk
    )
    if others.exists():
        payout.state = PayoutState.NEEDS_REPAIR
    payout.save(update_fields=["state"])
    return replacement.public_id


def _add_leg(
    payout: Payout,
    planned: PlannedLeg,
    *,
    approval: tuple[str, Sequence[str]],
    now: dt.datetime,
    replaces: PayoutLeg | None = None,
) -> PayoutLeg:
    approval_hash, approved_by = approval
    leg_id = new_id(IdPrefix.PAYOUT_LEG, now=now)
    reserve_share(
        account_id=payout.account_id,
        leg_id=leg_id,
        lot_id=planned.lot_id,
        amount=planned.amount,
        reference=payout.application_id,
        now=now,
    )
    lot = _lot(payout.account_id, planned.lot_id)
    live = PayoutLeg.objects.filter(
        book_id=payout.book_id, lot_id=planned.lot_id, state__in=[state.value for state in LIVE]
    )
    if live.exists():
        raise LotUnderWay(lot=planned.lot_id)
    nth = _legs_sent(payout.book_id, planned.lot_id) + 1
    instruction = PayoutInstruction(
        channel_number(lot.channel, lot.channel_reference, nth=nth),
        planned.amount,
        _target(lot, planned),
    )
    sealed = seal_request(instruction, leg_id=leg_id, approval_hash=approval_hash)
    return PayoutLeg.objects.create(
        public_id=leg_id,
        payout=payout,
        replaces=replaces,
        book_id=payout.book_id,
        lot_id=planned.lot_id,
        amount_minor=planned.amount.minor,
        currency=planned.amount.currency,
        route=planned.route.value,
        route_open_until=planned.refundable_until if planned.route is Route.ORIGINAL else None,
        destination_id=planned.destination_id,
        tail=_tail(instruction),
        channel=planned.channel,
        channel_number=instruction.number,
        request_sealed=sealed.content,
        request_key_id=sealed.key_id,
        approval_hash=approval_hash,
        approved_by=sorted(set(approved_by)),
        needs_batch=_needs_batch(planned.channel),
        created_at=now,
        since=now,
        next_check_at=now,
        # Before it came in, no history sent it out: not one that a restore has taken from us either.
        clear_since=lot.paid_at,
    )


def _legs_sent(book_id: int, lot_id: str) -> int:
    """How many legs of a lot were sent, or may have been. One at a time is live."""
    legs = PayoutLeg.objects.filter(book_id=book_id, lot_id=lot_id)
    never_sent = Q(state=LegState.CANCELLED) | Q(state=LegState.FAILED, first_sent_at=None)
    return legs.exclude(never_sent).count()


def _needs_batch(channel: str) -> bool:
    declared = ways_out().channels.get(channel)
    return declared is not None and declared.is_batched


def _target(lot: Lot, planned: PlannedLeg) -> OriginalPayment | PayeeAccount:
    if planned.route is Route.ORIGINAL:
        return OriginalPayment(planned.channel_reference, lot.amount)
    payee = payee_details(planned.destination_id)
    return PayeeAccount(
        payee.holder_name,
        payee.bank_name,
        payee.account_number,
        kind=payee.kind,
        bank_code=payee.bank_code,
        is_company=payee.is_company,
    )


def _lot(account_id: str, lot_id: str) -> Lot:
    for lot in deposit(account_id).lots:
        if lot.lot_id == lot_id:
            return lot
    raise LotUnknown(lot=lot_id)


def _tail(instruction: PayoutInstruction) -> str:
    target = instruction.target
    if isinstance(target, OriginalPayment):
        return ""
    return tail_of(target.account_number, kind=target.kind)
