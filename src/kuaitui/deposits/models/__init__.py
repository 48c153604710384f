"""Tables of deposits. Private to this context."""

from kuaitui.deposits.models.deposits import (
    ChannelPayment,
    Deduction,
    DeductionLine,
    DeductionReturn,
    DepositAccount,
    DepositHold,
    DepositLot,
    DestinationRow,
    LotGiving,
    LotShare,
    LotTaking,
)
from kuaitui.deposits.models.pay_ins import (
    PayInAttempt,
    PayInOrderRow,
    StrayNumber,
    SuspenseRow,
)

__all__ = [
    "ChannelPayment",
    "Deduction",
    "DeductionLine",
    "DeductionReturn",
    "DepositAccount",
    "DepositHold",
    "DepositLot",
    "DestinationRow",
    "LotGiving",
    "LotShare",
    "LotTaking",
    "PayInAttempt",
    "PayInOrderRow",
    "StrayNumber",
    "SuspenseRow",
]
