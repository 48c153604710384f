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


class DeductionReasonMissing(Refusal):
    """A deduction needs a reason and the rule it rests on."""

    code = "deposit.deduction_reason_missing"


class DeductionReferenceReused(Refusal):
    """This reference was used for another deduction."""

    code = "deposit.deduction_reference_reused"
    kind = RefusalKind.CONFLICT


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
