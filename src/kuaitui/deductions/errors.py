"""Refusals of deduction cases."""

from __future__ import annotations

from kuaitui.kernel.errors import Refusal, RefusalKind


class CaseUnknown(Refusal):
    """There is no such deduction case."""

    code = "deduction.case_unknown"
    kind = RefusalKind.NOT_FOUND


class CaseMovedOn(Refusal):
    """This case has moved on meanwhile. Look at it as it is now."""

    code = "deduction.case_moved_on"
    kind = RefusalKind.CONFLICT


class CaseReferenceMissing(Refusal):
    """Enter the number under which the marketplace keeps this case."""

    code = "deduction.reference_missing"


class CaseReferenceReused(Refusal):
    """This number announced another deduction from this deposit."""

    code = "deduction.reference_reused"
    kind = RefusalKind.CONFLICT


class NotYetHeard(Refusal):
    """The shop has not replied, and its time to reply is not over. Nothing is taken before."""

    code = "deduction.not_yet_heard"
    kind = RefusalKind.CONFLICT


class RepliedAlready(Refusal):
    """A reply was sent already. It stands, and the marketplace reads it before it decides."""

    code = "deduction.replied_already"
    kind = RefusalKind.CONFLICT


class TooLateToReply(Refusal):
    """The time to reply is over. If something is taken, you can appeal."""

    code = "deduction.too_late_to_reply"
    kind = RefusalKind.CONFLICT


class TooLateToTake(Refusal):
    """The time to decide is over: nothing is taken any more, and this case ends by itself."""

    code = "deduction.too_late_to_take"
    kind = RefusalKind.CONFLICT


class NothingChosen(Refusal):
    """Choose at least one item."""

    code = "deduction.nothing_chosen"


class ItemUnknown(Refusal):
    """This case has no such item."""

    code = "deduction.item_unknown"


class DeciderInvolved(Refusal):
    """Whoever announced a deduction, or replied to it, does not decide it."""

    code = "deduction.decider_involved"
    kind = RefusalKind.FORBIDDEN


class AppealDeciderInvolved(Refusal):
    """Whoever announced or decided a deduction, or spoke for the shop, does not decide the appeal."""

    code = "deduction.appeal_decider_involved"
    kind = RefusalKind.FORBIDDEN


class NothingToAppeal(Refusal):
    """There is nothing to appeal here: nothing was taken, or it was appealed already."""

    code = "deduction.nothing_to_appeal"
    kind = RefusalKind.CONFLICT


class TooLateToAppealDeduction(Refusal):
    """The time to appeal is over."""

    code = "deduction.too_late_to_appeal"
    kind = RefusalKind.CONFLICT


class TooLateToAnswer(Refusal):
    """The time to answer this appeal is over: all of it is given back, and this case ends by itself."""

    code = "deduction.too_late_to_answer"
    kind = RefusalKind.CONFLICT


class CaseTextMissing(Refusal):
    """Write a few words, so that the others understand."""

    code = "deduction.text_missing"


class CaseTextTooLong(Refusal):
    """That is too long. Say it in fewer words."""

    code = "deduction.text_too_long"
    kind = RefusalKind.LIMIT
