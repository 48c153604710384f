"""Settling what a seller owes from money that has become free."""

from __future__ import annotations

import datetime as dt

from kuaitui.deposits import rules
from kuaitui.deposits.models import DepositAccount, DepositLot, LotTaking
from kuaitui.deposits.queries.accounts import to_lot
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
