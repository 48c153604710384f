"""What can be said of days: one, or a board of many."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import Count, Max, Q

from kuaitui.channels.port import LineKind, StatementKind
from kuaitui.channels.registry import Channels
from kuaitui.kernel.money import Money
from kuaitui.reconciliation.models import BillDay, StatementReading
from kuaitui.reconciliation.rules import day_state
from kuaitui.reconciliation.types import DayState, ReadingState

BOARD_DAYS_MAX: Final = 62
_COMES_IN: Final = [LineKind.PAY_IN.value, LineKind.RETURN.value]
_GOES_OUT: Final = [LineKind.REFUND.value, LineKind.PAYOUT.value]
Needed = Mapping[str, Collection[StatementKind]]


def bills_given(channels: Channels) -> dict[str, frozenset[StatementKind]]:
    """Which bills each channel of this installation gives; those that give none are left out."""
    given = {name: channels.get(name).capabilities.statement_kinds for name in channels.names}
    return {name: kinds for name, kinds in given.items() if kinds}


@dataclass(frozen=True, slots=True)
class Flow:
    """What moved in one currency, by the bill. Fees are the merchant's cost and in no seller's book."""

    came_in: Money
    went_out: Money
    fees: Money
    """What the channel took for it, less what it gave back; below nothing when that was more."""


@dataclass(frozen=True, slots=True)
class BillReport:
    """One bill of one day. `lines_count` is None while no bill is here."""

    bill: StatementKind
    lines_count: int | None
    is_compared: bool
    is_late: bool
    problem: str


@dataclass(frozen=True, slots=True)
class DayReport:
    """One day of one channel."""

    channel: str
    day: dt.date
    state: DayState
    bills: tuple[BillReport, ...]
    breaks_count: int
    waiting_files: int
    breaks: tuple[Money, ...] = ()
    """By how much the two sides differ, one sum for each currency."""
    flows: tuple[Flow, ...] = ()

    @property
    def lines_count(self) -> int:
        """How many lines all its bills have."""
        return sum(bill.lines_count or 0 for bill in self.bills)

    @property
    def is_late(self) -> bool:
        """Whether a bill of it should be here and is not."""
        return any(bill.is_late for bill in self.bills)


def board(*, needed: Needed, first: dt.date, last: dt.date) -> tuple[DayReport, ...]:
    """Every day from `first` to `last` of every channel that gives bills, the latest day first.

    `needed` says which bills a channel gives.
    """
    days = [
        last - dt.timedelta(days=n) for n in range(min((last - first).days + 1, BOARD_DAYS_MAX))
    ]
    rows = _rows(list(needed), days[-1], last)
    breaks = _open_breaks(list(needed), days[-1], last)
    refused, waiting = _refused(rows), _waiting(list(needed), days[-1], last)
    return tuple(
        _report(channel, day, needed[channel], rows, breaks, refused, waiting)
        for day in days
        for channel in needed
    )


def day_report(*, channel: str, day: dt.date, needed: Collection[StatementKind]) -> DayReport:
    """One day of one channel, with what moved."""
    (report,) = board(needed={channel: needed}, first=day, last=day)
    return DayReport(
        channel=report.channel,
        day=report.day,
        state=report.state,
        bills=report.bills,
        breaks_count=report.breaks_count,
        waiting_files=report.waiting_files,
        breaks=report.breaks,
        flows=_flows(channel, day),
    )


def last_proven_days(*, needed: Needed, today: dt.date) -> dict[str, dt.date | None]:
    """The last day of each channel that is proven; None if none of the last two months is."""
    first = today - dt.timedelta(days=BOARD_DAYS_MAX)
    reports = board(needed=needed, first=first, last=today - dt.timedelta(days=1))
    return {
        channel: max(
            (
                report.day
                for report in reports
                if report.channel == channel and report.state is DayState.PROVEN
            ),
            default=None,
        )
        for channel in needed
    }


_Rows = Mapping[tuple[str, dt.date], list[BillDay]]
_Breaks = Mapping[tuple[str, dt.date], list[tuple[int, Money]]]


def _rows(channels: list[str], first: dt.date, last: dt.date) -> _Rows:
    rows: dict[tuple[str, dt.date], list[BillDay]] = defaultdict(list)
    found = BillDay.objects.select_related("reading").filter(
        channel__in=channels, day__range=(first, last)
    )
    for row in found:
        rows[row.channel, row.day].append(row)
    return rows


def _open_breaks(channels: list[str], first: dt.date, last: dt.date) -> _Breaks:
    """Open breaks of each day, and the money in doubt: a number that both bills lack counts once."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT channel, day, currency, sum(times)::int, sum(minor)::bigint FROM ("
            "SELECT channel, day, currency, count(*) AS times,"
            " max(abs(theirs_minor - ours_minor)) AS minor"
            " FROM reconciliation_break WHERE state <> 'closed' AND channel = ANY (%s)"
            " AND day BETWEEN %s AND %s GROUP BY channel, day, currency, event, key) AS numbers"
            " GROUP BY channel, day, currency ORDER BY currency",
            [channels, first, last],
        )
        found: dict[tuple[str, dt.date], list[tuple[int, Money]]] = defaultdict(list)
        for channel, day, currency, count, minor in cursor.fetchall():
            found[channel, day].append((count, Money(minor, currency)))
    return found


