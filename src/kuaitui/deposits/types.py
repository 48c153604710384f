"""The words of deposits as values."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from kuaitui.channels import port as channels
from kuaitui.channels.port import AmountLimits, ChannelCapabilities, PayeeKind
from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import Money


class DepositKind(enum.StrEnum):
    """What a deposit is for."""

    SHOP = "shop"
    PROMOTION = "promotion"
    CROSS_BORDER = "cross_border"
    CAMPAIGN = "campaign"
    SERVICE_PROVIDER = "service_provider"


class Route(enum.StrEnum):
    """Which way money leaves."""

    ORIGINAL = "original"
    """Back along the payment it came by."""
    DESIGNATED = "designated"
    """To a verified account of the same person or company."""


class DeductionPurpose(enum.StrEnum):
    """Who gets what is deducted."""

    COMPENSATION = "compensation"
    PENALTY = "penalty"


class HoldKind(enum.StrEnum):
    """What money is set aside for."""

    APPLICATION = "application"
    """It is to go back to the seller."""
    DEDUCTION = "deduction"
    """It may be taken: a deduction was announced, and the seller is being heard."""


class StatementKind(enum.StrEnum):
    """What happened to the money, in the seller's view."""

    PAID_IN = "paid_in"
    FROZEN = "frozen"
    RELEASED = "released"
    SENT = "sent"
    SETTLED = "settled"
    FAILED_BACK = "failed_back"
    RETURNED = "returned"
    DEDUCTED = "deducted"
    OWED = "owed"
    SET_OFF = "set_off"
    GIVEN_BACK = "given_back"
    OWED_LESS = "owed_less"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Lot:
    """One payment into a deposit, and what became of it."""

    lot_id: str
    amount: Money
    paid_at: dt.datetime
    channel: str
    channel_reference: str
    refundable_until: dt.datetime | None
    reserved: Money
    refunded: Money
    deducted: Money

    @property
    def remaining(self) -> Money:
        """What no leg carries and no deduction took."""
        return self.amount - self.reserved - self.refunded - self.deducted

    def returns_by_original_route(self, *, now: dt.datetime) -> bool:
        """Whether its channel still takes the money back along the payment."""
        return self.refundable_until is not None and now < self.refundable_until


@dataclass(frozen=True, slots=True)
class DepositSummary:
    """One deposit in figures that explain each other.

    paid_in − deducted − refunded − in_transit − frozen = available, always.
    """

    account_id: str
    shop_key: int
    kind: DepositKind
    currency: str
    book_id: int
    is_open: bool
    opened_at: dt.datetime
    required: Money
    frozen: Money
    in_transit: Money
    available: Money
    owed: Money
    lots: tuple[Lot, ...]

    @property
    def paid_in(self) -> Money:
        """Everything ever paid into it."""
        return self._sum("amount")

    @property
    def deducted(self) -> Money:
        """Everything taken from it by deductions."""
        return self._sum("deducted")

    @property
    def refunded(self) -> Money:
        """Everything that went back and settled."""
        return self._sum("refunded")

    @property
    def held(self) -> Money:
        """What lies here now: available and frozen."""
        return self.available + self.frozen

    @property
    def excess(self) -> Money:
        """What lies here, free, beyond what is required."""
        free = self.held - self.required - self.frozen - self.owed
        return free if free.is_positive else Money.zero(self.currency)

    @property
    def shortfall(self) -> Money:
        """What is missing to what is required."""
        missing = self.required - self.held
        return missing if missing.is_positive else Money.zero(self.currency)

    def _sum(self, column: str) -> Money:
        return Money(sum(getattr(lot, column).minor for lot in self.lots), self.currency)


@dataclass(frozen=True, slots=True)
class WaysOut:
    """What the channels of this installation can do, by name, and who pays which kind of account.

    A channel that is not named here (any more) can do nothing.
    """

    channels: Mapping[str, ChannelCapabilities]
    payers: Mapping[PayeeKind, str] = field(default_factory=dict)

    def takes_back(self, lot: Lot, *, parts: int, now: dt.datetime) -> bool:
        """Whether a lot's channel takes one more refund along the payment, after `parts` others."""
        capabilities = self.channels.get(lot.channel)
        if capabilities is None or channels.Route.ORIGINAL not in capabilities.routes:
            return False
        window, parts_max = capabilities.original_window, capabilities.refunds_per_payment_max
        return (
            lot.returns_by_original_route(now=now)
            and (window is None or now < lot.paid_at + window)
            and (parts_max is None or parts < parts_max)
        )

    def closes_at(self, lot: Lot) -> dt.datetime | None:
        """When a lot's way back closes: by its own window, or by the one its channel declares now."""
        capabilities = self.channels.get(lot.channel)
        window = capabilities.original_window if capabilities else None
        if lot.refundable_until is None or window is None:
            return lot.refundable_until
        return min(lot.refundable_until, lot.paid_at + window)

    def limits(self, channel: str, route: Route) -> AmountLimits:
        """How much one payment through that channel may be."""
        return self.channels[channel].limits(channels.Route(route.value))

    def payer(self, kind: PayeeKind, *, lot_channel: str) -> str | None:
        """The channel that pays an account of that kind: the one chosen for it, else the lot's own."""
        name = self.payers.get(kind, lot_channel)
        capabilities = self.channels.get(name)
        can_pay = (
            capabilities is not None
            and channels.Route.DESIGNATED in capabilities.routes
            and kind in capabilities.payee_kinds
        )
        return name if can_pay else None


