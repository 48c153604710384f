"""Whether payouts and books tell the same story."""

from __future__ import annotations

from django.db import connection

IN_TRANSIT_STATES = ("sending", "unknown", "accepted", "needs_action")


def differences(*, limit: int = 100) -> list[str]:
    """Books whose money in transit is not what their legs under way carry. There are none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH under_way AS ("
            " SELECT book_id, sum(amount_minor) AS minor FROM payouts_leg"
            " WHERE state = ANY (%s) OR (state = 'ready' AND first_sent_at IS NOT NULL)"
            " GROUP BY book_id)"
            " SELECT book.id, book.in_transit, COALESCE(under_way.minor, 0) FROM ledger_book AS book"
            " LEFT JOIN under_way ON under_way.book_id = book.id"
            " WHERE book.in_transit <> COALESCE(under_way.minor, 0) ORDER BY book.id LIMIT %s",
            [list(IN_TRANSIT_STATES), limit],
        )
        return [
            f"book {row[0]}: {row[1]} in transit by the ledger, {row[2]} by the legs"
            for row in cursor.fetchall()
        ]
