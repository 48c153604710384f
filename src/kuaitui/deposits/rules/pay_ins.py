"""What a pay-in order does next, and what a channel's answer means to it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, assert_never

from kuaitui.channels.port import (
    ChannelCapabilities,
    FailedDefinite,
    NotFound,
    NotSent,
    PayInClosed,
    PayInOpened,
    PayInOutcome,
    PayInPaid,
    PayInWaiting,
    RejectedConfig,
    Route,
    Unknown,
)
from kuaitui.deposits.states import ENDED_UNPAID, OPEN, PayInState
from kuaitui.deposits.types import DepositSummary, PayInAnswer, PayInCall, PayInPace
from kuaitui.kernel.money import Money

# Our own bound on one payment, ten million yuan: what is above is a slip of the finger.
PAY_IN_MAX_MINOR: Final = 1_000_000_000
# A channel that sets no limit to refunds takes them for as long as anybody keeps books.
LATE_WINDOW: Final = dt.timedelta(days=36_500)
# With these the channel has said nothing of the order: the question stands.
NOTHING_SAID: Final = frozenset(
    {
        PayInAnswer.UNKNOWN,
        PayInAnswer.NOT_SENT,
        PayInAnswer.REJECTED_CONFIG,
        PayInAnswer.FAILED_RETRYABLE,
    }
)


@dataclass(frozen=True, slots=True)
class PayInFacts:
    """What is known of an order when its next step is decided."""

    state: PayInState
    expires_at: dt.datetime
    is_called_off: bool
    usable_until: dt.datetime | None
    """Until when the payer can use what the channel gave; None if it gave nothing yet."""
    last_opened_at: dt.datetime | None
    last_answer: PayInAnswer | None
    has_doubtful_open: bool
    """Whether an earlier call to open it has no definite answer."""
    checks: int

    def must_end(self, *, now: dt.datetime) -> bool:
        """Whether nobody should pay it any more."""
        return self.is_called_off or self.expires_at <= now

    def can_be_met(self, *, now: dt.datetime) -> bool:
        """Whether the payer has something to pay by."""
        return self.usable_until is not None and now < self.usable_until

    def may_be_hidden(self, floor: dt.timedelta, *, now: dt.datetime) -> bool:
        """Whether the channel may have it though it does not find it."""
        return self.last_opened_at is not None and now - self.last_opened_at < floor

    def end_state(self, *, now: dt.datetime) -> PayInState:
        """What an order that ends unpaid is called."""
        is_late = not self.is_called_off and self.expires_at <= now
        return PayInState.EXPIRED if is_late else PayInState.CLOSED


@dataclass(frozen=True, slots=True)
class PayInStep:
    """Where an answer brings an order, and when to look again; never when `wait` is None."""

    state: PayInState
    wait: dt.timedelta | None
    code: str = ""
    is_answered: bool = True
    """Whether the question that was asked is done with."""


def missing_amount(summary: DepositSummary) -> Money:
    """What must be paid in for the deposit to hold what is required.

    What is still owed of an older deduction is set off first, so it is part of it. What is on its way
    back is not asked for while it is: nobody pays in what is just being paid out.
    """
    missing = summary.required + summary.owed - summary.held - summary.in_transit
    return missing if missing.is_positive else Money.zero(summary.currency)


def refundable_until(
    capabilities: ChannelCapabilities, *, paid_at: dt.datetime
) -> dt.datetime | None:
    """Until when the channel takes a payment back the way it came; None if it never does."""
    if Route.ORIGINAL not in capabilities.routes:
        return None
    return paid_at + (capabilities.original_window or LATE_WINDOW)


def next_call(facts: PayInFacts, *, now: dt.datetime) -> PayInCall | None:
    """What to ask the channel now; None if an order that nobody opened simply ends.

    An order is opened again only after the channel was asked: `PayInFacts.last_answer`.
    """
    match facts.state:
        case PayInState.CREATED:
            return None if facts.must_end(now=now) else PayInCall.OPEN
        case PayInState.WAITING if facts.must_end(now=now):
            return PayInCall.CLOSE
        case PayInState.WAITING if (
            not facts.can_be_met(now=now) and facts.last_answer is PayInAnswer.WAITING
        ):
            return PayInCall.OPEN
        case _:
            return PayInCall.QUERY


def answer_of(outcome: PayInOutcome) -> tuple[PayInAnswer, str]:
    """How an outcome is recorded: its word, and the channel's code or the cause."""
    match outcome:
        case PayInOpened():
            return PayInAnswer.OPENED, ""
        case PayInWaiting():
            return PayInAnswer.WAITING, ""
        case PayInPaid():
            return PayInAnswer.PAID, ""
        case PayInClosed():
            return PayInAnswer.CLOSED, ""
        case FailedDefinite():
            retryable = outcome.same_key_retry_ok
            word = PayInAnswer.FAILED_RETRYABLE if retryable else PayInAnswer.FAILED
            return word, outcome.code
        case RejectedConfig():
            return PayInAnswer.REJECTED_CONFIG, outcome.code
        case NotFound():
            return PayInAnswer.NOT_FOUND, ""
        case NotSent():
            return PayInAnswer.NOT_SENT, outcome.cause
        case Unknown():
            return PayInAnswer.UNKNOWN, outcome.cause
        case _:
            assert_never(outcome)


