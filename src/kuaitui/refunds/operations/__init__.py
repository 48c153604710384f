"""What changes an application: one operation for each use case, each owning its transaction."""

from kuaitui.refunds.operations.appeal import appeal_rejection, decide_appeal
from kuaitui.refunds.operations.approve import approve_application
from kuaitui.refunds.operations.check import check_application
from kuaitui.refunds.operations.close_out import confirm_close_out, propose_close_out
from kuaitui.refunds.operations.confirm import confirm_approval, send_back
from kuaitui.refunds.operations.draft import save_draft
from kuaitui.refunds.operations.follow_payout import (
    record_delay,
    record_leg_back,
    record_leg_sent,
    record_paid,
)
from kuaitui.refunds.operations.information import provide_information, request_information
from kuaitui.refunds.operations.reduce import reduce_application
from kuaitui.refunds.operations.reject import reject_application
from kuaitui.refunds.operations.repair import refuse_repair, repair_destination
from kuaitui.refunds.operations.submit import submit_application
from kuaitui.refunds.operations.sweep import sweep_due
from kuaitui.refunds.operations.withdraw import withdraw_application

__all__ = [
    "appeal_rejection",
    "approve_application",
    "check_application",
    "confirm_approval",
    "confirm_close_out",
    "decide_appeal",
    "propose_close_out",
    "provide_information",
    "record_delay",
    "record_leg_back",
    "record_leg_sent",
    "record_paid",
    "reduce_application",
    "refuse_repair",
    "reject_application",
    "repair_destination",
    "request_information",
    "save_draft",
    "send_back",
    "submit_application",
    "sweep_due",
    "withdraw_application",
]
