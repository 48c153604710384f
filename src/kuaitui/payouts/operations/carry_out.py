"""One attempt from claim to record. No transaction is open while the channel is called."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import assert_never, cast

import structlog
from django.db import connection

from kuaitui.channels.port import (
    CancellingChannel,
    Channel,
    HandOverChannel,
    NotSent,
    Outcome,
    RejectedConfig,
)
from kuaitui.channels.registry import Channels
from kuaitui.kernel.invariants import ensure
from kuaitui.kit.crashpoints import reach
from kuaitui.payouts.models import PayoutLeg
from kuaitui.payouts.operations.claim import Claim, claim_leg
from kuaitui.payouts.operations.moving import Recording
from kuaitui.payouts.operations.record import record_outcomes
from kuaitui.payouts.operations.switches import stop_rejected_channel
from kuaitui.payouts.queries.holds import LastSend
from kuaitui.payouts.rules import as_told, classify
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind, AttemptOutcome, Pace

log = structlog.get_logger(__name__)
EVENTS = {word: f"payout.attempt.outcome_{word.value}" for word in AttemptOutcome}


def forget_send(_send: LastSend) -> None:
    """Where nothing is kept outside of the database."""


def carry_out_leg(
    *,
    leg_id: str,
    channels: Channels,
    pace: Pace,
    clock: Callable[[], dt.datetime],
    note_send: Callable[[LastSend], None] = forget_send,
) -> LegState | None:
    """Make the attempt that is due for a leg; nothing if it is not its turn.

    `clock` is read before and after the call, which takes its time. `note_send` hears of whatever
    is no question, after its claim is committed and before anything leaves: what it keeps outside of
    the database outlives a restore.

    Raises:
        SealBroken, InvariantViolated, InsufficientBalance: see `claim_leg`. The caller sets the
            leg aside.
        ChannelUnknown: the settings name no such channel any more. Nothing was taken.
    """
    channel = channels.get(
        PayoutLeg.objects.values_list("channel", flat=True).get(public_id=leg_id)
    )
    claim = claim_leg(
        leg_id=leg_id,
        pace=pace,
        now=clock(),
        refund_interval=channel.capabilities.refund_interval,
    )
    if claim is None:
        return None
    note_sends([claim], note_send=note_send)
    called = call_channel(claim, channel=channel, pace=pace, clock=clock)
    return record_calls([called], pace=pace, clock=clock)[0]


def note_sends(claims: Sequence[Claim], *, note_send: Callable[[LastSend], None]) -> None:
    """After the commit of claims and before anything leaves: keep the last that is no question.

    What is handed over again, or what people decided, moves money at the channel as a send does.
    """
    reach("payouts.claim.committed")
    orders = [claim for claim in claims if claim.kind is not AttemptKind.QUERY]
    if orders:
        last = max(orders, key=lambda claim: claim.attempt_id)
        note_send(LastSend(last.attempt_id, last.leg_id, last.started_at, last.held_at))


def call_channel(
    claim: Claim, *, channel: Channel, pace: Pace, clock: Callable[[], dt.datetime]
) -> Recording:
    """Make the call of a claim, and gather what it came to. Raises nothing for what channels do."""
    outcome = as_told(claim.kind, _call(channel, claim, pace, now=clock()))
    reach("payouts.call.answered")
    word, cause = classify(outcome)
    log.info(
        EVENTS[word],
        leg_id=claim.leg_id,
        attempt=claim.attempt_no,
        kind=claim.kind.value,
        cause=cause,
    )
    return Recording(claim, outcome, channel.capabilities)


def record_calls(
    called: Sequence[Recording], *, pace: Pace, clock: Callable[[], dt.datetime]
) -> list[LegState | None]:
    """Record what calls came to, and stop a channel that refuses us."""
    states = record_outcomes(recordings=called, pace=pace, now=clock())
    reach("payouts.record.committed")
    for one in called:
        if isinstance(one.outcome, RejectedConfig):
            stop_rejected_channel(channel=one.claim.channel, code=one.outcome.code, now=clock())
    return states


def _call(channel: Channel, claim: Claim, pace: Pace, *, now: dt.datetime) -> Outcome:
    ensure(not connection.in_atomic_block, "no transaction is open while a channel is called")
    if now + pace.call_deadline >= claim.lease_until:
        # This process slept after its claim. The call might end after the lease, when somebody
        # else has the leg; nothing has left yet.
        return NotSent("lease_too_short")
    deadline_s = pace.call_deadline.total_seconds()
    match claim.kind:
        case AttemptKind.SEND | AttemptKind.SEND_AGAIN:
            return channel.submit(claim.instruction, deadline_s=deadline_s)
        case AttemptKind.QUERY:
            return channel.query(claim.instruction, deadline_s=deadline_s)
        case AttemptKind.CANCEL:
            ensure(channel.capabilities.can_cancel, "only who calls back is asked to")
            return cast("CancellingChannel", channel).cancel(
                claim.instruction, deadline_s=deadline_s
            )
        case AttemptKind.HAND_OVER:
            return _hand_over(channel, claim, deadline_s)
        case _:
            assert_never(claim.kind)


def _hand_over(channel: Channel, claim: Claim, deadline_s: float) -> Outcome:
    ensure(channel.capabilities.hands_over_abnormal, "only who hands over is told to")
    assert claim.payee is not None  # the database keeps no hand-over without one
    return cast("HandOverChannel", channel).hand_over(
        claim.instruction, reference=claim.reference, payee=claim.payee, deadline_s=deadline_s
    )
