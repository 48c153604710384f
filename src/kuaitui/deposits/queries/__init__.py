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
    PaymentIn,
    payments_by_reference,
)
from kuaitui.deposits.queries.routes import plan_again, plan_route, split_route, ways_out
from kuaitui.deposits.queries.statement import statement

__all__ = [
    "PAYMENTS_IN",
    "PaymentIn",
    "account_of_shop",
    "deductions",
    "deposit",
    "deposit_for_policy",
    "deposits_of_shop",
    "destination",
    "destinations",
    "differences",
    "hold",
    "payee_details",
    "payments_by_reference",
    "plan_again",
    "plan_route",
    "set_aside",
    "shops_sharing_destination",
    "split_route",
    "statement",
    "ways_out",
]
