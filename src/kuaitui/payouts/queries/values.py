"""What the queries answer with."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from kuaitui.channels.port import NeededAction
from kuaitui.kernel.money import Money
from kuaitui.payouts.states import REPAIRABLE, LegState, PayoutState
from kuaitui.payouts.types import (
    AttemptKind,
    AttemptOutcome,
    BalanceSource,
    HoldCause,
    LimitScope,
)


@dataclass(frozen=True, slots=True)
class LegProgress:
    """A leg as its seller may see it."""

    leg_id: str
    lot_id: str
    amount: Money
    route: str
    channel: str
    destination_id: str
    tail: str
    state: LegState
    sent_at: dt.datetime | None
    settled_at: dt.datetime | None
    returned_at: dt.datetime | None
    failed_at: dt.datetime | None
    bank_reference: str
    """The channel's own number, 给银行看的流水号. Empty until the channel named one."""
    code: str
    """Why it failed or came back."""
    is_replaced: bool
    is_closed_out: bool
    """Whether it was given up: its money is in the deposit, and it is never sent again."""
    handed_over_to: str = ""
    """The account that its channel was told to pay instead, when the way back was stuck."""

    @property
    def left_at(self) -> dt.datetime | None:
        """When it left; None while it has not, or was sent and certainly not taken."""
        return None if self.state is LegState.READY else self.sent_at

    @property
    def needed_action(self) -> NeededAction | None:
        """For what the channel waits for a person."""
        waits = self.state is LegState.NEEDS_ACTION and self.code
        return NeededAction(self.code) if waits else None


@dataclass(frozen=True, slots=True)
class PayoutProgress:
    """A payout and its legs, in the order they were made."""

    payout_id: str
    application_id: str
    state: PayoutState
    amount: Money
    begun_at: dt.datetime
    paid_at: dt.datetime | None
    legs: tuple[LegProgress, ...]

    @property
    def is_sent(self) -> bool:
        """Whether a leg was ever sent: from here on the seller cannot withdraw."""
        return any(leg.sent_at is not None for leg in self.legs)

    @property
    def standing_legs(self) -> tuple[LegProgress, ...]:
        """The legs that count: none that another took the place of."""
        return tuple(leg for leg in self.legs if not leg.is_replaced)

    @property
    def repairable_legs(self) -> tuple[LegProgress, ...]:
        """The legs whose money came back, or was not paid, and was not sent again or given up."""
        return tuple(
            leg for leg in self.standing_legs if leg.state in REPAIRABLE and not leg.is_closed_out
        )


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One call as the staff sees it."""

    attempt_no: int
    kind: AttemptKind
    fence: int
    started_at: dt.datetime
    finished_at: dt.datetime | None
    outcome: AttemptOutcome | None
    cause: str


@dataclass(frozen=True, slots=True)
class LegInMonitor:
    """A leg as the staff sees it."""

    leg_id: str
    payout_id: str
    application_id: str
    account_id: str
    channel: str
    channel_number: str
    amount: Money
    route: str
    tail: str
    """The end of the account it goes to; empty on the way back."""
    state: LegState
    since: dt.datetime
    next_check_at: dt.datetime | None
    attempts_count: int
    is_in_flight: bool
    is_delayed: bool
    set_aside_at: dt.datetime | None
    set_aside_reason: str
    waits_for: str
    code: str


@dataclass(frozen=True, slots=True)
class ChannelCount:
    """How many legs of a channel are in one state, and how much money that is."""

    channel: str
    state: LegState
    legs_count: int
    amount: Money
    oldest_since: dt.datetime


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """Whether sending is stopped, for one channel or (`*`) for all."""

    channel: str
    is_stopped: bool
    reason: str
    set_by: str
    set_at: dt.datetime
    release_proposed_by: str
    release_reason: str


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit in force, or a proposal that waits for a second person. No amount lifts a limit."""

    limit_id: int
    scope: LimitScope
    channel: str
    currency: str
    amount: Money | None
    proposed_by: str
    proposed_at: dt.datetime
    confirmed_by: str
    confirmed_at: dt.datetime | None

    @property
    def is_in_force(self) -> bool:
        """Whether a second person confirmed it."""
        return self.confirmed_at is not None


@dataclass(frozen=True, slots=True)
class KnownBalance:
    """What somebody last said that lies at a channel, and what we sent since."""

    channel: str
    balance: Money
    sent_since: Money
    as_of: dt.datetime
    source: BalanceSource
    told_by: str

    @property
    def left(self) -> Money:
        """What should lie there now, without what came in."""
        return self.balance - self.sent_since


@dataclass(frozen=True, slots=True)
class PayoutsOverview:
    """The payouts monitor at a glance."""

    counts: tuple[ChannelCount, ...]
    switches: tuple[KillSwitch, ...]
    oldest_unknown_since: dt.datetime | None
    set_aside_count: int
    """Legs, and payments going back, that wait for a person."""
    due_count: int
    """Legs whose turn has come and that nobody has taken yet."""
    due_since: dt.datetime | None
    """When the turn of the first of them came. A worker takes them within a second or two."""
    hold: Hold | None
    overdue_count: int
    """Legs, and payments going back, without a clear result for so long that people were called."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Sending waits until the channels were asked about everything and two people agree."""

    cause: HoldCause
    reason: str
    begun_by: str
    begun_at: dt.datetime
    proposed_by: str
    proposed_at: dt.datetime | None
    finding: str
    unasked_count: int
