"""What a channel can do and what it cannot, declared."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from kuaitui.channels.port.instructions import PayeeKind, Route
from kuaitui.channels.port.pay_ins import PayInMethod
from kuaitui.channels.port.statements import StatementKind
from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import Money

NOTHING_BETWEEN = dt.timedelta(0)


@dataclass(frozen=True, slots=True)
class Arrival:
    """After how many days money handed over is usually with its payee, by the channel's own word.

    Days are counted in `zone` from the day of the hand-over. With a `cut_off`, what is handed over
    after it, or on a day on which banks are closed, counts from the next working day.
    """

    days_min: int
    days_max: int
    zone: ZoneInfo
    in_working_days: bool = True
    cut_off: dt.time | None = None

    def __post_init__(self) -> None:
        ensure(0 <= self.days_min <= self.days_max, "money arrives between two days in order")


@dataclass(frozen=True, slots=True)
class AmountLimits:
    """The smallest and the largest amount of one payment, both still taken. None: no limit known.

    They are told in one currency, and say nothing about amounts in another.
    """

    smallest: Money | None = None
    largest: Money | None = None

    def __post_init__(self) -> None:
        told = [limit for limit in (self.smallest, self.largest) if limit is not None]
        ensure(all(limit.is_positive for limit in told), "a limit is an amount of money")
        ensure(told == sorted(told), "the smallest amount is not above the largest")

    def is_too_small(self, amount: Money) -> bool:
        """Whether less is paid than the channel takes."""
        limit = self.smallest
        return limit is not None and limit.currency == amount.currency and amount < limit

    def is_too_large(self, amount: Money) -> bool:
        """Whether more is paid at once than the channel takes."""
        limit = self.largest
        return limit is not None and limit.currency == amount.currency and amount > limit

    def takes(self, amount: Money) -> bool:
        """Whether one payment of that amount is inside the limits."""
        return not (self.is_too_small(amount) or self.is_too_large(amount))


NO_LIMITS = AmountLimits()


@dataclass(frozen=True, slots=True)
class ChannelCapabilities:
    """What a channel can do, and how long its promises hold."""

    routes: frozenset[Route]
    not_found_floor: dt.timedelta
    """Younger than this, a send the channel does not know may still arrive there."""
    resend_window: dt.timedelta
    """How long the channel remembers a number. Later it is only asked, never sent again."""
    return_window: dt.timedelta
    """How long after payment money may still come back."""
    payee_kinds: frozenset[PayeeKind] = field(default_factory=frozenset)
    """To what sort of account it pays on the designated route."""
    original_window: dt.timedelta | None = None
    """How long after a payment it takes a refund along it. None: it sets no limit."""
    refunds_per_payment_max: int | None = None
    """How many partial refunds of one payment it takes. None: it sets no limit."""
    refund_interval: dt.timedelta = NOTHING_BETWEEN
    """How long to wait between two refunds of one payment."""
    limits_original: AmountLimits = NO_LIMITS
    """How much one refund along a payment may be."""
    limits_designated: AmountLimits = NO_LIMITS
    """How much one payment to an account may be."""
    arrival_original: Arrival | None = None
    """When money sent back along its payment arrives. None: the channel does not say."""
    arrival_designated: Arrival | None = None
    """When money sent to an account arrives. None: the channel does not say."""
    pay_in_methods: frozenset[PayInMethod] = field(default_factory=frozenset)
    statement_kinds: frozenset[StatementKind] = field(default_factory=frozenset)
    is_batched: bool = False
    """Whether its payouts are gathered and released by two people before any leaves."""
    can_cancel: bool = False
    """Whether an accepted payout can be called back: see `CancellingChannel`."""
    confirm_within: dt.timedelta | None = None
    """How long a payee has to confirm, from the send. None: nobody has to."""
    confirm_page: str = ""
    """Before a `NeedsAction.hand_over`, the address where its payee confirms. Empty: only the
    payee's app can open it, by the hand-over itself."""
    confirm_call: tuple[tuple[str, str], ...] = ()
    """What the channel's app wants to hear beside the hand-over, when a page asks it to let its user
    confirm. Empty: no page can ask it."""
    identifies_payees: bool = False
    """Whether it says who a payee is: see `IdentifyingChannel`."""
    hands_over_abnormal: bool = False
    """Whether a stuck refund can be sent to a bank card: see `HandOverChannel`."""

    def limits(self, route: Route) -> AmountLimits:
        """How much one payment that goes this way may be."""
        match route:
            case Route.ORIGINAL:
                return self.limits_original
            case Route.DESIGNATED:
                return self.limits_designated

    def arrival(self, route: Route) -> Arrival | None:
        """When money that goes this way arrives, if the channel says so."""
        match route:
            case Route.ORIGINAL:
                return self.arrival_original
            case Route.DESIGNATED:
                return self.arrival_designated
