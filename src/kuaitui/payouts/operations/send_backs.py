"""A payment in suspense that two people ordered back: begun, taken for one call, put back by hand.

The protocol is that of the legs of payouts, and so are its rules: one number for ever, the intent
committed before the call, and a question before it is sent again.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import structlog
from django.db import transaction
from django.db.models import Q

from kuaitui.audit.operations import record
from kuaitui.channels.port import OriginalPayment, PayoutInstruction
from kuaitui.deposits.operations import reopen_returned, reopen_unsent
from kuaitui.deposits.queries import suspense_case
from kuaitui.deposits.states import SuspenseState
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.ids import IdPrefix, new_id
from kuaitui.kernel.money import Money
from kuaitui.kit.crashpoints import reach
from kuaitui.kit.outbox import wake
from kuaitui.payouts.errors import ReasonMissing, SendBackUnknown
from kuaitui.payouts.models import SendBack, SendBackAttempt
from kuaitui.payouts.operations.doubts import in_doubt_since, may_be_forgotten
from kuaitui.payouts.operations.send_back_limits import is_within_channel_limits
from kuaitui.payouts.operations.switches import is_sending_stopped
from kuaitui.payouts.queries.holds import last_held_at
from kuaitui.payouts.rules import must_ask, next_kind, send_back_number
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind, AttemptOutcome, Pace

log = structlog.get_logger(__name__)
MACHINE: Final = Actor.system("payouts.send_backs")
LEASE_ENDED: Final = "lease_ended"
ROUTE_CLOSED: Final = "ROUTE_CLOSED"
NO_WAY_BACK: Final = "NO_WAY_BACK"
REASON_LENGTH_MAX: Final = 200
# After these the money lies where it lay, and people decide anew.
ENDED: Final = frozenset({LegState.FAILED, LegState.RETURNED})


@dataclass(frozen=True, slots=True)
class SendBackClaim:
    """The right to make one call, for as long as the lease lasts."""

    send_back_id: str
    kind: AttemptKind
    attempt_no: int
    fence: int
    lease_until: dt.datetime
    channel: str
    instruction: PayoutInstruction
    attempt_id: int
    started_at: dt.datetime
    held_at: dt.datetime | None
    doubt_since: dt.datetime | None
    """From when on the channel's word about this number is needed, if it is."""
    is_uncertain: bool
    """Whether the channel has not yet given its word since then."""


@transaction.atomic(durable=True)
def begin_send_back(*, suspense_id: str, now: dt.datetime) -> str | None:
    """Write down that a payment goes back, before any channel hears of it; the send-back's id.

    Moves no money. Idempotent: nothing, when the case was not ordered back or is under way. The
    number follows from the payment, so that after a restore the same money comes to the same number.

    Raises:
        SuspenseUnknown: there is no such case.
    """
    case = suspense_case(suspense_id)
    earlier = SendBack.objects.select_for_update().filter(suspense_id=suspense_id)
    is_under_way = any(one.state not in ENDED for one in earlier)
    if case.state is not SuspenseState.TO_SEND_BACK or is_under_way:
        return None
    sent_count = sum(one.first_sent_at is not None for one in earlier)
    # Whoever hears the same order at the same moment finds ours.
    row, is_new = SendBack.objects.get_or_create(
        suspense_id=suspense_id,
        nth=len(earlier) + 1,
        defaults={
            "public_id": new_id(IdPrefix.SEND_BACK, now=now),
            "book_id": case.book_id,
            "channel": case.channel,
            "number": send_back_number(case.channel, case.reference, nth=sent_count + 1),
            "payment_reference": case.reference,
            "amount_minor": case.amount.minor,
            "currency": case.amount.currency,
            "open_until": case.refundable_until,
            "created_at": now,
            "since": now,
            "next_check_at": now,
            # Before it came in, no history sent it back.
            "clear_since": case.paid_at,
        },
    )
    if not is_new:
        return None
    reach("send_backs.begin.uncommitted")
    wake()
    return row.public_id


@transaction.atomic(durable=True)
def claim_send_back(
    *, send_back_id: str, takes_back: bool, pace: Pace, now: dt.datetime
) -> SendBackClaim | None:
    """Take a send-back for one call, or nothing when it is not its turn or somebody has it.

    In one transaction: kill switch, hold, the window of the way back and the channel's limits (for
    SEND only), lease, fence, the attempt. `takes_back` says whether the channel refunds along a
    payment at all. What cannot go is failed, and its case is open again; what was sent before is
    asked about first.
    """
    row = (
        SendBack.objects.select_for_update(skip_locked=True)
        .filter(public_id=send_back_id, next_check_at__lte=now, set_aside_at=None)
        .filter(Q(lease_until=None) | Q(lease_until__lte=now))
        .first()
    )
    if row is None:
        return None
    held_at = last_held_at()
    why_not = _why_it_cannot_go(row, now, takes_back=takes_back)
    doubt_since = in_doubt_since(
        held_at=held_at,
        last_sent_at=row.last_sent_at,
        must_be_known=bool(why_not) or may_be_forgotten(row, now=now),
    )
    is_uncertain = must_ask(clear_since=row.clear_since, held_at=doubt_since)
    kind = next_kind(LegState(row.state), must_ask=is_uncertain)
    if kind is AttemptKind.SEND:
        if is_sending_stopped(row.channel):
            return None
        if why_not:
            fail(row, why_not, now)
            return None
        if row.first_sent_at is None and not is_within_channel_limits(row, now=now):
            return None
    # The last worker never recorded: nobody knows what it did.
    row.attempts.filter(outcome=None).update(
        outcome=AttemptOutcome.UNKNOWN, cause=LEASE_ENDED, finished_at=now
    )
    attempt = _take(row, kind, pace, now)
    reach("send_backs.claim.uncommitted")
    return SendBackClaim(
        send_back_id=send_back_id,
        kind=kind,
        attempt_no=attempt.attempt_no,
        fence=row.fence,
        lease_until=now + pace.lease,
        channel=row.channel,
        instruction=instruction_of(row),
        attempt_id=attempt.id,
        started_at=now,
        held_at=held_at,
        doubt_since=doubt_since,
        is_uncertain=is_uncertain,
    )


