"""When a bill and our books agree about one number, and in which way they differ."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from kuaitui.channels.port import LineKind, StatementKind, StatementLine
from kuaitui.reconciliation.types import Difference, DifferenceKind, Event, Item, Ours, Theirs

# Fees and moves between the merchant's own accounts have no counterpart in a seller's book.
EVENTS: Final[Mapping[LineKind, Event | None]] = {
    LineKind.PAY_IN: Event.PAY_IN,
    LineKind.REFUND: Event.OUT,
    LineKind.REFUND_BEGUN: Event.OUT,
    LineKind.REFUND_FAILED: Event.OUT,
    LineKind.PAYOUT: Event.OUT,
    LineKind.RETURN: Event.RETURN,
    LineKind.FEE: None,
    LineKind.FEE_RETURN: None,
    LineKind.TRANSFER: None,
    # What nobody mapped may be anybody's money: it is looked at.
    LineKind.OTHER: Event.PAY_IN,
    LineKind.STRANGE: Event.PAY_IN,
}
_NOT_DONE: Final = frozenset({LineKind.REFUND_BEGUN, LineKind.REFUND_FAILED})
LOOKED_AT: Final = _NOT_DONE | {LineKind.STRANGE}
"""Lines of these kinds agree with nothing by their amount alone."""
# What a bill must show. A trade bill need not know payouts to accounts nor what banks give back
# (WeChat Pay's does not), so these are missing only where the cash is told.
EXPECTED: Final[Mapping[StatementKind, frozenset[LineKind]]] = {
    StatementKind.TRADES: frozenset({LineKind.PAY_IN, LineKind.REFUND}),
    StatementKind.FUNDS: frozenset(
        {LineKind.PAY_IN, LineKind.REFUND, LineKind.PAYOUT, LineKind.RETURN}
    ),
}
CUT_OFF_SLACK: Final = dt.timedelta(hours=2)
"""So near midnight, the channel's own books may put an event on the neighbouring day."""
TIMING_DAYS_MAX: Final = 2
"""After so many days a difference of timing is a missing line, whatever bills have come."""
PAYEE_DAYS_MAX: Final = 3
"""So long a payout may be on a bill before its payee has confirmed it, or the money is back.

WeChat Pay takes the money of a 商家转账 at once, gives the payee 24 hours, closes it some time after
that, and tells of the way back on the bill of that day, which is here a day later."""
_NEVER_LEFT: Final = frozenset({"ready", "failed", "cancelled"})
_NEVER_SENT: Final = frozenset({"ready", "cancelled"})


def key_of(line: StatementLine) -> str:
    """By which number a line is matched: a payment by the channel's, a payout by ours."""
    if EVENTS[line.kind] is Event.PAY_IN:
        return line.reference or line.number
    return line.number or line.reference


def day_of(moment: dt.datetime, zone: dt.tzinfo) -> dt.date:
    """The channel's day of a moment."""
    return moment.astimezone(zone).date()


def may_be_on_neighbour(
    ours: Ours, zone: dt.tzinfo, *, today: dt.date, bills: frozenset[dt.date]
) -> bool:
    """Whether the neighbouring day's bill may still have it: near midnight, and not here yet.

    `bills` are the days whose bills are here.
    """
    if ours.answered_at is None:
        return False
    day = day_of(ours.answered_at, zone)
    if (today - day).days > TIMING_DAYS_MAX:
        return False
    neighbours = {
        day_of(ours.answered_at - CUT_OFF_SLACK, zone),
        day_of(ours.answered_at + CUT_OFF_SLACK, zone),
    } - {day}
    return bool(neighbours - bills)


def classify(
    item: Item, *, bill: StatementKind, zone: dt.tzinfo, today: dt.date, bills: frozenset[dt.date]
) -> Difference | None:
    """In which way one item differs, or nothing.

    The order of lines does not matter. An event told in parts agrees when the parts add up.
    """
    if not item.lines:
        return _not_on_a_bill(item, bill=bill, zone=zone, today=today, bills=bills)
    kind = _on_a_bill(item, zone=zone, today=today)
    if kind is None:
        return None
    theirs = sum(line.minor for line in item.lines)
    first = min(item.lines, key=lambda line: (line.day, line.line_no))
    posted = (item.ours.posted_minor or 0) if item.ours else 0
    # A second payment is found on the day of the second line.
    last_day = max(line.day for line in item.lines)
    day = last_day if kind is DifferenceKind.DUPLICATE else first.day
    return Difference(kind, posted, theirs, first.currency, day)


