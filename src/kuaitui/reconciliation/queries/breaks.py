"""Breaks and files as people see them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import QuerySet

from kuaitui.channels.port import StatementKind
from kuaitui.kernel.money import Money
from kuaitui.reconciliation.errors import BreakUnknown, FileUnknown
from kuaitui.reconciliation.models import BreakRow, BreakStep, StatementFile
from kuaitui.reconciliation.rules import correction_for, remedies_for
from kuaitui.reconciliation.types import (
    BreakState,
    Closing,
    Correction,
    DifferenceKind,
    Event,
    ReadingState,
    Remedy,
    Source,
)

BREAKS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class BreakRecord:
    """One break with its evidence and how its closing stands."""

    break_id: str
    channel: str
    bill: StatementKind
    event: Event
    key: str
    day: dt.date
    kind: DifferenceKind
    ours: Money
    theirs: Money
    found_at: dt.datetime
    state: BreakState
    version: int
    evidence: dict[str, Any] = field(repr=False)
    is_dangerous: bool
    stopped_sending_at: dt.datetime | None
    remedy: Remedy | None
    reason: str
    proposed_by: str
    proposed_at: dt.datetime | None
    confirmed_by: str
    closing: Closing | None
    closed_at: dt.datetime | None
    closed_because: str
    book_id: int

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """How it may be closed by two people."""
        return remedies_for(
            self.kind,
            self.event,
            ours_minor=self.ours.minor,
            theirs_minor=self.theirs.minor,
            book_id=self.book_id,
        )

    def correction(self, remedy: Remedy) -> Correction | None:
        """The journal that a remedy posts, or nothing."""
        return correction_for(
            remedy,
            book_id=self.book_id,
            ours_minor=self.ours.minor,
            theirs_minor=self.theirs.minor,
            currency=self.ours.currency,
        )


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step of a break."""

    what: str
    by: str
    at: dt.datetime
    note: str


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file of a day, with what its last reading made of it."""

    file_id: str
    channel: str
    bill: StatementKind
    day: dt.date
    version: int
    sha256: str
    file_name: str
    source: Source
    brought_by: str
    brought_at: dt.datetime
    state: ReadingState
    reason: str
    line_no: int
    lines_count: int
    parser: str
    is_taken: bool
    is_waiting: bool


def found_break(break_id: str) -> BreakRecord:
    """One break.

    Raises:
        BreakUnknown: there is none.
    """
    row = BreakRow.objects.filter(public_id=break_id).first()
    if row is None:
        raise BreakUnknown(found=break_id)
    return _record(row)


def breaks_of_day(
    *, channel: str, day: dt.date, limit: int = BREAKS_MAX
) -> tuple[BreakRecord, ...]:
    """The breaks of one day, open ones first, the oldest first."""
    rows = BreakRow.objects.filter(channel=channel, day=day)
    return _page(rows, limit)


def open_breaks(*, channel: str = "", limit: int = BREAKS_MAX) -> tuple[BreakRecord, ...]:
    """All open breaks, of one channel or of all, the oldest first."""
    rows = BreakRow.objects.exclude(state=BreakState.CLOSED)
    return _page(rows.filter(channel=channel) if channel else rows, limit)


def steps_of(break_id: str) -> tuple[StepRecord, ...]:
    """What happened to a break, the first step first."""
    rows = BreakStep.objects.filter(found__public_id=break_id).order_by("number")
    return tuple(StepRecord(row.what, row.by, row.at, row.note) for row in rows)


def files_of_day(*, channel: str, day: dt.date) -> tuple[FileRecord, ...]:
    """Every file of one day, by kind and version."""
    files = (
        StatementFile.objects.defer("content")
        .select_related("decision")
        .prefetch_related("readings")
        .filter(channel=channel, day=day)
        .order_by("bill", "version")
    )
    return tuple(_file(file) for file in files)


def file_record(file_id: str) -> FileRecord:
    """One file.

    Raises:
        FileUnknown: there is none.
    """
    file = StatementFile.objects.defer("content").filter(public_id=file_id).first()
    if file is None:
        raise FileUnknown(file=file_id)
    return _file(file)


def files_kept(
    *, channel: str = "", day: dt.date | None = None, file_id: str = ""
) -> tuple[FileRecord, ...]:
    """Every kept file, of a channel, of a day, or the one of that id: the oldest day first.

    Raises:
        FileUnknown: an id of no file.
    """
    if file_id:
        return (file_record(file_id),)
    wanted = {name: value for name, value in {"channel": channel, "day": day}.items() if value}
    files = (
        StatementFile.objects.defer("content")
        .select_related("decision")
        .prefetch_related("readings")
        .filter(**wanted)
        .order_by("day", "channel", "bill", "version")
    )
    return tuple(_file(file) for file in files)


def _page(rows: QuerySet[BreakRow], limit: int) -> tuple[BreakRecord, ...]:
    ordered = rows.extra(select={"is_closed": "state = 'closed'"}).order_by(
        "is_closed", "found_at", "id"
    )
    return tuple(_record(row) for row in ordered[: min(limit, BREAKS_MAX)])


def _record(row: BreakRow) -> BreakRecord:
    return BreakRecord(
        break_id=row.public_id,
        channel=row.channel,
        bill=StatementKind(row.bill),
        event=Event(row.event),
        key=row.key,
        day=row.day,
        kind=DifferenceKind(row.kind),
        ours=Money(row.ours_minor, row.currency),
        theirs=Money(row.theirs_minor, row.currency),
        found_at=row.found_at,
        state=BreakState(row.state),
        version=row.version,
        evidence=row.evidence,
        is_dangerous=row.is_dangerous,
        stopped_sending_at=row.stopped_sending_at,
        remedy=Remedy(row.remedy) if row.remedy else None,
        reason=row.reason,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        confirmed_by=row.confirmed_by,
        closing=Closing(row.closing) if row.closing else None,
        closed_at=row.closed_at,
        closed_because=row.closed_because,
        book_id=row.book_id,
    )


def _file(file: StatementFile) -> FileRecord:
    reading = max(file.readings.all(), key=lambda one: one.pk)
    decision = getattr(file, "decision", None)
    state = ReadingState(reading.state)
    return FileRecord(
        file_id=file.public_id,
        channel=file.channel,
        bill=StatementKind(file.bill),
        day=file.day,
        version=file.version,
        sha256=file.sha256,
        file_name=file.file_name,
        source=Source(file.source),
        brought_by=file.brought_by,
        brought_at=file.brought_at,
        state=state,
        reason=reading.reason,
        line_no=reading.line_no,
        lines_count=reading.lines_count,
        parser=reading.parser,
        is_taken=decision is not None and decision.is_taken,
        is_waiting=decision is None and state.is_sound,
    )
