"""One attempt from claim to record. No transaction is open while the channel is called."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
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
from kuaitui.payouts.operations.record import record_outcome
from kuaitui.payouts.operations.switches import stop_rejected_channel
from kuaitui.payouts.queries.holds import LastSend
from kuaitui.payouts.rules import as_told, classify
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind, AttemptOutcome, Pace

log = structlog.get_logger(__name__)
EVENTS = {word: f"payout.attempt.outcome_{word.value}" for word in AttemptOutcome}


def _forget(_send: LastSend) -> None:
    """Where nothing is kept outside of the database."""


def carry_out_leg(
    *,
    leg_id: str,
    channels: Channels,
    pace: Pace,
    clock: Callable[[], dt.datetime],
    note_send: Callable[[LastSend], None] = _forget,
) -> LegState | None:
    """Make the attempt that is due for a leg; nothing if it is not its turn.

    `clock` is read before and after the call, which takes its time. `note_send` hears of a send
    after its claim is committed and before anything leaves: what it keeps outside of the database
    outlives a restore.

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
    reach("payouts.claim.committed")
    if claim.kind is AttemptKind.SEND:
        note_send(LastSend(claim.attempt_id, claim.leg_id, claim.started_at, claim.held_at))
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
    state = record_outcome(
        claim=claim, outcome=outcome, capabilities=channel.capabilities, pace=pace, now=clock()
    )
    reach("payouts.record.committed")
    if isinstance(outcome, RejectedConfig):
        stop_rejected_channel(channel=claim.channel, code=outcome.code, now=clock())
    return state


def _call(channel: Channel, claim: Claim, pace: Pace, *, now: dt.datetime) -> Outcome:
    ensure(not connection.in_atomic_block, "no transaction is open while a channel is called")
    if now + pace.call_deadline >= claim.lease_until:
        # This process slept after its claim. The call might end after the lease, when somebody
        # else has the leg; nothing has left yet.
        return NotSent("lease_too_short")
    deadline_s = pace.call_deadline.total_seconds()
    match claim.kind:
        case AttemptKind.SEND:
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
