"""What is taken from lots and given back to them; settling what a seller owes from what is free."""

from __future__ import annotations

import datetime as dt

from kuaitui.deposits import rules
from kuaitui.deposits.models import DepositAccount, DepositLot, LotGiving, LotTaking
from kuaitui.deposits.queries.accounts import to_lot
from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import Money
from kuaitui.kit.transactions import requires_transaction
from kuaitui.ledger.operations import post_journal
from kuaitui.ledger.queries import balances
from kuaitui.ledger.types import Account, Journal, Line


@requires_transaction
def set_off_debt(account: DepositAccount, *, reference: str, now: dt.datetime) -> None:
    """Pay an older deduction's rest from what is available, if both exist.

    Posts *available → receivable*; the account is locked by the caller.
    """
    books = balances(account.book_id)
    amount = min(books.of(Account.AVAILABLE), books.of(Account.RECEIVABLE))
    if not amount.is_positive:
        return
    take_from_lots(account, amount=amount, reference=f"set_off:{reference}")
    post_journal(
        Journal(
            book_id=account.book_id,
            kind="set_off",
            reference=reference,
            occurred_at=now,
            lines=(Line(Account.AVAILABLE, Account.RECEIVABLE, amount),),
        ),
        now=now,
    )


@requires_transaction
def take_from_lots(account: DepositAccount, *, amount: Money, reference: str) -> None:
    """Take an amount from the oldest payments; the account is locked by the caller."""
    rows = {row.public_id: row for row in DepositLot.objects.filter(account_id=account.id)}
    lots = [to_lot(row, account.currency) for row in rows.values()]
    LotTaking.objects.bulk_create(
        [
            LotTaking(
                account_id=account.id,
                lot_number=rows[lot.lot_id].number,
                reference=reference,
                amount_minor=part.minor,
            )
            for lot, part in rules.take_oldest_first(lots, amount=amount)
        ]
    )


@requires_transaction
def give_to_lots(account: DepositAccount, *, amount: Money, reference: str) -> None:
    """Give back what a deduction took, to its own lots first; the account is locked by the caller.

    What had been owed of it may have been settled from other lots since.
    """
    rows = {row.number: row for row in DepositLot.objects.filter(account_id=account.id)}
    taken = {
        rows[taking.lot_number].public_id: Money(taking.amount_minor, account.currency)
        for taking in LotTaking.objects.filter(account_id=account.id, reference=reference)
    }
    numbers = {row.public_id: row.number for row in rows.values()}
    lots = [to_lot(row, account.currency) for row in rows.values()]
    parts = rules.give_newest_first(lots, taken=taken, amount=amount)
    given = sum((part for _, part in parts), Money.zero(account.currency))
    ensure(given == amount, "what is given back was taken from lots")
    LotGiving.objects.bulk_create(
        [
            LotGiving(
                account_id=account.id,
                lot_number=numbers[lot.lot_id],
                reference=reference,
                amount_minor=part.minor,
            )
            for lot, part in parts
        ]
    )
