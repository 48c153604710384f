"""What the staff call deduction cases and their states."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from kuaitui.deductions.states import CaseState
from kuaitui.deductions.types import Reply
from kuaitui.deposits.types import DeductionPurpose
from kuaitui.interfaces.console.words import Word

STATES: Final = {
    CaseState.ANNOUNCED: Word(_("Announced"), "wait"),
    CaseState.TAKEN: Word(_("Taken"), "good"),
    CaseState.DROPPED: Word(_("Nothing taken"), "quiet"),
    CaseState.LAPSED: Word(_("Lapsed"), "quiet"),
    CaseState.APPEALED: Word(_("Appealed"), "act"),
    CaseState.GIVEN_BACK: Word(_("Given back"), "return"),
    CaseState.UPHELD: Word(_("Stands after the appeal"), "good"),
}
HEARD: Final = Word(_("To decide"), "act")
"""Announced, and its seller has replied or had the time to."""
PURPOSES: Final = {
    DeductionPurpose.COMPENSATION: _("Compensation for buyers"),
    DeductionPurpose.PENALTY: _("Penalty under the rules"),
}
REPLIES: Final = {
    Reply.ACCEPTS: _("The seller agrees"),
    Reply.OBJECTS: _("The seller objects"),
}
