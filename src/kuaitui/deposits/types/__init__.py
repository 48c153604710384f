"""The words of deposits as values."""

from kuaitui.deposits.types.accounts import (
    DepositKind,
    DepositSummary,
    Hold,
    HoldKind,
    Lot,
    PayIn,
    StatementKind,
    StatementLine,
    StatementPage,
)
from kuaitui.deposits.types.deductions import (
    Deduction,
    DeductionItem,
    DeductionPurpose,
)
from kuaitui.deposits.types.pay_ins import (
    FoundBy,
    PayInAnswer,
    PayInCall,
    PayInChoice,
    PayInPace,
    Resolution,
    SuspenseReason,
)
from kuaitui.deposits.types.routes import (
    Destination,
    PayeeDetails,
    PlannedLeg,
    Route,
    RoutePlan,
    WaysOut,
)

__all__ = [
    "Deduction",
    "DeductionItem",
    "DeductionPurpose",
    "DepositKind",
    "DepositSummary",
    "Destination",
    "FoundBy",
    "Hold",
    "HoldKind",
    "Lot",
    "PayIn",
    "PayInAnswer",
    "PayInCall",
    "PayInChoice",
    "PayInPace",
    "PayeeDetails",
    "PlannedLeg",
    "Resolution",
    "Route",
    "RoutePlan",
    "StatementKind",
    "StatementLine",
    "StatementPage",
    "SuspenseReason",
    "WaysOut",
]
