"""One call about a payment on its way back, from claim to record. No transaction is open in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

import structlog
from django.db import connection, transaction

from kuaitui.channels.port import (
    Accepted,
    Channel,
    ChannelCapabilities,
    NeedsAction,
    NotSent,
    Outcome,
    RejectedConfig,
    Returned,
    Route,
    Succeeded,
)
from kuaitui.channels.registry import Channels
from kuaitui.deposits.operations import close_sent_back
from kuaitui.kernel.invariants import ensure
from kuaitui.kit.crashpoints import reach
from kuaitui.payouts.models import SendBack, SendBackAttempt
from kuaitui.payouts.operations.carry_out import forget_send
from kuaitui.payouts.operations.send_backs import (
    ENDED,
    MACHINE,
    SendBackClaim,
    claim_send_back,
    come_back,
    fail,
)
from kuaitui.payouts.operations.switches import stop_rejected_channel
from kuaitui.payouts.queries.holds import LastSend
from kuaitui.payouts.rules import (
    Attempted,
    LegFacts,
    Step,
    classify,
    clears,
    decide,
    decide_asked_back,
    facts_of,
    is_delayed,
    next_look_at,
)
from kuaitui.payouts.states import LegState, may_move
from kuaitui.payouts.types import AttemptKind, AttemptOutcome, Pace, SendOf

log = structlog.get_logger(__name__)
EVENTS: Final = {word: f"send_back.attempt.outcome_{word.value}" for word in AttemptOutcome}


def carry_out_send_back(
    *,
    send_back_id: str,
    channels: Channels,
    pace: Pace,
    clock: Callable[[], dt.datetime],
    note_send: Callable[[LastSend], None] = forget_send,
) -> LegState | None:
    """Make the call that is due for a send-back; nothing if it is not its turn.

    `clock` is read before and after the call, which takes its time. `note_send` hears of a send
    after its claim is committed and before anything leaves, as `carry_out_leg` says.

    Raises:
        InvariantViolated: something that must be true is not; the caller sets it aside.
        ChannelUnknown: the settings name no such channel any more. Nothing was taken.
    """
    name = SendBack.objects.values_list("channel", flat=True).get(public_id=send_back_id)
    channel = channels.get(name)
    claim = claim_send_back(
        send_back_id=send_back_id,
        takes_back=Route.ORIGINAL in channel.capabilities.routes,
        pace=pace,
        now=clock(),
    )
    if claim is None:
        return None
    reach("send_backs.claim.committed")
    if claim.kind is AttemptKind.SEND:
        sent = (claim.attempt_id, send_back_id, claim.started_at, claim.held_at)
        note_send(LastSend(*sent, SendOf.SEND_BACK))
    outcome = _call(channel, claim, pace, now=clock())
    reach("send_backs.call.answered")
    word, cause = classify(outcome)
    log.info(
        EVENTS[word],
        send_back_id=send_back_id,
        attempt=claim.attempt_no,
        kind=claim.kind.value,
        cause=cause,
    )
    state = record_send_back_outcome(
        claim=claim, outcome=outcome, capabilities=channel.capabilities, pace=pace, now=clock()
    )
    if isinstance(outcome, RejectedConfig):
        stop_rejected_channel(channel=claim.channel, code=outcome.code, now=clock())
    return state


@transaction.atomic(durable=True)
def record_send_back_outcome(
    *,
    claim: SendBackClaim,
    outcome: Outcome,
    capabilities: ChannelCapabilities,
    pace: Pace,
    now: dt.datetime,
) -> LegState | None:
    """Record what a call came to and move on; nothing if the lease was lost meanwhile.

    *Paid* closes the case and posts *frozen → at_channel* in its book; what is paid is watched, and
    *returned* posts *at_channel → frozen*. That and *failed for good* open the case again for
    people. Recording twice changes nothing.
    """
    row = SendBack.objects.select_for_update().get(public_id=claim.send_back_id)
    word, cause = classify(outcome)
    mine = SendBackAttempt.objects.filter(send_back=row, fence=claim.fence, outcome=None)
    if row.fence != claim.fence or not mine.exists():
        log.warning("send_back.attempt.lease_lost", send_back_id=row.public_id, fence=claim.fence)
        return None
    mine.update(outcome=word, cause=cause[:80], finished_at=now)
    row.checks += claim.kind is AttemptKind.QUERY
    before = LegState(row.state)
    step = _step(before, _facts(row, claim, now), claim, outcome, capabilities, pace, now)
    if claim.is_uncertain and clears(
        outcome, held_at=claim.doubt_since, capabilities=capabilities, now=now
    ):
        row.clear_since = now
    if step.state is not LegState.READY:
        # After a restore the channel may know a send that our books have forgotten.
        row.first_sent_at = row.first_sent_at or now
        row.last_sent_at = row.last_sent_at or now
    if step.state in ENDED:
        if before is LegState.PAID:
            moment = outcome.returned_at if isinstance(outcome, Returned) else now
            come_back(row, step.code, returned_at=min(moment, now), now=now)
        else:
            fail(row, step.code, now)
        reach("send_backs.record.uncommitted")
        return LegState(row.state)
    ensure(may_move(before, step.state), "a send-back moves by the table of legs")
    is_hinted = row.next_check_at not in {None, claim.lease_until}
    row.next_check_at = next_look_at(step, before=before, is_hinted=is_hinted, now=now)
    _move_on(row, step, outcome, now)
    _alarm_if_delayed(row, pace, now)
    row.save()
    if step.state is LegState.PAID and before is not LegState.PAID:
        assert row.settled_at is not None  # the database keeps nothing paid without it
        close_sent_back(
            suspense_id=row.suspense_id,
            number=row.number,
            sent_at=row.settled_at,
            actor=MACHINE,
            now=now,
        )
    reach("send_backs.record.uncommitted")
    return step.state


def _call(channel: Channel, claim: SendBackClaim, pace: Pace, *, now: dt.datetime) -> Outcome:
    ensure(not connection.in_atomic_block, "no transaction is open while a channel is called")
    if now + pace.call_deadline >= claim.lease_until:
        # This process slept after its claim; somebody else may have it before we are done.
        return NotSent("lease_too_short")
    deadline_s = pace.call_deadline.total_seconds()
    if claim.kind is AttemptKind.SEND:
        return channel.submit(claim.instruction, deadline_s=deadline_s)
    return channel.query(claim.instruction, deadline_s=deadline_s)


def _step(
    before: LegState,
    facts: LegFacts,
    claim: SendBackClaim,
    outcome: Outcome,
    capabilities: ChannelCapabilities,
    pace: Pace,
    now: dt.datetime,
) -> Step:
    if before is not LegState.READY:
        return decide(
            facts, kind=claim.kind, outcome=outcome, capabilities=capabilities, pace=pace, now=now
        )
    assert claim.doubt_since is not None  # what is ready is asked about for no other reason
    return decide_asked_back(
        outcome=outcome,
        is_in_transit=False,
        held_at=claim.doubt_since,
        checks=facts.checks,
        capabilities=capabilities,
        pace=pace,
        now=now,
    )


def _facts(row: SendBack, claim: SendBackClaim, now: dt.datetime) -> LegFacts:
    rows = SendBackAttempt.objects.filter(send_back=row).order_by("attempt_no")
    told = rows.values_list("kind", "outcome", "started_at", "cause")
    return facts_of(
        [Attempted(*one) for one in told],
        attempt_no=claim.attempt_no,
        state=LegState(row.state),
        first_sent_at=row.first_sent_at or now,
        last_sent_at=row.last_sent_at or now,
        settled_at=row.settled_at,
        clear_since=row.clear_since,
        checks=row.checks,
        sends=row.sends,
    )


def _move_on(row: SendBack, step: Step, outcome: Outcome, now: dt.datetime) -> None:
    if row.state != step.state:
        row.state, row.since = step.state, now
    row.lease_until = None
    row.code = step.code[:80] or row.code
    if isinstance(outcome, Accepted | NeedsAction | Succeeded | Returned):
        row.channel_reference = outcome.reference[:80] or row.channel_reference
    if isinstance(outcome, Succeeded) and row.settled_at is None:
        row.settled_at, row.code = min(outcome.settled_at, now), ""


def _alarm_if_delayed(row: SendBack, pace: Pace, now: dt.datetime) -> None:
    if row.delayed_at is not None:
        return
    if is_delayed(
        state=LegState(row.state),
        first_tried_at=row.first_sent_at,
        last_sent_at=row.last_sent_at,
        pace=pace,
        now=now,
    ):
        row.delayed_at = now
        log.error("send_back.delayed", send_back_id=row.public_id, state=row.state)
