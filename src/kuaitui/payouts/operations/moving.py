"""What an attempt's outcome makes of its leg: fields, journals and news, before any is written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from kuaitui.channels.port import (
    Accepted,
    ChannelCapabilities,
    NeededAction,
    NeedsAction,
    Outcome,
    Returned,
    Succeeded,
)
from kuaitui.kernel.invariants import ensure
from kuaitui.ledger.types import Journal
from kuaitui.payouts.events import (
    LegFailed,
    LegPaid,
    LegReturned,
    PayeeMustConfirm,
    PayoutDelayed,
)
from kuaitui.payouts.models import PayoutLeg
from kuaitui.payouts.operations.batch_gate import note_sent
from kuaitui.payouts.operations.claim import Claim
from kuaitui.payouts.operations.hand_overs import keep_hand_over
from kuaitui.payouts.operations.postings import journal_of, news_of_sent
from kuaitui.payouts.rules import (
    Attempted,
    LegFacts,
    Step,
    clears,
    decide,
    decide_asked_back,
    facts_of,
    is_delayed,
    must_ask,
    next_look_at,
)
from kuaitui.payouts.states import LegState, may_move
from kuaitui.payouts.types import AttemptKind, AttemptOutcome, Pace, PostingKind

# What is repeated until there is a result, less and less often.
LOOKS: Final = frozenset({AttemptKind.QUERY, AttemptKind.SEND_AGAIN})

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Recording:
    """What one attempt came to."""

    claim: Claim
    outcome: Outcome
    capabilities: ChannelCapabilities


@dataclass(frozen=True, slots=True)
class Moved:
    """A leg in its new state, and what is to be written beside it."""

    leg: PayoutLeg
    kind: AttemptKind
    word: AttemptOutcome
    before: LegState
    journals: list[Journal] = field(default_factory=list)
    postings: list[PostingKind] = field(default_factory=list)
    news: list[object] = field(default_factory=list)

    def post(self, kind: PostingKind, occurred_at: dt.datetime) -> None:
        """Have a journal posted."""
        self.postings.append(kind)
        self.journals.append(journal_of(self.leg, kind, occurred_at=occurred_at))


def move(
    leg: PayoutLeg,
    recording: Recording,
    attempts: Sequence[Attempted],
    *,
    word: AttemptOutcome,
    pace: Pace,
    now: dt.datetime,
) -> Moved:
    """Move a locked leg on, in memory. `attempts` are all of it in their order, this one included."""
    claim, outcome = recording.claim, recording.outcome
    moved = Moved(leg, claim.kind, word, LegState(leg.state))
    leg.checks += claim.kind in LOOKS
    if moved.before is LegState.READY:
        step = _ask_back(moved, recording, pace, now)
    else:
        step = decide(
            _facts(leg, claim, attempts),
            kind=claim.kind,
            outcome=outcome,
            capabilities=recording.capabilities,
            pace=pace,
            now=now,
        )
    ensure(may_move(moved.before, step.state), "a leg moves by the table")
    if claim.is_uncertain and clears(
        outcome, held_at=claim.doubt_since, capabilities=recording.capabilities, now=now
    ):
        leg.clear_since = now
    for kind in step.postings:
        moved.post(kind, _moment(outcome, now))
    is_hinted = leg.next_check_at not in {None, claim.lease_until}
    _move_on(leg, step, outcome, now)
    leg.next_check_at = next_look_at(step, before=moved.before, is_hinted=is_hinted, now=now)
    _tell(moved, outcome, now)
    _alarm_if_delayed(moved, claim, pace, now)
    return moved


def _ask_back(moved: Moved, recording: Recording, pace: Pace, now: dt.datetime) -> Step:
    """A leg that waits to be sent was asked about: what its channel knows was sent and forgotten."""
    leg, claim = moved.leg, recording.claim
    assert claim.doubt_since is not None  # a ready leg is asked about for no other reason
    step = decide_asked_back(
        outcome=recording.outcome,
        is_in_transit=leg.first_sent_at is not None,
        held_at=claim.doubt_since,
        checks=leg.checks,
        capabilities=recording.capabilities,
        pace=pace,
        now=now,
    )
    if step.state is LegState.READY:
        return step
    log.warning("payout.leg.was_sent_before", leg_id=leg.public_id, state=step.state)
    is_news = leg.first_sent_at is None
    leg.first_sent_at = leg.first_sent_at or now
    leg.last_sent_at = leg.last_sent_at or now
    if step.state is LegState.FAILED:
        return step
    note_sent(leg, now=now)
    if is_news:
        moved.post(PostingKind.SENT, now)
        moved.news.append(news_of_sent(leg.payout, leg, now))
    return step


def _facts(leg: PayoutLeg, claim: Claim, attempts: Sequence[Attempted]) -> LegFacts:
    assert leg.first_sent_at is not None  # an attempt was made, so it was claimed
    assert leg.last_sent_at is not None
    return facts_of(
        attempts,
        attempt_no=claim.attempt_no,
        state=LegState(leg.state),
        first_sent_at=leg.first_sent_at,
        last_sent_at=leg.last_sent_at,
        settled_at=leg.settled_at,
        clear_since=leg.clear_since,
        checks=leg.checks,
        sends=leg.sends,
    )


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


def _tell(moved: Moved, outcome: Outcome, now: dt.datetime) -> None:
    leg = moved.leg
    if moved.before == leg.state:
        return
    payout = leg.payout
    about = (payout.application_id, payout.public_id, leg.public_id, leg.amount_minor, leg.currency)
    moment = _moment(outcome, now)
    match LegState(leg.state):
        case LegState.PAID:
            moved.news.append(LegPaid(*about, leg.bank_reference, moment))
        case LegState.FAILED:
            moved.news.append(LegFailed(*about, leg.code, moment))
        case LegState.RETURNED:
            moved.news.append(LegReturned(*about, leg.code, moment))
        case LegState.NEEDS_ACTION if leg.code == NeededAction.USER_CONFIRM:
            whose = (payout.application_id, payout.shop_key, leg.public_id)
            moved.news.append(PayeeMustConfirm(*whose, moment, leg.amount_minor, leg.currency))


def _asked_since(leg: PayoutLeg, claim: Claim) -> dt.datetime | None:
    """Since when a leg cannot be sent because nobody knows whether it was sent before."""
    if claim.doubt_since is None or not must_ask(
        clear_since=leg.clear_since, held_at=claim.doubt_since
    ):
        return None
    return max(leg.since, claim.doubt_since)


def _alarm_if_delayed(moved: Moved, claim: Claim, pace: Pace, now: dt.datetime) -> None:
    leg, payout = moved.leg, moved.leg.payout
    if leg.delayed_at is not None:
        return
    if not is_delayed(
        state=LegState(leg.state),
        first_tried_at=leg.first_sent_at or _asked_since(leg, claim),
        last_sent_at=leg.last_sent_at,
        pace=pace,
        now=now,
        wants_again=moved.word is AttemptOutcome.WANTS_AGAIN,
    ):
        return
    leg.delayed_at = now
    word = moved.word
    log.error("payout.leg.delayed", leg_id=leg.public_id, state=leg.state, outcome=word)
    moved.news.append(
        PayoutDelayed(
            payout.application_id, payout.public_id, leg.public_id, leg.state, word.value, now
        )
    )
