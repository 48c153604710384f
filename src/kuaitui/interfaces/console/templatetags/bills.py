"""Words of the bench where bills are compared."""

from __future__ import annotations

import datetime as dt

from django import template
from django.utils import timezone
from django.utils.functional import Promise

from kuaitui.channels.port import StatementKind
from kuaitui.interfaces.console import bill_words
from kuaitui.interfaces.console.words import Word
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

register = template.Library()


@register.filter
def bill_day_word(state: DayState) -> Word:
    """What can be said of a day."""
    return bill_words.DAYS[state]


@register.filter
def bill_word(kind: StatementKind) -> str | Promise:
    """Which bill."""
    return bill_words.BILLS[kind]


@register.filter
def difference_word(kind: DifferenceKind) -> Word:
    """In which way the two sides differ."""
    return bill_words.KINDS[kind]


@register.filter
def difference_meaning(kind: DifferenceKind) -> str | Promise:
    """What that means, and what to do first."""
    return bill_words.WHAT_IT_MEANS[kind]


@register.filter
def event_word(event: Event) -> str | Promise:
    """What it is about."""
    return bill_words.EVENTS[event]


@register.filter
def break_word(state: BreakState) -> Word:
    """Where the closing stands."""
    return bill_words.BREAKS[state]


@register.filter
def closing_word(closing: Closing) -> str | Promise:
    """How it was closed."""
    return bill_words.CLOSINGS[closing]


@register.filter
def remedy_word(remedy: Remedy) -> str | Promise:
    """What closing it does to the books."""
    return bill_words.REMEDIES[remedy]


@register.filter
def account_word(account: Account) -> str | Promise:
    """An account of a book, in words."""
    return bill_words.ACCOUNTS.get(account, account.name.lower())


@register.filter
def file_word(state: ReadingState) -> Word:
    """What came of reading a file."""
    return bill_words.FILES[state]


@register.filter
def source_word(source: Source) -> str | Promise:
    """How a file came to us."""
    return bill_words.SOURCES[source]


@register.filter
def ours_word(word: str) -> str | Promise:
    """How our own record stands, in words."""
    return bill_words.OURS.get(word, word)


@register.filter
def moment(text: str) -> str:
    """A moment that evidence holds, in figures."""
    return f"{timezone.localtime(dt.datetime.fromisoformat(text)):%Y-%m-%d %H:%M}"


@register.filter
def step_word(what: str) -> str | Promise:
    """What happened to a break."""
    return bill_words.STEPS.get(what, what)
