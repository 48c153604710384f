"""Deductions in a seller's words: what happened, who is next, what can be done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from django.utils.translation import gettext_lazy as _

from kuaitui.deductions.queries import CaseView
from kuaitui.deductions.states import CaseState
from kuaitui.deductions.types import Reply
from kuaitui.interfaces.portal.words import Words


@dataclass(frozen=True, slots=True)
class CaseWords:
    """What a state of a case is called, what it means for the seller, and who is next."""

    tone: str
    word: Words
    heading: Words
    meaning: Words
    next_actor: Words


NO_ONE: Final = _("Nobody: this is the end of it")
ANNOUNCED: Final = CaseWords(
    "act",
    _("You can reply"),
    _("The marketplace wants to deduct something"),
    _("Nothing is taken yet. Read why. You can say what you think; it is read before a decision."),
    _("You, if you want to say something"),
)
REPLIED: Final = CaseWords(
    "wait",
    _("Being decided"),
    _("The marketplace is deciding on this deduction"),
    _("Somebody other than whoever announced it looks at it and at what you said."),
    _("The marketplace"),
)
NOT_REPLIED: Final = replace(
    REPLIED,
    meaning=_(
        "The time to reply is over. Somebody other than whoever announced it decides by the facts."
    ),
)
OVER: Final = CaseWords(
    "wait",
    _("Ends by itself"),
    _("Nothing is deducted: it was not decided in time"),
    _("You need not do anything. What was set aside for it will be available again shortly."),
    _("Nobody: it ends by itself shortly"),
)
ANSWER_OVER: Final = CaseWords(
    "wait",
    _("Ends by itself"),
    _("All of it is given back: your appeal was not answered in time"),
    _("You need not do anything. It will be in your deposit again shortly."),
    _("Nobody: it ends by itself shortly"),
)
TAKEN: Final = CaseWords(
    "bad",
    _("Deducted"),
    _("Something was deducted from your deposit"),
    _("What was taken, why, and the calculation stand below. If you do not agree, you can appeal."),
    _("You, if you want to appeal"),
)
STANDS: Final = replace(
    TAKEN,
    meaning=_("What was taken, why, and the calculation stand below."),
    next_actor=_("Nobody: the time to appeal is over"),
)
GIVEN_BACK: Final = CaseWords(
    "good",
    _("Given back"),
    _("Your appeal was granted: all of it was given back"),
    _("Somebody who was not involved looked at it again. Their reasons stand below."),
    NO_ONE,
)
GIVEN_BACK_IN_PART: Final = replace(
    GIVEN_BACK, word=_("Given back in part"), heading=_("A part of it was given back")
)
GRANTED_BY_TIME: Final = replace(
    GIVEN_BACK,
    heading=_("All of it was given back: your appeal was not answered in time"),
    meaning=_("This is the end of it. You need not do anything."),
)
STATES: Final = {
    CaseState.ANNOUNCED: ANNOUNCED,
    CaseState.TAKEN: TAKEN,
    CaseState.DROPPED: CaseWords(
        "good",
        _("Nothing deducted"),
        _("Nothing was deducted"),
        _("The marketplace decided to take nothing. You need not do anything."),
        NO_ONE,
    ),
    CaseState.LAPSED: CaseWords(
        "good",
        _("Nothing deducted"),
        _("Nothing was deducted: it was not decided in time"),
        _("This is the end of it. You need not do anything."),
        NO_ONE,
    ),
    CaseState.APPEALED: CaseWords(
        "wait",
        _("Your appeal is being looked at"),
        _("Somebody else looks at this deduction again"),
        _("They had no part in it before. Until then the deduction stays as it is."),
        _("The marketplace"),
    ),
    CaseState.GIVEN_BACK: GIVEN_BACK,
    CaseState.UPHELD: CaseWords(
        "bad",
        _("Appeal not granted"),
        _("The deduction stands"),
        _("Somebody who was not involved looked at it again. Their reasons stand below."),
        NO_ONE,
    ),
}
REPLIES: Final = {
    Reply.ACCEPTS: _("You agreed"),
    Reply.OBJECTS: _("You objected"),
}


def words_of(case: CaseView) -> CaseWords:
    """The words of a case as it stands now."""
    match case.state:
        case CaseState.ANNOUNCED if case.can_reply:
            return ANNOUNCED
        case CaseState.ANNOUNCED if not case.can_be_taken:
            return OVER
        case CaseState.ANNOUNCED:
            return REPLIED if case.reply else NOT_REPLIED
        case CaseState.TAKEN if not case.can_appeal:
            return STANDS
        case CaseState.APPEALED if not case.can_be_answered:
            return ANSWER_OVER
        case CaseState.GIVEN_BACK if not case.answer_text:
            return GRANTED_BY_TIME
        case CaseState.GIVEN_BACK if case.kept.is_positive:
            return GIVEN_BACK_IN_PART
        case state:
            return STATES[state]
