"""The simulated channel's bills: what happened on one day, told from its book.

`trades` tells the business events by what became of each instruction and payment; `funds` tells
every movement of money. They come from different tables, so one can judge the other. A day is one
of Beijing time, and its bill can be had when the day is over and `bill_delay_s` has passed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import parse_qs

from kuaitui.channels.simulator.book import Book
from kuaitui.channels.simulator.statements import digest_of
from kuaitui.channels.simulator.store import ChannelRefuses
from kuaitui.kernel.money import Money

ZONE: Final = dt.timezone(dt.timedelta(hours=8))
DEFAULT_DELAY_S: Final = "0"
STATEMENTS: Final[Mapping[str, str]] = {
    "trades": """
        SELECT 'pay_in' AS kind, number, reference, amount_minor, currency, paid_at AS at,
            'PAID' AS state FROM payment WHERE paid_at >= ?1 AND paid_at < ?2
        UNION ALL SELECT iif(route = 'original', 'refund', 'payout'), number, reference,
            amount_minor, currency, paid_at, 'PAID'
            FROM instruction WHERE paid_at >= ?1 AND paid_at < ?2
        UNION ALL SELECT 'return', number, reference, amount_minor, currency, returned_at, code
            FROM instruction WHERE returned_at >= ?1 AND returned_at < ?2
        ORDER BY at, number""",
    "funds": """
        SELECT CASE movement.kind WHEN 'collected' THEN 'pay_in' WHEN 'returned' THEN 'return'
                ELSE iif(instruction.route = 'original', 'refund', 'payout') END AS kind,
            COALESCE(payment.number, movement.number) AS number,
            COALESCE(payment.reference, instruction.reference, '') AS reference,
            movement.amount_minor, movement.currency, movement.moved_at AS at, '' AS state
        FROM movement
            LEFT JOIN instruction ON instruction.number = movement.number
            LEFT JOIN payment
                ON movement.kind = 'collected' AND payment.reference = movement.number
        WHERE movement.moved_at >= ?1 AND movement.moved_at < ?2
        ORDER BY movement.moved_at, movement.id""",
}


def make_bill(book: Book, asked: str) -> dict[str, Any]:
    """The bill that `2026-11-24?kind=trades` asks for.

    Raises:
        ChannelRefuses: no such bill, or not yet.
    """
    day, kind = _parse(asked)
    begins = dt.datetime.combine(day, dt.time(), ZONE)
    from_s, to_s = begins.timestamp(), (begins + dt.timedelta(days=1)).timestamp()
    if book.now() < to_s + float(book.setting("bill_delay_s", DEFAULT_DELAY_S)):
        raise ChannelRefuses(404, "BILL_NOT_READY")
    rows = book.bill_rows(STATEMENTS[kind], from_s, to_s)
    if not rows:
        raise ChannelRefuses(404, "NO_BILL")
    lines = [_line(number, row) for number, row in enumerate(rows, start=1)]
    return {
        "account": book.setting("account", "simulator"),
        "day": day.isoformat(),
        "kind": kind,
        "lines": lines,
        "lines_count": len(lines),
        "lines_sha256": digest_of(lines),
    }


def _parse(asked: str) -> tuple[dt.date, str]:
    day, _, query = asked.partition("?")
    kind = parse_qs(query).get("kind", [""])[0]
    try:
        parsed = dt.date.fromisoformat(day)
    except ValueError:
        raise ChannelRefuses(400, "NOT_UNDERSTOOD") from None
    if kind not in STATEMENTS:
        raise ChannelRefuses(400, "NOT_UNDERSTOOD")
    return parsed, kind


def _line(line_no: int, row: Mapping[str, Any]) -> dict[str, Any]:
    amount: Decimal = Money(row["amount_minor"], row["currency"]).to_decimal()
    return {
        "line_no": line_no,
        "kind": row["kind"],
        "number": row["number"],
        "reference": row["reference"],
        "amount": f"{amount:f}",
        "currency": row["currency"],
        "at": dt.datetime.fromtimestamp(row["at"], ZONE).isoformat(),
        "state": row["state"],
    }
