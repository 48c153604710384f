"""What refunds answer. Everything returned is a value; no row leaves this context."""

from kuaitui.refunds.queries.applications import (
    application,
    application_of_request,
    applications_of_shop,
)
from kuaitui.refunds.queries.assessing import assess_deposit
from kuaitui.refunds.queries.case import case
from kuaitui.refunds.queries.console import queue, work_list
from kuaitui.refunds.queries.in_bulk import BulkAssessment, assess_in_bulk
from kuaitui.refunds.queries.policy import keep_terms_in_force, terms_in_force, terms_kept
from kuaitui.refunds.queries.preview import has_left, open_application, preview_refund, split_of
from kuaitui.refunds.queries.proof import differences
from kuaitui.refunds.queries.rows import draft_of
from kuaitui.refunds.queries.values import (
    ApplicationSummary,
    ApplicationView,
    ApprovalPreview,
    Case,
    QueueCount,
    QueueFilters,
    QueuePage,
    QueueRow,
    WorkList,
)

__all__ = [
    "ApplicationSummary",
    "ApplicationView",
    "ApprovalPreview",
    "BulkAssessment",
    "Case",
    "QueueCount",
    "QueueFilters",
    "QueuePage",
    "QueueRow",
    "WorkList",
    "application",
    "application_of_request",
    "applications_of_shop",
    "assess_deposit",
    "assess_in_bulk",
    "case",
    "differences",
    "draft_of",
    "has_left",
    "keep_terms_in_force",
    "open_application",
    "preview_refund",
    "queue",
    "split_of",
    "terms_in_force",
    "terms_kept",
    "work_list",
]
