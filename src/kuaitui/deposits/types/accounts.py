"""Deposits in figures: lots, holds, statements."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from kuaitui.kernel.money import Money


class DepositKind(enum.StrEnum):
    """What a deposit is for."""

    SHOP = "shop"
    PROMOTION = "promotion"
    CROSS_BORDER = "cross_border"
    CAMPAIGN = "campaign"
    SERVICE_PROVIDER = "service_provider"


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
        """What lies here beyond what is required, as far as it is free.

        What is set aside counts toward what is required: it lies here. The policy says the same of
        an excess (`kuaitui.policy.conditions.refundable_minor`).
        """
        beyond = min(self.held - self.required, self.held - self.frozen - self.owed)
        return beyond if beyond.is_positive else Money.zero(self.currency)

    @property
    def shortfall(self) -> Money:
        """What is missing to what is required."""
        missing = self.required - self.held
        return missing if missing.is_positive else Money.zero(self.currency)

    def _sum(self, column: str) -> Money:
        return Money(sum(getattr(lot, column).minor for lot in self.lots), self.currency)


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
