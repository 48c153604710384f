"""Reports: how a thing stood at a moment, in the marketplace's words."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TypeAlias

from kuaitui.facts.types.words import (
    AfterSaleStatus,
    DebtKind,
    DebtStatus,
    DisputeStatus,
    OrderStatus,
    RestrictionKind,
    ShopKind,
    Standing,
    ViolationStatus,
)
from kuaitui.kernel.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopRecord:
    """A shop as it stands. `key` never leaves the process; `id` is the marketplace's own."""

    key: int
    id: str
    name: str
    kind: ShopKind
    categories: tuple[str, ...]
    standing: Standing
    currency: str
    zone: str
    opened_at: dt.datetime
    closing_notice_at: dt.datetime | None
    closed_at: dt.datetime | None
    expelled_at: dt.datetime | None
    listings_on_sale: int
    withdrawable_balance: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopReport:
    """How a shop itself stands."""

    shop_id: str
    standing: Standing
    status_at: dt.datetime
    kind: ShopKind
    opened_at: dt.datetime
    name: str = ""
    categories: tuple[str, ...] = field(default_factory=tuple)
    closing_notice_at: dt.datetime | None = None
    closed_at: dt.datetime | None = None
    expelled_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """How an order stands."""

    shop_id: str
    order_id: str
    status: OrderStatus
    status_at: dt.datetime
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterSaleReport:
    """How a buyer's return or refund request stands."""

    shop_id: str
    after_sale_id: str
    order_id: str
    status: AfterSaleStatus
    status_at: dt.datetime
    opened_at: dt.datetime
    closed_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeReport:
    """How a dispute before the marketplace stands."""

    shop_id: str
    dispute_id: str
    status: DisputeStatus
    status_at: dt.datetime
    opened_at: dt.datetime
    closed_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ViolationReport:
    """How a breach of the marketplace's rules stands."""

    shop_id: str
    violation_id: str
    status: ViolationStatus
    status_at: dt.datetime
    occurred_at: dt.datetime
    settled_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictionReport:
    """What a shop may not do, from when to when; the end is not part of the period."""

    shop_id: str
    restriction_id: str
    kind: RestrictionKind
    status_at: dt.datetime
    from_at: dt.datetime
    to_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DebtReport:
    """What a shop owes the marketplace."""

    shop_id: str
    debt_id: str
    kind: DebtKind
    amount: Money
    status: DebtStatus
    status_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingsReport:
    """How many of a shop's goods are on sale."""

    shop_id: str
    listings_on_sale: int
    status_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceReport:
    """How much of its sales a shop could withdraw and has not."""

    shop_id: str
    withdrawable_balance: Money
    status_at: dt.datetime


Report: TypeAlias = (
    ShopReport
    | OrderReport
    | AfterSaleReport
    | DisputeReport
    | ViolationReport
    | RestrictionReport
    | DebtReport
    | ListingsReport
    | BalanceReport
)
# All but those on orders, which are many and have a log of their own.
ReportInLog: TypeAlias = (
    ShopReport
    | AfterSaleReport
    | DisputeReport
    | ViolationReport
    | RestrictionReport
    | DebtReport
    | ListingsReport
    | BalanceReport
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What one intake of reports did."""

    intake_key: int
    reports: int


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row of a file that was not taken, and why."""

    file: str
    line: int
    reason: str
    content: str


@dataclass(frozen=True, slots=True)
class ReportedRow:
    """A row of a file that reports something else than an order."""

    file: str
    line: int
    report: ReportInLog


@dataclass(frozen=True, slots=True, kw_only=True)
class FileIntake:
    """How far a file has been taken in."""

    key: int
    public_id: str
    rows_read: int
    rows_recorded: int
    rows_refused: int
    is_finished: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewShops:
    """What is assumed of a shop that first appears in a file. Amounts tell their own currency."""

    kind: ShopKind
    zone: str
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactCounts:
    """How many things of a shop are open."""

    open_orders: int
    open_after_sales: int
    open_disputes: int
    open_violations: int
    open_debt_minor: int