def _not_on_a_bill(
    item: Item, *, bill: StatementKind, zone: dt.tzinfo, today: dt.date, bills: frozenset[dt.date]
) -> Difference | None:
    ours = item.ours
    if ours is None or ours.answered_at is None or LineKind(ours.line_kind) not in EXPECTED[bill]:
        return None
    day = day_of(ours.answered_at, zone)
    if day not in bills:
        return None  # the day's own bill is not here: nothing is missing yet
    if ours.posted_minor is None:
        return Difference(DifferenceKind.STATE, 0, 0, ours.currency, day)
    may_come = may_be_on_neighbour(ours, zone, today=today, bills=bills)
    kind = DifferenceKind.TIMING if may_come else DifferenceKind.MISSING_IN_BILL
    return Difference(kind, ours.posted_minor, 0, ours.currency, day)


def _on_a_bill(item: Item, *, zone: dt.tzinfo, today: dt.date) -> DifferenceKind | None:
    ours, moved = (
        item.ours,
        [line for line in item.lines if line.kind is not LineKind.REFUND_FAILED],
    )
    theirs = sum(line.minor for line in moved)
    if ours is None:
        if item.event is Event.RETURN:
            return DifferenceKind.RETURN
        return DifferenceKind.MISSING_IN_LEDGER
    if any(line.currency != ours.currency for line in item.lines):
        return DifferenceKind.AMOUNT
    if len(moved) > 1 and theirs > ours.answered_minor:
        return DifferenceKind.DUPLICATE
    if any(line.kind is LineKind.STRANGE for line in moved):
        return DifferenceKind.STATE  # whatever it is, it is not the payment that we know
    if ours.posted_minor is None:
        return _not_posted(item, ours, theirs, today=today)
    if not moved or any(_had_ended(ours, line, zone) for line in moved):
        return DifferenceKind.STATE
    if theirs != ours.posted_minor:
        return DifferenceKind.AMOUNT
    if ours.answered_minor != ours.posted_minor or ours.answered_at is None:
        return DifferenceKind.STATE  # ledger and bill agree, the recorded answer does not
    return None


def _had_ended(ours: Ours, line: Theirs, zone: dt.tzinfo) -> bool:
    """Whether a bill tells as begun what by our record had ended when its day was over.

    A bill is made after its day, so what ended later may be told as begun.
    """
    is_begun = line.kind is LineKind.REFUND_BEGUN
    return is_begun and ours.answered_at is not None and day_of(ours.answered_at, zone) <= line.day


def _not_posted(item: Item, ours: Ours, theirs: int, *, today: dt.date) -> DifferenceKind | None:
    if all(line.kind in _NOT_DONE for line in item.lines) and ours.word not in _NEVER_SENT:
        return None  # neither side says that it was paid
    is_recent = (today - max(line.day for line in item.lines)).days <= PAYEE_DAYS_MAX
    may_come_back = item.event is Event.OUT and ours.waited_for_payee and is_recent
    match ours.word:
        case "failed":
            return _taken_and_given_back(item, theirs, may_come_back=may_come_back)
        case "needs_action" if may_come_back:
            return DifferenceKind.TIMING
        case _:
            is_return = item.event is Event.RETURN
            return DifferenceKind.RETURN if is_return else DifferenceKind.STATE


def _taken_and_given_back(item: Item, theirs: int, *, may_come_back: bool) -> DifferenceKind | None:
    """What is left of a payout that failed, when both ways are set off: nothing, if all is well."""
    if theirs <= item.other_way_minor:
        return None  # what is left, if anything, is told by the item of the other way
    if item.event is Event.RETURN:
        return DifferenceKind.RETURN
    if may_come_back and item.other_way_minor == 0:
        return DifferenceKind.TIMING
    return DifferenceKind.STATE


def is_dangerous(difference: Difference, item: Item) -> bool:
    """Whether money could be going wrong right now, so that sending must stop until people looked.

    Paid twice, another amount than we know, money out that we do not know, and money out of a leg
    that by our record never left.
    """
    match difference.kind:
        case DifferenceKind.AMOUNT:
            return True
        case DifferenceKind.DUPLICATE | DifferenceKind.MISSING_IN_LEDGER:
            return item.event is Event.OUT
        case DifferenceKind.STATE:
            left_unseen = item.ours is not None and item.ours.word in _NEVER_LEFT
            return item.event is Event.OUT and bool(item.lines) and left_unseen
        case _:
            return False
