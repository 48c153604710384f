"""Deductions in a seller's words: what happened, what it means for the money, what can be done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from kuaitui.deductions.queries import CaseView
from kuaitui.deductions.states import CaseState
from kuaitui.deductions.types import Reply
from kuaitui.interfaces.portal.words import Words


@dataclass(frozen=True, slots=True)
class CaseWords:
    """What a state of a case is called, and what it means for the seller and the money."""

    tone: str
    word: Words
    heading: Words
    meaning: Words
    money: Words
    next_actor: Words


_SET_ASIDE: Final = _("Set aside in your deposit, and still yours.")
_IN_DEPOSIT: Final = _("In your deposit. You can ask for it back as before.")
_GONE: Final = _("What was taken has left your deposit.")
_NOBODY: Final = _("Nobody: this is the end of it")
ANNOUNCED: Final = CaseWords(
    "act",
    _("You can reply"),
    _("The marketplace wants to deduct something"),
    _("Nothing is taken yet. Read why, and say what you think of it; both are looked at."),
    _SET_ASIDE,
    _("You, if you want to say something"),
)
HEARD: Final = CaseWords(
    "wait",
    _("Being decided"),
    _("Your deduction is being decided"),
    _("Somebody other than whoever announced it looks at it and at what you said."),
    _SET_ASIDE,
    _("The marketplace"),
)
STATES: Final = {
    CaseState.ANNOUNCED: ANNOUNCED,
    CaseState.TAKEN: CaseWords(
        "bad",
        _("Deducted"),
        _("Something was deducted from your deposit"),
        _("Its page shows what, why, and the calculation. If you do not agree, you can appeal."),
        _GONE,
        _("You, if you want to appeal"),
    ),
    CaseState.DROPPED: CaseWords(
        "good",
        _("Nothing deducted"),
        _("Nothing was deducted"),
        _("The marketplace dropped it. What was set aside for it is available again."),
        _IN_DEPOSIT,
        _NOBODY,
    ),
    CaseState.LAPSED: CaseWords(
        "good",
        _("Nothing deducted"),
        _("Nothing was deducted: it was not decided in time"),
        _("You need not do anything. What was set aside for it is available again."),
        _IN_DEPOSIT,
        _NOBODY,
    ),
    CaseState.APPEALED: CaseWords(
        "wait",
        _("Your appeal is being looked at"),
        _("Somebody else looks at your deduction again"),
        _("They had no part in it before. Until then the deduction stays as it is."),
        _GONE,
        _("The marketplace"),
    ),
    CaseState.GIVEN_BACK: CaseWords(
        "good",
        _("Given back"),
        _("Your appeal was granted"),
        _("What was given back is in your deposit again, or made less what you owed."),
        _("In your deposit again, as far as nothing was owed."),
        _NOBODY,
    ),
    CaseState.UPHELD: CaseWords(
        "bad",
        _("Appeal not granted"),
        _("The deduction stands"),
        _("Somebody who was not involved looked at it again. Their reasons stand on its page."),
        _GONE,
        _NOBODY,
    ),
}
REPLIES: Final = {
    Reply.ACCEPTS: _("You agreed"),
    Reply.OBJECTS: _("You objected"),
}


def words_of(case: CaseView) -> CaseWords:
    """The words of a case as it stands now."""
    if case.state is CaseState.ANNOUNCED and not case.can_reply:
        return HEARD
    return STATES[case.state]
