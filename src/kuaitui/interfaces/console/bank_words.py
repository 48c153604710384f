"""What the staff call batches and what banks say of payments."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kuaitui.channels.bank import BankStatus
from kuaitui.interfaces.console.words import Word
from kuaitui.payouts.states import BatchState

BATCH_STATES: Final = {
    BatchState.OPEN: Word(_("Awaits release"), "act"),
    BatchState.RELEASED: Word(_("Released to the bank"), "good"),
    BatchState.CANCELLED: Word(_("Called off")),
}
BANK_STATUSES: Final = {
    BankStatus.SUBMITTED: Word(_("The bank has it"), "wait"),
    BankStatus.ACCEPTED: Word(_("Accepted by the bank"), "wait"),
    BankStatus.REJECTED: Word(_("Rejected by the bank"), "bad"),
    BankStatus.BOOKED: Word(_("Booked"), "good"),
    BankStatus.RETURNED: Word(_("Returned"), "return"),
}
# The reasons of `channels.bank.reasons`, by their codes of ISO 20022.
BANK_REASONS: Final[dict[str, str | Promise]] = {
    "AC01": _("The account number is wrong"),
    "AC02": _("Our own account is wrong"),
    "AC03": _("The account is not held by that bank"),
    "AC04": _("The account is closed"),
    "AC06": _("The account is blocked"),
    "AG01": _("The account may not take payments of this kind"),
    "AM04": _("Our account has not enough money"),
    "AM05": _("The bank has seen this payment before"),
    "AM10": _("The sum of the file is wrong"),
    "AM18": _("The number of payments in the file is wrong"),
    "BE05": _("The bank does not know us"),
    "DT01": _("The day of execution is in the past"),
    "DUPL": _("The bank has seen this payment before"),
    "FF01": _("The file is not of the agreed form"),
    "MD07": _("The payee has died"),
    "RC01": _("The payee’s bank is not known"),
    "RR04": _("Refused for a reason of regulation"),
}
# Why a file was refused, in words; `where` says the line and element.
REFUSED: Final[dict[str, str | Promise]] = {
    "too_large": _("It is larger than any message of a bank."),
    "not_well_formed": _("It is broken or cut short."),
    "not_utf_8": _("It is not written in UTF-8."),
    "not_iso_20022": _("It is XML, but no ISO 20022 message."),
    "document_type": _("It declares a document type, which no bank needs."),
    "message_unknown": _("It is a kind of message that is not read here."),
    "element_missing": _("Something that must be there is missing."),
    "says_nothing": _("It says nothing of any payment."),
    "file_not_named": _("It does not name the file it answers."),
    "status_unknown": _("It names a status that is not known."),
    "another_account": _("It is of another account."),
    "another_currency": _("It is in another currency."),
    "amount_unreadable": _("An amount cannot be read, or has too many decimals."),
    "date_unreadable": _("A date cannot be read."),
    "span_unreadable": _("The days it covers cannot be read."),
    "direction_missing": _("It does not say whether money came or went."),
    "balance_missing": _("It has no opening or closing balance."),
    "not_one_statement": _("It is not one statement of one account."),
    "not_one_day": _("It covers more than one day."),
    "totals_differ": _("Its totals do not agree with its lines."),
    "column_missing": _("A column is missing or stands twice."),
    "cells_miscounted": _("A row has too few or too many cells."),
    "number_unreadable": _("An instruction number cannot be read."),
    "number_twice": _("The same payment stands in it twice."),
    "number_of_nobody": _("It names a payment that is none of this account’s."),
}
