"""What deduction cases answer. Everything returned is a value; no row leaves this context."""

from kuaitui.deductions.queries.cases import (
    CaseCounts,
    CaseView,
    announced_of,
    case,
    case_counts,
    case_of_deduction,
    cases,
    cases_of_shop,
)
from kuaitui.deductions.queries.proof import differences

__all__ = [
    "CaseCounts",
    "CaseView",
    "announced_of",
    "case",
    "case_counts",
    "case_of_deduction",
    "cases",
    "cases_of_shop",
    "differences",
]
