"""What reconciliation does. Each operation owns its transaction; no channel is called inside one."""

from kuaitui.reconciliation.operations.bring import bring_empty, bring_file, decide_file
from kuaitui.reconciliation.operations.close import (
    confirm_closing,
    propose_closing,
    take_proposal_back,
)
from kuaitui.reconciliation.operations.compare import compare_bill
from kuaitui.reconciliation.operations.fetch import Fetched, Plan, fetch_bill, fetch_due
from kuaitui.reconciliation.operations.read_again import read_again
from kuaitui.reconciliation.operations.stop import stop_for_breaks

__all__ = [
    "Fetched",
    "Plan",
    "bring_empty",
    "bring_file",
    "compare_bill",
    "confirm_closing",
    "decide_file",
    "fetch_bill",
    "fetch_due",
    "propose_closing",
    "read_again",
    "stop_for_breaks",
    "take_proposal_back",
]