@transaction.atomic(durable=True)
def set_send_back_aside(*, send_back_id: str, reason: str, now: dt.datetime) -> None:
    """Take a send-back out of the machine until a person looks: something that must be true is not.

    Raises:
        SendBackUnknown: there is none.
    """
    row = _lock(send_back_id)
    if row.set_aside_at is not None:
        return
    row.set_aside_at, row.set_aside_reason = now, reason[:REASON_LENGTH_MAX]
    row.save(update_fields=["set_aside_at", "set_aside_reason"])
    _record(row, "payout.send_back_set_aside", row.set_aside_reason, MACHINE, now)


@transaction.atomic(durable=True)
def release_send_back(*, send_back_id: str, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Put a send-back that was set aside back; what is due next follows from its state as ever.

    Raises:
        ReasonMissing: say what was found.
        SendBackUnknown: there is none.
    """
    if not reason.strip():
        raise ReasonMissing(send_back=send_back_id)
    row = _lock(send_back_id)
    if row.set_aside_at is None:
        return
    row.set_aside_at, row.set_aside_reason, row.next_check_at = None, "", now
    row.save(update_fields=["set_aside_at", "set_aside_reason", "next_check_at"])
    _record(row, "payout.send_back_released", reason.strip(), actor, now)
    wake()


def instruction_of(row: SendBack) -> PayoutInstruction:
    """What the channel hears, the same every time: the whole payment, back along itself."""
    amount = Money(row.amount_minor, row.currency)
    return PayoutInstruction(row.number, amount, OriginalPayment(row.payment_reference, amount))


def fail(row: SendBack, code: str, now: dt.datetime) -> None:
    """Certainly not sent: people decide anew about the case. Inside the caller's transaction."""
    row.state, row.since, row.code = LegState.FAILED, now, code[:80]
    row.next_check_at = row.lease_until = None
    row.save()
    reopen_unsent(suspense_id=row.suspense_id, code=row.code, actor=MACHINE, now=now)


def come_back(row: SendBack, code: str, *, returned_at: dt.datetime, now: dt.datetime) -> None:
    """Paid and given back (退票): people decide anew about the case. Inside the caller's transaction."""
    row.state, row.since, row.code = LegState.RETURNED, now, code[:80]
    row.returned_at = returned_at
    row.next_check_at = row.lease_until = None
    row.save()
    reopen_returned(
        suspense_id=row.suspense_id,
        number=row.number,
        code=row.code,
        returned_at=returned_at,
        actor=MACHINE,
        now=now,
    )


def _lock(send_back_id: str) -> SendBack:
    row = SendBack.objects.select_for_update().filter(public_id=send_back_id).first()
    if row is None:
        raise SendBackUnknown(send_back=send_back_id)
    return row


def _why_it_cannot_go(row: SendBack, now: dt.datetime, *, takes_back: bool) -> str:
    if not takes_back:
        return NO_WAY_BACK
    return ROUTE_CLOSED if row.open_until is not None and row.open_until <= now else ""


def _take(row: SendBack, kind: AttemptKind, pace: Pace, now: dt.datetime) -> SendBackAttempt:
    if kind is AttemptKind.SEND:
        row.state, row.since, row.code = LegState.SENDING, now, ""
        row.sends += 1
        row.checks = 0
        row.first_sent_at = row.first_sent_at or now
        row.last_sent_at = now
    elif row.state == LegState.SENDING:
        row.state, row.since = LegState.UNKNOWN, now
    row.fence += 1
    row.lease_until = row.next_check_at = now + pace.lease
    row.save()
    made_count = SendBackAttempt.objects.filter(send_back=row).count()
    return SendBackAttempt.objects.create(
        send_back=row, attempt_no=made_count + 1, kind=kind, fence=row.fence, started_at=now
    )


def _record(row: SendBack, action: str, reason: str, actor: Actor, now: dt.datetime) -> None:
    record(
        actor=actor,
        action=action,
        object_id=row.suspense_id,
        shop_key=None,
        details={"reason": reason[:REASON_LENGTH_MAX], "send_back": row.public_id},
        now=now,
    )
