"""Refusals of deposits."""

from __future__ import annotations

from kuaitui.kernel.errors import Refusal, RefusalKind


class DepositAccountUnknown(Refusal):
    """There is no such deposit."""

    code = "deposit.account_unknown"
    kind = RefusalKind.NOT_FOUND


class DepositAccountClosed(Refusal):
    """This deposit is closed; nothing can be paid into it or frozen."""

    code = "deposit.account_closed"
    kind = RefusalKind.CONFLICT


class DepositAmountNotPositive(Refusal):
    """The amount must be more than zero."""

    code = "deposit.amount_not_positive"


class DepositCurrencyWrong(Refusal):
    """The amount is not in the currency of this deposit."""

    code = "deposit.currency_wrong"


class RequiredAmountNegative(Refusal):
    """What is required cannot be less than nothing."""

    code = "deposit.required_negative"


class PayInReferenceReused(Refusal):
    """This channel payment was recorded before with another amount or for another deposit."""

    code = "deposit.pay_in_reference_reused"
    kind = RefusalKind.CONFLICT


class PaymentInSuspenseAlready(Refusal):
    """This payment lies in suspense, or went back from there. Two people decide about it there."""

    code = "deposit.payment_in_suspense_already"
    kind = RefusalKind.CONFLICT


class PaidInTheFuture(Refusal):
    """The payment is dated in the future."""

    code = "deposit.paid_in_the_future"


class InsufficientDeposit(Refusal):
    """There is less money free in this deposit than that."""

    code = "deposit.insufficient"
    kind = RefusalKind.CONFLICT


class NoWayOut(Refusal):
    """Part of this deposit cannot be sent to such an account here. Choose another account, or ask
    the marketplace.
    """

    code = "deposit.no_way_out"
    kind = RefusalKind.UNAVAILABLE


class PartTooSmall(NoWayOut):
    """Part of the money is less than can be sent to such an account. Choose another account, or
    another amount.
    """

    code = "deposit.part_too_small"
    kind = RefusalKind.LIMIT


class PartTooLarge(NoWayOut):
    """Part of the money is more than can be sent to such an account at once. Choose another
    account, or ask for less now and for the rest later.
    """

    code = "deposit.part_too_large"
    kind = RefusalKind.LIMIT


class HoldUnknown(Refusal):
    """Nothing is frozen under this reference."""

    code = "deposit.hold_unknown"
    kind = RefusalKind.NOT_FOUND


class HoldReused(Refusal):
    """This reference froze another amount before."""

    code = "deposit.hold_reused"
    kind = RefusalKind.CONFLICT


class LotUnknown(Refusal):
    """This deposit has no such payment."""

    code = "deposit.lot_unknown"
    kind = RefusalKind.NOT_FOUND


class LotExhausted(Refusal):
    """Less is left of this payment than that."""

    code = "deposit.lot_exhausted"
    kind = RefusalKind.CONFLICT


class ShareUnknown(Refusal):
    """No part of this deposit is reserved for that payout."""

    code = "deposit.share_unknown"
    kind = RefusalKind.NOT_FOUND


class DeductionEmpty(Refusal):
    """A deduction needs at least one item with an amount."""

    code = "deposit.deduction_empty"


class DeductionItemUnexplained(Refusal):
    """Every item of a deduction needs a description and at least one order or case."""

    code = "deposit.deduction_item_unexplained"


class DeductionTooLong(Refusal):
    """The reason, the rule, an item or its quantity is longer or larger than a deduction can hold."""

    code = "deposit.deduction_too_long"
    kind = RefusalKind.LIMIT


class DeductionReasonMissing(Refusal):
    """A deduction needs a reason and the rule it rests on."""

    code = "deposit.deduction_reason_missing"


class DeductionReferenceReused(Refusal):
    """This reference was used for another deduction."""

    code = "deposit.deduction_reference_reused"
    kind = RefusalKind.CONFLICT


class DeductionUnknown(Refusal):
    """There is no such deduction."""

    code = "deposit.deduction_unknown"
    kind = RefusalKind.NOT_FOUND


class DeductionGivenBackAlready(Refusal):
    """Of this deduction something has been given back already."""

    code = "deposit.deduction_given_back_already"
    kind = RefusalKind.CONFLICT


class GivenBackTooMuch(Refusal):
    """More than was deducted cannot be given back."""

    code = "deposit.given_back_too_much"


class DestinationUnknown(Refusal):
    """There is no such payee account."""

    code = "destination.unknown"
    kind = RefusalKind.NOT_FOUND


