"""The rules of the payout protocol, as pure functions: what an outcome makes of a leg.

Source: reference "Crash-safe protocol" and "One classification for all channels"; ADR-0006.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from kuaitui.channels.port import (
    Accepted,
    ChannelCapabilities,
    FailedDefinite,
    NeedsAction,
    NotFound,
    NotSent,
    Outcome,
    RejectedConfig,
    Returned,
    Succeeded,
    Unknown,
)
from kuaitui.payouts.rules.facts import LegFacts
from kuaitui.payouts.states import ASKABLE, LegState, PayoutState
from kuaitui.payouts.types import (
    AttemptKind,
    AttemptOutcome,
    InterventionEnd,
    InterventionKind,
    Pace,
    PostingKind,
)

SOON = dt.timedelta(0)
# Calls that people decided.
INTERVENING = frozenset({AttemptKind.HAND_OVER, AttemptKind.CANCEL})


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of a leg: its state, what is posted, and when to look again (never: None)."""

    state: LegState
    wait: dt.timedelta | None
    postings: tuple[PostingKind, ...] = ()
    code: str = ""


def next_kind(
    state: LegState,
    *,
    must_ask: bool,
    wants_again: bool = False,
    intervention: InterventionKind | None = None,
) -> AttemptKind:
    """SEND only a leg of which no send can have taken effect; ask about every other.

    After a restore (`must_ask`) a send may have taken effect that our books have forgotten. What its
    channel has and, by its last word, wants once more (`wants_again`) is handed over again. A leg
    that waits for a person gets the call that people decided (`intervention`).
    """
    if must_ask:
        return AttemptKind.QUERY
    if state is LegState.READY:
        return AttemptKind.SEND
    if state is LegState.ACCEPTED and wants_again:
        return AttemptKind.SEND_AGAIN
    if state is LegState.NEEDS_ACTION and intervention is not None:
        return intervention.attempt
    return AttemptKind.QUERY


def must_ask_before_telling_again(
    told: Iterable[tuple[AttemptKind, AttemptOutcome | None]],
) -> bool:
    """Whether nobody knows what the last intervention's call came to.

    `told` are the attempts of a leg, the oldest first. Only the answer that the leg still waits lets
    the call be made again.
    """
    doubtful = False
    for kind, outcome in told:
        if kind in INTERVENING:
            doubtful = outcome in {None, AttemptOutcome.UNKNOWN}
        elif outcome is AttemptOutcome.NEEDS_ACTION:
            doubtful = False
    return doubtful


def as_told(kind: AttemptKind, outcome: Outcome) -> Outcome:
    """What an answer to a call about a known number may be believed of. Others stay as they are.

    Whoever was told about a number cannot find it unknown. Called back is called back, whatever
    could be tried again; and no refusal of an account sends the refund itself again. To refuse an
    order that comes again says nothing of the one that is there.
    """
    match outcome:
        case NotFound() if kind in INTERVENING:
            return Unknown("not_found")
        case FailedDefinite(code=code, same_key_retry_ok=True) if kind is AttemptKind.CANCEL:
            return FailedDefinite(code)
        case FailedDefinite(code=code, same_key_retry_ok=True) if kind is AttemptKind.HAND_OVER:
            return Unknown(code)
        case FailedDefinite(code=code) if kind is AttemptKind.SEND_AGAIN:
            return Unknown(code)
    return outcome


def intervention_end(
    state: LegState, *, kind: AttemptKind, outcome: AttemptOutcome
) -> InterventionEnd | None:
    """Whether an intervention is over, after an attempt that left its leg in that state."""
    if state is not LegState.NEEDS_ACTION:
        return InterventionEnd.WENT_ON
    if kind is AttemptKind.HAND_OVER and outcome is AttemptOutcome.NEEDS_ACTION:
        return InterventionEnd.STUCK
    return None


def must_ask(*, clear_since: dt.datetime | None, held_at: dt.datetime | None) -> bool:
    """Whether a send under a leg's number may have taken effect that our books do not know of.

    `held_at` is from when on they are in doubt, `clear_since` since when the channel's word about the
    number is known to be complete.
    """
    return held_at is not None and (clear_since is None or clear_since < held_at)


def clears(
    outcome: Outcome,
    *,
    held_at: dt.datetime | None,
    capabilities: ChannelCapabilities,
    now: dt.datetime,
) -> bool:
    """Whether an answer leaves no room for a forgotten send. Without a hold there is none to clear.

    Not knowing the number says so only when the newest send that may be lost is older than the
    channel's floor.
    """
    if held_at is None:
        return False
    match outcome:
        case NotFound():
            return now - held_at >= capabilities.not_found_floor
        case NotSent() | Unknown() | RejectedConfig():
            return False
        case Accepted() | Succeeded() | NeedsAction() | Returned() | FailedDefinite():
            return True
        case _:
            assert_never(outcome)


