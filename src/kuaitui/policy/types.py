"""The shapes of FACTS.md as types that cannot be wrong once they are parsed."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Final

from kuaitui.kernel.money import Money


class RefundKind(enum.StrEnum):
    """What is asked back: everything on leaving, or what lies above the required amount."""

    FULL_EXIT = "full_exit"
    EXCESS = "excess"


class ShopKind(enum.StrEnum):
    """Who runs the shop, as the marketplace classes it."""

    INDIVIDUAL = "individual"
    SOLE_TRADER = "sole_trader"
    ENTERPRISE = "enterprise"
    FLAGSHIP = "flagship"
    FRANCHISE = "franchise"
    CROSS_BORDER = "cross_border"


class Standing(enum.StrEnum):
    """How the marketplace regards the shop."""

    NORMAL = "normal"
    RESTRICTED = "restricted"
    BANNED = "banned"
    EXPELLED = "expelled"
    CLOSED = "closed"


class DepositKind(enum.StrEnum):
    """What the deposit secures."""

    SHOP = "shop"
    PROMOTION = "promotion"
    CROSS_BORDER = "cross_border"
    CAMPAIGN = "campaign"
    SERVICE_PROVIDER = "service_provider"


class OrderStatus(enum.StrEnum):
    """How far an order has come; it is open until `completed` or `closed`."""

    PLACED = "placed"
    PAID = "paid"
    SHIPPED = "shipped"
    RECEIVED = "received"
    COMPLETED = "completed"
    CLOSED = "closed"


class CaseStatus(enum.StrEnum):
    """Whether an after-sale or a dispute is still open."""

    OPEN = "open"
    CLOSED = "closed"


class ViolationStatus(enum.StrEnum):
    """Whether a violation is still open; an appealed one is."""

    OPEN = "open"
    APPEALING = "appealing"
    SETTLED = "settled"


class RestrictionKind(enum.StrEnum):
    """What a restriction keeps the shop from doing."""

    LISTING = "listing"
    SALES = "sales"
    WITHDRAWAL = "withdrawal"
    LIVE = "live"


class DebtKind(enum.StrEnum):
    """What a debt is for."""

    COMMISSION = "commission"
    PENALTY = "penalty"
    LOAN = "loan"
    DELIVERY = "delivery"
    COMPENSATION = "compensation"
    OTHER = "other"


class DebtStatus(enum.StrEnum):
    """Whether a debt is still owed."""

    OPEN = "open"
    SETTLED = "settled"


class Confidence(enum.StrEnum):
    """A: official text. B: quoted by others with the clause. C: one page, or pages that differ."""

    A = "A"
    B = "B"
    C = "C"


@dataclass(frozen=True, slots=True)
class Shop:
    """The shop and its dates."""

    id: str
    kind: ShopKind
    categories: tuple[str, ...]
    standing: Standing
    opened_at: dt.datetime
    closing_notice_at: dt.datetime | None
    closed_at: dt.datetime | None
    expelled_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Lot:
    """One pay-in that is still held, as much of it as is held."""

    id: str
    amount_minor: int
    paid_at: dt.datetime
    channel: str
    refundable_until: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Deposit:
    """The deposit under assessment.

    `frozen_minor` is what other cases hold; the application being assessed does not count itself.
    """

    kind: DepositKind
    currency: str
    required_minor: int
    frozen_minor: int
    lots: tuple[Lot, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """A buyer's order and the moment of its newest status."""

    id: str
    status: OrderStatus
    status_at: dt.datetime
    amount_minor: int


