"""What closing a break may post. A table; whatever is not in it posts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kuaitui.kernel.money import Money
from kuaitui.ledger.types import Account
from kuaitui.reconciliation.types import Correction, DifferenceKind, Event, Remedy

# The account debited and the account credited with the difference, in the book of the deposit.
ACCOUNTS: Final[Mapping[Remedy, tuple[Account, Account]]] = {
    Remedy.BOOK_CHANNEL_COST: (Account.CHANNEL_FEE, Account.AT_CHANNEL),
    Remedy.BOOK_SELLER_DEBT: (Account.RECEIVABLE, Account.AT_CHANNEL),
}


def remedies_for(
    kind: DifferenceKind, event: Event, *, ours_minor: int, theirs_minor: int, book_id: int
) -> tuple[Remedy, ...]:
    """How a break may be closed by two people, the usual way first.

    Money of a number that belongs to no deposit is in no seller's book, so nothing is posted for
    it. A leg's own postings are never made here: only the channel's word ends a leg.
    """
    if book_id == 0:
        return (Remedy.EXPLAIN,)
    too_much_out = event is Event.OUT and theirs_minor > ours_minor > 0
    too_little_in = event is Event.PAY_IN and 0 < theirs_minor < ours_minor
    if kind is DifferenceKind.DUPLICATE and too_much_out:
        return (Remedy.BOOK_SELLER_DEBT, Remedy.BOOK_CHANNEL_COST, Remedy.EXPLAIN)
    if kind is DifferenceKind.AMOUNT and (too_much_out or too_little_in):
        return (Remedy.BOOK_CHANNEL_COST, Remedy.EXPLAIN)
    return (Remedy.EXPLAIN,)


def correction_for(
    remedy: Remedy, *, book_id: int, ours_minor: int, theirs_minor: int, currency: str
) -> Correction | None:
    """The journal that a remedy posts, or nothing."""
    if remedy not in ACCOUNTS:
        return None
    debit, credit = ACCOUNTS[remedy]
    amount = Money(abs(theirs_minor - ours_minor), currency)
    return Correction(remedy, book_id, debit, credit, amount)
