"""What a shop is told, in words: what happened, what it means for the money, what can be done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from kuaitui.deductions.states import CaseState
from kuaitui.deposits.types import StatementKind
from kuaitui.interfaces.portal import deduction_words as cases
from kuaitui.interfaces.portal import payment_words as payments
from kuaitui.interfaces.portal.deduction_words import CaseWords
from kuaitui.interfaces.portal.payment_words import PaymentWords
from kuaitui.interfaces.portal.words import EVENTS, HELD, MOVEMENTS, STATES, Words
from kuaitui.notifications.types import NoticeCode
from kuaitui.refunds.states import State


@dataclass(frozen=True, slots=True)
class NoticeWords:
    """One thing a shop is told. `tone` is how it is drawn."""

    tone: str
    title: Words
    text: Words


def _as_state(state: State) -> NoticeWords:
    words = STATES[state]
    return NoticeWords(words.tone, words.heading, words.meaning)


def _as_payment(words: PaymentWords) -> NoticeWords:
    return NoticeWords(words.tone, words.heading, words.meaning)


def _as_case(words: CaseWords) -> NoticeWords:
    return NoticeWords(words.tone, words.heading, words.meaning)


_NEXT: Final = _("What comes next, and by when, stands on its page.")
_SAFE: Final = STATES[State.RETURNED].meaning

NOTICES: Final[dict[NoticeCode, NoticeWords]] = {
    NoticeCode.SUBMITTED: _as_state(State.SUBMITTED),
    NoticeCode.APPROVED_BY_RULE: _as_state(State.APPROVED),
    NoticeCode.APPROVED: NoticeWords("good", EVENTS["approved"], _NEXT),
    NoticeCode.SECOND_APPROVED: _as_state(State.APPROVED),
    NoticeCode.INFORMATION_REQUESTED: _as_state(State.MORE_INFORMATION),
    NoticeCode.REJECTED: _as_state(State.REJECTED),
    NoticeCode.APPEALED: _as_state(State.APPEALED),
    NoticeCode.APPEAL_GRANTED: NoticeWords("good", EVENTS["appeal_granted"], _NEXT),
    NoticeCode.APPEAL_DISMISSED: NoticeWords(
        "bad", EVENTS["appeal_dismissed"], _("The money is available in your deposit again.")
    ),
    NoticeCode.WITHDRAWN: _as_state(State.WITHDRAWN),
    NoticeCode.EXPIRED: _as_state(State.EXPIRED),
    NoticeCode.DELAYED: NoticeWords(
        "ask", HELD, _("Nothing is lost. You need not do anything, and please do not apply again.")
    ),
    NoticeCode.PAID: NoticeWords(
        "good",
        STATES[State.PAID].heading,
        _("Look into your account. If it is not there, its page has a number to ask with."),
    ),
    NoticeCode.PAYOUT_FAILED: NoticeWords("return", EVENTS["payout_failed"], _SAFE),
    NoticeCode.RETURNED: _as_state(State.RETURNED),
    NoticeCode.REPAIR_REMINDED: NoticeWords(
        "act", _("Your money still waits for another account"), _SAFE
    ),
    NoticeCode.DESTINATION_REPAIRED: _as_state(State.DESTINATION_REPAIRED),
    NoticeCode.REPAIR_REFUSED: NoticeWords(
        "act",
        EVENTS["repair_refused"],
        _("Name another one; you need not apply again. The reason stands on its page."),
    ),
    NoticeCode.CLOSED_OUT: _as_state(State.CLOSED_OUT),
    NoticeCode.AMOUNT_REDUCED: NoticeWords(
        "wait",
        EVENTS["amount_reduced"],
        _("The rest goes on as before. The deduction shows its reason and calculation."),
    ),
    NoticeCode.CONFIRM_RECEIPT: NoticeWords(
        "act",
        _("A payment waits for your confirmation"),
        _("It is paid as soon as you confirm it. Its page says until when, and how."),
    ),
    NoticeCode.HANDED_OVER: NoticeWords(
        "wait",
        _("A payment goes to your bank account now"),
        _(
            "It could not go back the way it came. You need not do anything; its page says which"
            " account. If it is not yours, tell the marketplace’s seller service at once."
        ),
    ),
    NoticeCode.PAY_IN_SET_ASIDE: _as_payment(payments.LOOKED_AT),
    NoticeCode.PAID_OTHER_AMOUNT: _as_payment(payments.OTHER_AMOUNT),
    NoticeCode.KEPT_APART: NoticeWords(
        "pause",
        _("A payment is kept apart for you"),
        _("It is safe. Two people put it where it belongs; nothing is needed from you."),
    ),
    NoticeCode.CAME_BACK: NoticeWords(
        "pause",
        _("A payment that went back to you came back to us"),
        _("It is safe. Two people put it where it belongs; nothing is needed from you."),
    ),
    NoticeCode.ATTRIBUTED: NoticeWords(
        "good",
        _("A payment that was kept apart is in your deposit now"),
        MOVEMENTS[StatementKind.PAID_IN][1],
    ),
    NoticeCode.SENT_BACK: NoticeWords(
        "return",
        payments.GOES_BACK.heading,
        _("It goes back the way it came. Nothing is needed from you."),
    ),
    NoticeCode.SENT_BACK_BY_HAND: NoticeWords(
        "return",
        payments.WENT_BACK.heading,
        _("It went back the way it came. Look into the account you paid from."),
    ),
    NoticeCode.PAID_IN: NoticeWords("good", *MOVEMENTS[StatementKind.PAID_IN]),
    NoticeCode.DEDUCTED: NoticeWords(
        "bad",
        _("Something was taken from your deposit"),
        _("The deduction shows its reason, the rule and the calculation."),
    ),
    NoticeCode.DEDUCTION_ANNOUNCED: NoticeWords(
        "act",
        cases.ANNOUNCED.heading,
        _("Nothing is taken yet. Its page says why, and until when you can reply."),
    ),
    NoticeCode.DEDUCTION_REMINDED: NoticeWords(
        "act",
        _("The time to reply to a deduction ends soon"),
        _("You need not reply; then it is decided by the facts. Its page says until when."),
    ),
    NoticeCode.DEDUCTION_TAKEN: NoticeWords(
        "bad",
        cases.TAKEN.heading,
        _("Its page shows what, why and the calculation, and until when you can appeal."),
    ),
    NoticeCode.DEDUCTION_DROPPED: _as_case(cases.STATES[CaseState.DROPPED]),
    NoticeCode.DEDUCTION_LAPSED: _as_case(cases.STATES[CaseState.LAPSED]),
    NoticeCode.DEDUCTION_APPEALED: _as_case(cases.STATES[CaseState.APPEALED]),
    NoticeCode.DEDUCTION_GIVEN_BACK: NoticeWords(
        "good",
        _("Your appeal was granted, in part or in full"),
        _("What was given back is in your deposit again, or made less what you owed."),
    ),
    NoticeCode.DEDUCTION_APPEAL_LAPSED: NoticeWords(
        "good",
        cases.GRANTED_BY_TIME.heading,
        _("What was given back is in your deposit again, or made less what you owed."),
    ),
    NoticeCode.DEDUCTION_UPHELD: NoticeWords(
        "bad",
        cases.STATES[CaseState.UPHELD].heading,
        _("Somebody who was not involved looked at it again. Their reasons stand on its page."),
    ),
    NoticeCode.DESTINATION_ADDED: NoticeWords(
        "wait",
        _("A payee account was added"),
        _("If nobody in your shop did this, tell the marketplace’s seller service at once."),
    ),
    NoticeCode.REMINDED: NoticeWords(
        "act",
        _("Today is the day you asked to be reminded of"),
        _("Look whether your deposit can be refunded now."),
    ),
}
