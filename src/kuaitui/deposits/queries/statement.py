"""The statement: every movement in the seller's words, its balances derived from the entries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kuaitui.deposits.errors import DepositAccountUnknown
from kuaitui.deposits.models import DepositAccount
from kuaitui.deposits.types import StatementKind, StatementLine, StatementPage
from kuaitui.kernel.money import Money
from kuaitui.ledger.queries import ENTRIES_MAX, entries
from kuaitui.ledger.types import Account, Entry

LINES_MAX = 200

# What the seller calls an entry, by the account it debits and the one it credits.
_KINDS: dict[tuple[Account, Account], StatementKind] = {
    (Account.AT_CHANNEL, Account.AVAILABLE): StatementKind.PAID_IN,
    (Account.AVAILABLE, Account.FROZEN): StatementKind.FROZEN,
    (Account.FROZEN, Account.AVAILABLE): StatementKind.RELEASED,
    (Account.FROZEN, Account.IN_TRANSIT): StatementKind.SENT,
    (Account.IN_TRANSIT, Account.AT_CHANNEL): StatementKind.SETTLED,
    (Account.IN_TRANSIT, Account.FROZEN): StatementKind.FAILED_BACK,
    (Account.AT_CHANNEL, Account.FROZEN): StatementKind.RETURNED,
    (Account.AVAILABLE, Account.COMPENSATION_PAYABLE): StatementKind.DEDUCTED,
    (Account.AVAILABLE, Account.PENALTY_INCOME): StatementKind.DEDUCTED,
    (Account.FROZEN, Account.COMPENSATION_PAYABLE): StatementKind.DEDUCTED,
    (Account.FROZEN, Account.PENALTY_INCOME): StatementKind.DEDUCTED,
    (Account.RECEIVABLE, Account.COMPENSATION_PAYABLE): StatementKind.OWED,
    (Account.RECEIVABLE, Account.PENALTY_INCOME): StatementKind.OWED,
    (Account.AVAILABLE, Account.RECEIVABLE): StatementKind.SET_OFF,
    (Account.COMPENSATION_PAYABLE, Account.AVAILABLE): StatementKind.GIVEN_BACK,
    (Account.PENALTY_INCOME, Account.AVAILABLE): StatementKind.GIVEN_BACK,
    (Account.COMPENSATION_PAYABLE, Account.RECEIVABLE): StatementKind.OWED_LESS,
    (Account.PENALTY_INCOME, Account.RECEIVABLE): StatementKind.OWED_LESS,
}


@dataclass(frozen=True, slots=True)
class _Sums:
    """What the entries up to here add up to."""

    available: Money
    frozen: Money
    in_transit: Money

    def after(self, entry: Entry) -> _Sums:
        return _Sums(
            self.available + entry.change_of(Account.AVAILABLE),
            self.frozen + entry.change_of(Account.FROZEN),
            self.in_transit + entry.change_of(Account.IN_TRANSIT),
        )


def statement(*, account_id: str, after: str | None = None, limit: int = 50) -> StatementPage:
    """A page of a deposit's movements, the newest first.

    `after` is the `number` of the last line seen. Balances are sums over all entries from the
    first, never a stored figure.

    Raises:
        DepositAccountUnknown: there is no such deposit.
    """
    account = DepositAccount.objects.filter(public_id=account_id).first()
    if account is None:
        raise DepositAccountUnknown(account=account_id)
    lines = list(_lines(_all_entries(account.book_id), account.currency))
    lines.reverse()
    begins_at = 0 if after is None else _position_after(lines, after)
    lines = lines[begins_at:]
    page = tuple(lines[: min(max(limit, 1), LINES_MAX)])
    following = page[-1].number if len(lines) > len(page) else None
    return StatementPage(page, following, is_first=begins_at == 0)


def _position_after(lines: list[StatementLine], number: str) -> int:
    """An unknown number begins at the top: a stale link shows something true."""
    positions = (place for place, line in enumerate(lines, start=1) if line.number == number)
    return next(positions, 0)


def _lines(entries_: Iterable[Entry], currency: str) -> Iterator[StatementLine]:
    nothing = Money.zero(currency)
    sums = _Sums(nothing, nothing, nothing)
    for entry in entries_:
        sums = sums.after(entry)
        yield StatementLine(
            number=f"{entry.journal_no}-{entry.entry_no}",
            occurred_at=entry.occurred_at,
            kind=_KINDS.get((entry.debit, entry.credit), StatementKind.OTHER),
            amount=entry.amount,
            change=entry.change_of(Account.AVAILABLE),
            available=sums.available,
            frozen=sums.frozen,
            in_transit=sums.in_transit,
            reference=entry.reference,
        )


def _all_entries(book_id: int) -> list[Entry]:
    """Every entry of a book, the oldest first. A deposit has tens of them, rarely hundreds."""
    found: list[Entry] = []
    before: int | None = None
    while page := entries(book_id, before_no=before, limit=ENTRIES_MAX):
        # A full page may end inside a journal: that journal is read again with the next page.
        if len(page) == ENTRIES_MAX:
            last_no = page[-1].journal_no
            page = [entry for entry in page if entry.journal_no > last_no]
            before = last_no + 1
            found.extend(page)
            continue
        found.extend(page)
        break
    found.reverse()
    return found
