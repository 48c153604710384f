"""What the staff call things on the bench where bills are compared."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from kuaitui.channels.port import StatementKind
from kuaitui.interfaces.console.words import LEG_STATES, Word
from kuaitui.ledger.types import Account
from kuaitui.reconciliation.types import (
    BreakState,
    Closing,
    DayState,
    DifferenceKind,
    Event,
    ReadingState,
    Remedy,
    Source,
)

DAYS: Final = {
    DayState.PROVEN: Word(_("Proven"), "good"),
    DayState.OPEN_BREAKS: Word(_("Differences"), "bad"),
    DayState.TO_LOOK_AT: Word(_("Another file waits"), "act"),
    DayState.REFUSED: Word(_("Bill refused"), "bad"),
    DayState.NOT_HERE: Word(_("Bill not here yet"), "wait"),
}
BILLS: Final = {
    StatementKind.TRADES: _("Trade bill"),
    StatementKind.FUNDS: _("Fund bill"),
}
KINDS: Final = {
    DifferenceKind.MISSING_IN_LEDGER: Word(_("Missing in our books"), "bad"),
    DifferenceKind.MISSING_IN_BILL: Word(_("Missing on the bill"), "act"),
    DifferenceKind.AMOUNT: Word(_("Amounts differ"), "bad"),
    DifferenceKind.STATE: Word(_("Another state"), "act"),
    DifferenceKind.DUPLICATE: Word(_("More than once"), "bad"),
    DifferenceKind.TIMING: Word(_("Around midnight"), "wait"),
    DifferenceKind.RETURN: Word(_("Came back unseen"), "return"),
}
WHAT_IT_MEANS: Final = {
    DifferenceKind.MISSING_IN_LEDGER: _(
        "The bill shows it and nothing of ours has this number. If money came in, find out whose "
        "it is; if it went out, find out who sent it."
    ),
    DifferenceKind.MISSING_IN_BILL: _(
        "Our books have it and no bill shows it. Ask the channel by this number."
    ),
    DifferenceKind.AMOUNT: _("Both have it, with different amounts."),
    DifferenceKind.STATE: _(
        "The bill shows it as done and our record has not come to the same end. Asking the "
        "channel usually settles it: the break then closes by itself."
    ),
    DifferenceKind.DUPLICATE: _("The bill shows it more than once: it may have been paid twice."),
    DifferenceKind.TIMING: _(
        "It happened near midnight, and the bill of the neighbouring day is not here yet. It "
        "closes by itself when that bill shows it."
    ),
    DifferenceKind.RETURN: _(
        "The bill shows that the money came back and our books do not. Ask the channel about this "
        "part: its answer posts the return."
    ),
}
EVENTS: Final = {
    Event.PAY_IN: _("Payment in"),
    Event.OUT: _("Payment out"),
    Event.RETURN: _("Money back"),
}
BREAKS: Final = {
    BreakState.OPEN: Word(_("Open"), "act"),
    BreakState.PROPOSED: Word(_("Waits for confirmation"), "ask"),
    BreakState.CLOSED: Word(_("Resolved"), "good"),
}
CLOSINGS: Final = {
    Closing.MATCHED_LATER: _("Closed by itself: matched later"),
    Closing.BY_TWO: _("Closed by two people"),
}
REMEDIES: Final = {
    Remedy.EXPLAIN: _("Explained: nothing is posted"),
    Remedy.BOOK_CHANNEL_COST: _("Book the difference as the channel’s cost"),
    Remedy.BOOK_SELLER_DEBT: _("Book the difference as owed by the seller"),
}
REMEDY_HELP: Final = {
    Remedy.EXPLAIN: _("The reason says why both sides are right, or who settles it elsewhere."),
    Remedy.BOOK_CHANNEL_COST: _("The channel kept it. The seller’s deposit does not change."),
    Remedy.BOOK_SELLER_DEBT: _("The seller has it. It is taken from what the seller pays in next."),
}
ACCOUNTS: Final = {
    Account.AT_CHANNEL: _("at the channel"),
    Account.RECEIVABLE: _("owed by the seller"),
    Account.CHANNEL_FEE: _("channel cost"),
}
FILES: Final = {
    ReadingState.READ: Word(_("Read"), "good"),
    ReadingState.EMPTY: Word(_("Nothing happened"), "good"),
    ReadingState.REFUSED: Word(_("Refused"), "bad"),
}
SOURCES: Final = {Source.FETCHED: _("fetched"), Source.IMPORTED: _("imported")}
# How our own record stands: a part of a payout, a payment in, or one that went back.
OURS: Final = {
    **{state.value: word.text for state, word in LEG_STATES.items()},
    "in_suspense": _("In suspense"),
    "sent_back": _("Sent back"),
}
STEPS: Final = {
    "found": _("Found"),
    "changed": _("The facts changed"),
    "aged": _("Waited long enough"),
    "proposed": _("Closing proposed"),
    "taken_back": _("Proposal taken back"),
    "matched_later": _("Matched later"),
    "closed": _("Confirmed and closed"),
}
