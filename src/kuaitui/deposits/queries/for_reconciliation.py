"""Payments into deposits as reconciliation compares them with a channel's bills."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection

# A relation to compare in bulk: one row for each payment that a channel confirmed, with the journal
# it must have. Reconciliation reads these columns and nothing else of this context's tables.
PAYMENTS_IN: Final = """
    SELECT lot.channel, 'pay_in' AS event, 'pay_in' AS line_kind, lot.channel_reference AS key,
        account.book_id, 'pay_in' AS journal_kind, lot.public_id AS object_id,
        account.currency, lot.amount_minor, lot.paid_at AS answered_at
    FROM deposits_lot AS lot JOIN deposits_account AS account ON account.id = lot.account_id"""


@dataclass(frozen=True, slots=True)
class PaymentIn:
    """One payment that a channel confirmed, and what the ledger holds of it."""

    reference: str
    lot_id: str
    book_id: int
    amount_minor: int
    currency: str
    paid_at: dt.datetime
    posted_minor: int | None


def payments_by_reference(*, channel: str, references: Sequence[str]) -> list[PaymentIn]:
    """The payments of a channel that bear one of its references."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT claim.reference, lot.public_id, account.book_id, lot.amount_minor,"
            " account.currency, lot.paid_at, (SELECT sum(entry.amount_minor)::bigint"
            "  FROM ledger_entry AS entry WHERE entry.book_id = account.book_id"
            "  AND entry.kind = 'pay_in' AND entry.reference = lot.public_id)"
            " FROM deposits_channel_payment AS claim"
            " JOIN deposits_lot AS lot"
            "  ON lot.account_id = claim.account_id AND lot.number = claim.lot_number"
            " JOIN deposits_account AS account ON account.id = lot.account_id"
            " WHERE claim.channel = %s AND claim.reference = ANY (%s)",
            [channel, list(references)],
        )
        return [PaymentIn(*row) for row in cursor.fetchall()]
