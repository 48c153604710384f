"""The first lock of every change to a deposit: its account. Lots, holds and the book follow it."""

from __future__ import annotations

from collections.abc import Collection

from kuaitui.deposits import rules
from kuaitui.deposits.errors import DepositAccountUnknown
from kuaitui.deposits.models import DepositAccount
from kuaitui.kernel.money import Money
from kuaitui.kit.transactions import requires_transaction


@requires_transaction
def lock_account(account_id: str) -> DepositAccount:
    """The account, held against everybody else until the transaction ends.

    Raises:
        DepositAccountUnknown: there is no such deposit.
    """
    row = DepositAccount.objects.select_for_update().filter(public_id=account_id).first()
    if row is None:
        raise DepositAccountUnknown(account=account_id)
    return row


@requires_transaction
def lock_accounts(account_ids: Collection[str]) -> dict[str, int]:
    """Many accounts, held against everybody else, in the order of their ids: public id to id.

    Raises:
        DepositAccountUnknown: there is no such deposit.
    """
    rows = DepositAccount.objects.select_for_update().filter(public_id__in=account_ids)
    found = dict(rows.order_by("id").values_list("public_id", "id"))
    for account_id in account_ids:
        if account_id not in found:
            raise DepositAccountUnknown(account=account_id)
    return found


def require_payable(amount: Money, account: DepositAccount) -> None:
    """Refuse what cannot be an amount of this deposit.

    Raises:
        DepositCurrencyWrong: another currency.
        DepositAmountNotPositive: nothing, or less.
    """
    rules.require_payable(amount, currency=account.currency)
