"""What a deduction must say before it may take anything. Pure."""

from __future__ import annotations

from kuaitui.deposits.errors import (
    DeductionEmpty,
    DeductionItemUnexplained,
    DeductionReasonMissing,
    DepositAmountNotPositive,
    DepositCurrencyWrong,
)
from kuaitui.deposits.types import DeductionItem
from kuaitui.kernel.money import Money


def require_deductible(
    items: tuple[DeductionItem, ...], *, reason: str, clause: str, currency: str
) -> Money:
    """What the items add up to; refuses what does not explain itself.

    Raises:
        DeductionEmpty: nothing to deduct.
        DepositCurrencyWrong, DepositAmountNotPositive: an amount cannot be.
        DeductionItemUnexplained: an item without description or evidence.
        DeductionReasonMissing: no reason or no clause.
    """
    if not items:
        raise DeductionEmpty
    for item in items:
        if item.unit_amount.currency != currency:
            raise DepositCurrencyWrong(given=item.unit_amount.currency, expected=currency)
        for amount in (item.amount, item.unit_amount):
            if not amount.is_positive:
                raise DepositAmountNotPositive(minor=amount.minor)
        if not item.description.strip() or not item.evidence:
            raise DeductionItemUnexplained
    if not reason.strip() or not clause.strip():
        raise DeductionReasonMissing
    return sum((item.amount for item in items), Money.zero(currency))