@dataclass(frozen=True, slots=True)
class PlannedLeg:
    """One part of a refund: which lot it comes from and which way it goes."""

    lot_id: str
    amount: Money
    route: Route
    channel: str
    channel_reference: str
    refundable_until: dt.datetime | None
    destination_id: str

    def to_json(self) -> dict[str, object]:
        """The leg as plain values, in a fixed order of keys."""
        until = self.refundable_until
        return {
            "lot_id": self.lot_id,
            "amount_minor": self.amount.minor,
            "currency": self.amount.currency,
            "route": self.route.value,
            "channel": self.channel,
            "channel_reference": self.channel_reference,
            "refundable_until": until.astimezone(dt.UTC).isoformat() if until else None,
            "destination_id": self.destination_id,
        }

    @classmethod
    def from_json(cls, leg: Mapping[str, object]) -> Self:
        """The leg that `to_json` wrote."""
        until = leg["refundable_until"]
        minor = leg["amount_minor"]
        ensure(isinstance(minor, int), "a planned amount is a whole number")
        return cls(
            lot_id=str(leg["lot_id"]),
            amount=Money(int(str(minor)), str(leg["currency"])),
            route=Route(str(leg["route"])),
            channel=str(leg["channel"]),
            channel_reference=str(leg["channel_reference"]),
            refundable_until=dt.datetime.fromisoformat(str(until)) if until else None,
            destination_id=str(leg["destination_id"]),
        )


@dataclass(frozen=True, slots=True)
class RoutePlan:
    """How a refund is split into legs, known before anybody confirms."""

    legs: tuple[PlannedLeg, ...]

    def __post_init__(self) -> None:
        ensure(len(self.legs) > 0, "a plan has at least one leg")
        ensure(all(leg.amount.is_positive for leg in self.legs), "every leg carries money")

    @property
    def total(self) -> Money:
        """What all legs carry together."""
        first, *rest = (leg.amount for leg in self.legs)
        return sum(rest, first)

    @property
    def needs_destination(self) -> bool:
        """Whether some part cannot go back the way it came."""
        return any(leg.route is Route.DESIGNATED for leg in self.legs)

    def by_route(self, route: Route) -> Money:
        """What goes that way."""
        return Money(
            sum(leg.amount.minor for leg in self.legs if leg.route is route), self.total.currency
        )

    def to_json(self) -> list[dict[str, object]]:
        """The plan as plain values."""
        return [leg.to_json() for leg in self.legs]

    @classmethod
    def from_json(cls, legs: list[dict[str, object]]) -> Self:
        """The plan that `to_json` wrote."""
        return cls(tuple(PlannedLeg.from_json(leg) for leg in legs))


@dataclass(frozen=True, slots=True)
class Destination:
    """A payee account of the shop's owner, as people may see it."""

    destination_id: str
    shop_key: int
    holder_name: str
    bank_name: str
    tail4: str
    kind: PayeeKind
    bank_code: str
    """联行号 or BIC; empty where the bank's name is enough."""
    is_company: bool
    fingerprint: str
    added_at: dt.datetime
    added_by: str
    verified_at: dt.datetime | None
    usable_from: dt.datetime

    @property
    def is_verified(self) -> bool:
        """Whether somebody checked that it belongs to the shop's owner."""
        return self.verified_at is not None

    def is_cooling_down(self, *, now: dt.datetime) -> bool:
        """Whether it was added so lately that its owner must first have time to object."""
        return now < self.usable_from


@dataclass(frozen=True, slots=True)
class PayeeDetails:
    """A verified destination in full, for the channel's eyes only."""

    destination_id: str
    holder_name: str
    bank_name: str
    account_number: str = field(repr=False)
    kind: PayeeKind
    bank_code: str
    is_company: bool
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Money set aside for one application."""

    account_id: str
    reference: str
    amount: Money
    settled: Money
    released: Money
    deducted: Money

    @property
    def open(self) -> Money:
        """What is still set aside or on its way."""
        return self.amount - self.settled - self.released - self.deducted


@dataclass(frozen=True, slots=True)
class PayIn:
    """A payment that reached a deposit."""

    lot_id: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class DeductionItem:
    """One line of a deduction's calculation."""

    description: str
    quantity: int
    unit_amount: Money
    evidence: tuple[str, ...]
    """Ids of the orders, cases or violations it rests on."""

    @property
    def amount(self) -> Money:
        """Quantity times unit amount."""
        return Money(self.quantity * self.unit_amount.minor, self.unit_amount.currency)


@dataclass(frozen=True, slots=True)
class Deduction:
    """A decided deduction with its calculation and where the money was taken from."""

    deduction_id: str
    account_id: str
    purpose: DeductionPurpose
    reason: str
    clause: str
    reference: str
    decided_at: dt.datetime
    amount: Money
    from_available: Money
    from_frozen: Money
    still_owed: Money
    given_back: Money
    """What an appeal brought back of it."""
    items: tuple[DeductionItem, ...]


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One movement in the seller's words, with the balances after it."""

    number: str
    occurred_at: dt.datetime
    kind: StatementKind
    amount: Money
    change: Money
    """By how much it changed what the seller can use."""
    available: Money
    frozen: Money
    in_transit: Money
    reference: str


@dataclass(frozen=True, slots=True)
class StatementPage:
    """A page of the statement, newest line first."""

    lines: tuple[StatementLine, ...]
    next: str | None
    is_first: bool
    """It begins with the newest line of all."""


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
