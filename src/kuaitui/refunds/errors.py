"""Refusals of refunds."""

from __future__ import annotations

from kuaitui.kernel.errors import Refusal, RefusalKind


class ApplicationUnknown(Refusal):
    """There is no such application."""

    code = "refund.application_unknown"
    kind = RefusalKind.NOT_FOUND


class ApplicationAlreadyOpen(Refusal):
    """An application for this deposit is already under way."""

    code = "refund.application_already_open"
    kind = RefusalKind.CONFLICT


class RequestKeyReused(Refusal):
    """This form was already sent with other entries. The first application stands."""

    code = "refund.request_key_reused"
    kind = RefusalKind.CONFLICT


class RequestKeyMissing(Refusal):
    """The form is incomplete. Open it again and send it once more."""

    code = "refund.request_key_missing"


class NotEligible(Refusal):
    """The deposit cannot be refunded yet."""

    code = "refund.not_eligible"
    kind = RefusalKind.CONFLICT


class AmountMissing(Refusal):
    """Enter the amount you want back."""

    code = "refund.amount_missing"


class AmountNotPositive(Refusal):
    """The amount must be more than zero."""

    code = "refund.amount_not_positive"


class AmountAboveRefundable(Refusal):
    """The amount is more than can be refunded."""

    code = "refund.amount_above_refundable"


class AmountChangedSinceShown(Refusal):
    """What can be refunded has changed since you looked. Look at the amount again."""

    code = "refund.amount_changed_since_shown"
    kind = RefusalKind.CONFLICT


class AmountCurrencyWrong(Refusal):
    """The amount is not in the currency of this deposit."""

    code = "refund.amount_currency_wrong"


class NothingRefundable(Refusal):
    """There is nothing to refund in this deposit."""

    code = "refund.nothing_refundable"
    kind = RefusalKind.CONFLICT


class NoteTooLong(Refusal):
    """The text is too long."""

    code = "refund.note_too_long"
    kind = RefusalKind.LIMIT


class TextMissing(Refusal):
    """Write a few words."""

    code = "refund.text_missing"


class ReasonMissing(Refusal):
    """Choose at least one reason."""

    code = "refund.reason_missing"


class StateDoesNotAllow(Refusal):
    """The application has moved on; this is no longer possible."""

    code = "refund.state_does_not_allow"
    kind = RefusalKind.CONFLICT


class StaleVersion(Refusal):
    """Somebody or something changed this case since you opened it. Look at it again."""

    code = "refund.stale_version"
    kind = RefusalKind.CONFLICT


class ApprovalOutdated(Refusal):
    """What would be paid is no longer what you saw. Look at it again before you approve."""

    code = "refund.approval_outdated"
    kind = RefusalKind.CONFLICT


class AmountRetypedWrong(Refusal):
    """The amount you typed is not the amount of this application."""

    code = "refund.amount_retyped_wrong"


class SecondApproverIsFirst(Refusal):
    """The second approval must come from somebody else than the first."""

    code = "refund.second_approver_is_first"
    kind = RefusalKind.FORBIDDEN


class ApproverIsInvolved(Refusal):
    """Whoever made the application or chose its destination cannot approve it."""

    code = "refund.approver_is_involved"
    kind = RefusalKind.FORBIDDEN


class AppealDeciderRejected(Refusal):
    """An appeal is decided by somebody else than whoever rejected."""

    code = "refund.appeal_decider_rejected"
    kind = RefusalKind.FORBIDDEN


class RejectedBefore(Refusal):
    """An appeal against your rejection was granted, so somebody else must decide."""

    code = "refund.rejected_before"
    kind = RefusalKind.FORBIDDEN


class TooLateToWithdraw(Refusal):
    """The money is already on its way; the application can no longer be withdrawn."""

    code = "refund.too_late_to_withdraw"
    kind = RefusalKind.CONFLICT


class TooLateToAppeal(Refusal):
    """The time to appeal is over."""

    code = "refund.too_late_to_appeal"
    kind = RefusalKind.CONFLICT


class AppealedAlready(Refusal):
    """This rejection stands after an appeal. You can apply again."""

    code = "refund.appealed_already"
    kind = RefusalKind.CONFLICT


class TooLateToAnswer(Refusal):
    """The time to answer is over."""

    code = "refund.too_late_to_answer"
    kind = RefusalKind.CONFLICT


class DestinationOfAnotherShop(Refusal):
    """This payee account is not one of this shop's."""

    code = "refund.destination_of_another_shop"
    kind = RefusalKind.NOT_FOUND


class DestinationUnchanged(Refusal):
    """The bank refused this account. Choose another one."""

    code = "refund.destination_unchanged"


class CloseOutTooEarly(Refusal):
    """The seller still has time to name another account."""

    code = "refund.close_out_too_early"
    kind = RefusalKind.CONFLICT


class CloseOutNotProposed(Refusal):
    """Nobody has proposed to close this out, or something changed since. Propose it first."""

    code = "refund.close_out_not_proposed"
    kind = RefusalKind.CONFLICT


class CloseOutNeedsAnother(Refusal):
    """A close-out is confirmed by somebody else than the one who proposed it."""

    code = "refund.close_out_needs_another"
    kind = RefusalKind.FORBIDDEN


class CursorBroken(Refusal):
    """This page of the list cannot be found. Begin at the top."""

    code = "refund.cursor_broken"
