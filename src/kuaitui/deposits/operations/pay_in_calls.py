"""One call about an order from claim to record. No transaction is open while a channel is called."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from django.db import connection, transaction
from django.db.models import Q

from kuaitui.channels.port import (
    ChannelCapabilities,
    NotSent,
    PayInChannel,
    PayInMethod,
    PayInOpened,
    PayInOrder,
    PayInOutcome,
    PayInPaid,
    Unknown,
)
from kuaitui.channels.registry import Channels
from kuaitui.deposits import rules
from kuaitui.deposits.models import DepositAccount, PayInAttempt, PayInOrderRow
from kuaitui.deposits.operations.pay_in_placing import place_payment
from kuaitui.deposits.rules import PayInFacts, PayInStep
from kuaitui.deposits.states import OPEN, PayInState, may_move
from kuaitui.deposits.types import PayInAnswer, PayInCall, PayInPace
from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import Money
from kuaitui.kit.crashpoints import reach

log = structlog.get_logger(__name__)

LEASE_ENDED: Final = "lease_ended"
EVENTS: Final = {word: f"pay_in.attempt.outcome_{word.value}" for word in PayInAnswer}
# A call to open with one of these as its own outcome certainly did not take effect.
WITHOUT_EFFECT: Final = (
    PayInAnswer.NOT_SENT,
    PayInAnswer.REJECTED_CONFIG,
    PayInAnswer.FAILED_RETRYABLE,
)


@dataclass(frozen=True, slots=True)
class PayInClaim:
    """The right to make one call, for as long as the lease lasts."""

    order_id: str
    call: PayInCall
    attempt_no: int
    fence: int
    lease_until: dt.datetime
    channel: str
    order: PayInOrder


def carry_out_pay_in(
    *, order_id: str, channels: Channels, pace: PayInPace, clock: Callable[[], dt.datetime]
) -> PayInState | None:
    """Make the call that is due for an order; nothing if it is not its turn.

    `clock` is read before and after the call, which takes its time.

    Raises:
        InvariantViolated: something that must be true of the order is not; the caller sets it aside.
        ChannelUnknown, ChannelCannot: the settings name no such channel any more.
    """
    name = PayInOrderRow.objects.values_list("channel", flat=True).get(public_id=order_id)
    channel = channels.collecting(name)
    claim = claim_pay_in(order_id=order_id, pace=pace, now=clock())
    if claim is None:
        return None
    reach("pay_ins.claim.committed")
    outcome = _call(channel, claim, pace, now=clock())
    reach("pay_ins.call.answered")
    word, cause = rules.answer_of(outcome)
    log.info(
        EVENTS[word],
        order_id=order_id,
        attempt=claim.attempt_no,
        kind=claim.call.value,
        cause=cause,
    )
    return record_pay_in_outcome(
        claim=claim,
        outcome=outcome,
        capabilities=channels.get(name).capabilities,
        pace=pace,
        now=clock(),
    )


@transaction.atomic(durable=True)
def claim_pay_in(*, order_id: str, pace: PayInPace, now: dt.datetime) -> PayInClaim | None:
    """Take an order for one call, or nothing when it is not its turn or somebody has it.

    The intent is committed before anything leaves: lease, next fence, the attempt. An order that
    nobody ever opened and that must end, ends here.
    """
    order = (
        PayInOrderRow.objects.select_for_update(skip_locked=True)
        .filter(public_id=order_id, next_check_at__lte=now, set_aside_at=None)
        .filter(Q(lease_until=None) | Q(lease_until__lte=now))
        .first()
    )
    if order is None:
        return None
    # The last worker never recorded: nobody knows what it did.
    order.attempts.filter(outcome=None).update(
        outcome=PayInAnswer.UNKNOWN, cause=LEASE_ENDED, finished_at=now
    )
    facts = _facts(order)
    call = rules.next_call(facts, now=now)
    if call is None:
        _end_unopened(order, facts, pace, now)
        return None
    attempt = _take(order, call, pace, now)
    reach("pay_ins.claim.uncommitted")
    return PayInClaim(
        order_id=order_id,
        call=call,
        attempt_no=attempt.attempt_no,
        fence=order.fence,
        lease_until=now + pace.lease,
        channel=order.channel,
        order=_as_sent(order),
    )


@transaction.atomic(durable=True)
def record_pay_in_outcome(
    *,
    claim: PayInClaim,
    outcome: PayInOutcome,
    capabilities: ChannelCapabilities,
    pace: PayInPace,
    now: dt.datetime,
) -> PayInState | None:
    """Record what a call came to and move the order on; nothing if the lease was lost meanwhile.

    *Paid* opens a lot in the same transaction, or puts the payment into suspense. Recording twice
    changes nothing.
    """
    if isinstance(outcome, PayInPaid) and not (outcome.amount.is_positive and outcome.reference):
        outcome = Unknown("paid_without_amount_or_reference")
    # The account first, as everywhere: its lots and its book may move.
    account = DepositAccount.objects.select_for_update().get(
        pay_in_orders__public_id=claim.order_id
    )
    order = PayInOrderRow.objects.select_for_update().get(public_id=claim.order_id)
    word, cause = rules.answer_of(outcome)
    mine = PayInAttempt.objects.filter(order=order, fence=claim.fence, outcome=None)
    if order.fence != claim.fence or not mine.exists():
        log.warning("pay_in.attempt.lease_lost", order_id=claim.order_id, fence=claim.fence)
        return None
    facts = _facts(order)
    # Somebody pointed at the order after the claim: the answer may be older than what they saw.
    is_hinted = order.next_check_at not in {None, claim.lease_until}
    mine.update(outcome=word, cause=cause[:80], finished_at=now)
    before = PayInState(order.state)
    if isinstance(outcome, PayInPaid):
        place_payment(account, order, outcome, capabilities=capabilities, now=now)
    else:
        step = rules.decide(
            facts,
            call=claim.call,
            answer=word,
            code=cause,
            floor=capabilities.not_found_floor,
            pace=pace,
            now=now,
        )
        _move_on(order, step, outcome, now)
    ensure(may_move(before, PayInState(order.state)), "an order moves by the table")
    order.lease_until = None
    if is_hinted:
        order.next_check_at = now
    if PayInState(order.state) not in OPEN:
        order.payer_ip = ""
    order.save()
    reach("pay_ins.record.uncommitted")
    return PayInState(order.state)


def _call(
    channel: PayInChannel, claim: PayInClaim, pace: PayInPace, *, now: dt.datetime
) -> PayInOutcome:
    ensure(not connection.in_atomic_block, "no transaction is open while a channel is called")
    if now + pace.call_deadline >= claim.lease_until:
        # This process slept after its claim; somebody else may have the order before we are done.
        return NotSent("lease_too_short")
    deadline_s = pace.call_deadline.total_seconds()
    match claim.call:
        case PayInCall.OPEN:
            return channel.open_pay_in(claim.order, deadline_s=deadline_s)
        case PayInCall.QUERY:
            return channel.query_pay_in(claim.order, deadline_s=deadline_s)
        case PayInCall.CLOSE:
            return channel.close_pay_in(claim.order, deadline_s=deadline_s)


def _facts(order: PayInOrderRow) -> PayInFacts:
    attempts = list(
        PayInAttempt.objects.filter(order=order)
        .exclude(outcome=None)
        .order_by("attempt_no")
        .values_list("kind", "outcome", "started_at")
    )
    opened_at = [at for kind, _, at in attempts if kind == PayInCall.OPEN]
    return PayInFacts(
        state=PayInState(order.state),
        expires_at=order.expires_at,
        is_called_off=order.called_off_at is not None,
        usable_until=order.usable_until,
        last_opened_at=opened_at[-1] if opened_at else None,
        last_answer=PayInAnswer(attempts[-1][1] or "") if attempts else None,
        has_doubtful_open=_has_doubtful_open([(kind, outcome) for kind, outcome, _ in attempts]),
        checks=order.checks,
    )


def _has_doubtful_open(attempts: Sequence[tuple[str, str | None]]) -> bool:
    """Whether a call to open may have taken effect since the channel last knew nothing of it."""
    is_doubtful = False
    for kind, outcome in attempts:
        if kind == PayInCall.OPEN:
            is_doubtful = is_doubtful or outcome not in WITHOUT_EFFECT
        elif outcome == PayInAnswer.NOT_FOUND:
            is_doubtful = False
    return is_doubtful


def _take(order: PayInOrderRow, call: PayInCall, pace: PayInPace, now: dt.datetime) -> PayInAttempt:
    if call is PayInCall.OPEN:
        order.state, order.since = PayInState.OPENING, now
        order.opens += 1
    elif order.state == PayInState.OPENING:
        order.state, order.since = PayInState.UNKNOWN, now
    order.fence += 1
    order.lease_until = order.next_check_at = now + pace.lease
    order.save()
    attempts_count = PayInAttempt.objects.filter(order=order).count()
    return PayInAttempt.objects.create(
        order=order, attempt_no=attempts_count + 1, kind=call, fence=order.fence, started_at=now
    )


def _end_unopened(
    order: PayInOrderRow, facts: PayInFacts, pace: PayInPace, now: dt.datetime
) -> None:
    order.state, order.since = facts.end_state(now=now), now
    order.checks, order.lease_until, order.payer_ip = 0, None, ""
    order.next_check_at = now + pace.checks_after_end[0] if order.opens else None
    order.save()


def _move_on(
    order: PayInOrderRow, step: PayInStep, outcome: PayInOutcome, now: dt.datetime
) -> None:
    is_new = order.state != step.state
    was_open = PayInState(order.state) in OPEN
    if is_new:
        order.state, order.since = step.state, now
    if was_open and step.state not in OPEN:
        order.checks = 0
    elif step.is_answered:
        order.checks += 1
    order.next_check_at = None if step.wait is None else now + step.wait
    order.code = step.code[:80]
    if isinstance(outcome, PayInOpened):
        order.pay_url, order.usable_until = outcome.pay_url, outcome.usable_until


def _as_sent(order: PayInOrderRow) -> PayInOrder:
    """The order as the channel hears it: the same words every time."""
    return PayInOrder(
        number=order.number,
        amount=Money(order.amount_minor, order.currency),
        method=PayInMethod(order.method),
        description=order.description,
        expires_at=order.expires_at,
        payer_ip=order.payer_ip,
        return_url=order.return_url,
    )
