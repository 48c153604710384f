"""Taking a leg for one attempt: the intent is written and committed before anything leaves."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max, Q

from kuaitui.channels.port import PayeeAccount, PayoutInstruction
from kuaitui.channels.port.capabilities import NOTHING_BETWEEN
from kuaitui.kit.crashpoints import reach
from kuaitui.kit.outbox import publish
from kuaitui.payouts.events import LegFailed
from kuaitui.payouts.models import Payout, PayoutAttempt, PayoutLeg
from kuaitui.payouts.operations.batch_gate import is_released, note_sent, with_release
from kuaitui.payouts.operations.gates import is_spaced, is_within_limits
from kuaitui.payouts.operations.intervention_gate import due_intervention, payee_of
from kuaitui.payouts.operations.postings import post, post_sent
from kuaitui.payouts.operations.requests import open_request
from kuaitui.payouts.operations.switches import is_sending_stopped
from kuaitui.payouts.queries.holds import last_held_at
from kuaitui.payouts.rules import must_ask, next_kind
from kuaitui.payouts.states import LegState, PayoutState
from kuaitui.payouts.types import AttemptKind, AttemptOutcome, InterventionKind, Pace, PostingKind

LEASE_ENDED = "lease_ended"
ROUTE_CLOSED = "ROUTE_CLOSED"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to make one attempt, for as long as the lease lasts."""

    leg_id: str
    kind: AttemptKind
    attempt_no: int
    fence: int
    lease_until: dt.datetime
    channel: str
    instruction: PayoutInstruction
    attempt_id: int
    started_at: dt.datetime
    held_at: dt.datetime | None
    """When the last hold began."""
    is_uncertain: bool
    """Whether the channel has not yet given its word about this leg since then."""
    reference: str
    """The channel's own number, as far as it told one."""
    payee: PayeeAccount | None = None
    """To whom a stuck refund is handed over."""


@transaction.atomic(durable=True)
def claim_leg(
    *,
    leg_id: str,
    pace: Pace,
    now: dt.datetime,
    refund_interval: dt.timedelta = NOTHING_BETWEEN,
) -> Claim | None:
    """Take a leg for one attempt, or nothing when it is not its turn or somebody has it.

    In one transaction: kill switch, hold, limits, `refund_interval` and the release of the leg's batch
    (for SEND only), the window of the route, the seal that binds the approval; the lease and the next
    fence; the first time
    *frozen → in_transit*; the attempt row. A leg whose last worker never recorded is asked about, never
    sent; so is one whose sends may be forgotten after a restore, until its channel gave its word. A leg
    that waits for a person is the matter of what people decided about it.

    Raises:
        SealBroken, InvariantViolated: the leg is not what was approved. Nothing was taken.
        InsufficientBalance: the money is not frozen. Nothing was taken.
    """
    leg = _lock_due(leg_id, now)
    if leg is None:
        return None
    held_at = last_held_at()
    is_uncertain = must_ask(clear_since=leg.clear_since, held_at=held_at)
    decided = due_intervention(leg)
    kind = next_kind(
        LegState(leg.state),
        must_ask=is_uncertain,
        intervention=InterventionKind(decided.kind) if decided else None,
    )
    if kind is AttemptKind.SEND and not _may_send(leg, refund_interval, now):
        return None
    instruction = with_release(leg, open_request(leg), held_at=held_at)
    payee = payee_of(decided, leg)
    _complete_lost_attempt(leg, now)
    attempt = _take(leg, kind, pace, now)
    reach("payouts.claim.uncommitted")
    return Claim(
        leg_id=leg.public_id,
        kind=kind,
        attempt_no=attempt.attempt_no,
        fence=leg.fence,
        lease_until=now + pace.lease,
        channel=leg.channel,
        instruction=instruction,
        attempt_id=attempt.id,
        started_at=now,
        held_at=held_at,
        is_uncertain=is_uncertain,
        reference=leg.bank_reference,
        payee=payee,
    )


def _lock_due(leg_id: str, now: dt.datetime) -> PayoutLeg | None:
    """The leg, if its turn has come and nobody has it. The payout first, as everywhere."""
    payouts = Payout.objects.select_for_update(skip_locked=True, of=("self",))
    if payouts.filter(legs__public_id=leg_id).first() is None:
        return None
    return (
        PayoutLeg.objects.select_for_update(skip_locked=True)
        .filter(public_id=leg_id, next_check_at__lte=now, set_aside_at=None)
        .filter(Q(lease_until=None) | Q(lease_until__lte=now))
        .first()
    )


def _may_send(leg: PayoutLeg, refund_interval: dt.timedelta, now: dt.datetime) -> bool:
    if is_sending_stopped(leg.channel):
        return False
    if leg.route_open_until is not None and leg.route_open_until <= now:
        _fail_unsent(leg, now)
        return False
    if leg.needs_batch and not is_released(leg):
        return False
    if not is_spaced(leg, interval=refund_interval, now=now):
        return False
    return leg.first_sent_at is not None or is_within_limits(leg, now=now)


def _complete_lost_attempt(leg: PayoutLeg, now: dt.datetime) -> None:
    """The last worker never recorded: nobody knows what it did."""
    lost = PayoutAttempt.objects.filter(leg=leg, outcome=None)
    lost.update(outcome=AttemptOutcome.UNKNOWN, cause=LEASE_ENDED, finished_at=now)


def _take(leg: PayoutLeg, kind: AttemptKind, pace: Pace, now: dt.datetime) -> PayoutAttempt:
    state = LegState(leg.state)
    is_first_send = kind is AttemptKind.SEND and leg.first_sent_at is None
    if kind is AttemptKind.SEND:
        _move(leg, LegState.SENDING, now)
        leg.sends += 1
        leg.checks = 0
        leg.first_sent_at = leg.first_sent_at or now
        leg.last_sent_at = now
    elif state is LegState.SENDING:
        _move(leg, LegState.UNKNOWN, now)
    leg.fence += 1
    leg.lease_until = leg.next_check_at = now + pace.lease
    leg.save()
    if kind is AttemptKind.SEND:
        note_sent(leg, now=now)
    if is_first_send:
        post_sent(Payout.objects.get(pk=leg.payout_id), leg, now)
    last_no = PayoutAttempt.objects.filter(leg=leg).aggregate(last=Max("attempt_no"))["last"]
    return PayoutAttempt.objects.create(
        leg=leg, attempt_no=(last_no or 0) + 1, kind=kind, fence=leg.fence, started_at=now
    )


def _fail_unsent(leg: PayoutLeg, now: dt.datetime) -> None:
    """The way back has closed while the leg waited; no send of it took effect."""
    payout = Payout.objects.get(pk=leg.payout_id)
    if leg.first_sent_at is not None:
        post(leg, PostingKind.FAILED, occurred_at=now, now=now)
    _move(leg, LegState.FAILED, now)
    leg.failed_at, leg.code = now, ROUTE_CLOSED
    leg.next_check_at = leg.lease_until = None
    leg.save()
    Payout.objects.filter(pk=payout.pk).update(state=PayoutState.NEEDS_REPAIR)
    publish(
        LegFailed(
            payout.application_id,
            payout.public_id,
            leg.public_id,
            leg.amount_minor,
            leg.currency,
            ROUTE_CLOSED,
            now,
        ),
        now=now,
    )


def _move(leg: PayoutLeg, state: LegState, now: dt.datetime) -> None:
    leg.state, leg.since, leg.waits_for = state, now, ""
