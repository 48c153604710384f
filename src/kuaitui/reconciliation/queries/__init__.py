"""What reconciliation answers. Everything returned is a value; no row leaves this context."""

from kuaitui.reconciliation.queries.board import (
    BillReport,
    DayReport,
    Flow,
    bills_given,
    board,
    day_report,
    last_proven_days,
)
from kuaitui.reconciliation.queries.breaks import (
    BreakRecord,
    FileRecord,
    StepRecord,
    breaks_of_day,
    file_record,
    files_kept,
    files_of_day,
    found_break,
    open_breaks,
    steps_of,
)
from kuaitui.reconciliation.queries.overview import BillsOverview, bills_overview
from kuaitui.reconciliation.queries.proof import Reread, reread
from kuaitui.reconciliation.queries.sent_numbers import compare_with_channel

__all__ = [
    "BillReport",
    "BillsOverview",
    "BreakRecord",
    "DayReport",
    "FileRecord",
    "Flow",
    "Reread",
    "StepRecord",
    "bills_given",
    "bills_overview",
    "board",
    "breaks_of_day",
    "compare_with_channel",
    "day_report",
    "file_record",
    "files_kept",
    "files_of_day",
    "found_break",
    "last_proven_days",
    "open_breaks",
    "reread",
    "steps_of",
]
