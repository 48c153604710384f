"""Deductions and their calculation."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from kuaitui.kernel.money import Money


class DeductionPurpose(enum.StrEnum):
    """Who gets what is deducted."""

    COMPENSATION = "compensation"
    PENALTY = "penalty"


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
    off_the_debt: Money
    """How much of that made a debt less; the rest lies in the deposit again."""
    items: tuple[DeductionItem, ...]
