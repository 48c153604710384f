"""Money coming in: how it is asked for, what a channel may answer, and payments without a place."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Self

from kuaitui.kernel.invariants import ensure


class PayInChoice(enum.StrEnum):
    """How much a seller wants to pay in."""

    MISSING = "missing"
    """What is missing to what is required, with what is still owed."""
    REQUIRED = "required"
    """The whole required amount once more."""
    OTHER = "other"
    """An amount of the seller's own."""


class PayInCall(enum.StrEnum):
    """What a call about a pay-in order is for."""

    OPEN = "open"
    QUERY = "query"
    CLOSE = "close"


class PayInAnswer(enum.StrEnum):
    """What a call about a pay-in order came to, as it is recorded."""

    OPENED = "opened"
    WAITING = "waiting"
    PAID = "paid"
    CLOSED = "closed"
    FAILED = "failed"
    FAILED_RETRYABLE = "failed_retryable"
    REJECTED_CONFIG = "rejected_config"
    NOT_FOUND = "not_found"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


class SuspenseReason(enum.StrEnum):
    """Why a payment has no place of its own."""

    NEVER_HEARD_OF = "never_heard_of"
    PAID_TWICE = "paid_twice"
    PAID_AFTER_CLOSING = "paid_after_closing"
    ACCOUNT_CLOSED = "account_closed"
    OTHER_CURRENCY = "other_currency"


class FoundBy(enum.StrEnum):
    """How we came to know of a payment."""

    QUERY = "query"
    NOTIFICATION = "notification"
    BILL = "bill"


class Resolution(enum.StrEnum):
    """What two people may do with money in suspense."""

    ATTRIBUTE = "attribute"
    SEND_BACK = "send_back"
    """Back the way it came, through the channel."""
    BY_HAND = "by_hand"
    """It has gone back already: somebody refunded it at the channel, and here is the number."""


@dataclass(frozen=True, slots=True)
class PayInPace:
    """How fast pay-in orders are opened and asked after."""

    call_deadline: dt.timedelta = dt.timedelta(seconds=10)
    lease: dt.timedelta = dt.timedelta(seconds=30)
    valid_for: dt.timedelta = dt.timedelta(minutes=30)
    """How long a seller may take to pay."""
    check_delays: tuple[dt.timedelta, ...] = tuple(
        dt.timedelta(seconds=seconds) for seconds in (3, 3, 5, 5, 10, 10, 15, 30, 30, 60)
    )
    """After the first call, the second, …; the last one repeats."""
    checks_after_end: tuple[dt.timedelta, ...] = (
        dt.timedelta(minutes=10),
        dt.timedelta(days=1),
    )
    """An order that ended unpaid is asked about this often again: a channel may be late."""
    look_again_after: dt.timedelta = dt.timedelta(seconds=2)
    """A person who presses "look again" does not make us ask more often than this."""

    def __post_init__(self) -> None:
        ensure(self.call_deadline < self.lease, "a call ends before its lease")
        ensure(len(self.check_delays) > 0, "there is a delay before the next check")

    def delay_after(self, checks: int) -> dt.timedelta:
        """How long to wait after that many checks without news."""
        return self.check_delays[min(checks, len(self.check_delays) - 1)]

    def delay_after_end(self, checks: int) -> dt.timedelta | None:
        """How long to wait before asking again about an order that ended unpaid, if at all."""
        return self.checks_after_end[checks] if checks < len(self.checks_after_end) else None

    @classmethod
    def brisk(cls) -> Self:
        """For demo and tests: the same steps, quicker."""
        return cls(
            call_deadline=dt.timedelta(seconds=2),
            lease=dt.timedelta(seconds=4),
            check_delays=tuple(dt.timedelta(seconds=seconds) for seconds in (1, 1, 2, 2, 3)),
            checks_after_end=(dt.timedelta(seconds=5), dt.timedelta(seconds=30)),
            look_again_after=dt.timedelta(0),
        )
