"""What a leg posts to its deposit's book, each kind once for ever."""

from __future__ import annotations

import datetime as dt

from kuaitui.kernel.money import Money
from kuaitui.ledger.types import Account, Journal, Line
from kuaitui.payouts.events import LegSent
from kuaitui.payouts.models import Payout, PayoutLeg
from kuaitui.payouts.types import PostingKind

ACCOUNTS = {
    PostingKind.SENT: (Account.FROZEN, Account.IN_TRANSIT),
    PostingKind.SETTLED: (Account.IN_TRANSIT, Account.AT_CHANNEL),
    PostingKind.FAILED: (Account.IN_TRANSIT, Account.FROZEN),
    PostingKind.RETURNED: (Account.AT_CHANNEL, Account.FROZEN),
}


def journal_of(leg: PayoutLeg, kind: PostingKind, *, occurred_at: dt.datetime) -> Journal:
    """One journal of a leg. The ledger's unique (book, kind, leg) makes it once."""
    debit, credit = ACCOUNTS[kind]
    return Journal(
        book_id=leg.book_id,
        kind=kind.value,
        reference=leg.public_id,
        occurred_at=occurred_at,
        lines=(Line(debit, credit, Money(leg.amount_minor, leg.currency)),),
    )


def news_of_sent(payout: Payout, leg: PayoutLeg, now: dt.datetime) -> LegSent:
    """A leg's money is on its way: the news beside *frozen → in_transit*."""
    return LegSent(
        payout.application_id,
        payout.public_id,
        leg.public_id,
        leg.amount_minor,
        leg.currency,
        now,
    )
