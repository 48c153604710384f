"""Rules of reconciliation. Pure."""

from kuaitui.reconciliation.rules.correcting import correction_for, remedies_for
from kuaitui.reconciliation.rules.matching import (
    CUT_OFF_SLACK,
    EVENTS,
    EXPECTED,
    LOOKED_AT,
    classify,
    day_of,
    is_dangerous,
    key_of,
    may_be_on_neighbour,
)
from kuaitui.reconciliation.rules.reporting import day_state
from kuaitui.reconciliation.rules.sent_numbers import compare
from kuaitui.reconciliation.rules.sharing import Sharer, share_out

__all__ = [
    "CUT_OFF_SLACK",
    "EVENTS",
    "EXPECTED",
    "LOOKED_AT",
    "Sharer",
    "classify",
    "compare",
    "correction_for",
    "day_of",
    "day_state",
    "is_dangerous",
    "key_of",
    "may_be_on_neighbour",
    "remedies_for",
    "share_out",
]
