"""Taking facts in: shops are registered, reports are recorded and decide the state."""

from kuaitui.facts.operations.file_intake import (
    begin_file_intake,
    finish_file_intake,
    take_rows,
)
from kuaitui.facts.operations.record_reports import REPORTS_MAX, record_reports
from kuaitui.facts.operations.register_shop import register_shop

__all__ = [
    "REPORTS_MAX",
    "begin_file_intake",
    "finish_file_intake",
    "record_reports",
    "register_shop",
    "take_rows",
]
