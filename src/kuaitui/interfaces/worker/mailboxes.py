"""Fetching what lies in the mailboxes of banks. The mailbox keeps it; we keep it once."""

from __future__ import annotations

import structlog

from kuaitui.channels.bank import BankChannel, MailboxRead
from kuaitui.channels.registry import Channels
from kuaitui.kernel.clock import read_clock
from kuaitui.payouts.operations import not_taken_in, take_in_from_mailbox

FETCH_DEADLINE_S = 30.0

log = structlog.get_logger(__name__)


def mailboxes(channels: Channels) -> list[BankChannel]:
    """The banks whose messages we fetch ourselves; of the others, people bring them."""
    batching = [name for name in channels.names if channels.get(name).capabilities.is_batched]
    banks = [channels.batching(name) for name in batching]
    return [bank for bank in banks if not bank.is_carried_by_people]


def fetch_all(banks: list[BankChannel]) -> bool:
    """Take in what is new in every mailbox; whether anything was.

    A worker that dies here has lost nothing: the mailbox is read again, and a message that was
    stored before is the same message.
    """
    is_news = False
    for bank in banks:
        read = bank.fetch_mailbox(deadline_s=FETCH_DEADLINE_S)
        if not isinstance(read, MailboxRead):
            log.warning("payout.mailbox.not_read", channel=bank.name, cause=read.cause)
            continue
        for content in not_taken_in(channel=bank, contents=read.contents):
            taken = take_in_from_mailbox(channel=bank, content=content, now=read_clock())
            is_news = is_news or taken.is_new
    return is_news