def decide(
    facts: PayInFacts,
    *,
    call: PayInCall,
    answer: PayInAnswer,
    code: str,
    floor: dt.timedelta,
    pace: PayInPace,
    now: dt.datetime,
) -> PayInStep:
    """What an answer other than *paid* means; where a payment goes is not decided here.

    `floor`: younger than this, an order the channel does not know may still arrive there.
    """
    if facts.state not in OPEN:
        return _ended(facts, answer, floor, pace, now)
    again = pace.delay_after(facts.checks)
    match answer:
        case PayInAnswer.OPENED:
            return PayInStep(PayInState.WAITING, again)
        case PayInAnswer.WAITING:
            must_reopen = not facts.can_be_met(now=now)
            return PayInStep(PayInState.WAITING, dt.timedelta(0) if must_reopen else again)
        case PayInAnswer.CLOSED:
            return PayInStep(facts.end_state(now=now), pace.delay_after_end(0))
        case PayInAnswer.NOT_FOUND:
            return _not_found(facts, call, again, floor, pace, now)
        case PayInAnswer.FAILED if call is PayInCall.OPEN and facts.has_doubtful_open:
            return PayInStep(PayInState.UNKNOWN, again, code)
        case PayInAnswer.FAILED if call is not PayInCall.CLOSE:
            return PayInStep(PayInState.FAILED, pace.delay_after_end(0), code)
        case PayInAnswer.FAILED_RETRYABLE | PayInAnswer.REJECTED_CONFIG | PayInAnswer.NOT_SENT:
            return PayInStep(_untouched(facts, call), again, code)
        case _:
            return PayInStep(_doubtful(facts, call), again, code)


def _ended(
    facts: PayInFacts,
    answer: PayInAnswer,
    floor: dt.timedelta,
    pace: PayInPace,
    now: dt.datetime,
) -> PayInStep:
    """An ended order is asked about because more may have come: until the channel answers."""
    is_hidden = answer is PayInAnswer.NOT_FOUND and facts.may_be_hidden(floor, now=now)
    if answer in NOTHING_SAID or is_hidden:
        return PayInStep(facts.state, pace.check_delays[-1], is_answered=False)
    if facts.state in ENDED_UNPAID:
        return PayInStep(facts.state, pace.delay_after_end(facts.checks + 1))
    return PayInStep(facts.state, None)


def _not_found(
    facts: PayInFacts,
    call: PayInCall,
    again: dt.timedelta,
    floor: dt.timedelta,
    pace: PayInPace,
    now: dt.datetime,
) -> PayInStep:
    """The channel does not know the number: open it (again), or let it end."""
    if call is PayInCall.OPEN:
        return PayInStep(PayInState.UNKNOWN, again)
    if not facts.must_end(now=now):
        return PayInStep(PayInState.CREATED, dt.timedelta(0))
    if facts.may_be_hidden(floor, now=now):
        return PayInStep(_doubtful(facts, call), again)
    return PayInStep(facts.end_state(now=now), pace.delay_after_end(0))


def _untouched(facts: PayInFacts, call: PayInCall) -> PayInState:
    """This call changed nothing at the channel; an earlier one may have."""
    if call is not PayInCall.OPEN:
        return _settled(facts.state)
    return PayInState.UNKNOWN if facts.has_doubtful_open else PayInState.CREATED


def _doubtful(facts: PayInFacts, call: PayInCall) -> PayInState:
    return PayInState.UNKNOWN if call is PayInCall.OPEN else _settled(facts.state)


def _settled(state: PayInState) -> PayInState:
    """*Opening* is a state of workers, not one to stay in."""
    return PayInState.UNKNOWN if state is PayInState.OPENING else state
