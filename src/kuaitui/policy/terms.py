"""The terms in force: a policy pack, read and checked."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from kuaitui.kernel.money import Money
from kuaitui.policy.calendar import add_working_days, count_working_days
from kuaitui.policy.types import Clause, Confidence, RefundKind, RestrictionKind, Standing, Text

OPERATOR: Final = "operator"


class DayUnit(enum.StrEnum):
    """What a number of days counts."""

    NATURAL_DAYS = "natural_days"
    WORKING_DAYS = "working_days"


class HoldAnchor(enum.StrEnum):
    """The event a hold counts from."""

    LAST_COMPLETED_ORDER = "last_completed_order"
    SHOP_CLOSED = "shop_closed"
    LAST_DISPUTE_CLOSED = "last_dispute_closed"
    EXPULSION = "expulsion"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a value comes from and how far it may be trusted."""

    confidence: Confidence
    source: str
    seen_on: dt.date
    is_verified: bool

    @property
    def is_operators_own(self) -> bool:
        """The marketplace's operator chose it; no platform publishes it."""
        return self.source == OPERATOR


@dataclass(frozen=True, slots=True)
class Period:
    """A number of days, in its unit."""

    count: int
    unit: DayUnit
    provenance: Provenance

    def after(self, start_on: dt.date) -> dt.date:
        """The day on which the period, begun on `start_on`, is over."""
        if self.unit is DayUnit.WORKING_DAYS:
            return add_working_days(start_on, self.count)
        return start_on + dt.timedelta(days=self.count)

    def is_provisional_after(self, start_on: dt.date) -> bool:
        """Whether that day may still move because a year's holidays are not announced."""
        return (
            self.unit is DayUnit.WORKING_DAYS
            and count_working_days(start_on, self.count).is_provisional
        )

    @property
    def text(self) -> Text:
        """The period in words."""
        if self.unit is DayUnit.WORKING_DAYS:
            return Text(f"{self.count} 个工作日", f"{self.count} working days")
        return Text(f"{self.count} 个自然日", f"{self.count} days")


@dataclass(frozen=True, slots=True)
class AmountLimit:
    """A sum at which something changes."""

    amount: Money
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class ConditionTerms:
    """That a condition applies, to which kinds of refund, and by which clause."""

    code: str
    refund_kinds: frozenset[RefundKind]
    clause: Clause
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class Hold:
    """A period that must pass after an event. Several holds must all be over."""

    anchor: HoldAnchor
    period: Period
    only_if_expelled: bool
    clause: Clause


@dataclass(frozen=True, slots=True)
class ClosingNotice:
    """The public notice before a shop closes."""

    period: Period
    is_required: bool


@dataclass(frozen=True, slots=True)
class OwnCondition:
    """A condition only this pack has: an expression over the measures that must be true."""

    code: str
    refund_kinds: frozenset[RefundKind]
    passes_when: str
    title: Text
    passed: Text
    failed: Text
    act: Text
    clause: Clause
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class RouteWindow:
    """How long after the pay-in a channel can pay back along the original route."""

    channel: str
    period: Period


@dataclass(frozen=True, slots=True)
class Review:
    """What the marketplace promises and asks while it looks at an application."""

    review_time: Period
    arrival_time: Period
    appeal_window: Period
    more_information_window: Period
    repair_reminder_time: Period
    """After which a seller is reminded that money came back and waits for another account."""
    repair_time: Period
    """After which what came back and was not repaired may be closed out."""
    deduction_reply_time: Period
    """For which a seller can reply to a deduction before anything is taken."""
    deduction_decision_time: Period
    """After which a deduction that nobody has decided lapses, counted from the time to reply."""
    auto_approval_limit: AmountLimit
    second_approval_from: AmountLimit

    def allows_automatic_approval(self, amount: Money) -> bool:
        """Small enough to be approved by rule; never in a currency the pack sets no limit for."""
        limit = self.auto_approval_limit.amount
        return amount.currency == limit.currency and amount <= limit

    def requires_second_approval(self, amount: Money) -> bool:
        """Large enough for two people; always in a currency the pack sets no tier for."""
        tier = self.second_approval_from.amount
        return amount.currency != tier.currency or amount >= tier


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of one policy pack. `digest` names its exact content."""

    pack: str
    version: str
    digest: str
    title: Text
    zone: ZoneInfo
    currency: str
    conditions: tuple[ConditionTerms, ...]
    restriction_kinds: frozenset[RestrictionKind]
    banned_standings: frozenset[Standing]
    holds: tuple[Hold, ...]
    closing_notice: ClosingNotice | None
    own_conditions: tuple[OwnCondition, ...]
    review: Review
    original_routes: tuple[RouteWindow, ...]

    def __hash__(self) -> int:
        return hash(self.digest)

    def condition(self, code: str) -> ConditionTerms | None:
        """The terms of a condition, if it applies at all."""
        return next((item for item in self.conditions if item.code == code), None)

    def original_route_until(self, *, channel: str, paid_at: dt.datetime) -> dt.datetime | None:
        """When the original route of a pay-in ends by this pack; None if the pack knows no end."""
        for route in self.original_routes:
            if route.channel == channel:
                paid_on = paid_at.astimezone(self.zone).date()
                midnight = dt.datetime.combine(route.period.after(paid_on), dt.time(), self.zone)
                return midnight.astimezone(dt.UTC)
        return None