def decide_asked_back(
    *,
    outcome: Outcome,
    is_in_transit: bool,
    held_at: dt.datetime,
    checks: int,
    capabilities: ChannelCapabilities,
    pace: Pace,
    now: dt.datetime,
) -> Step:
    """What the channel's word makes of a leg that waits to be sent and may have been sent already.

    Known to the channel: it moves on and is not sent. Unknown to it: it may be sent, in its turn.
    """
    match outcome:
        case Succeeded() | Returned():
            return _arrived(outcome, capabilities, pace, now)
        case FailedDefinite(same_key_retry_ok=False):
            postings = (PostingKind.FAILED,) if is_in_transit else ()
            return Step(LegState.FAILED, None, postings, outcome.code)
        case Accepted():
            return Step(LegState.ACCEPTED, pace.delay_after(0))
        case NeedsAction():
            return Step(LegState.NEEDS_ACTION, pace.delay_after(0), code=outcome.action.value)
        case NotFound() | FailedDefinite():
            if clears(outcome, held_at=held_at, capabilities=capabilities, now=now):
                return Step(LegState.READY, SOON)
            return Step(LegState.READY, held_at + capabilities.not_found_floor - now)
        case NotSent() | Unknown() | RejectedConfig():
            return Step(LegState.READY, pace.delay_after(checks))
        case _:
            assert_never(outcome)


def next_look_at(
    step: Step, *, before: LegState, is_hinted: bool, now: dt.datetime
) -> dt.datetime | None:
    """When to look again at a leg after a call, if ever.

    Whoever pointed at it during the call (a notification, a person) may have seen more than the
    answer says: then at once. Not when the answer is that it was paid, for that is what they saw;
    nor when it is to be sent, for nobody's hint sends anything.
    """
    has_just_been_paid = step.state is LegState.PAID and before is not LegState.PAID
    if is_hinted and step.state in ASKABLE and not has_just_been_paid:
        return now
    return None if step.wait is None else now + step.wait


def _arrived(
    outcome: Succeeded | Returned, capabilities: ChannelCapabilities, pace: Pace, now: dt.datetime
) -> Step:
    if isinstance(outcome, Returned):
        postings = (PostingKind.SETTLED, PostingKind.RETURNED)
        return Step(LegState.RETURNED, None, postings, outcome.code)
    wait = _watch_delay(outcome.settled_at, capabilities, pace, now)
    return Step(LegState.PAID, wait, (PostingKind.SETTLED,))


def decide(
    leg: LegFacts,
    *,
    kind: AttemptKind,
    outcome: Outcome,
    capabilities: ChannelCapabilities,
    pace: Pace,
    now: dt.datetime,
) -> Step:
    """What an attempt's outcome makes of the leg."""
    if leg.state is LegState.PAID:
        return _watch(leg, outcome, capabilities, pace, now)
    match outcome:
        case FailedDefinite() if kind is AttemptKind.SEND and leg.has_doubtful_send:
            # The refusal may be of this call only, while the earlier one took effect: ask.
            return Step(LegState.UNKNOWN, _check_delay(leg, LegState.UNKNOWN, pace, now))
        case Succeeded() | Returned() | FailedDefinite():
            return _definite(leg, outcome, capabilities, pace, now)
        case Accepted(wants_again=wants_again):
            wait = _check_delay(leg, LegState.ACCEPTED, pace, now, wants_again=wants_again)
            return Step(LegState.ACCEPTED, wait)
        case NeedsAction():
            wait = _check_delay(leg, LegState.NEEDS_ACTION, pace, now)
            return Step(LegState.NEEDS_ACTION, wait, code=outcome.action.value)
        case RejectedConfig() | NotSent() if kind is AttemptKind.SEND:
            return Step(LegState.READY, pace.delay_after(leg.sends))
        case NotFound() if kind is AttemptKind.QUERY:
            return _not_found(leg, capabilities, pace, now)
        case NotFound() | RejectedConfig() | NotSent() | Unknown():
            state = _unless_known(leg.state)
            return Step(state, _check_delay(leg, state, pace, now))
        case _:
            assert_never(outcome)


def _definite(
    leg: LegFacts,
    outcome: Succeeded | Returned | FailedDefinite,
    capabilities: ChannelCapabilities,
    pace: Pace,
    now: dt.datetime,
) -> Step:
    match outcome:
        case Succeeded() | Returned():
            return _arrived(outcome, capabilities, pace, now)
        case FailedDefinite(same_key_retry_ok=True):
            return Step(LegState.READY, pace.delay_after(leg.sends), code=outcome.code)
        case FailedDefinite():
            return Step(LegState.FAILED, None, (PostingKind.FAILED,), outcome.code)


def _watch(
    leg: LegFacts,
    outcome: Outcome,
    capabilities: ChannelCapabilities,
    pace: Pace,
    now: dt.datetime,
) -> Step:
    """A paid leg can only come back. Some channels call that failed (Stripe), others returned."""
    match outcome:
        case Returned() | FailedDefinite():
            return Step(LegState.RETURNED, None, (PostingKind.RETURNED,), outcome.code)
        case NotSent() | Unknown() | RejectedConfig():
            # No word, so the look has not been had: by the next turn the channel may have forgotten.
            return Step(LegState.PAID, pace.check_delays[-1])
        case _:
            wait = _watch_delay(leg.settled_at or now, capabilities, pace, now)
            return Step(LegState.PAID, wait)


