"""Refusals of payouts."""

from __future__ import annotations

from kuaitui.kernel.errors import Refusal, RefusalKind


class PayoutUnknown(Refusal):
    """There is no such payout."""

    code = "payout.unknown"
    kind = RefusalKind.NOT_FOUND


class LegUnknown(Refusal):
    """There is no such part of a payout."""

    code = "payout.leg_unknown"
    kind = RefusalKind.NOT_FOUND


class PayoutChanged(Refusal):
    """A payout for this application was begun with other content."""

    code = "payout.changed"
    kind = RefusalKind.CONFLICT


class ApprovalMissing(Refusal):
    """A payout needs the approval it rests on."""

    code = "payout.approval_missing"


class PayoutUnderWay(Refusal):
    """The money has already been sent, so the payout can no longer be called off."""

    code = "payout.under_way"
    kind = RefusalKind.CONFLICT


class LegNotRepairable(Refusal):
    """Only a part that certainly failed or came back can be sent to another account."""

    code = "payout.leg_not_repairable"
    kind = RefusalKind.CONFLICT


class LegReplaced(Refusal):
    """This part was already sent again to another account."""

    code = "payout.leg_replaced"
    kind = RefusalKind.CONFLICT


class ReasonMissing(Refusal):
    """Say why sending is stopped or released."""

    code = "payout.reason_missing"


class PayoutBeingAskedBack(Refusal):
    """Payouts are being checked with the channels after a restore. Please try again later."""

    code = "payout.being_asked_back"
    kind = RefusalKind.UNAVAILABLE


class SendingNotHeld(Refusal):
    """Payouts are not on hold."""

    code = "payout.not_held"
    kind = RefusalKind.CONFLICT


class LostWindowUnasked(Refusal):
    """The channels have not yet answered about every payout that may have been sent."""

    code = "payout.lost_window_unasked"
    kind = RefusalKind.CONFLICT


class ReleaseNotProposed(Refusal):
    """Somebody must first propose the release and say what was found."""

    code = "payout.release_not_proposed"
    kind = RefusalKind.CONFLICT


class ReleaseNeedsAnother(Refusal):
    """A release needs a second person."""

    code = "payout.release_needs_another"
    kind = RefusalKind.FORBIDDEN


class LimitNotPositive(Refusal):
    """A limit is more than nothing. To stop sending, use the switch."""

    code = "payout.limit_not_positive"
