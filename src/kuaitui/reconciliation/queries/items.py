"""What differs between one bill and our books: first in bulk, then each item with all it has.

The bulk comparison is one statement over a day's lines and a day's postings, and leaves out every
number on which both agree. Only what is left is looked at one by one.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from kuaitui.channels.port import LineKind, StatementKind
from kuaitui.deposits.queries import (
    PAYMENTS_IN,
    SENT_BACK,
    PaymentIn,
    payments_by_reference,
    sent_back_by_reference,
)
from kuaitui.ledger.queries import MOVED_BY_ONE_LINE
from kuaitui.payouts.queries import (
    CAME_BACK,
    PAID_OUT,
    WENT_AND_CAME_BACK,
    SentLeg,
    legs_by_bank_reference,
    legs_by_number,
    send_backs_not_back,
)
from kuaitui.reconciliation.models import RepeatedItem
from kuaitui.reconciliation.rules import EXPECTED, LOOKED_AT, Sharer, share_out
from kuaitui.reconciliation.types import Event, Item, Ours, Theirs

Identity = tuple[Event, str]
IN_SUSPENSE: Final = "in_suspense"
_OTHER_WAY: Final = {Event.OUT: Event.RETURN, Event.RETURN: Event.OUT}

# Line by line, without adding up: what a reading tells in several lines is noted when it is read, and
# always looked at. On a million lines this halves the cost, and the whole can run in parallel.
_DIFFERING: Final = f"""
WITH answers AS (
    SELECT * FROM ({PAYMENTS_IN}) AS payment_in
        WHERE channel = %(channel)s AND answered_at >= %(from)s AND answered_at < %(to)s
    UNION ALL SELECT * FROM ({PAID_OUT}) AS paid_out
        WHERE channel = %(channel)s AND answered_at >= %(from)s AND answered_at < %(to)s
    UNION ALL SELECT * FROM ({SENT_BACK}) AS sent_back
        WHERE channel = %(channel)s AND answered_at >= %(from)s AND answered_at < %(to)s
    UNION ALL SELECT * FROM ({WENT_AND_CAME_BACK}) AS went_and_came_back
        WHERE channel = %(channel)s AND answered_at >= %(from)s AND answered_at < %(to)s
    UNION ALL SELECT * FROM ({CAME_BACK}) AS came_back
        WHERE channel = %(channel)s AND answered_at >= %(from)s AND answered_at < %(to)s),
ours AS (
    SELECT answers.event, answers.key, answers.currency, answers.line_kind,
        CASE WHEN entry.amount_minor = answers.amount_minor THEN entry.amount_minor END AS minor
    FROM answers LEFT JOIN ({MOVED_BY_ONE_LINE}) AS entry ON entry.book_id = answers.book_id
        AND entry.kind = answers.journal_kind AND entry.reference = answers.object_id),
theirs AS (
    SELECT event, key, currency, CASE WHEN kind <> ALL (%(looked_at)s) THEN amount_minor END AS minor
    FROM reconciliation_line
    WHERE reading_id = %(reading)s AND event <> '')
SELECT COALESCE(ours.event, theirs.event), COALESCE(ours.key, theirs.key)
FROM ours FULL OUTER JOIN theirs
    ON ours.key = theirs.key AND ours.event = theirs.event AND ours.currency = theirs.currency
WHERE (ours.minor = theirs.minor) IS NOT TRUE
    AND (theirs.key IS NOT NULL OR ours.line_kind = ANY (%(expected)s))
LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class BillOfDay:
    """Which bill is compared: a channel's, of one kind and day, as one reading has it."""

    channel: str
    bill: StatementKind
    day: dt.date
    reading: int


def differing(bill: BillOfDay, zone: dt.tzinfo, *, limit: int) -> list[Identity]:
    """The items of one day on which ledger, answers and bill do not say the same, in bulk.

    Among them is every item told in several lines: whether its parts add up is not known yet. And
    every line whose amount alone does not say that money moved as we say it did.
    """
    begins = dt.datetime.combine(bill.day, dt.time(), zone)
    ends = dt.datetime.combine(bill.day + dt.timedelta(days=1), dt.time(), zone)
    values: dict[str, Any] = {
        "channel": bill.channel,
        "from": begins,
        "to": ends,
        "reading": bill.reading,
        "expected": [kind.value for kind in EXPECTED[bill.bill]],
        "looked_at": [kind.value for kind in LOOKED_AT],
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERING, values)
        found = [(Event(event), key) for event, key in cursor.fetchall()]
    repeated = RepeatedItem.objects.filter(reading_id=bill.reading)
    return found + [(Event(event), key) for event, key in repeated.values_list("event", "key")]


def items_of(
    channel: str, bill: StatementKind, identities: Collection[Identity]
) -> dict[Identity, Item]:
    """Everything that either side says of some items, by their names.

    A line that tells the channel's number of a leg, not ours, belongs to the leg all the same; its
    item bears our number. So does one that tells a refund only by the payment it undoes.
    """
    payments = _payments(channel, {key for event, key in identities if event is Event.PAY_IN})
    legs = _legs(channel, {key for event, key in identities if event is not Event.PAY_IN})
    out = {key for event, key in identities if event is not Event.PAY_IN}
    sent_back = sent_back_by_reference(channel=channel, references=sorted(out))
    out_of_suspense = {
        row.reference: _of_payment(row, LineKind.REFUND, "sent_back") for row in sent_back
    }
    names = _Names(legs, sent_back)
    lines = names.lines(_lines(channel, bill, {key for _, key in identities} | names.all))
    found: dict[Identity, Item] = {}
    for event, key in identities:
        for name in names.of(event, key):
            is_in = event is Event.PAY_IN
            ours = payments.get(name) if is_in else _ours(event, names.legs.get(name))
            if ours is None and event is Event.OUT:
                ours = out_of_suspense.get(name)
            other_way = lines.get((_OTHER_WAY[event], name), []) if event in _OTHER_WAY else []
            found[event, name] = Item(
                event,
                name,
                ours,
                tuple(lines.get((event, name), ())),
                sum(line.minor for line in other_way),
            )
    return found