@dataclass(frozen=True, slots=True)
class AfterSale:
    """A buyer's return or refund request."""

    id: str
    order_id: str
    status: CaseStatus
    opened_at: dt.datetime
    closed_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Dispute:
    """A complaint or arbitration between buyer and shop."""

    id: str
    status: CaseStatus
    opened_at: dt.datetime
    closed_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Violation:
    """A breach of the marketplace's rules."""

    id: str
    status: ViolationStatus
    occurred_at: dt.datetime
    settled_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Restriction:
    """Something the shop may not do in `[from_at, to_at)`; without an end until it is lifted."""

    id: str
    kind: RestrictionKind
    from_at: dt.datetime
    to_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Debt:
    """Money the shop owes."""

    id: str
    kind: DebtKind
    amount_minor: int
    status: DebtStatus


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything reported about one shop, at one moment."""

    as_of: dt.datetime
    shop: Shop
    deposit: Deposit
    orders: tuple[Order, ...]
    after_sales: tuple[AfterSale, ...]
    disputes: tuple[Dispute, ...]
    violations: tuple[Violation, ...]
    restrictions: tuple[Restriction, ...]
    debts: tuple[Debt, ...]
    listings_on_sale: int
    withdrawable_balance_minor: int


VIOLATION_OPEN: Final = "account.violation_open"
RESTRICTED: Final = "account.restricted"
BANNED: Final = "account.banned"
ORDER_OPEN: Final = "trade.order_open"
AFTER_SALE_OPEN: Final = "trade.after_sale_open"
DISPUTE_OPEN: Final = "trade.dispute_open"
LISTINGS_ON_SALE: Final = "trade.listings_on_sale"
DEBT_OPEN: Final = "trade.debt_open"
BALANCE_NOT_WITHDRAWN: Final = "trade.balance_not_withdrawn"
HOLD_RUNNING: Final = "hold.period_running"
CLOSING_NOTICE_RUNNING: Final = "hold.closing_notice_running"
NOTHING_REFUNDABLE: Final = "deposit.nothing_refundable"
DEPOSIT_FROZEN: Final = "deposit.frozen"

# The order people read them in; the place in this list is the bit in a bulk result.
CODES: Final = (
    VIOLATION_OPEN, RESTRICTED, BANNED,
    ORDER_OPEN, AFTER_SALE_OPEN, DISPUTE_OPEN, LISTINGS_ON_SALE, DEBT_OPEN, BALANCE_NOT_WITHDRAWN,
    HOLD_RUNNING, CLOSING_NOTICE_RUNNING,
    NOTHING_REFUNDABLE, DEPOSIT_FROZEN,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Text:
    """The same sentence in both languages."""

    zh: str
    en: str

    def in_language(self, language: str) -> str:
        """Chinese for `zh`, `zh-hans` and the like, else English."""
        return self.zh if language.lower().startswith("zh") else self.en

    def to_json(self) -> dict[str, str]:
        """As FACTS.md writes it."""
        return {"zh": self.zh, "en": self.en}


@dataclass(frozen=True, slots=True)
class Clause:
    """The rule a finding comes from: where to find it and what it says."""

    reference: str
    text: Text

    def __str__(self) -> str:
        return f"{self.text.zh} [{self.reference}]"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a finding points at: an order, a case, the shop."""

    kind: str
    id: str

    def to_json(self) -> dict[str, str]:
        """As FACTS.md writes it."""
        return {"kind": self.kind, "id": self.id}


@dataclass(frozen=True, slots=True)
class Finding:
    """One condition, looked at: met or not, why, until when, and what to do."""

    code: str
    passed: bool
    clears_on: dt.date | None
    evidence: tuple[Evidence, ...]
    title: Text
    message: Text
    act: Text
    clause: Clause
    confidence: Confidence

    def to_json(self) -> dict[str, object]:
        """As FACTS.md writes it; the keys are a contract."""
        return {
            "code": self.code,
            "passed": self.passed,
            "clears_on": self.clears_on.isoformat() if self.clears_on else None,
            "evidence": [item.to_json() for item in self.evidence],
            "act": self.act.to_json(),
            "message": self.message.to_json(),
            "clause": str(self.clause),
            "confidence": self.confidence.value,
        }


@dataclass(frozen=True, slots=True)
class Assessment:
    """Whether and how much of a deposit may go back, and why."""

    shop_id: str
    as_of: dt.datetime
    pack: str
    version: str
    title: Text
    """What people call the pack; its code is for staff and machines."""
    kind: RefundKind
    currency: str
    held_minor: int
    frozen_minor: int
    owed_minor: int
    refundable_minor: int
    earliest_on: dt.date | None
    findings: tuple[Finding, ...]

    @property
    def is_eligible(self) -> bool:
        """All findings pass."""
        return all(finding.passed for finding in self.findings)

    @property
    def blockers(self) -> tuple[Finding, ...]:
        """The findings that do not pass."""
        return tuple(finding for finding in self.findings if not finding.passed)

    @property
    def refundable(self) -> Money:
        """What could be paid if all findings passed now."""
        return Money(self.refundable_minor, self.currency)

    def to_json(self) -> dict[str, object]:
        """As FACTS.md writes it."""
        return {
            "shop_id": self.shop_id,
            "as_of": self.as_of.isoformat(),
            "policy": {"pack": self.pack, "version": self.version},
            "kind": self.kind.value,
            "eligible": self.is_eligible,
            "held_minor": self.held_minor,
            "frozen_minor": self.frozen_minor,
            "owed_minor": self.owed_minor,
            "refundable_minor": self.refundable_minor,
            "earliest_on": self.earliest_on.isoformat() if self.earliest_on else None,
            "findings": [finding.to_json() for finding in self.findings],
        }
