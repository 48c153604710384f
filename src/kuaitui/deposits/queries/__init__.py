"""What deposits answer. Everything returned is a value; no row leaves this context."""

from kuaitui.deposits.queries.accounts import (
    account_of_shop,
    deposit,
    deposits_of_shop,
    differences,
    hold,
    set_aside,
)
from kuaitui.deposits.queries.deductions import deductions
from kuaitui.deposits.queries.destinations import (
    destination,
    destinations,
    payee_details,
    shops_sharing_destination,
)
from kuaitui.deposits.queries.for_policy import deposit_for_policy
from kuaitui.deposits.queries.for_reconciliation import (
    PAYMENTS_IN,
    SENT_BACK,
    PaymentIn,
    payments_by_reference,
    sent_back_by_reference,
)
from kuaitui.deposits.queries.pay_ins import (
    PayInOrderView,
    Receipt,
    due_pay_ins,
    due_strays,
    open_pay_in,
    pay_in_for_staff,
    pay_in_of_request,
    pay_in_order,
    pay_ins_of_another_amount,
    pay_ins_set_aside,
    receipt,
    suspense_differences,
    suspense_of_order,
)
from kuaitui.deposits.queries.routes import (
    identifying_channel,
    payable_kinds,
    plan_again,
    plan_route,
    split_route,
    ways_out,
)
from kuaitui.deposits.queries.statement import statement
from kuaitui.deposits.queries.suspense import (
    SuspenseCase,
    SuspenseCounts,
    suspense_case,
    suspense_cases,
    suspense_counts,
    suspense_of_shop,
)

__all__ = [
    "PAYMENTS_IN",
    "SENT_BACK",
    "PayInOrderView",
    "PaymentIn",
    "Receipt",
    "SuspenseCase",
    "SuspenseCounts",
    "account_of_shop",
    "deductions",
    "deposit",
    "deposit_for_policy",
    "deposits_of_shop",
    "destination",
    "destinations",
    "differences",
    "due_pay_ins",
    "due_strays",
    "hold",
    "identifying_channel",
    "open_pay_in",
    "pay_in_for_staff",
    "pay_in_of_request",
    "pay_in_order",
    "pay_ins_of_another_amount",
    "pay_ins_set_aside",
    "payable_kinds",
    "payee_details",
    "payments_by_reference",
    "plan_again",
    "plan_route",
    "receipt",
    "sent_back_by_reference",
    "set_aside",
    "shops_sharing_destination",
    "split_route",
    "statement",
    "suspense_case",
    "suspense_cases",
    "suspense_counts",
    "suspense_differences",
    "suspense_of_order",
    "suspense_of_shop",
    "ways_out",
]
