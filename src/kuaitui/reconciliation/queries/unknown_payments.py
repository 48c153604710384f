"""Payments that a bill names and nobody knows, as the bill tells them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from kuaitui.channels.port import StatementKind
from kuaitui.kernel.money import Money

# Only what the bill itself calls a payment, in one line: whether a line that nobody mapped came in
# at all, and whether two lines are one payment told twice, is for people to say.
_UNKNOWN = """
SELECT found.key, min(line.number), min(line.amount_minor), min(line.currency),
    min(line.occurred_at)
FROM reconciliation_break AS found
JOIN reconciliation_line AS line ON line.event = found.event AND line.key = found.key
JOIN reconciliation_bill_day AS day ON day.reading_id = line.reading_id
    AND day.channel = found.channel AND day.bill = found.bill
WHERE found.channel = %s AND found.bill = %s AND found.state <> 'closed'
    AND found.event = 'pay_in' AND found.kind = 'missing_in_ledger'
GROUP BY found.id, found.key HAVING count(*) = 1 AND bool_and(line.kind = 'pay_in')
ORDER BY found.id
"""


@dataclass(frozen=True, slots=True)
class UnknownPayment:
    """One payment by a bill. `number` is the order's, where the bill names it."""

    reference: str
    number: str
    amount: Money
    paid_at: dt.datetime


def unknown_payments(*, channel: str, bill: StatementKind) -> list[UnknownPayment]:
    """The payments behind a channel's open breaks of one kind of bill, the oldest break first."""
    with connection.cursor() as cursor:
        cursor.execute(_UNKNOWN, [channel, bill])
        return [
            UnknownPayment(reference, number, Money(minor, currency), paid_at)
            for reference, number, minor, currency, paid_at in cursor.fetchall()
        ]
