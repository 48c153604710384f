"""Recording what a call came to: outcome, leg, journals, lots and news in one transaction."""

from __future__ import annotations

import datetime as dt

import structlog
from django.db import transaction

from kuaitui.channels.port import (
    Accepted,
    ChannelCapabilities,
    NeedsAction,
    Outcome,
    Returned,
    Succeeded,
)
from kuaitui.deposits.operations import return_share, settle_share
from kuaitui.kernel.invariants import ensure
from kuaitui.kit.crashpoints import reach
from kuaitui.kit.outbox import publish
from kuaitui.payouts.events import LegFailed, LegPaid, LegReturned, PayoutDelayed, PayoutPaid
from kuaitui.payouts.models import Payout, PayoutAttempt, PayoutLeg
from kuaitui.payouts.operations.batch_gate import leave_batch, note_sent
from kuaitui.payouts.operations.claim import Claim
from kuaitui.payouts.operations.hand_overs import keep_hand_over
from kuaitui.payouts.operations.intervention_gate import end_intervention
from kuaitui.payouts.operations.postings import post, post_sent
from kuaitui.payouts.rules import (
    LegFacts,
    Step,
    classify,
    clears,
    decide,
    decide_asked_back,
    is_acknowledged,
    is_delayed,
    payout_state,
)
from kuaitui.payouts.states import LegState, PayoutState, may_move
from kuaitui.payouts.types import AttemptKind, AttemptOutcome, Pace, PostingKind

log = structlog.get_logger(__name__)

# A send with one of these as its own outcome certainly did not take effect.
WITHOUT_EFFECT = frozenset(
    {
        AttemptOutcome.NOT_SENT,
        AttemptOutcome.REJECTED_CONFIG,
        AttemptOutcome.FAILED_RETRYABLE,
    }
)


@transaction.atomic(durable=True)
def record_outcome(
    *,
    claim: Claim,
    outcome: Outcome,
    capabilities: ChannelCapabilities,
    pace: Pace,
    now: dt.datetime,
) -> LegState | None:
    """Record an attempt's outcome and move the leg on; nothing if the lease was lost meanwhile.

    The fence decides: whoever took the leg since asks the channel itself, so an answer that comes
    late is not needed. Recording twice changes nothing.
    """
    # The payout first, then its leg: two legs that end at once must not both see the other open.
    payout = Payout.objects.select_for_update(of=("self",)).get(legs__public_id=claim.leg_id)
    leg = PayoutLeg.objects.select_for_update().get(public_id=claim.leg_id)
    word, cause = classify(outcome)
    if leg.fence != claim.fence or not _complete(leg, claim, word, cause, now):
        log.warning(
            "payout.attempt.lease_lost", leg_id=claim.leg_id, fence=claim.fence, outcome=word
        )
        return None
    before = LegState(leg.state)
    leg.checks += claim.kind is AttemptKind.QUERY
    if before is LegState.READY:
        step = _ask_back(payout, leg, claim, outcome, capabilities, pace, now)
    else:
        step = decide(
            _facts(leg, claim),
            kind=claim.kind,
            outcome=outcome,
            capabilities=capabilities,
            pace=pace,
            now=now,
        )
    ensure(may_move(before, step.state), "a leg moves by the table")
    if _is_cleared(claim, outcome, capabilities, now):
        leg.clear_since = now
    _post_and_settle(payout, leg, step, outcome, now)
    reach("payouts.record.posted")
    _move_on(leg, step, outcome, now)
    end_intervention(leg, kind=claim.kind, outcome=word, now=now)
    _tell(payout, leg, before, outcome, now)
    _alarm_if_delayed(payout, leg, word, pace, now)
    leg.save()
    if word is AttemptOutcome.FAILED_RETRYABLE and step.state is LegState.READY:
        leave_batch(leg, now=now)
    _derive_payout(payout, now)
    reach("payouts.record.uncommitted")
    return step.state


def _is_cleared(
    claim: Claim, outcome: Outcome, capabilities: ChannelCapabilities, now: dt.datetime
) -> bool:
    if not claim.is_uncertain or claim.held_at is None:
        return False
    return clears(outcome, held_at=claim.held_at, capabilities=capabilities, now=now)


def _ask_back(
    payout: Payout,
    leg: PayoutLeg,
    claim: Claim,
    outcome: Outcome,
    capabilities: ChannelCapabilities,
    pace: Pace,
    now: dt.datetime,
) -> Step:
    """A leg that waits to be sent was asked about: what its channel knows was sent and forgotten."""
    assert claim.held_at is not None  # a ready leg is asked about for no other reason
    step = decide_asked_back(
        outcome=outcome,
        is_in_transit=leg.first_sent_at is not None,
        held_at=claim.held_at,
        checks=leg.checks,
        capabilities=capabilities,
        pace=pace,
        now=now,
    )
    if step.state is LegState.READY:
        return step
    log.warning("payout.leg.was_sent_before", leg_id=leg.public_id, state=step.state)
    is_news = leg.first_sent_at is None
    leg.first_sent_at = leg.first_sent_at or now
    leg.last_sent_at = leg.last_sent_at or now
    if is_news and step.state is not LegState.FAILED:
        post_sent(payout, leg, now)
        note_sent(leg, now=now)
    return step


