"""What acts in the audit trail are called. An act of an application is called as its timeline does."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kuaitui.interfaces.console.words import TIMELINE

AREAS: Final = {
    "refund": _("Applications"),
    "deposit": _("Deposits"),
    "deduction": _("Deductions"),
    "destination": _("Accounts of sellers"),
    "payout": _("Payouts"),
    "suspense": _("Suspense"),
    "reconciliation": _("Reconciliation"),
    "accounts": _("People and log-ins"),
    "reminder": _("Reminders"),
}
ACTIONS: Final = {
    "accounts.link_issued": _("Link to log in made"),
    "accounts.link_redeemed": _("Logged in by a link"),
    "accounts.password_set": _("Password set"),
    "accounts.shop_granted": _("Shop given to a person"),
    "accounts.shop_revoked": _("Shop taken from a person"),
    "accounts.user_created": _("Person added"),
    "accounts.user_deactivated": _("Person may no longer log in"),
    "accounts.user_reactivated": _("Person may log in again"),
    "deduction.announced": _("Deduction announced"),
    "deduction.appealed": _("Deduction appealed"),
    "deduction.appeal_lapsed": _("Deduction given back: nobody answered the appeal in time"),
    "deduction.dropped": _("Nothing taken of an announced deduction"),
    "deduction.given_back": _("Deduction given back on appeal"),
    "deduction.lapsed": _("Deduction lapsed: nobody decided in time"),
    "deduction.reply_reminded": _("Reminded that a deduction can be replied to"),
    "deduction.replied": _("Deduction replied to"),
    "deduction.taken": _("Announced deduction taken"),
    "deduction.upheld": _("Deduction stands after the appeal"),
    "deposit.deducted": _("Deduction decided"),
    "deposit.given_back": _("Deduction given back"),
    "deposit.opened": _("Deposit opened"),
    "deposit.opened_many": _("Deposits opened by an import"),
    "deposit.paid_in": _("Payment in recorded"),
    "deposit.paid_in_many": _("Payments in recorded by an import"),
    "deposit.pay_in_called_off": _("Payment order called off"),
    "deposit.pay_in_released": _("Payment order let go on"),
    "deposit.pay_in_set_aside": _("Payment order set aside"),
    "deposit.pay_in_started": _("Payment order begun"),
    "deposit.required_set": _("Required amount set"),
    "destination.added": _("Account named"),
    "destination.verified": _("Account checked"),
    "payout.balance_noted": _("Balance of a channel noted"),
    "payout.bank_message_brought": _("Bank message brought"),
    "payout.bank_message_confirmed": _("Bank message confirmed"),
    "payout.batch_built": _("Batch built"),
    "payout.batch_cancelled": _("Batch called off"),
    "payout.batch_released": _("Batch released"),
    "payout.batch_taken": _("Batch's file taken"),
    "payout.called_back": _("Calling back decided"),
    "payout.give_up_proposed": _("Proposed to say that it was never paid"),
    "payout.given_up": _("Confirmed that it was never paid"),
    "payout.stopped_trying": _("Not tried this way any more"),
    "payout.hand_over_confirmed": _("Sending to a bank account confirmed"),
    "payout.hand_over_proposed": _("Sending to a bank account proposed"),
    "payout.hold_release_proposed": _("Release after a restore proposed"),
    "payout.hold_released": _("Payouts released after a restore"),
    "payout.intervention_withdrawn": _("Decision about a part taken back"),
    "payout.leg_released": _("Part let go on"),
    "payout.leg_set_aside": _("Part set aside"),
    "payout.limit_proposed": _("Limit proposed"),
    "payout.limit_set": _("Limit set"),
    "payout.query_requested": _("Channel asked by hand"),
    "payout.send_back_released": _("Sending a payment back let go on"),
    "payout.send_back_set_aside": _("Sending a payment back set aside"),
    "payout.sending_held": _("Sending held after a restore"),
    "payout.sending_release_proposed": _("Sending again proposed"),
    "payout.sending_released": _("Sending again"),
    "payout.sending_stopped": _("Sending stopped"),
    "reconciliation.bill_late": _("Bill is late"),
    "reconciliation.break_closed": _("Difference closed"),
    "reconciliation.break_proposed": _("Closing of a difference proposed"),
    "reconciliation.break_taken_back": _("Proposal for a difference taken back"),
    "reconciliation.file_brought": _("Bill kept"),
    "reconciliation.file_damaged": _("Kept bill found damaged"),
    "reconciliation.file_put_aside": _("Bill put aside"),
    "reconciliation.file_read_again": _("Bill read again"),
    "reconciliation.file_taken": _("Bill taken"),
    "reminder.cancelled": _("Reminder cancelled"),
    "reminder.set": _("Reminder set"),
    "suspense.confirmed": _("Place of a payment confirmed"),
    "suspense.found": _("Payment without a place found"),
    "suspense.not_sent_back": _("Payment could not be sent back"),
    "suspense.proposed": _("Place of a payment proposed"),
    "suspense.refused": _("Proposed place refused"),
    "suspense.returned": _("Payment that was sent back came back"),
    "suspense.sent_back": _("Payment sent back"),
}
DETAILS: Final = {
    "amount": _("Amount"),
    "balance": _("Balance"),
    "before": _("Before"),
    "blockers": _("Blocked by"),
    "cause": _("Why"),
    "channel": _("Channel"),
    "code": _("Code"),
    "day": _("Day"),
    "destination": _("Account"),
    "finding": _("Finding"),
    "from": _("State before"),
    "limit": _("Limit"),
    "ours": _("In our books"),
    "proposed_by": _("Proposed by"),
    "reason": _("Reason"),
    "reasons": _("Reasons"),
    "required": _("Required"),
    "role": _("Role"),
    "text": _("Words"),
    "theirs": _("On the bill"),
    "to": _("State after"),
    "version": _("Version"),
    "why": _("Why"),
}
"""Names of what is recorded with an act; others stand as they are recorded."""


def action_name(action: str) -> str | Promise:
    """What an act is called. One that nobody has named stands as it is recorded."""
    area, _dot, code = action.partition(".")
    if area == "refund" and code in TIMELINE:
        return TIMELINE[code].text
    return ACTIONS.get(action, action)
