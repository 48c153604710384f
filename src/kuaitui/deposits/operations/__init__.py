"""What changes a deposit. Uses own their transaction; steps run inside the caller's."""

from kuaitui.deposits.operations.accounts import (
    OpenDeposit,
    open_deposit_account,
    open_deposit_accounts,
    set_required,
)
from kuaitui.deposits.operations.deductions import (
    decide_deduction,
    give_back_deduction,
    take_deduction,
)
from kuaitui.deposits.operations.destinations import (
    add_alipay_account,
    add_destination,
    add_wechat_user,
    verify_destination,
)
from kuaitui.deposits.operations.holds import (
    freeze_deposit,
    lock_deposit,
    lock_deposits,
    release_deposit,
)
from kuaitui.deposits.operations.pay_in import Payment, record_pay_in, record_pay_ins
from kuaitui.deposits.operations.pay_in_calls import (
    PayInClaim,
    carry_out_pay_in,
    claim_pay_in,
    record_pay_in_outcome,
)
from kuaitui.deposits.operations.pay_in_hands import release_pay_in, set_pay_in_aside
from kuaitui.deposits.operations.pay_in_orders import (
    PayerDetails,
    call_off_pay_in,
    look_again,
    note_pay_in_hint,
    start_pay_in,
)
from kuaitui.deposits.operations.shares import (
    ShareKey,
    release_share,
    reserve_share,
    return_shares,
    settle_shares,
)
from kuaitui.deposits.operations.strays import ask_about_stray, record_stray
from kuaitui.deposits.operations.suspense import (
    FoundPayment,
    close_sent_back,
    confirm_resolution,
    note_found_payment,
    propose_resolution,
    refuse_resolution,
    reopen_returned,
    reopen_unsent,
)
from kuaitui.deposits.operations.taking_over import EarlierPayment, take_over_deposit

__all__ = [
    "EarlierPayment",
    "FoundPayment",
    "OpenDeposit",
    "PayInClaim",
    "PayerDetails",
    "Payment",
    "ShareKey",
    "add_alipay_account",
    "add_destination",
    "add_wechat_user",
    "ask_about_stray",
    "call_off_pay_in",
    "carry_out_pay_in",
    "claim_pay_in",
    "close_sent_back",
    "confirm_resolution",
    "decide_deduction",
    "freeze_deposit",
    "give_back_deduction",
    "lock_deposit",
    "lock_deposits",
    "look_again",
    "note_found_payment",
    "note_pay_in_hint",
    "open_deposit_account",
    "open_deposit_accounts",
    "propose_resolution",
    "record_pay_in",
    "record_pay_in_outcome",
    "record_pay_ins",
    "record_stray",
    "refuse_resolution",
    "release_deposit",
    "release_pay_in",
    "release_share",
    "reopen_returned",
    "reopen_unsent",
    "reserve_share",
    "return_shares",
    "set_pay_in_aside",
    "set_required",
    "settle_shares",
    "start_pay_in",
    "take_deduction",
    "take_over_deposit",
    "verify_destination",
]
