"""Statuses and kinds of what is reported. Numbers are ranks: at the same instant, higher wins."""

from __future__ import annotations

import enum
from typing import Self


class ShopKind(enum.StrEnum):
    """What sort of seller runs the shop."""

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


class _Ranked(enum.IntEnum):
    """A number in the database, a word everywhere else."""

    @property
    def word(self) -> str:
        """The word the marketplace uses."""
        return self.name.lower()

    @classmethod
    def from_word(cls, word: str) -> Self:
        """The member of that word; `KeyError` if there is none."""
        return cls[word.upper()]


class OrderStatus(_Ranked):
    """How far an order has come. It is open until it is completed or closed."""

    PLACED = 1
    PAID = 2
    SHIPPED = 3
    RECEIVED = 4
    COMPLETED = 5
    CLOSED = 6

    @property
    def is_open(self) -> bool:
        """Whether something can still happen to the order."""
        return self < OrderStatus.COMPLETED


class CaseKind(_Ranked):
    """What sort of case it is."""

    AFTER_SALE = 1
    DISPUTE = 2
    VIOLATION = 3


class AfterSaleStatus(_Ranked):
    """Whether a buyer's return or refund request is settled."""

    OPEN = 1
    CLOSED = 3


class DisputeStatus(_Ranked):
    """Whether a dispute is decided."""

    OPEN = 1
    CLOSED = 3


class ViolationStatus(_Ranked):
    """Whether a violation is dealt with."""

    OPEN = 1
    APPEALING = 2
    SETTLED = 3


class RestrictionKind(_Ranked):
    """What a restricted shop may not do."""

    LISTING = 1
    SALES = 2
    WITHDRAWAL = 3
    LIVE = 4


class DebtStatus(_Ranked):
    """Whether a debt is paid."""

    OPEN = 1
    SETTLED = 2


class DebtKind(_Ranked):
    """What a debt is for."""

    COMMISSION = 1
    PENALTY = 2
    LOAN = 3
    DELIVERY = 4
    COMPENSATION = 5
    OTHER = 6


class ReportKind(enum.IntEnum):
    """What a report in the log is about. Orders have a log of their own."""

    SHOP = 1
    AFTER_SALE = 2
    DISPUTE = 3
    VIOLATION = 4
    RESTRICTION = 5
    DEBT = 6
    LISTINGS = 7
    BALANCE = 8
