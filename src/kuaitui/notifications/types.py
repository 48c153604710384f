"""Notices and reminders as values."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from kuaitui.kernel.money import Money


class NoticeCode(enum.StrEnum):
    """What a shop can be told. The pages have the words."""

    SUBMITTED = "application.submitted"
    APPROVED_BY_RULE = "application.approved_by_rule"
    APPROVED = "application.approved"
    SECOND_APPROVED = "application.second_approved"
    INFORMATION_REQUESTED = "application.information_requested"
    REJECTED = "application.rejected"
    APPEALED = "application.appealed"
    APPEAL_GRANTED = "application.appeal_granted"
    APPEAL_DISMISSED = "application.appeal_dismissed"
    WITHDRAWN = "application.withdrawn"
    EXPIRED = "application.expired"
    DELAYED = "application.delayed"
    PAID = "application.paid"
    PAYOUT_FAILED = "application.payout_failed"
    RETURNED = "application.returned"
    REPAIR_REMINDED = "application.repair_reminded"
    DESTINATION_REPAIRED = "application.destination_repaired"
    REPAIR_REFUSED = "application.repair_refused"
    CLOSED_OUT = "application.closed_out"
    AMOUNT_REDUCED = "application.amount_reduced"
    CONFIRM_RECEIPT = "payout.confirm_receipt"
    HANDED_OVER = "payout.handed_over"
    PAY_IN_SET_ASIDE = "pay_in.set_aside"
    PAID_OTHER_AMOUNT = "pay_in.paid_other_amount"
    KEPT_APART = "suspense.kept_apart"
    CAME_BACK = "suspense.came_back"
    ATTRIBUTED = "suspense.attribute"
    SENT_BACK = "suspense.send_back"
    SENT_BACK_BY_HAND = "suspense.by_hand"
    PAID_IN = "deposit.paid_in"
    DEDUCTED = "deposit.deducted"
    DEDUCTION_ANNOUNCED = "deduction.announced"
    DEDUCTION_REMINDED = "deduction.reply_reminded"
    DEDUCTION_TAKEN = "deduction.taken"
    DEDUCTION_DROPPED = "deduction.dropped"
    DEDUCTION_LAPSED = "deduction.lapsed"
    DEDUCTION_APPEALED = "deduction.appealed"
    DEDUCTION_GIVEN_BACK = "deduction.given_back"
    DEDUCTION_UPHELD = "deduction.upheld"
    DEDUCTION_APPEAL_LAPSED = "deduction.appeal_lapsed"
    DESTINATION_ADDED = "destination.added"
    REMINDED = "reminder.day_has_come"


@dataclass(frozen=True, slots=True)
class Reminder:
    """A seller's wish to be told on a day. `remind_on` is in the marketplace's zone."""

    account_id: str
    remind_on: dt.date


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing a shop is told. `object_id` names what it is about."""

    notice_id: str
    code: NoticeCode
    object_id: str
    amount: Money | None
    """How much it is about, as it was when it was told."""
    at: dt.datetime
    is_read: bool
