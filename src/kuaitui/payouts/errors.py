"""Refusals of payouts."""

from __future__ import annotations

from kuaitui.kernel.errors import Refusal, RefusalKind


class PayoutUnknown(Refusal):
    """There is no such payout."""

    code = "payout.unknown"
    kind = RefusalKind.NOT_FOUND


class SendBackUnknown(Refusal):
    """There is no such payment on its way back."""

    code = "payout.send_back_unknown"
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


class SendingNotStopped(Refusal):
    """Sending is not stopped here."""

    code = "payout.not_stopped"
    kind = RefusalKind.CONFLICT


class LimitNotPositive(Refusal):
    """A limit is more than nothing. To stop sending, use the switch."""

    code = "payout.limit_not_positive"


class BatchUnknown(Refusal):
    """There is no such batch."""

    code = "payout.batch_unknown"
    kind = RefusalKind.NOT_FOUND


class NothingToGather(Refusal):
    """No payout waits for a batch of this channel and currency."""

    code = "payout.nothing_to_gather"
    kind = RefusalKind.CONFLICT


class LegNotWaiting(Refusal):
    """One of the chosen payouts does not wait for a batch any more. Load the page and choose again."""

    code = "payout.leg_not_waiting"
    kind = RefusalKind.CONFLICT


class BatchNotOpen(Refusal):
    """This batch was already released or called off."""

    code = "payout.batch_not_open"
    kind = RefusalKind.CONFLICT


class BatchChanged(Refusal):
    """A payout in this batch was called off or set aside. Call the batch off and build it again."""

    code = "payout.batch_changed"
    kind = RefusalKind.CONFLICT


class ReleasedByItsBuilder(Refusal):
    """Whoever builds a batch does not release it. Another person must."""

    code = "payout.released_by_its_builder"
    kind = RefusalKind.FORBIDDEN


class ReleasedByAnApprover(Refusal):
    """You approved a payout in this batch, so another person must release it."""

    code = "payout.released_by_an_approver"
    kind = RefusalKind.FORBIDDEN


class PayoutMayStillPay(Refusal):
    """A part of this payout may still be paid. It cannot be closed out before that is known."""

    code = "payout.may_still_pay"
    kind = RefusalKind.CONFLICT


class BatchFileHeldBack(Refusal):
    """Sending is on hold after a restore. No file is made until two people have released it."""

    code = "payout.batch_file_held_back"
    kind = RefusalKind.CONFLICT


class BatchFileMayBeTaken(Refusal):
    """The database was restored after this batch was released, so the bank may have its file. Look
    there first, and write what you found.
    """

    code = "payout.batch_file_may_be_taken"
    kind = RefusalKind.CONFLICT


class LotUnderWay(Refusal):
    """Another refund of the same payment is still under way. Decide this again when it has ended."""

    code = "payout.lot_under_way"
    kind = RefusalKind.CONFLICT


class MoreCameBack(Refusal):
    """Another part came back after the close-out was proposed. Its seller is asked about it first."""

    code = "payout.more_came_back"
    kind = RefusalKind.CONFLICT


class BatchNotReady(Refusal):
    """The file is made when every payout of the batch is booked as sent. Try again in a moment."""

    code = "payout.batch_not_ready"
    kind = RefusalKind.CONFLICT


class MessageUnknown(Refusal):
    """There is no such message of a bank."""

    code = "payout.message_unknown"
    kind = RefusalKind.NOT_FOUND


class MessageEmpty(Refusal):
    """Choose a file that is not empty."""

    code = "payout.message_empty"


class MessageSettled(Refusal):
    """This file was refused, or somebody has confirmed it already."""

    code = "payout.message_settled"
    kind = RefusalKind.CONFLICT


class ConfirmedByItsBringer(Refusal):
    """Whoever imports a bank's file does not confirm it. Another person must."""

    code = "payout.confirmed_by_its_bringer"
    kind = RefusalKind.FORBIDDEN


class LimitNotProposed(Refusal):
    """No such change of a limit waits to be confirmed."""

    code = "payout.limit_not_proposed"
    kind = RefusalKind.CONFLICT


class LimitChanged(Refusal):
    """The proposed limit was changed since it was shown. Look at it again."""

    code = "payout.limit_changed"
    kind = RefusalKind.CONFLICT


class LimitNeedsAnother(Refusal):
    """A limit is confirmed by somebody else than the one who proposed it."""

    code = "payout.limit_needs_another"
    kind = RefusalKind.FORBIDDEN


class LegNotStuck(Refusal):
    """This part does not wait for an account, or its channel takes none."""

    code = "payout.leg_not_stuck"
    kind = RefusalKind.CONFLICT


class LegNotCancellable(Refusal):
    """This part does not wait for its payee's confirmation, or its channel calls nothing back."""

    code = "payout.leg_not_cancellable"
    kind = RefusalKind.CONFLICT


class InterventionOpen(Refusal):
    """Something is decided about this part already. Wait for it, or take it back."""

    code = "payout.intervention_open"
    kind = RefusalKind.CONFLICT


class InterventionMissing(Refusal):
    """Nothing is decided about this part (any more). Look at it again."""

    code = "payout.intervention_missing"
    kind = RefusalKind.CONFLICT


class InterventionUnderWay(Refusal):
    """The channel is being told at this moment. Try again when it has answered."""

    code = "payout.intervention_under_way"
    kind = RefusalKind.CONFLICT


class HandOverNeedsAnother(Refusal):
    """A stuck refund is handed over by two people, and neither of them entered the account."""

    code = "payout.hand_over_needs_another"
    kind = RefusalKind.FORBIDDEN


class LegNotLost(Refusal):
    """Only what its channel does not know, asked today and long enough after it was sent, can be given
    up. Ask the channel now, and look again.
    """

    code = "payout.leg_not_lost"
    kind = RefusalKind.CONFLICT


class LegNotRefused(Refusal):
    """Only what its channel has refused for hours, and does not know, can be ended so. Look again: it
    may have been taken meanwhile.
    """

    code = "payout.leg_not_refused"
    kind = RefusalKind.CONFLICT


class GiveUpNeedsAnother(Refusal):
    """You proposed to give this payment up, so another person must confirm it."""

    code = "payout.give_up_needs_another"
    kind = RefusalKind.FORBIDDEN


class HandOverAccountUnfit(Refusal):
    """Choose a checked bank account of the same shop that may be used already."""

    code = "payout.hand_over_account_unfit"
