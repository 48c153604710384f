"""What payouts answer. Everything returned is a value; no row leaves this context."""

from kuaitui.payouts.queries.bank_inbox import (
    MessageInList,
    StoredInbox,
    bank_message,
    bank_messages,
    words_of_message,
)
from kuaitui.payouts.queries.batches import (
    BatchSummary,
    LegInBatch,
    approvers_in_batch,
    batch,
    batches,
    file_id,
    legs_of_batch,
    waiting_legs,
)
from kuaitui.payouts.queries.confirmations import Confirmation, confirmations_of
from kuaitui.payouts.queries.due import due_legs
from kuaitui.payouts.queries.for_reconciliation import (
    CAME_BACK,
    PAID_OUT,
    WENT_AND_CAME_BACK,
    SentLeg,
    legs_by_bank_reference,
    legs_by_number,
    send_backs_not_back,
)
from kuaitui.payouts.queries.holds import LastSend, current_hold, incarnation_now
from kuaitui.payouts.queries.interventions import (
    Intervention,
    Openings,
    accounts_for_hand_over,
    openings,
)
from kuaitui.payouts.queries.limits import balances, limits
from kuaitui.payouts.queries.lots import last_sent_back, parts_of_lots
from kuaitui.payouts.queries.monitor import (
    attempts,
    kill_switches,
    leg,
    legs_in_monitor,
    legs_set_aside,
    overview,
)
from kuaitui.payouts.queries.progress import payout_of_application, payouts_of_applications
from kuaitui.payouts.queries.proof import differences, with_payees
from kuaitui.payouts.queries.send_backs import (
    SendBackView,
    due_send_backs,
    send_back,
    send_backs_of,
    send_backs_set_aside,
)
from kuaitui.payouts.queries.values import (
    AttemptRecord,
    ChannelCount,
    Hold,
    KillSwitch,
    KnownBalance,
    LegInMonitor,
    LegProgress,
    Limit,
    PayoutProgress,
    PayoutsOverview,
)

__all__ = [
    "CAME_BACK",
    "PAID_OUT",
    "WENT_AND_CAME_BACK",
    "AttemptRecord",
    "BatchSummary",
    "ChannelCount",
    "Confirmation",
    "Hold",
    "Intervention",
    "KillSwitch",
    "KnownBalance",
    "LastSend",
    "LegInBatch",
    "LegInMonitor",
    "LegProgress",
    "Limit",
    "MessageInList",
    "Openings",
    "PayoutProgress",
    "PayoutsOverview",
    "SendBackView",
    "SentLeg",
    "StoredInbox",
    "accounts_for_hand_over",
    "approvers_in_batch",
    "attempts",
    "balances",
    "bank_message",
    "bank_messages",
    "batch",
    "batches",
    "confirmations_of",
    "current_hold",
    "differences",
    "due_legs",
    "due_send_backs",
    "file_id",
    "incarnation_now",
    "kill_switches",
    "last_sent_back",
    "leg",
    "legs_by_bank_reference",
    "legs_by_number",
    "legs_in_monitor",
    "legs_of_batch",
    "legs_set_aside",
    "limits",
    "openings",
    "overview",
    "parts_of_lots",
    "payout_of_application",
    "payouts_of_applications",
    "send_back",
    "send_backs_not_back",
    "send_backs_of",
    "send_backs_set_aside",
    "waiting_legs",
    "with_payees",
    "words_of_message",
]