def _not_found(
    leg: LegFacts, capabilities: ChannelCapabilities, pace: Pace, now: dt.datetime
) -> Step:
    """Not knowing a number is not yet a failure: the send may still arrive.

    It may be sent again, under the same number, only when the channel never acknowledged it, when
    the last send is older than the channel's floor, and while the channel remembers numbers.
    """
    settled_down = now - leg.last_sent_at >= capabilities.not_found_floor
    first = leg.first_sent_at
    remembered = first is None or now - first < capabilities.resend_window
    if settled_down and not leg.is_acknowledged:
        if leg.refused_code:
            return Step(LegState.FAILED, None, (PostingKind.FAILED,), leg.refused_code)
        if remembered:
            # What was refused for now is not sent again at once, only because it was asked about.
            wait = pace.delay_after(leg.sends) if leg.put_off_code else SOON
            return Step(LegState.READY, wait, code=leg.put_off_code)
    return Step(LegState.UNKNOWN, _check_delay(leg, LegState.UNKNOWN, pace, now))


def _unless_known(state: LegState) -> LegState:
    """No answer takes away what an earlier answer said."""
    return state if state in {LegState.ACCEPTED, LegState.NEEDS_ACTION} else LegState.UNKNOWN


def _check_delay(
    leg: LegFacts,
    state: LegState,
    pace: Pace,
    now: dt.datetime,
    *,
    wants_again: bool = False,
) -> dt.timedelta:
    """By the schedule, but not past the moment when people must hear of it."""
    until_alarm = leg.last_sent_at + _alarm_after(state, pace, wants_again=wants_again) - now
    delay = pace.delay_after(leg.checks)
    return min(delay, until_alarm) if until_alarm > SOON else delay


def _watch_delay(
    settled_at: dt.datetime, capabilities: ChannelCapabilities, pace: Pace, now: dt.datetime
) -> dt.timedelta | None:
    """A paid leg is looked at slowly until nothing can come back any more."""
    ends_at = settled_at + capabilities.return_window
    return pace.paid_check_every if now < ends_at else None


def _alarm_after(state: LegState, pace: Pace, *, wants_again: bool) -> dt.timedelta:
    """What its channel wants again it would not take: mostly the balance there is short."""
    is_urgent = state is LegState.UNKNOWN or wants_again
    return pace.alarm_after if is_urgent else pace.processing_alarm_after


def is_delayed(
    *,
    state: LegState,
    first_tried_at: dt.datetime | None,
    last_sent_at: dt.datetime | None,
    pace: Pace,
    now: dt.datetime,
    wants_again: bool = False,
) -> bool:
    """Whether a person must look at a leg that was tried and has no result.

    One that its channel would not take is sent again and again, so it counts from the first try.
    `wants_again` says that the channel, by its last word, wants the same order once more.
    """
    match state:
        case LegState.READY:
            return first_tried_at is not None and now - first_tried_at >= pace.alarm_after
        case LegState.UNKNOWN | LegState.ACCEPTED | LegState.NEEDS_ACTION:
            alarm_after = _alarm_after(state, pace, wants_again=wants_again)
            return last_sent_at is not None and now - last_sent_at >= alarm_after
        case _:
            return False


def classify(outcome: Outcome) -> tuple[AttemptOutcome, str]:
    """An outcome as it is recorded: its word, and the channel's code or the cause."""
    match outcome:
        case Accepted():
            return (
                AttemptOutcome.WANTS_AGAIN if outcome.wants_again else AttemptOutcome.ACCEPTED,
                "",
            )
        case Succeeded():
            return AttemptOutcome.SUCCEEDED, ""
        case FailedDefinite():
            retryable = outcome.same_key_retry_ok
            word = AttemptOutcome.FAILED_RETRYABLE if retryable else AttemptOutcome.FAILED
            return word, outcome.code
        case RejectedConfig():
            return AttemptOutcome.REJECTED_CONFIG, outcome.code
        case NeedsAction():
            return AttemptOutcome.NEEDS_ACTION, outcome.action.value
        case Returned():
            return AttemptOutcome.RETURNED, outcome.code
        case NotFound():
            return AttemptOutcome.NOT_FOUND, ""
        case NotSent():
            return AttemptOutcome.NOT_SENT, outcome.cause
        case Unknown():
            return AttemptOutcome.UNKNOWN, outcome.cause
        case _:
            assert_never(outcome)


def payout_state(legs: Iterable[LegState]) -> PayoutState:
    """What the legs that stand make of their payout. One that was closed out stands no more."""
    states = frozenset(legs)
    if not states:
        return PayoutState.CLOSED_OUT
    if states & {LegState.FAILED, LegState.RETURNED}:
        return PayoutState.NEEDS_REPAIR
    if states <= {LegState.CANCELLED}:
        return PayoutState.CANCELLED
    return PayoutState.PAID if states == {LegState.PAID} else PayoutState.PAYING