def _complete(
    leg: PayoutLeg, claim: Claim, word: AttemptOutcome, cause: str, now: dt.datetime
) -> bool:
    mine = PayoutAttempt.objects.filter(leg=leg, fence=claim.fence, outcome=None)
    return mine.update(outcome=word, cause=cause[:80], finished_at=now) == 1


def _facts(leg: PayoutLeg, claim: Claim) -> LegFacts:
    attempts = list(
        PayoutAttempt.objects.filter(leg=leg)
        .order_by("attempt_no")
        .values_list("kind", "outcome", "started_at")
    )
    earlier = [(kind, word) for kind, word, _ in attempts[: claim.attempt_no - 1]]
    sends = [AttemptOutcome(word) for kind, word in earlier if kind == AttemptKind.SEND and word]
    # A channel counts from the first send that it may have: one that had no effect may be long ago.
    effective = [
        started_at
        for kind, word, started_at in attempts
        if kind == AttemptKind.SEND and word not in WITHOUT_EFFECT
    ]
    assert leg.first_sent_at is not None  # an attempt was made, so it was claimed
    assert leg.last_sent_at is not None
    return LegFacts(
        state=LegState(leg.state),
        first_sent_at=effective[0] if effective else leg.first_sent_at,
        last_sent_at=leg.last_sent_at,
        is_acknowledged=is_acknowledged(AttemptOutcome(word) for _, word in earlier if word),
        has_doubtful_send=any(word not in WITHOUT_EFFECT for word in sends),
        refused_code=_refused_code(leg),
        settled_at=leg.settled_at,
        checks=leg.checks,
        sends=leg.sends,
    )


def _refused_code(leg: PayoutLeg) -> str:
    last = (
        PayoutAttempt.objects.filter(leg=leg, kind=AttemptKind.SEND).order_by("attempt_no").last()
    )
    return last.cause if last is not None and last.outcome == AttemptOutcome.FAILED else ""


def _post_and_settle(
    payout: Payout, leg: PayoutLeg, step: Step, outcome: Outcome, now: dt.datetime
) -> None:
    for kind in step.postings:
        post(leg, kind, occurred_at=_moment(outcome, now), now=now)
        if kind is PostingKind.SETTLED:
            settle_share(account_id=payout.account_id, leg_id=leg.public_id, now=now)
        elif kind is PostingKind.RETURNED:
            return_share(account_id=payout.account_id, leg_id=leg.public_id, now=now)


def _moment(outcome: Outcome, now: dt.datetime) -> dt.datetime:
    """When it happened in the world, as far as the channel says."""
    match outcome:
        case Succeeded():
            return outcome.settled_at
        case Returned():
            return outcome.returned_at
        case _:
            return now


def _move_on(leg: PayoutLeg, step: Step, outcome: Outcome, now: dt.datetime) -> None:
    if leg.state != step.state:
        leg.state, leg.since, leg.waits_for = step.state, now, ""
    keep_hand_over(leg, outcome)
    leg.lease_until = None
    leg.next_check_at = None if step.wait is None else now + step.wait
    leg.code = step.code or leg.code
    if isinstance(outcome, Accepted | NeedsAction | Succeeded | Returned):
        leg.bank_reference = outcome.reference[:80] or leg.bank_reference
    moment = _moment(outcome, now)
    if PostingKind.SETTLED in step.postings:
        leg.settled_at = moment
        leg.code = step.code
    if PostingKind.RETURNED in step.postings:
        leg.returned_at = moment
    if PostingKind.FAILED in step.postings:
        leg.failed_at = moment


def _tell(
    payout: Payout, leg: PayoutLeg, before: LegState, outcome: Outcome, now: dt.datetime
) -> None:
    if before == leg.state:
        return
    about = (payout.application_id, payout.public_id, leg.public_id, leg.amount_minor, leg.currency)
    moment = _moment(outcome, now)
    match LegState(leg.state):
        case LegState.PAID:
            publish(LegPaid(*about, leg.bank_reference, moment), now=now)
        case LegState.FAILED:
            publish(LegFailed(*about, leg.code, moment), now=now)
        case LegState.RETURNED:
            publish(LegReturned(*about, leg.code, moment), now=now)


def _alarm_if_delayed(
    payout: Payout, leg: PayoutLeg, word: AttemptOutcome, pace: Pace, now: dt.datetime
) -> None:
    if leg.delayed_at is not None or leg.last_sent_at is None:
        return
    state = LegState(leg.state)
    if not is_delayed(state=state, last_sent_at=leg.last_sent_at, pace=pace, now=now):
        return
    leg.delayed_at = now
    log.error("payout.leg.delayed", leg_id=leg.public_id, state=leg.state, outcome=word)
    publish(
        PayoutDelayed(
            payout.application_id, payout.public_id, leg.public_id, leg.state, word.value, now
        ),
        now=now,
    )


def _derive_payout(payout: Payout, now: dt.datetime) -> None:
    """The payout's state follows from the legs that stand."""
    standing = PayoutLeg.objects.filter(payout=payout, replaced_by=None, close_out=None)
    state = payout_state(LegState(state) for state in standing.values_list("state", flat=True))
    if state == payout.state:
        return
    payout.state = state
    if state is PayoutState.PAID:
        payout.paid_at = now
        publish(
            PayoutPaid(
                payout.application_id, payout.public_id, payout.amount_minor, payout.currency, now
            ),
            now=now,
        )
    payout.save(update_fields=["state", "paid_at"])
