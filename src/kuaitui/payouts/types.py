"""The words of payouts as values."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Final

from kuaitui.kernel.invariants import ensure

ALL_CHANNELS: Final = "*"


class AttemptKind(enum.StrEnum):
    """What a call is for."""

    SEND = "send"
    QUERY = "query"
    SEND_AGAIN = "send_again"
    """Hand over once more what the channel has and asked for again."""
    HAND_OVER = "hand_over"
    """Tell the channel to which bank account a stuck refund goes."""
    CANCEL = "cancel"
    """Ask the channel to call a payout back."""


class AttemptOutcome(enum.StrEnum):
    """What a call came to, as it is recorded."""

    ACCEPTED = "accepted"
    WANTS_AGAIN = "wants_again"
    """Accepted, and it goes on only when it is handed the same order once more."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    FAILED_RETRYABLE = "failed_retryable"
    REJECTED_CONFIG = "rejected_config"
    NEEDS_ACTION = "needs_action"
    RETURNED = "returned"
    NOT_FOUND = "not_found"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


# A send with one of these as its own outcome certainly did not take effect.
WITHOUT_EFFECT: Final = frozenset(
    {
        AttemptOutcome.NOT_SENT,
        AttemptOutcome.REJECTED_CONFIG,
        AttemptOutcome.FAILED_RETRYABLE,
    }
)
# These show that the channel has the number.
ACKNOWLEDGING: Final = frozenset(
    {
        AttemptOutcome.ACCEPTED,
        AttemptOutcome.WANTS_AGAIN,
        AttemptOutcome.SUCCEEDED,
        AttemptOutcome.NEEDS_ACTION,
        AttemptOutcome.RETURNED,
    }
)
GIVEN_UP: Final = "GIVEN_UP"
"""The code of a leg of which two people said that it was never paid."""


class InterventionKind(enum.StrEnum):
    """What people decided about a leg with which the machine cannot go on."""

    HAND_OVER = "hand_over"
    CANCEL = "cancel"
    GIVE_UP = "give_up"
    """Its channel does not know the number: it was never paid. No call is made for it."""

    @property
    def attempt(self) -> AttemptKind:
        """The call that it takes; to give up takes none."""
        return AttemptKind(self.value)


class InterventionEnd(enum.StrEnum):
    """Why an intervention is over."""

    WENT_ON = "went_on"
    """The leg no longer waits for a person."""
    STUCK = "stuck"
    """The channel took the account, and the refund is stuck as before: it takes another account."""
    WITHDRAWN = "withdrawn"
    """Taken back by a person."""


class SendOf(enum.StrEnum):
    """Whose send it was: each sort counts its attempts by itself."""

    LEG = "leg"
    SEND_BACK = "send_back"


class HoldCause(enum.StrEnum):
    """Why sending waits until the channels have been asked about everything."""

    INCARNATION = "incarnation"
    """The database runs on another server, history or name than the one it last sent from."""
    MARK = "mark"
    """The database does not know the last send that this installation made."""
    PERSON = "person"


class LimitScope(enum.StrEnum):
    """What a limit is a limit of. Days are any 24 hours."""

    PAYOUT = "payout"
    SHOP_DAY = "shop_day"
    OPERATOR_DAY = "operator_day"
    """What one person's approvals let go. The rule is no person: see `RULE_DAY`."""
    RULE_DAY = "rule_day"
    """What was approved by rule alone, all of it together."""
    CHANNEL_LEG = "channel_leg"
    CHANNEL_DAY = "channel_day"
    CHANNEL_FLOOR = "channel_floor"
    """The balance that stays at the channel."""

    @property
    def is_of_a_channel(self) -> bool:
        """Whether each channel has its own."""
        return self.value.startswith("channel_")


class WaitsFor(enum.StrEnum):
    """Why a leg that is ready is not sent. Set aside: until people act. Else: until its turn."""

    PAYOUT_LIMIT = "payout_limit"
    LEG_LIMIT = "leg_limit"
    SHOP_DAY_LIMIT = "shop_day_limit"
    OPERATOR_DAY_LIMIT = "operator_day_limit"
    RULE_DAY_LIMIT = "rule_day_limit"
    DAY_LIMIT = "day_limit"
    ABOVE_SHOP_DAY = "above_shop_day"
    """Larger by itself than a day's limit: it would wait for ever."""
    ABOVE_OPERATOR_DAY = "above_operator_day"
    ABOVE_RULE_DAY = "above_rule_day"
    ABOVE_DAY = "above_day"
    BALANCE_FLOOR = "balance_floor"
    BALANCE_UNKNOWN = "balance_unknown"


class BalanceSource(enum.StrEnum):
    """Who said what lies at a channel."""

    PERSON = "person"
    STATEMENT = "statement"
    CHANNEL = "channel"


class PostingKind(enum.StrEnum):
    """What a leg posts to the ledger, each once at most. The value is the journal's kind."""

    SENT = "payout.leg_sent"
    SETTLED = "payout.leg_settled"
    FAILED = "payout.leg_failed"
    RETURNED = "payout.leg_returned"


@dataclass(frozen=True, slots=True)
class TripRates:
    """From which share of bad sends on a channel is stopped by itself."""

    window: dt.timedelta = dt.timedelta(minutes=10)
    sends_min: int = 20
    """Fewer say nothing."""
    unknown_percent: int = 50
    failed_percent: int = 80

    def broken_by(self, *, sends: int, unknown: int, failed: int) -> str:
        """Which rate is too high, or nothing."""
        if sends < self.sends_min:
            return ""
        if unknown * 100 >= self.unknown_percent * sends:
            return "unknown rate"
        return "failure rate" if failed * 100 >= self.failed_percent * sends else ""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast payouts are carried out and asked after."""

    call_deadline: dt.timedelta = dt.timedelta(seconds=20)
    lease: dt.timedelta = dt.timedelta(seconds=60)
    check_delays: tuple[dt.timedelta, ...] = tuple(
        dt.timedelta(minutes=minutes) for minutes in (1, 1, 1, 1, 1, 5, 10, 20, 30)
    )
    """After the first attempt, the second, …; the last one repeats."""
    paid_check_every: dt.timedelta = dt.timedelta(days=1)
    alarm_after: dt.timedelta = dt.timedelta(hours=2)
    """From here on an unknown outcome is a person's business."""
    processing_alarm_after: dt.timedelta = dt.timedelta(days=3)

    def __post_init__(self) -> None:
        ensure(self.call_deadline < self.lease, "a call ends before its lease")
        ensure(len(self.check_delays) > 0, "there is a delay before the next check")
        ensure(
            min(*self.check_delays, self.paid_check_every) > dt.timedelta(0), "checks take turns"
        )

    def delay_after(self, checks: int) -> dt.timedelta:
        """How long to wait after that many checks without news."""
        return self.check_delays[min(checks, len(self.check_delays) - 1)]

    @property
    def word_holds(self) -> dt.timedelta:
        """How long a channel's word that it wants an order again is acted on: to the next look."""
        return 2 * max(self.check_delays)

    @classmethod
    def brisk(cls) -> Pace:
        """For demo and tests: the same steps in seconds."""
        return cls(
            call_deadline=dt.timedelta(seconds=2),
            lease=dt.timedelta(seconds=4),
            check_delays=tuple(dt.timedelta(seconds=seconds) for seconds in (1, 1, 1, 2, 3, 5)),
            paid_check_every=dt.timedelta(seconds=5),
            alarm_after=dt.timedelta(seconds=30),
            processing_alarm_after=dt.timedelta(minutes=10),
        )
