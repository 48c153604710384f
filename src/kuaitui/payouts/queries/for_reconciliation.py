"""Legs as reconciliation compares them with a channel's bills."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection

from kuaitui.channels.port import Route
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptOutcome, PostingKind

# Relations to compare in bulk: one row for each leg that a channel says it paid, or gave back, with
# the journal it must have. Reconciliation reads these columns and nothing else of these tables.
PAID_OUT: Final = f"""
    SELECT leg.channel, 'out' AS event,
        CASE leg.route WHEN 'original' THEN 'refund' ELSE 'payout' END AS line_kind,
        leg.channel_number AS key, leg.book_id, '{PostingKind.SETTLED}' AS journal_kind,
        leg.public_id AS object_id, leg.currency, leg.amount_minor, leg.settled_at AS answered_at
    FROM payouts_leg AS leg"""
CAME_BACK: Final = f"""
    SELECT leg.channel, 'return' AS event, 'return' AS line_kind,
        leg.channel_number AS key, leg.book_id, '{PostingKind.RETURNED}' AS journal_kind,
        leg.public_id AS object_id, leg.currency, leg.amount_minor, leg.returned_at AS answered_at
    FROM payouts_leg AS leg"""

# Each way back out of suspense has journals of its own, by the case and how often it came back before.
_WAY_BACK: Final = """
    back.suspense_id || (SELECT CASE count(*) WHEN 0 THEN '' ELSE '/' || count(*) + 1 END
        FROM payouts_send_back AS earlier WHERE earlier.suspense_id = back.suspense_id
            AND earlier.nth < back.nth AND earlier.state = 'returned')"""
_WAYS: Final = (
    "('out', 'refund', 'suspense.sent_back', back.settled_at),"
    " ('return', 'return', 'suspense.returned', back.returned_at)"
)
# What was sent back out of suspense and came back: its case is open again and tells of it no more.
WENT_AND_CAME_BACK: Final = f"""
    SELECT back.channel, way.event, way.line_kind, back.number AS key, back.book_id, way.journal_kind,
        {_WAY_BACK} AS object_id, back.currency, back.amount_minor, way.answered_at
    FROM payouts_send_back AS back
        CROSS JOIN LATERAL (VALUES {_WAYS}) AS way (event, line_kind, journal_kind, answered_at)
    WHERE back.state = 'returned'"""


@dataclass(frozen=True, slots=True)
class SentLeg:
    """One leg by the channel's answers and by the ledger."""

    number: str
    reference: str
    leg_id: str
    book_id: int
    route: str
    state: str
    amount_minor: int
    currency: str
    settled_at: dt.datetime | None
    returned_at: dt.datetime | None
    settled_minor: int | None
    """What is posted as settled; None while nothing is."""
    returned_minor: int | None
    waited_for_person: bool
    """Whether the channel ever said that it waits for somebody to act."""
    along: str = ""
    """Of a payment on its way back out of suspense: the payment's own number."""


def legs_by_number(*, channel: str, numbers: Sequence[str]) -> list[SentLeg]:
    """The legs of a channel under some of our numbers."""
    return _legs("leg.channel_number = ANY (%s)", channel, numbers)


def legs_by_bank_reference(*, channel: str, references: Sequence[str]) -> list[SentLeg]:
    """The legs of a channel that bear one of its own numbers, for bills that tell only those."""
    return _legs("leg.bank_reference <> '' AND leg.bank_reference = ANY (%s)", channel, references)


def _legs(condition: str, channel: str, wanted: Sequence[str]) -> list[SentLeg]:
    posted = (
        "(SELECT sum(entry.amount_minor)::bigint FROM ledger_entry AS entry WHERE"
        " entry.book_id = leg.book_id AND entry.kind = %s AND entry.reference = leg.public_id)"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT leg.channel_number, leg.bank_reference, leg.public_id, leg.book_id, leg.route,"
            " leg.state, leg.amount_minor, leg.currency, leg.settled_at, leg.returned_at,"
            f" {posted}, {posted}, EXISTS (SELECT FROM payouts_attempt AS attempt WHERE"
            " attempt.leg_id = leg.id AND attempt.outcome = %s)"
            f" FROM payouts_leg AS leg WHERE leg.channel = %s AND {condition}",
            [
                PostingKind.SETTLED,
                PostingKind.RETURNED,
                AttemptOutcome.NEEDS_ACTION,
                channel,
                list(wanted),
            ],
        )
        return [SentLeg(*row) for row in cursor.fetchall()]


def send_backs_not_back(*, channel: str, numbers: Sequence[str]) -> list[SentLeg]:
    """Payments sent back out of suspense that do not lie with their payer: on the way, or returned.

    By our numbers, or by those of the payments. What lies with its payer is told by its case.
    """
    posted = (
        "(SELECT sum(entry.amount_minor)::bigint FROM ledger_entry AS entry WHERE"
        f" entry.book_id = back.book_id AND entry.kind = %s AND entry.reference = {_WAY_BACK})"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT back.number, back.channel_reference, back.public_id, back.book_id, %s,"
            " back.state, back.amount_minor, back.currency, back.settled_at, back.returned_at,"
            f" {posted}, {posted}, back.state = %s, back.payment_reference"
            " FROM payouts_send_back AS back WHERE back.channel = %s"
            " AND (back.number = ANY (%s) OR back.payment_reference = ANY (%s))"
            " AND back.first_sent_at IS NOT NULL AND back.state <> %s ORDER BY back.id",
            [
                Route.ORIGINAL,
                "suspense.sent_back",
                "suspense.returned",
                LegState.NEEDS_ACTION,
                channel,
                list(numbers),
                list(numbers),
                LegState.PAID,
            ],
        )
        return [SentLeg(*row) for row in cursor.fetchall()]