class DestinationRequired(Refusal):
    """Part of the money cannot go back the way it came. Choose an account for it."""

    code = "destination.required"


class DestinationUnverified(Refusal):
    """Nobody has yet checked that this account belongs to the shop's owner."""

    code = "destination.unverified"
    kind = RefusalKind.CONFLICT


class HolderNameMissing(Refusal):
    """Enter the name of the account holder."""

    code = "destination.holder_name_missing"


class HolderNameTooLong(Refusal):
    """The name of the account holder is too long."""

    code = "destination.holder_name_too_long"


class BankNameMissing(Refusal):
    """Enter the name of the bank."""

    code = "destination.bank_name_missing"


class BankNameTooLong(Refusal):
    """The name of the bank is too long."""

    code = "destination.bank_name_too_long"


class BankCodeMistyped(Refusal):
    """A bank's interbank number has 12 digits, a BIC 8 or 11 letters and digits. Leave it empty if
    you do not know it.
    """

    code = "destination.bank_code_mistyped"


class AccountNumberMissing(Refusal):
    """Enter the account number."""

    code = "destination.account_number_missing"


class AccountNumberNotDigits(Refusal):
    """An account number has digits only. Spaces and dashes are fine."""

    code = "destination.account_number_not_digits"


class AccountNumberTooShort(Refusal):
    """The account number is too short. Check that no digit is missing."""

    code = "destination.account_number_too_short"


class AccountNumberTooLong(Refusal):
    """The account number is too long. Check that no digit is doubled."""

    code = "destination.account_number_too_long"


class AccountNumberMistyped(Refusal):
    """This card number cannot be right. One digit is wrong or two are swapped."""

    code = "destination.account_number_mistyped"


class AlipayAccountMissing(Refusal):
    """Enter the mobile number or mail address you log in to Alipay with."""

    code = "destination.alipay_account_missing"


class AlipayAccountMistyped(Refusal):
    """This is neither a mobile number nor a mail address. Check it in Alipay under your account."""

    code = "destination.alipay_account_mistyped"


class PayInUnknown(Refusal):
    """There is no such payment order."""

    code = "pay_in.unknown"
    kind = RefusalKind.NOT_FOUND


class PayInNothingMissing(Refusal):
    """Nothing is missing from this deposit. Choose an amount if you want to pay more."""

    code = "pay_in.nothing_missing"


class PayInAmountMissing(Refusal):
    """Enter how much you want to pay."""

    code = "pay_in.amount_missing"


class PayInAmountTooLarge(Refusal):
    """This is more than can be paid at once. Pay it in several parts."""

    code = "pay_in.amount_too_large"
    kind = RefusalKind.LIMIT


class PayInWayUnavailable(Refusal):
    """This way to pay is not offered here. Choose another one."""

    code = "pay_in.way_unavailable"


class PayInAlreadyOpen(Refusal):
    """A payment for this deposit is already waiting. Pay it, or call it off first."""

    code = "pay_in.already_open"
    kind = RefusalKind.CONFLICT


class PayInKeyReused(Refusal):
    """This request was sent before with another amount or way to pay."""

    code = "pay_in.key_reused"
    kind = RefusalKind.CONFLICT


class PayInEnded(Refusal):
    """This payment order has ended."""

    code = "pay_in.ended"
    kind = RefusalKind.CONFLICT


class PayInFindingMissing(Refusal):
    """Say what was found before the order goes on."""

    code = "pay_in.finding_missing"


class SuspenseUnknown(Refusal):
    """There is no such payment in suspense."""

    code = "suspense.unknown"
    kind = RefusalKind.NOT_FOUND


class SuspenseMovedOn(Refusal):
    """Somebody else was faster: look at the case as it is now."""

    code = "suspense.moved_on"
    kind = RefusalKind.CONFLICT


class SuspenseReasonMissing(Refusal):
    """Say why, in a few words."""

    code = "suspense.reason_missing"


class SuspenseNeedsAccount(Refusal):
    """Name the deposit that this payment belongs to."""

    code = "suspense.needs_account"


class SuspenseNeedsSecondPerson(Refusal):
    """Whoever proposed this may not confirm it."""

    code = "suspense.needs_second_person"
    kind = RefusalKind.FORBIDDEN


class SuspenseReferenceTaken(Refusal):
    """This refund has already closed another case. Check the number."""

    code = "suspense.reference_taken"
    kind = RefusalKind.CONFLICT


class SuspenseReferenceMissing(Refusal):
    """Enter the channel's number of the refund."""

    code = "suspense.reference_missing"