@dataclass(frozen=True, slots=True)
class _Bearer:
    """What of ours bears a number of the channel's."""

    number: str
    minor: int
    settled_at: dt.datetime | None
    returned_at: dt.datetime | None


class _Names:
    """Under which of our numbers lines belong that tell only the channel's."""

    def __init__(self, legs: Collection[SentLeg], sent_back: Collection[PaymentIn]) -> None:
        self.legs = {leg.number: leg for leg in legs}
        self._numbers = self.legs.keys() | {row.reference for row in sent_back}
        self._by_reference: dict[str, list[_Bearer]] = defaultdict(list)
        for leg in legs:
            bearer = _Bearer(leg.number, leg.amount_minor, leg.settled_at, leg.returned_at)
            for reference in {leg.reference, leg.along} - {"", leg.number}:
                self._by_reference[reference].append(bearer)
        for row in sent_back:
            if row.along != row.reference:
                bearer = _Bearer(row.reference, row.amount_minor, row.at, None)
                self._by_reference[row.along].append(bearer)
        self.all = self._numbers | self._by_reference.keys()

    def of(self, event: Event, key: str) -> list[str]:
        """Our numbers of what a bill calls so: several where they share the channel's number."""
        if event is Event.PAY_IN or key in self._numbers or key not in self._by_reference:
            return [key]
        return [bearer.number for bearer in self._by_reference[key]]

    def lines(
        self, found: Iterable[tuple[Event, str, Theirs]]
    ) -> Mapping[Identity, Sequence[Theirs]]:
        """The lines under our numbers, in the order of days and rows."""
        lines: dict[Identity, list[Theirs]] = defaultdict(list)
        shared: dict[Identity, list[Theirs]] = defaultdict(list)
        for event, key, line in found:
            names = self.of(event, key)
            (lines[event, names[0]] if len(names) == 1 else shared[event, key]).append(line)
        for (event, key), several in shared.items():
            for name, line in share_out(several, self._sharers(event, key)):
                lines[event, name].append(line)
        return lines

    def _sharers(self, event: Event, key: str) -> list[Sharer]:
        return [
            Sharer(
                bearer.number,
                bearer.minor,
                bearer.settled_at if event is Event.OUT else bearer.returned_at,
            )
            for bearer in self._by_reference[key]
        ]


def _payments(channel: str, references: set[str]) -> dict[str, Ours]:
    rows = payments_by_reference(channel=channel, references=sorted(references))
    return {
        row.reference: _of_payment(
            row, LineKind.PAY_IN, IN_SUSPENSE if row.is_in_suspense else "paid"
        )
        for row in rows
    }


def _of_payment(row: PaymentIn, kind: LineKind, word: str) -> Ours:
    return Ours(
        object_id=row.object_id,
        book_id=row.book_id,
        line_kind=kind.value,
        currency=row.currency,
        answered_minor=row.amount_minor,
        answered_at=row.at,
        posted_minor=row.posted_minor,
        word=word,
        reference=row.reference,
    )


def _legs(channel: str, keys: set[str]) -> list[SentLeg]:
    """The legs of some numbers, ours or the channel's, and those that share the channel's."""
    found = legs_by_number(channel=channel, numbers=sorted(keys))
    found += send_backs_not_back(channel=channel, numbers=sorted(keys))
    by_number = {leg.number: leg for leg in found}
    references = (keys - by_number.keys()) | {leg.reference for leg in by_number.values()} - {""}
    for leg in legs_by_bank_reference(channel=channel, references=sorted(references)):
        by_number.setdefault(leg.number, leg)
    return list(by_number.values())


def _ours(event: Event, leg: SentLeg | None) -> Ours | None:
    if leg is None:
        return None
    is_out = event is Event.OUT
    out_kind = LineKind.REFUND if leg.route == "original" else LineKind.PAYOUT
    return Ours(
        object_id=leg.leg_id,
        book_id=leg.book_id,
        line_kind=(out_kind if is_out else LineKind.RETURN).value,
        currency=leg.currency,
        answered_minor=leg.amount_minor,
        answered_at=leg.settled_at if is_out else leg.returned_at,
        posted_minor=leg.settled_minor if is_out else leg.returned_minor,
        word=leg.state,
        reference=leg.reference,
        waited_for_payee=leg.waited_for_person and out_kind is LineKind.PAYOUT,
    )


def _lines(
    channel: str, bill: StatementKind, keys: Iterable[str]
) -> list[tuple[Event, str, Theirs]]:
    """The lines under some numbers on all bills that are compared, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT line.event, line.key, day.day, line.line_no, line.amount_minor, line.currency,"
            " line.occurred_at, line.state, file.public_id, line.kind"
            " FROM reconciliation_line AS line"
            " JOIN reconciliation_bill_day AS day ON day.reading_id = line.reading_id"
            " JOIN reconciliation_reading AS reading ON reading.id = line.reading_id"
            " JOIN reconciliation_file AS file ON file.id = reading.file_id"
            " WHERE day.channel = %s AND day.bill = %s AND line.key = ANY (%s)"
            " AND line.event <> '' ORDER BY day.day, line.line_no",
            [channel, bill, sorted(keys)],
        )
        return [
            (
                Event(event),
                key,
                Theirs(day, line_no, minor, currency, at, state, file_id, LineKind(kind)),
            )
            for event, key, day, line_no, minor, currency, at, state, file_id, kind in cursor
        ]
