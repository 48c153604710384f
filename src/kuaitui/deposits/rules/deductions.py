"""What a deduction must say before it may take anything. Pure."""

from __future__ import annotations

from typing import Final

from kuaitui.deposits.errors import (
    DeductionEmpty,
    DeductionItemUnexplained,
    DeductionReasonMissing,
    DeductionTooLong,
)
from kuaitui.deposits.rules.amounts import require_payable
from kuaitui.deposits.types import DeductionItem
from kuaitui.kernel.money import Money

REASON_LENGTH_MAX: Final = 500
CLAUSE_LENGTH_MAX: Final = 200
DESCRIPTION_LENGTH_MAX: Final = 200
QUANTITY_MAX: Final = 2**31 - 1
ITEMS_MAX: Final = 1_000
EVIDENCE_MAX: Final = 1_000


def require_deductible(
    items: tuple[DeductionItem, ...], *, reason: str, clause: str, currency: str
) -> Money:
    """What the items add up to; refuses what does not explain itself.

    Raises:
        DeductionEmpty: nothing to deduct.
        DepositCurrencyWrong, DepositAmountNotPositive: an amount cannot be.
        DeductionItemUnexplained: an item without description or evidence.
        DeductionReasonMissing: no reason or no clause.
        DeductionTooLong: more than is kept of a deduction.
    """
    if not items:
        raise DeductionEmpty
    if not _fits(items, reason=reason, clause=clause):
        raise DeductionTooLong
    for item in items:
        require_payable(item.unit_amount, currency=currency)
        require_payable(item.amount, currency=currency)
        if not item.description.strip() or not item.evidence:
            raise DeductionItemUnexplained
    if not reason.strip() or not clause.strip():
        raise DeductionReasonMissing
    return sum((item.amount for item in items), Money.zero(currency))


def _fits(items: tuple[DeductionItem, ...], *, reason: str, clause: str) -> bool:
    return (
        len(reason.strip()) <= REASON_LENGTH_MAX
        and len(clause.strip()) <= CLAUSE_LENGTH_MAX
        and len(items) <= ITEMS_MAX
        and all(
            item.quantity <= QUANTITY_MAX
            and len(item.description.strip()) <= DESCRIPTION_LENGTH_MAX
            and len(item.evidence) <= EVIDENCE_MAX
            for item in items
        )
    )
