"""The ways money leaves, and the accounts it goes to."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from kuaitui.channels import port as channels
from kuaitui.channels.port import AmountLimits, ChannelCapabilities, PayeeKind
from kuaitui.deposits.types.accounts import Lot
from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import Money


class Route(enum.StrEnum):
    """Which way money leaves."""

    ORIGINAL = "original"
    """Back along the payment it came by."""
    DESIGNATED = "designated"
    """To a verified account of the same person or company."""


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
