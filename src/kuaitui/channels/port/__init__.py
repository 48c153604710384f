"""What every channel adapter promises: instructions in, exactly one of a few outcomes out.

Three borders, and a channel declares in its `capabilities` which of them it has: `Channel` (money
out), `PayInChannel` (money in) and `StatementChannel` (the channel's own bills). What a channel
cannot do is never found out by trying.

Source: reference "One classification for all channels"; ADR-0006, ADR-0010.
"""

from kuaitui.channels.port.capabilities import AmountLimits, Arrival, ChannelCapabilities
from kuaitui.channels.port.channel import (
    CancellingChannel,
    Channel,
    HandOverChannel,
    IdentifyingChannel,
    PayInChannel,
    StatementChannel,
)
from kuaitui.channels.port.identification import (
    IdentificationOutcome,
    NotIdentifiedBecause,
    PayeeIdentified,
    PayeeNotIdentified,
)
from kuaitui.channels.port.instructions import (
    NO_RELEASE_KNOWN,
    OriginalPayment,
    PayeeAccount,
    PayeeKind,
    PayoutInstruction,
    Route,
)
from kuaitui.channels.port.notifications import (
    Acknowledgement,
    Notification,
    NotificationRefused,
    NotificationSubject,
    RefusedBecause,
)
from kuaitui.channels.port.outcomes import (
    Accepted,
    FailedDefinite,
    NeededAction,
    NeedsAction,
    NotFound,
    NotSent,
    Outcome,
    QueryOutcome,
    RejectedConfig,
    Returned,
    SubmitOutcome,
    Succeeded,
    Unknown,
)
from kuaitui.channels.port.pay_ins import (
    PayInClosed,
    PayInMethod,
    PayInOpened,
    PayInOrder,
    PayInOutcome,
    PayInPaid,
    PayInWaiting,
)
from kuaitui.channels.port.statements import (
    LineKind,
    Statement,
    StatementAbsent,
    StatementEmpty,
    StatementFetched,
    StatementKind,
    StatementLine,
    StatementNotReady,
    StatementOutcome,
    StatementRefused,
)

__all__ = [
    "NO_RELEASE_KNOWN",
    "Accepted",
    "Acknowledgement",
    "AmountLimits",
    "Arrival",
    "CancellingChannel",
    "Channel",
    "ChannelCapabilities",
    "FailedDefinite",
    "HandOverChannel",
    "IdentificationOutcome",
    "IdentifyingChannel",
    "LineKind",
    "NeededAction",
    "NeedsAction",
    "NotFound",
    "NotIdentifiedBecause",
    "NotSent",
    "Notification",
    "NotificationRefused",
    "NotificationSubject",
    "OriginalPayment",
    "Outcome",
    "PayInChannel",
    "PayInClosed",
    "PayInMethod",
    "PayInOpened",
    "PayInOrder",
    "PayInOutcome",
    "PayInPaid",
    "PayInWaiting",
    "PayeeAccount",
    "PayeeIdentified",
    "PayeeKind",
    "PayeeNotIdentified",
    "PayoutInstruction",
    "QueryOutcome",
    "RefusedBecause",
    "RejectedConfig",
    "Returned",
    "Route",
    "Statement",
    "StatementAbsent",
    "StatementChannel",
    "StatementEmpty",
    "StatementFetched",
    "StatementKind",
    "StatementLine",
    "StatementNotReady",
    "StatementOutcome",
    "StatementRefused",
    "SubmitOutcome",
    "Succeeded",
    "Unknown",
]
