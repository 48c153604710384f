"""Whether payouts and books tell the same story."""

from __future__ import annotations

from django.db import connection

from kuaitui.payouts.types import PostingKind

IN_TRANSIT_STATES = ("sending", "unknown", "accepted", "needs_action")


def differences(*, limit: int = 100) -> list[str]:
    """Books whose money in transit is not what their legs under way carry. There are none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH under_way AS ("
            " SELECT book_id, sum(amount_minor) AS minor FROM payouts_leg"
            " WHERE state = ANY (%s) OR (state = 'ready' AND first_sent_at IS NOT NULL)"
            " GROUP BY book_id)"
            " SELECT book.book_id, book.in_transit, COALESCE(under_way.minor, 0)"
            " FROM ledger_balance AS book LEFT JOIN under_way ON under_way.book_id = book.book_id"
            " WHERE book.in_transit <> COALESCE(under_way.minor, 0) ORDER BY book.book_id LIMIT %s",
            [list(IN_TRANSIT_STATES), limit],
        )
        return [
            f"book {row[0]}: {row[1]} in transit by the ledger, {row[2]} by the legs"
            for row in cursor.fetchall()
        ]


def with_payees(*, channel: str) -> dict[str, tuple[int, int, int]]:
    """What the ledger says of every number ever sent on a channel.

    By channel number: how often it was posted as settled, how often as returned, and the minor
    units that lie with the payee.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT leg.channel_number,"
            " count(*) FILTER (WHERE entry.kind = %s), count(*) FILTER (WHERE entry.kind = %s),"
            " COALESCE(sum(CASE entry.kind WHEN %s THEN entry.amount_minor"
            " WHEN %s THEN -entry.amount_minor END), 0)::bigint"
            " FROM payouts_leg AS leg LEFT JOIN ledger_entry AS entry"
            " ON entry.book_id = leg.book_id AND entry.reference = leg.public_id"
            " WHERE leg.channel = %s AND leg.first_sent_at IS NOT NULL GROUP BY leg.channel_number",
            [*[PostingKind.SETTLED, PostingKind.RETURNED] * 2, channel],
        )
        return {row[0]: (row[1], row[2], row[3]) for row in cursor.fetchall()}
