"""Rules of deduction cases: pure, no clock, no database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from kuaitui.deductions.errors import ItemUnknown
from kuaitui.deposits.types import DeductionItem
from kuaitui.kernel.money import Money
from kuaitui.policy.terms import Terms
from kuaitui.refunds.rules import end_of_period

TEXT_LENGTH_MAX: Final = 1000
REFERENCE_LENGTH_MAX: Final = 80
REMINDED_BEFORE: Final = dt.timedelta(days=2)
"""So long before the time to reply is over a seller who has not replied is reminded, once."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """By when what is to happen, as a seller is promised it on the day of the announcement."""

    reply_until: dt.datetime
    remind_at: dt.datetime | None
    decide_by: dt.datetime
    lapses_at: dt.datetime


def deadlines(terms: Terms, *, now: dt.datetime) -> Deadlines:
    """The dates of a case announced now: whole days, in the marketplace's zone."""
    review = terms.review
    reply_until = end_of_period(review.deduction_reply_time, start=now, terms=terms)
    last_day = reply_until - dt.timedelta(microseconds=1)
    lapses_at = end_of_period(review.deduction_decision_time, start=last_day, terms=terms)
    by = decide_by(terms, heard_at=last_day)
    remind_at = reply_until - REMINDED_BEFORE
    # Who has hardly read it needs no reminder yet.
    is_long_enough = remind_at - now >= REMINDED_BEFORE
    return Deadlines(reply_until, remind_at if is_long_enough else None, by, max(by, lapses_at))


def decide_by(terms: Terms, *, heard_at: dt.datetime) -> dt.datetime:
    """By when a seller who was heard has an answer: as soon as to an application for a refund."""
    return end_of_period(terms.review.review_time, start=heard_at, terms=terms)


def answer_lapses_at(terms: Terms, *, appealed_at: dt.datetime) -> dt.datetime:
    """When an appeal that nobody has answered is granted: not before the day it was promised for."""
    lapses_at = end_of_period(terms.review.deduction_decision_time, start=appealed_at, terms=terms)
    return max(lapses_at, decide_by(terms, heard_at=appealed_at))


def is_heard(*, replied_at: dt.datetime | None, reply_until: dt.datetime, now: dt.datetime) -> bool:
    """Whether the seller has had their say: by a reply, or by having had the time for one."""
    return replied_at is not None or now >= reply_until


def sum_of(items: Collection[DeductionItem], currency: str) -> Money:
    """What items add up to."""
    return sum((item.amount for item in items), Money.zero(currency))


def chosen(items: dict[int, DeductionItem], numbers: Collection[int]) -> tuple[DeductionItem, ...]:
    """The items of these numbers, in their order.

    Raises:
        ItemUnknown: one of them is none.
    """
    for number in numbers:
        if number not in items:
            raise ItemUnknown(number=number)
    return tuple(item for number, item in sorted(items.items()) if number in set(numbers))
