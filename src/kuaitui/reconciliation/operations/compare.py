"""Comparing one bill with our books: what differs opens a break, what has settled closes one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import structlog
from django.db import connection, transaction

from kuaitui.channels.port import StatementKind
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.ids import IdPrefix, new_id
from kuaitui.kit.outbox import publish
from kuaitui.kit.transactions import requires_transaction
from kuaitui.reconciliation.errors import TooManyDifferences
from kuaitui.reconciliation.events import BreakFound
from kuaitui.reconciliation.models import BillDay, BreakRow, CrossedItem
from kuaitui.reconciliation.operations.closing_balance import note_closing_balance
from kuaitui.reconciliation.operations.set_aside import set_payments_aside
from kuaitui.reconciliation.operations.steps import add_step
from kuaitui.reconciliation.queries.items import (
    IN_SUSPENSE,
    BillOfDay,
    Identity,
    differing,
    items_of,
)
from kuaitui.reconciliation.rules import classify, day_of, is_dangerous
from kuaitui.reconciliation.types import (
    BreakState,
    Closing,
    Difference,
    Event,
    Item,
    Matching,
)

DIFFERENCES_MAX: Final = 20_000
LINES_IN_EVIDENCE_MAX: Final = 20
MATCHER: Final = Actor.system("reconciliation.compare")

log = structlog.get_logger(__name__)


def compare_bill(
    *,
    channel: str,
    bill: StatementKind,
    day: dt.date,
    zone: dt.tzinfo,
    today: dt.date,
    now: dt.datetime,
) -> Matching:
    """Compare the bill of one day with ledger and answers; nothing while there is no bill.

    All open breaks of the channel's bills of this kind are looked at again: a later bill or posting
    that settles one closes it, with the reason. A payment that nobody knows is set aside, which
    closes its break. Where a fund bill says what lay on the account at the end of its day, that is
    noted as the channel's balance. May run as often as one likes, over any day, in no
    transaction. `zone` is the channel's; `today` is in it.

    Raises:
        TooManyDifferences: more than `DIFFERENCES_MAX`: it is hardly this account's bill.
    """
    comparison = partial(_compare, channel, bill, day, zone=zone, today=today, now=now)
    first = comparison()
    # Each payment is set aside in a transaction of its own. If we die in between, the next
    # comparison finds the same breaks and the same payments, and goes on.
    note_closing_balance(channel=channel, bill=bill, day=day, zone=zone, now=now)
    if not set_payments_aside(channel=channel, bill=bill, now=now):
        return first
    second = comparison()
    return Matching(
        second.compared_count,
        first.found + second.found,
        first.matched_later + second.matched_later,
    )


@transaction.atomic(durable=True)
def _compare(
    channel: str,
    bill: StatementKind,
    day: dt.date,
    *,
    zone: dt.tzinfo,
    today: dt.date,
    now: dt.datetime,
) -> Matching:
    _one_at_a_time(channel, bill)
    row = BillDay.objects.filter(channel=channel, bill=bill, day=day).first()
    compared = 0
    named: set[Identity] = set()
    if row is not None and row.reading is not None:
        which = BillOfDay(channel, bill, day, row.reading.pk)
        named |= set(differing(which, zone, limit=DIFFERENCES_MAX + 1))
        named |= _crossed(channel, bill, day)
        if len(named) > DIFFERENCES_MAX:
            raise TooManyDifferences(channel=channel, day=day.isoformat())
        compared = row.reading.lines_count
        BillDay.objects.filter(pk=row.pk).update(compared_at=now, problem="")
    found = _look(channel, bill, named, zone=zone, today=today, now=now)
    return Matching(compared, tuple(found.opened), tuple(found.settled))


@dataclass(slots=True)
class _Found:
    opened: list[str] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)


@requires_transaction
def _look(
    channel: str,
    bill: StatementKind,
    named: set[Identity],
    *,
    zone: dt.tzinfo,
    today: dt.date,
    now: dt.datetime,
) -> _Found:
    rows = BreakRow.objects.select_for_update().filter(channel=channel, bill=bill)
    open_ones = {(Event(r.event), r.key): r for r in rows.exclude(state=BreakState.CLOSED)}
    items = items_of(channel, bill, named | open_ones.keys())
    bills = _days_with_bills(channel, bill)
    found = _Found()
    for identity, item in sorted(items.items()):
        difference = classify(item, bill=bill, zone=zone, today=today, bills=bills)
        row = open_ones.get(identity)
        if difference is None:
            _note_crossing(channel, bill, item, zone)
        if difference is None and row is not None:
            _settle(row, item, now)
            found.settled.append(row.public_id)
        elif difference is not None and row is not None:
            _follow(row, item, difference, now)
        elif difference is not None and not _was_closed(channel, bill, item, difference):
            found.opened.append(_open(channel, bill, item, difference, now))
    # An item may have got its proper name since: what was known under another one is settled.
    for identity, row in open_ones.items():
        if identity not in items:
            _close(row, "known under its own number now", now)
            found.settled.append(row.public_id)
    return found


def _crossed(channel: str, bill: StatementKind, day: dt.date) -> set[Identity]:
    rows = CrossedItem.objects.filter(channel=channel, bill=bill, posted_on=day)
    return {(Event(event), key) for event, key in rows.values_list("event", "key")}


def _note_crossing(channel: str, bill: StatementKind, item: Item, zone: dt.tzinfo) -> None:
    if item.ours is None or item.ours.answered_at is None:
        return
    posted_on = day_of(item.ours.answered_at, zone)
    if any(line.day != posted_on for line in item.lines):
        crossed = CrossedItem(
            channel=channel, bill=bill, event=item.event, key=item.key, posted_on=posted_on
        )
        CrossedItem.objects.bulk_create([crossed], ignore_conflicts=True)


def _open(
    channel: str, bill: StatementKind, item: Item, difference: Difference, now: dt.datetime
) -> str:
    row = BreakRow.objects.create(
        public_id=new_id(IdPrefix.BREAK, now=now),
        channel=channel,
        bill=bill,
        event=item.event,
        key=item.key,
        found_at=now,
        **_facts(item, difference),
    )
    add_step(row, "found", actor=MATCHER, note="", now=now)
    publish(BreakFound(row.public_id, channel, row.kind, now), now=now)
    log.warning(
        "reconciliation.break.found",
        break_id=row.public_id,
        channel=channel,
        kind=row.kind,
        is_dangerous=row.is_dangerous,
    )
    return row.public_id


def _follow(row: BreakRow, item: Item, difference: Difference, now: dt.datetime) -> None:
    """The facts of an open break changed: it shows the new ones, and a proposal on the old falls."""
    facts = _facts(item, difference)
    names = ("kind", "ours_minor", "theirs_minor", "currency", "book_id", "day", "is_dangerous")
    if all(getattr(row, name) == facts[name] for name in names):
        return
    before = row.kind
    for name, value in facts.items():
        setattr(row, name, value)
    row.version += 1
    row.state, row.remedy, row.reason = BreakState.OPEN, "", ""
    row.proposed_by, row.proposed_at = "", None
    row.save()
    what = "aged" if before == "timing" else "changed"
    add_step(row, what, actor=MATCHER, note=f"{before} → {row.kind}", now=now)


def _settle(row: BreakRow, item: Item, now: dt.datetime) -> None:
    days = sorted({line.day.isoformat() for line in item.lines})
    if not days:
        because = "neither side tells of it any more"
    elif item.ours is None or item.ours.posted_minor is None:
        because = f"went out and came back, on the bill of {', '.join(days)}"
    elif item.ours.word == IN_SUSPENSE:
        because = f"set aside in suspense as {item.ours.object_id}"
    elif row.theirs_minor == 0:
        because = f"on the bill of {', '.join(days)}"
    else:
        because = f"posted since, as the bill of {', '.join(days)} has it"
    _close(row, because[:200], now)


def _close(row: BreakRow, because: str, now: dt.datetime) -> None:
    row.state, row.closing = BreakState.CLOSED, Closing.MATCHED_LATER
    row.closed_at, row.closed_because = now, because
    row.save()
    add_step(row, "matched_later", actor=MATCHER, note=because, now=now)


def _was_closed(channel: str, bill: StatementKind, item: Item, difference: Difference) -> bool:
    """Whether two people have closed this very difference. Other amounts are another difference."""
    return BreakRow.objects.filter(
        channel=channel,
        bill=bill,
        event=item.event,
        key=item.key,
        closing=Closing.BY_TWO,
        ours_minor=difference.ours_minor,
        theirs_minor=difference.theirs_minor,
        kind=difference.kind,
    ).exists()


def _facts(item: Item, difference: Difference) -> Mapping[str, Any]:
    ours = item.ours
    return {
        "kind": difference.kind.value,
        "day": difference.day,
        "ours_minor": difference.ours_minor,
        "theirs_minor": difference.theirs_minor,
        "currency": difference.currency,
        "book_id": ours.book_id if ours else 0,
        "is_dangerous": is_dangerous(difference, item),
        "evidence": _evidence(item),
    }


def _evidence(item: Item) -> dict[str, object]:
    ours = item.ours
    return {
        "ours": ours
        and {
            "object": ours.object_id,
            "answered_minor": ours.answered_minor,
            "answered_at": ours.answered_at and ours.answered_at.isoformat(),
            "posted_minor": ours.posted_minor,
            "word": ours.word,
            "reference": ours.reference,
        },
        "lines_count": len(item.lines),
        "lines": [
            {
                "day": line.day.isoformat(),
                "line_no": line.line_no,
                "minor": line.minor,
                "currency": line.currency,
                "at": line.occurred_at.isoformat(),
                "state": line.state,
                "file": line.file_id,
            }
            for line in item.lines[:LINES_IN_EVIDENCE_MAX]
        ],
    }


def _days_with_bills(channel: str, bill: StatementKind) -> frozenset[dt.date]:
    rows = BillDay.objects.filter(channel=channel, bill=bill, reading__isnull=False)
    return frozenset(rows.values_list("day", flat=True))


def _one_at_a_time(channel: str, bill: StatementKind) -> None:
    """Two comparisons of one channel would find the same break twice."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"reconciliation:{channel}:{bill}"],
        )
