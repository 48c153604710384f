"""What a payment order is called and what its seller is told: where the money is, who is next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from kuaitui.deposits.queries import PayInOrderView
from kuaitui.deposits.states import PayInState, SuspenseState
from kuaitui.deposits.types import SuspenseReason
from kuaitui.interfaces.portal.words import Words


@dataclass(frozen=True, slots=True)
class PaymentWords:
    """One moment of an order in words: what it is, and the four answers but the date."""

    tone: str
    word: Words
    heading: Words
    meaning: Words
    money: Words
    next_actor: Words
    can_do: Words


WITH_YOU: Final = _("Still with you: nothing has been paid yet")
IN_DEPOSIT: Final = _("In your deposit")
SYSTEM: Final = _("Our system, by itself")
YOU: Final = _("You")
NOBODY: Final = _("Nobody: it is finished")
PEOPLE: Final = _("Two people at the marketplace")
START_ANEW: Final = _("Start a new payment when you like")

PREPARING: Final = PaymentWords(
    "wait",
    _("Being prepared"),
    _("The payment is being prepared"),
    _("That takes a few seconds. You need not do anything."),
    WITH_YOU,
    SYSTEM,
    _("Wait a moment, or call it off"),
)
ASKING: Final = PaymentWords(
    "ask",
    _("Being verified"),
    _("We are asking the channel. Please do not pay a second time."),
    _("It has not told us yet whether it waits for your payment. We keep asking until it does."),
    _("Still with you, or on its way if you have just paid"),
    SYSTEM,
    _("Wait a moment, or call it off"),
)
READY: Final = PaymentWords(
    "act",
    _("Waiting for you to pay"),
    _("Pay now"),
    _("As soon as the channel confirms your payment it shows here, by itself."),
    WITH_YOU,
    YOU,
    _("Pay, or call it off"),
)
LOOKED_AT: Final = PaymentWords(
    "ask",
    _("A person looks at it"),
    _("A person looks at this payment. Please do not pay a second time."),
    _("Something about it is not as it should be, so the machine does not decide alone."),
    _("Still with you, or safe with the channel if you have paid: it is not lost"),
    _("A person at the marketplace"),
    _("Nothing is needed from you"),
)
CLOSING: Final = PaymentWords(
    "wait",
    _("Being closed"),
    _("This payment is being closed"),
    _("If you have just paid all the same, we find it: nothing is lost."),
    _("Still with you, unless you have just paid"),
    SYSTEM,
    _("Nothing is needed from you"),
)
ARRIVED: Final = PaymentWords(
    "good",
    _("Arrived"),
    _("Your payment has arrived"),
    _("The channel has confirmed it."),
    IN_DEPOSIT,
    NOBODY,
    _("Keep the receipt"),
)
OTHER_AMOUNT: Final = PaymentWords(
    "act",
    _("Another amount arrived"),
    _("Another amount arrived than was asked for"),
    _("What you paid is in your deposit, down to the last fen. A person has been told."),
    IN_DEPOSIT,
    _("A person at the marketplace"),
    _("Keep the receipt; pay the rest if something is missing"),
)
SET_APART: Final = PaymentWords(
    "pause",
    _("Arrived, being placed"),
    _("Your payment arrived when this order had ended"),
    _("It is safe. It is kept apart until two people have put it where it belongs."),
    _("Kept apart for you by the marketplace"),
    PEOPLE,
    _("Nothing is needed from you; do not pay again for it"),
)
GOES_BACK: Final = PaymentWords(
    "return",
    _("Going back to you"),
    _("Your payment goes back to you"),
    _("It arrived when this order had ended. It goes back the way it came."),
    _("With the channel, ordered back to the account you paid from"),
    _("The channel"),
    _("Nothing is needed from you"),
)
WENT_BACK: Final = PaymentWords(
    "quiet",
    _("Gone back to you"),
    _("Your payment has gone back to you"),
    _("It arrived when this order had ended. Look into the account you paid from."),
    _("Back in the account you paid from"),
    NOBODY,
    START_ANEW,
)
CALLED_OFF: Final = PaymentWords(
    "quiet",
    _("Called off"),
    _("This payment was called off"),
    _("Nothing was paid by it. If you have paid all the same, it will show here: nothing is lost."),
    WITH_YOU,
    NOBODY,
    START_ANEW,
)
TIME_OVER: Final = PaymentWords(
    "quiet",
    _("Expired"),
    _("The time for this payment ran out"),
    _("Nothing was paid by it. If you have paid all the same, it will show here: nothing is lost."),
    WITH_YOU,
    NOBODY,
    START_ANEW,
)
REFUSED: Final = PaymentWords(
    "bad",
    _("Not possible"),
    _("The channel did not take this payment"),
    _("Nothing was paid. Choose another way to pay, or try again later."),
    WITH_YOU,
    YOU,
    _("Choose another way to pay"),
)

# Why money of a shop is kept apart, in the seller's words.
KEPT_APART: Final = {
    SuspenseReason.PAID_TWICE: _("It is a second payment of an order that was paid already."),
    SuspenseReason.PAID_AFTER_CLOSING: _("It arrived when its order had ended."),
    SuspenseReason.ACCOUNT_CLOSED: _("It arrived when the deposit had been closed."),
    SuspenseReason.OTHER_CURRENCY: _("It arrived in another currency than the deposit."),
}

_BY_STATE: Final = {
    PayInState.CREATED: PREPARING,
    PayInState.OPENING: PREPARING,
    PayInState.UNKNOWN: ASKING,
    PayInState.PAID: ARRIVED,
    PayInState.PAID_OTHER_AMOUNT: OTHER_AMOUNT,
    PayInState.CLOSED: CALLED_OFF,
    PayInState.EXPIRED: TIME_OVER,
    PayInState.FAILED: REFUSED,
}
_BY_SUSPENSE: Final = {
    SuspenseState.OPEN: SET_APART,
    SuspenseState.PROPOSED: SET_APART,
    SuspenseState.ATTRIBUTED: ARRIVED,
    SuspenseState.TO_SEND_BACK: GOES_BACK,
    SuspenseState.SENT_BACK: WENT_BACK,
}


def words_of(
    order: PayInOrderView, *, suspense: SuspenseState | None, can_be_met: bool, is_over: bool
) -> PaymentWords:
    """What is said of an order; `is_over`: its time has run out though the channel still has it."""
    if order.state is PayInState.IN_SUSPENSE:
        return _BY_SUSPENSE[suspense or SuspenseState.OPEN]
    if order.is_open and order.is_set_aside:
        return LOOKED_AT
    if order.is_open and (order.is_called_off or is_over):
        return CLOSING
    if order.state is PayInState.WAITING:
        return READY if can_be_met else PREPARING
    return _BY_STATE[order.state]
