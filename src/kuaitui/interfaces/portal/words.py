"""What codes are called on the seller's pages: plain, kind, and never a code alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from kuaitui.channels.port import NeededAction
from kuaitui.deposits.types import DeductionPurpose, DepositKind, StatementKind
from kuaitui.payouts.states import LegState
from kuaitui.refunds.states import MoneyPlace, NextActor, SellerAct, State
from kuaitui.refunds.types import Reason, RejectReason

Words = str | Promise

DEPOSIT_NAMES: Final[dict[DepositKind, Words]] = {
    DepositKind.SHOP: _("Shop deposit"),
    DepositKind.PROMOTION: _("Promotion deposit"),
    DepositKind.CROSS_BORDER: _("Cross-border deposit"),
    DepositKind.CAMPAIGN: _("Campaign deposit"),
    DepositKind.SERVICE_PROVIDER: _("Service provider deposit"),
}

DEDUCTION_PURPOSES: Final[dict[DeductionPurpose, Words]] = {
    DeductionPurpose.COMPENSATION: _("Paid to buyers"),
    DeductionPurpose.PENALTY: _("Penalty under the rules"),
}

# What happened, and what it means for the money.
FROZEN_FOR_A_DEDUCTION: Final = (
    _("Set aside for a deduction that was announced"),
    _("Still yours: nothing is taken before it is decided"),
)
FREE_FROM_A_DEDUCTION: Final = (
    _("No longer set aside for a deduction"),
    _("It is decided, or was not in time. If something was taken, that is a line of its own"),
)
MOVEMENTS: Final[dict[StatementKind, tuple[Words, Words]]] = {
    StatementKind.PAID_IN: (_("Deposit paid in"), _("Now part of what you can get back")),
    StatementKind.FROZEN: (_("Set aside for an application"), _("Still yours, only reserved")),
    StatementKind.RELEASED: (_("Free again"), _("The application ended; the money is available")),
    StatementKind.SENT: (_("Sent off"), _("On its way to you")),
    StatementKind.SETTLED: (_("Paid out"), _("The money has left your deposit")),
    StatementKind.FAILED_BACK: (_("Payment did not go through"), _("Reserved again, nothing lost")),
    StatementKind.RETURNED: (_("Money came back"), _("Reserved again, nothing lost")),
    StatementKind.DEDUCTED: (_("Deducted"), _("See the deduction for its calculation")),
    StatementKind.OWED: (
        _("Still to be paid by you"),
        _("A deduction was larger than the deposit"),
    ),
    StatementKind.SET_OFF: (
        _("Used to settle what was owed"),
        _("Taken from the available amount"),
    ),
    StatementKind.GIVEN_BACK: (
        _("Given back after your appeal"),
        _("The money is available in your deposit again."),
    ),
    StatementKind.OWED_LESS: (
        _("Less to be paid by you"),
        _("Your appeal took this off what was owed"),
    ),
    StatementKind.OTHER: (_("Correction"), _("Booked by the marketplace")),
}


@dataclass(frozen=True, slots=True)
class StateWords:
    """What a state is called, and what it means for the seller and the money."""

    tone: str
    word: Words
    heading: Words
    meaning: Words
    needs_seller: bool = False


STATES: Final[dict[State, StateWords]] = {
    State.DRAFT: StateWords(
        "quiet", _("Draft"), _("Not sent yet"), _("Nothing is asked for until you send it.")
    ),
    State.SUBMITTED: StateWords(
        "wait",
        _("Submitted"),
        _("We have your application"),
        _("The money is set aside for it and still yours."),
    ),
    State.CHECKING: StateWords(
        "wait",
        _("Being checked"),
        _("The conditions are being checked"),
        _("That takes seconds. The money is set aside and still yours."),
    ),
    State.IN_REVIEW: StateWords(
        "wait",
        _("In review"),
        _("A person is looking at it"),
        _("A reviewer compares the amount and the account. You need not do anything."),
    ),
    State.MORE_INFORMATION: StateWords(
        "act",
        _("Your answer is needed"),
        _("We have a question"),
        _("The review goes on as soon as you answer; your place in the queue is kept."),
        needs_seller=True,
    ),
    State.AWAITING_SECOND_APPROVAL: StateWords(
        "wait",
        _("Second approval"),
        _("A second person confirms it"),
        _("Larger amounts are looked at twice. That protects your money."),
    ),
    State.APPROVED: StateWords(
        "wait",
        _("Approved"),
        _("Approved: the payment is being prepared"),
        _("Its page says when it is sent."),
    ),
    State.PAYING: StateWords(
        "wait",
        _("Being paid out"),
        _("Your money is on its way"),
        _("A bank usually needs one to three working days; WeChat and Alipay are mostly faster."),
    ),
    State.PAID: StateWords(
        "good",
        _("Paid out"),
        _("Your money has been paid out"),
        _(
            "Look into your account. If it is not there, show the number below to your bank or wallet."
        ),
    ),
    State.RETURNED: StateWords(
        "return",
        _("Money came back"),
        _("The money has come back"),
        _("It is safe in your deposit. Correct the account; you need not apply again."),
        needs_seller=True,
    ),
    State.DESTINATION_REPAIRED: StateWords(
        "wait",
        _("New account being checked"),
        _("We are checking the new account"),
        _("After that the payment goes out again. Your place in the queue is kept."),
    ),
    State.WITHDRAWN: StateWords(
        "quiet",
        _("Withdrawn"),
        _("You have withdrawn the application"),
        _("The money is available in your deposit again. You can apply any time."),
    ),
    State.REJECTED: StateWords(
        "bad",
        _("Not granted"),
        _("The application was not granted"),
        _("The money is available in your deposit again. You can appeal, or apply again later."),
        needs_seller=True,
    ),
    State.APPEALED: StateWords(
        "wait",
        _("Appeal under way"),
        _("Your appeal is being looked at"),
        _("Somebody else than before decides. The money is set aside meanwhile."),
    ),
    State.EXPIRED: StateWords(
        "quiet",
        _("Expired"),
        _("The time for this application ran out"),
        _("The money is available in your deposit again. You can apply any time."),
    ),
    State.CLOSED_OUT: StateWords(
        "quiet",
        _("Closed"),
        _("What came back is in your deposit again"),
        _("No other account was named in time. The money is available; you can apply any time."),
    ),
}


# Approved, and no part of it has left yet.
BEING_PREPARED: Final = StateWords(
    "wait",
    _("Being prepared"),
    _("Your payment is being prepared"),
    _("It is approved. Nothing has been sent yet."),
)
# Nothing can be done about it any more, so nobody is asked to.
REJECTED_FOR_GOOD: Final = StateWords(
    "bad",
    STATES[State.REJECTED].word,
    STATES[State.REJECTED].heading,
    _("The money is available in your deposit again. You can apply again later."),
)
DEDUCTED_AWAY: Final = StateWords(
    "bad",
    STATES[State.REJECTED].word,
    STATES[State.REJECTED].heading,
    _("A deduction took all that the deposit held. Your deductions say why, and by which rule."),
)
# A part of it was sent and came back; its place took another one, which has not left yet.
BEING_PREPARED_AGAIN: Final = StateWords(
    "wait",
    _("Being prepared"),
    _("Your payment is being prepared"),
    _("It is approved and goes out again, to the account you named."),
)
# The channel cannot go on by itself with some part, and no seller can help it.
STUCK: Final = StateWords(
    "wait",
    _("Being looked after"),
    _("The marketplace is looking after your payment"),
    _("A part could not be paid as planned. Nothing is lost, and you need not do anything."),
)


def sent_in_part(sent_count: int, parts_count: int) -> StateWords:
    """What a payout is called of which some parts have left and others have not."""
    heading = ngettext(
        "%(sent)s of %(parts)s parts has left",
        "%(sent)s of %(parts)s parts have left",
        sent_count,
    ) % {"sent": sent_count, "parts": parts_count}
    return StateWords(
        "wait", _("Sent in part"), heading, _("The rest is being prepared and follows by itself.")
    )


def state_of(state: State) -> StateWords:
    """What a state is called."""
    return STATES[state]


REASONS: Final[dict[Reason, tuple[Words, Words]]] = {
    Reason.CLOSING_SHOP: (_("I am closing the shop"), _("The shop ends with the refund")),
    Reason.EXCESS_RETURNED: (_("I paid more than is required"), _("The shop goes on as before")),
    Reason.CHANGING_CATEGORY: (_("I am changing the category"), ""),
    Reason.CHANGING_PLATFORM: (_("I am moving elsewhere"), ""),
    Reason.OTHER: (_("Another reason"), _("Tell us in a sentence below")),
}

REJECT_REASONS: Final[dict[RejectReason, Words]] = {
    RejectReason.TRADE_NOT_COMPLETE: _("Orders, after-sales or disputes are not finished"),
    RejectReason.VIOLATION_OPEN: _("A violation is not settled"),
    RejectReason.HOLD_NOT_OVER: _("The holding period is not over"),
    RejectReason.DESTINATION_NOT_SAME_PERSON: _("The account is not in the owner’s name"),
    RejectReason.INFORMATION_MISSING: _("Information was missing"),
    RejectReason.INFORMATION_WRONG: _("Information did not match"),
    RejectReason.SUSPECTED_TAKEOVER: _("We could not be sure that it was you who applied"),
    RejectReason.DEPOSIT_DEDUCTED: _("The deposit was needed for a deduction"),
    RejectReason.OTHER: _("Another reason"),
}

MONEY_PLACES: Final[dict[MoneyPlace, Words]] = {
    MoneyPlace.DEPOSIT_AVAILABLE: _("In your deposit, available"),
    MoneyPlace.DEPOSIT_FROZEN: _("In your deposit, set aside for this application"),
    MoneyPlace.WITH_CHANNEL: _("On its way to you"),
    MoneyPlace.SELLER_ACCOUNT: _("Paid out to your account"),
}
NOT_YET_SENT, THE_MARKETPLACE = _("Set aside for you, not yet sent"), _("The marketplace")
STUCK_ON_THE_WAY = _("At the payment channel, not yet paid to you")

NEXT_ACTORS: Final[dict[NextActor, Words]] = {
    NextActor.SELLER: _("You"),
    NextActor.KUAITUI: _("Our system, by itself"),
    NextActor.REVIEWER: _("A reviewer of the marketplace"),
    NextActor.SECOND_APPROVER: _("A second person at the marketplace"),
    NextActor.CHANNEL: _("The bank, WeChat or Alipay"),
    NextActor.NOBODY: _("Nobody: it is finished"),
}

# What happened, line by line. What only matters inside is not told.
EVENTS: Final[dict[str, Words]] = {
    "submitted": _("Application sent"),
    "checked": _("Conditions checked"),
    "approved_by_rule": _("Approved at once: every condition is met"),
    "approved": _("Reviewed and approved"),
    "second_approved": _("Confirmed by a second person"),
    "sent_back": _("Looked at once more"),
    "information_requested": _("We asked you a question"),
    "information_provided": _("You answered"),
    "rejected": _("Not granted"),
    "appealed": _("You appealed"),
    "appeal_granted": _("Your appeal was granted"),
    "appeal_dismissed": _("Your appeal was not granted"),
    "withdrawn": _("You withdrew the application"),
    "leg_sent": _("Sent off"),
    "delayed": _("Nobody has told us yet whether it was paid; we are asking"),
    "paid": _("Paid out"),
    "returned": _("Money came back"),
    "payout_failed": _("It could not be paid out"),
    "destination_repaired": _("You named another account"),
    "repair_refused": _("The new account could not be used"),
    "repair_reminded": _("We reminded you to name another account"),
    "closed_out": _("Closed: the money is available in your deposit again"),
    "amount_reduced": _("The amount became smaller because of a deduction"),
    "approval_voided": _("Something changed, so it is looked at again"),
    "expired": _("The time ran out"),
    "cooling_down": _("Waits until the new account may be used"),
    "appeal_window_closed": _("The time to appeal ended"),
}
EVENTS_INSIDE: Final = frozenset(
    {"checking", "payout_begun", "draft_begun", "draft_saved", "close_out_proposed"}
)

REVIEWED, CONFIRMED = _("Review by a person"), _("Confirmation by a second person")
SENT_OFF, PAID_OUT = _("Sent off"), _("Paid out")
HELD = _("It takes longer; the marketplace is looking at it")
AT_WORK = _("Being processed")
BEING_ASKED = _("We are verifying the payment. Please do not apply again.")
NEW_ACCOUNT = _("Check of the new account")

LEG_STATES: Final[dict[LegState, tuple[str, Words]]] = {
    LegState.READY: ("wait", _("Being prepared")),
    LegState.SENDING: ("wait", _("Being sent off")),
    LegState.UNKNOWN: ("ask", _("We are asking whether it was paid")),
    LegState.ACCEPTED: ("wait", _("Being processed")),
    LegState.NEEDS_ACTION: ("wait", _("Being processed")),
    LegState.PAID: ("good", _("Paid out")),
    LegState.RETURNED: ("return", _("Money came back")),
    LegState.FAILED: ("bad", _("Not paid; the money is back")),
    LegState.CANCELLED: ("quiet", _("Called off")),
}

# What the channel waits for somebody for, where that says more than the state.
NEEDED_ACTIONS: Final[dict[NeededAction, tuple[str, Words]]] = {
    NeededAction.USER_CONFIRM: ("act", _("Waits for your confirmation")),
    NeededAction.ABNORMAL_REFUND: ("wait", _("The way back is blocked; we look for another")),
    NeededAction.MISSING_BANK_DETAILS: ("wait", _("Waits for us: details are missing")),
}
LEG_CLOSED_OUT: Final[tuple[str, Words]] = ("quiet", _("Back in your deposit"))
AT_CHANNEL_UNCONFIRMED = _("With the payment channel, waiting for your confirmation")

SELLER_ACTS: Final[dict[SellerAct, Words]] = {
    SellerAct.WITHDRAW: _("Withdraw the application"),
    SellerAct.PROVIDE_INFORMATION: _("Answer the question"),
    SellerAct.APPEAL: _("Appeal"),
    SellerAct.REPAIR_DESTINATION: _("Name another account"),
    SellerAct.APPLY_AGAIN: _("Apply again"),
}
