"""What changes a deposit. Uses own their transaction; steps run inside the caller's."""

from kuaitui.deposits.operations.accounts import (
    OpenDeposit,
    open_deposit_account,
    open_deposit_accounts,
    set_required,
)
from kuaitui.deposits.operations.deductions import decide_deduction
from kuaitui.deposits.operations.destinations import add_destination, verify_destination
from kuaitui.deposits.operations.holds import freeze_deposit, lock_deposit, release_deposit
from kuaitui.deposits.operations.pay_in import Payment, record_pay_in, record_pay_ins
from kuaitui.deposits.operations.shares import (
    release_share,
    reserve_share,
    return_share,
    settle_share,
)

__all__ = [
    "OpenDeposit",
    "Payment",
    "add_destination",
    "decide_deduction",
    "freeze_deposit",
    "lock_deposit",
    "open_deposit_account",
    "open_deposit_accounts",
    "record_pay_in",
    "record_pay_ins",
    "release_deposit",
    "release_share",
    "reserve_share",
    "return_share",
    "set_required",
    "settle_share",
    "verify_destination",
]
