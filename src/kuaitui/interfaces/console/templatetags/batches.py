"""Words of batches and banks' messages on the staff's pages."""

from __future__ import annotations

from collections.abc import Mapping

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from kuaitui.channels.bank import BankStatus
from kuaitui.deposits.queries import ways_out
from kuaitui.interfaces.console import bank_words
from kuaitui.interfaces.console.words import Word
from kuaitui.payouts.states import BatchState

register = template.Library()


@register.simple_tag
def gathers() -> bool:
    """Whether any channel here gathers its payouts in batches."""
    return any(channel.is_batched for channel in ways_out().channels.values())


@register.filter
def batch_word(state: BatchState) -> Word:
    """What a state of a batch is called."""
    return bank_words.BATCH_STATES[state]


@register.filter
def bank_word(status: BankStatus) -> Word:
    """What a bank says of a payment."""
    return bank_words.BANK_STATUSES[status]


@register.filter
def refused_word(reason: str) -> str | Promise:
    """Why a file of a bank was refused."""
    return bank_words.REFUSED.get(reason, reason)


@register.filter
def named(person: str, names: Mapping[str, str]) -> str:
    """Who it was; the mailbox is nobody."""
    return _("the bank’s mailbox") if person == "mailbox" else names.get(person, person)
