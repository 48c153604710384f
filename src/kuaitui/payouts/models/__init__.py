"""Tables of payouts. Private to this context.

What a constraint cannot say, the triggers of the migrations do.
"""

from kuaitui.payouts.models.bank_messages import BankMessage, BankMessageWord, BankStatementDay
from kuaitui.payouts.models.batches import BatchLeg, PayoutBatch
from kuaitui.payouts.models.legs import (
    ChannelLimit,
    ChannelSwitch,
    Incarnation,
    Payout,
    PayoutAttempt,
    PayoutLeg,
    SendingHold,
)

__all__ = [
    "BankMessage",
    "BankMessageWord",
    "BankStatementDay",
    "BatchLeg",
    "ChannelLimit",
    "ChannelSwitch",
    "Incarnation",
    "Payout",
    "PayoutAttempt",
    "PayoutBatch",
    "PayoutLeg",
    "SendingHold",
]