def _refused(rows: _Rows) -> set[tuple[str, dt.date, str]]:
    """Days without a bill to compare of which a file was refused."""
    open_days = [row for found in rows.values() for row in found if row.reading_id is None]
    wanted = Q(pk__in=[])
    for row in open_days:
        wanted |= Q(file__channel=row.channel, file__day=row.day, file__bill=row.bill)
    readings = StatementReading.objects.filter(wanted, state=ReadingState.REFUSED)
    return set(readings.values_list("file__channel", "file__day", "file__bill"))


def _waiting(
    channels: list[str], first: dt.date, last: dt.date
) -> Mapping[tuple[str, dt.date], int]:
    rows = (
        StatementReading.objects.filter(
            file__channel__in=channels,
            file__day__range=(first, last),
            file__decision=None,
            state__in=[ReadingState.READ, ReadingState.EMPTY],
        )
        .values("file__channel", "file__day")
        .annotate(files=Count("file", distinct=True), newest=Max("id"))
    )
    return {(row["file__channel"], row["file__day"]): row["files"] for row in rows}


def _report(
    channel: str,
    day: dt.date,
    needed: Collection[StatementKind],
    rows: _Rows,
    breaks: _Breaks,
    refused: set[tuple[str, dt.date, str]],
    waiting: Mapping[tuple[str, dt.date], int],
) -> DayReport:
    found = {StatementKind(row.bill): row for row in rows.get((channel, day), [])}
    open_ones = breaks.get((channel, day), [])
    bills = tuple(_bill(kind, found.get(kind)) for kind in sorted(needed))
    state = day_state(
        needed,
        compared=[bill.bill for bill in bills if bill.is_compared],
        refused=[kind for kind in needed if (channel, day, kind) in refused],
        open_breaks=sum(count for count, _ in open_ones),
        waiting_files=waiting.get((channel, day), 0),
    )
    return DayReport(
        channel=channel,
        day=day,
        state=state,
        bills=bills,
        breaks_count=sum(count for count, _ in open_ones),
        waiting_files=waiting.get((channel, day), 0),
        breaks=tuple(money for _, money in open_ones),
    )


def _bill(kind: StatementKind, row: BillDay | None) -> BillReport:
    if row is None:
        return BillReport(kind, None, is_compared=False, is_late=False, problem="")
    return BillReport(
        kind,
        row.reading.lines_count if row.reading else None,
        is_compared=row.compared_at is not None,
        is_late=row.late_at is not None and row.reading is None,
        problem=row.problem,
    )


def _flows(channel: str, day: dt.date) -> tuple[Flow, ...]:
    """What moved, by the fund bill; by the trade bill where no other is here."""
    by_bill: dict[str, list[Flow]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT day.bill, line.currency,"
            " COALESCE(sum(line.amount_minor) FILTER (WHERE line.kind = ANY (%s)), 0)::bigint,"
            " COALESCE(sum(line.amount_minor) FILTER (WHERE line.kind = ANY (%s)), 0)::bigint,"
            " COALESCE(sum(CASE line.kind WHEN %s THEN line.amount_minor"
            " WHEN %s THEN -line.amount_minor END), 0)::bigint FROM reconciliation_bill_day AS day"
            " JOIN reconciliation_line AS line ON line.reading_id = day.reading_id"
            " WHERE day.channel = %s AND day.day = %s GROUP BY day.bill, line.currency"
            " ORDER BY line.currency",
            [_COMES_IN, _GOES_OUT, LineKind.FEE, LineKind.FEE_RETURN, channel, day],
        )
        for bill, currency, *minors in cursor.fetchall():
            by_bill[bill].append(Flow(*(Money(minor, currency) for minor in minors)))
    return tuple(_first(by_bill[kind] for kind in (StatementKind.FUNDS, StatementKind.TRADES)))


def _first(candidates: Iterable[list[Flow]]) -> list[Flow]:
    return next((flows for flows in candidates if flows), [])
