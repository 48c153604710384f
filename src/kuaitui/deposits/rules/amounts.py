"""What can be an amount of a deposit. Pure."""

from __future__ import annotations

from kuaitui.deposits.errors import DepositAmountNotPositive, DepositCurrencyWrong
from kuaitui.kernel.money import Money


def require_payable(amount: Money, *, currency: str) -> None:
    """Refuse what cannot be an amount of a deposit in this currency.

    Raises:
        DepositCurrencyWrong: another currency.
        DepositAmountNotPositive: nothing, or less.
    """
    if amount.currency != currency:
        raise DepositCurrencyWrong(given=amount.currency, expected=currency)
    if not amount.is_positive:
        raise DepositAmountNotPositive(minor=amount.minor)
