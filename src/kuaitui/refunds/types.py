"""The words of refunds as values."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass

from kuaitui.deposits.types import Destination, PlannedLeg, RoutePlan
from kuaitui.kernel.money import Money
from kuaitui.policy.types import Assessment, RefundKind


class AmountChoice(enum.StrEnum):
    """How much the seller asks back."""

    WHOLE = "whole"
    PART = "part"
    EXCESS = "excess"


class Reason(enum.StrEnum):
    """Why the seller asks it back."""

    CLOSING_SHOP = "closing_shop"
    CHANGING_CATEGORY = "changing_category"
    CHANGING_PLATFORM = "changing_platform"
    EXCESS_RETURNED = "excess_returned"
    OTHER = "other"


class RejectReason(enum.StrEnum):
    """Why staff reject."""

    TRADE_NOT_COMPLETE = "trade_not_complete"
    VIOLATION_OPEN = "violation_open"
    HOLD_NOT_OVER = "hold_not_over"
    DESTINATION_NOT_SAME_PERSON = "destination_not_same_person"
    INFORMATION_MISSING = "information_missing"
    INFORMATION_WRONG = "information_wrong"
    SUSPECTED_TAKEOVER = "suspected_takeover"
    DEPOSIT_DEDUCTED = "deposit_deducted"
    OTHER = "other"


class Standing(enum.StrEnum):
    """How far the days that were told still hold."""

    KEPT = "kept"
    LATE = "late"
    """Not handed over in time. The days are those of a hand-over today."""
    MOVED = "moved"
    """Handed over later than planned. The days are the new ones."""
    OVERDUE = "overdue"
    """Handed over, and the last of the days is over. No new one is known."""
    SETTLED = "settled"
    """Arrived, given back or called off: nothing is expected."""


class WayBack(enum.StrEnum):
    """Whether a part that is planned to go back the way it came still can when it is its turn."""

    OPEN = "open"
    """It can; or it goes elsewhere, or has gone."""
    CLOSING = "closing"
    """Its channel may stop taking it back before it is handed over."""
    CLOSED = "closed"
    """Its channel no longer takes it back. It needs an account."""


@dataclass(frozen=True, slots=True)
class Eta:
    """By when it is reviewed and between which days the money arrives."""

    review_by: dt.date
    arrives_from: dt.date
    arrives_by: dt.date
    is_provisional: bool
    """A holiday of a year that is not announced yet could move it."""
    standing: Standing = Standing.KEPT


@dataclass(frozen=True, slots=True)
class ExpectedPart:
    """A part of a refund and between which days it is expected where it goes."""

    leg: PlannedLeg
    arrives_from: dt.date | None
    """None, as `arrives_by`: the channel does not say how long it takes."""
    arrives_by: dt.date | None
    is_provisional: bool = False
    standing: Standing = Standing.KEPT
    is_sent: bool = False
    """It left: by when it would have to leave matters no more."""
    way_back: WayBack = WayBack.OPEN


@dataclass(frozen=True, slots=True)
class ClosingWayBack:
    """What can go back the way it came only if it is sent earlier than the review may take."""

    amount: Money
    until: dt.datetime
    """When the first part of it no longer can."""


@dataclass(frozen=True, slots=True)
class RefundPreview:
    """What would happen if the seller applied now."""

    account_id: str
    choice: AmountChoice
    kind: RefundKind
    assessment: Assessment
    amount: Money
    amount_max: Money
    plan: RoutePlan | None
    """None when a part cannot go back the way it came and no destination was chosen."""
    needs_destination: bool
    destination: Destination | None
    eta: Eta
    parts: tuple[ExpectedPart, ...]
    closing: ClosingWayBack | None
    by_rule: bool
    requires_second_approval: bool
    open_application_id: str | None
    policy_pack: str
    policy_version: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """A submitted application; `is_new` is false when the form had been sent before."""

    application_id: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Draft:
    """What a seller typed so far."""

    application_id: str
    choice: AmountChoice
    amount: Money | None
    reason: Reason | None
    note: str
    destination_id: str


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One line of the story of an application."""

    number: int
    at: dt.datetime
    actor_kind: str
    actor_id: str
    code: str
    from_state: str
    to_state: str
    details: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class DecisionView:
    """What somebody decided, and what it bound."""

    number: int
    kind: str
    actor_kind: str
    actor_id: str
    decided_at: dt.datetime
    approval_hash: str
    reasons: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """What staff asked, by when it must be answered, and the answer."""

    text: str
    asked_at: dt.datetime
    due_at: dt.datetime | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an application was rejected and until when that can be appealed."""

    reasons: tuple[RejectReason, ...]
    text: str
    decided_at: dt.datetime
    appeal_until: dt.datetime | None
    can_appeal: bool


@dataclass(frozen=True, slots=True)
class CloseOut:
    """That money which came back is not sent again: proposed by one, confirmed by another."""

    text: str
    proposed_by: str
    proposed_at: dt.datetime
    is_done: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """A fact that is not what it was when the seller applied."""

    path: str
    then: object
    now: object
