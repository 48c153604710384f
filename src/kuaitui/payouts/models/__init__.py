"""Tables of payouts. Private to this context.

What a constraint cannot say, the triggers of the migrations do.
"""

from kuaitui.payouts.models.bank_messages import BankMessage, BankMessageWord, BankStatementDay
from kuaitui.payouts.models.batches import BatchLeg, PayoutBatch
from kuaitui.payouts.models.interventions import LegIntervention
from kuaitui.payouts.models.legs import (
    ChannelSwitch,
    Incarnation,
    LegCloseOut,
    Payout,
    PayoutAttempt,
    PayoutLeg,
    SendingHold,
)
from kuaitui.payouts.models.limits import ChannelBalance, PayoutLimit
from kuaitui.payouts.models.send_backs import SendBack, SendBackAttempt

__all__ = [
    "BankMessage",
    "BankMessageWord",
    "BankStatementDay",
    "BatchLeg",
    "ChannelBalance",
    "ChannelSwitch",
    "Incarnation",
    "LegCloseOut",
    "LegIntervention",
    "Payout",
    "PayoutAttempt",
    "PayoutBatch",
    "PayoutLeg",
    "PayoutLimit",
    "SendBack",
    "SendBackAttempt",
    "SendingHold",
]
