"""Payments into deposits as reconciliation compares them with a channel's bills."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection

# Relations to compare in bulk: one row for each payment that a channel confirmed, or that was sent
# back out of suspense, with the journal it must have. A payment in suspense is told once: by its lot
# when it has become one. Reconciliation reads these columns and nothing else of these tables.
PAYMENTS_IN: Final = """
    SELECT lot.channel, 'pay_in' AS event, 'pay_in' AS line_kind, lot.channel_reference AS key,
        account.book_id, 'pay_in' AS journal_kind, lot.public_id AS object_id,
        account.currency, lot.amount_minor, lot.paid_at AS answered_at
    FROM deposits_lot AS lot JOIN deposits_account AS account ON account.id = lot.account_id
    UNION ALL SELECT channel, 'pay_in', 'pay_in', reference, book_id, 'suspense.found', public_id,
        currency, amount_minor, paid_at
    FROM deposits_suspense WHERE lot_id = ''"""
# Each way back that a payment goes has a journal of its own, by how often it came back before.
_WAY_BACK: Final = (
    "kept.public_id || CASE kept.returns WHEN 0 THEN '' ELSE '/' || kept.returns + 1 END"
)
SENT_BACK: Final = f"""
    SELECT channel, 'out' AS event, 'refund' AS line_kind, refund_reference AS key, book_id,
        'suspense.sent_back' AS journal_kind, {_WAY_BACK} AS object_id,
        currency, amount_minor, sent_back_at AS answered_at
    FROM deposits_suspense AS kept WHERE sent_back_at IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class PaymentIn:
    """One payment that a channel confirmed, or that went back, and what the ledger holds of it."""

    reference: str
    object_id: str
    book_id: int
    amount_minor: int
    currency: str
    at: dt.datetime
    posted_minor: int | None
    is_in_suspense: bool
    """Whether it waits for people to say whose it is."""
    along: str
    """The payment's own number; of one that went back, `reference` is its refund's."""


def payments_by_reference(*, channel: str, references: Sequence[str]) -> list[PaymentIn]:
    """The payments of a channel that bear one of its references: lots, and what is in suspense."""
    return _found(_LOTS, channel, references) + _found(_IN_SUSPENSE, channel, references)


def sent_back_by_reference(*, channel: str, references: Sequence[str]) -> list[PaymentIn]:
    """What lies with its payer again, by the number of the refund or of the payment it undid."""
    return _found(_WENT_BACK, channel, references)


_POSTED: Final = (
    "(SELECT sum(entry.amount_minor)::bigint FROM ledger_entry AS entry WHERE"
    " entry.book_id = {owner}.book_id AND entry.kind = '{kind}'"
    " AND entry.reference = {reference})"
)
_LOTS: Final = (
    "SELECT claim.reference, lot.public_id, account.book_id, lot.amount_minor, account.currency,"
    f" lot.paid_at, {_POSTED.format(owner='account', kind='pay_in', reference='lot.public_id')}, false,"
    " claim.reference"
    " FROM deposits_channel_payment AS claim JOIN deposits_lot AS lot"
    "  ON lot.account_id = claim.account_id AND lot.number = claim.lot_number"
    " JOIN deposits_account AS account ON account.id = lot.account_id"
    " WHERE claim.channel = %(channel)s AND claim.reference = ANY (%(references)s)"
)
_SUSPENSE: Final = (
    "SELECT {key}, kept.public_id, kept.book_id, kept.amount_minor, kept.currency, kept.{moment},"
    " {posted}, {waits}, kept.reference FROM deposits_suspense AS kept WHERE kept.channel = %(channel)s"
    " AND {condition}"
)
_IN_SUSPENSE: Final = _SUSPENSE.format(
    key="kept.reference", moment="paid_at",
    condition="kept.reference = ANY (%(references)s) AND kept.lot_id = ''",
    posted=_POSTED.format(owner="kept", kind="suspense.found", reference="kept.public_id"),
    waits="true",
)  # fmt: skip
_WENT_BACK: Final = _SUSPENSE.format(
    key="kept.refund_reference", moment="sent_back_at",
    condition="(kept.refund_reference = ANY (%(references)s) OR"
    " kept.reference = ANY (%(references)s)) AND kept.sent_back_at IS NOT NULL",
    posted=_POSTED.format(owner="kept", kind="suspense.sent_back", reference=_WAY_BACK),
    waits="false",
)  # fmt: skip


def _found(statement: str, channel: str, references: Sequence[str]) -> list[PaymentIn]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"channel": channel, "references": list(references)})
        return [PaymentIn(*row) for row in cursor.fetchall()]
