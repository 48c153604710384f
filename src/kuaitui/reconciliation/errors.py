"""Refusals of reconciliation."""

from __future__ import annotations

from kuaitui.kernel.errors import Refusal, RefusalKind


class BillKindNotGiven(Refusal):
    """This channel gives no bill of this kind."""

    code = "reconciliation.bill_kind_not_given"


class BillTooLarge(Refusal):
    """The file is larger than any bill."""

    code = "reconciliation.bill_too_large"
    kind = RefusalKind.LIMIT


class BillDayNotOver(Refusal):
    """A bill can be brought when its day is over."""

    code = "reconciliation.bill_day_not_over"


class DayUnknown(Refusal):
    """There is no such day."""

    code = "reconciliation.day_unknown"
    kind = RefusalKind.NOT_FOUND


class FileUnknown(Refusal):
    """There is no such file."""

    code = "reconciliation.file_unknown"
    kind = RefusalKind.NOT_FOUND


class FileDamaged(Refusal):
    """The bytes of this file are not those that came: only a backup has them still."""

    code = "reconciliation.file_damaged"
    kind = RefusalKind.CONFLICT


class FileNotWaiting(Refusal):
    """Nothing is to be decided about this file."""

    code = "reconciliation.file_not_waiting"
    kind = RefusalKind.CONFLICT


class TooManyDifferences(Refusal):
    """The bill and the books share too little to compare them line by line."""

    code = "reconciliation.too_many_differences"
    kind = RefusalKind.LIMIT


class BreakUnknown(Refusal):
    """There is no such difference."""

    code = "reconciliation.break_unknown"
    kind = RefusalKind.NOT_FOUND


class BreakClosed(Refusal):
    """This difference is closed already."""

    code = "reconciliation.break_closed"
    kind = RefusalKind.CONFLICT


class BreakNotProposed(Refusal):
    """Nobody has proposed how to close this difference."""

    code = "reconciliation.break_not_proposed"
    kind = RefusalKind.CONFLICT


class BreakProposed(Refusal):
    """Somebody has proposed already how to close this difference."""

    code = "reconciliation.break_proposed"
    kind = RefusalKind.CONFLICT


class ProposalChanged(Refusal):
    """The proposal or the difference has changed since you looked at it."""

    code = "reconciliation.proposal_changed"
    kind = RefusalKind.CONFLICT


class ConfirmedByProposer(Refusal):
    """Somebody else must confirm what you propose."""

    code = "reconciliation.confirmed_by_proposer"
    kind = RefusalKind.FORBIDDEN


class RemedyDoesNotFit(Refusal):
    """This difference cannot be closed in this way."""

    code = "reconciliation.remedy_does_not_fit"


class ClosingReasonMissing(Refusal):
    """Say why: the reason is read by whoever confirms, and by every auditor."""

    code = "reconciliation.reason_missing"


class BookTooShort(Refusal):
    """The book of this deposit does not hold enough for this correction."""

    code = "reconciliation.book_too_short"
    kind = RefusalKind.CONFLICT
