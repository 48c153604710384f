"""A bill comes in: kept as bytes, read, and taken to be compared, or refused with its reason."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction
from django.db.models import Max

from kuaitui.audit.operations import record
from kuaitui.channels.port import StatementChannel, StatementKind, StatementLine, StatementRefused
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.ids import IdPrefix, new_id
from kuaitui.kernel.money import Money
from kuaitui.kit.transactions import requires_transaction
from kuaitui.reconciliation.errors import (
    BillTooLarge,
    ClosingReasonMissing,
    FileNotWaiting,
    FileUnknown,
)
from kuaitui.reconciliation.models import BillDay, FileDecision, StatementFile, StatementReading
from kuaitui.reconciliation.queries.lines import (
    line_row,
    lines_digest,
    numbered_parser,
    parser_of,
)
from kuaitui.reconciliation.types import Brought, ReadingState, Source

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
FILE_NAME_LENGTH_MAX: Final = 200
REASON_LENGTH_MAX: Final = 200
FIRST: Final = Actor.system("reconciliation.first_bill")
_COPY = (
    "COPY reconciliation_line (reading_id, line_no, kind, event, key, number, reference,"
    " amount_minor, currency, occurred_at, state) FROM STDIN"
)


@dataclass(frozen=True, slots=True)
class Read:
    """What a parser made of some bytes."""

    parser: str
    state: ReadingState
    lines: tuple[StatementLine, ...] = ()
    reason: str = ""
    line_no: int = 0
    closing: Money | None = None


def bring_file(
    *,
    channel: str,
    reader: StatementChannel,
    bill: StatementKind,
    day: dt.date,
    content: bytes,
    file_name: str,
    source: Source,
    actor: Actor,
    now: dt.datetime,
) -> Brought:
    """Keep a bill's bytes, read them, and take the first sound bill of a day to be compared.

    The same bytes again are the same file, and move nothing. Other bytes for a day that has its
    bill are kept, and wait for a person. A bill that cannot be read, or is of another day, is kept
    with the reason and the line.

    Raises:
        BillTooLarge: more than `FILE_BYTES_MAX`; nothing is kept.
    """
    if len(content) > FILE_BYTES_MAX:
        raise BillTooLarge(bytes=len(content), bytes_max=FILE_BYTES_MAX)
    read = read_content(reader, bill, day, content)
    return _keep(
        channel=channel,
        bill=bill,
        day=day,
        content=content,
        file_name=file_name,
        source=source,
        read=read,
        actor=actor,
        now=now,
    )


def bring_empty(
    *, channel: str, bill: StatementKind, day: dt.date, actor: Actor, now: dt.datetime
) -> Brought:
    """Note that the channel says nothing happened on a day. As `bring_file`, with no bytes."""
    return _keep(
        channel=channel,
        bill=bill,
        day=day,
        content=b"",
        file_name="",
        source=Source.FETCHED,
        read=Read("", ReadingState.EMPTY),
        actor=actor,
        now=now,
    )


@transaction.atomic(durable=True)
def decide_file(
    *, file_id: str, is_taken: bool, reason: str, actor: Actor, now: dt.datetime
) -> None:
    """Take another file for a day instead of the one it had, or put it aside. Decided once.

    Raises:
        FileUnknown: there is no such file.
        FileNotWaiting: it was decided already, or cannot be read.
        ClosingReasonMissing: say why.
    """
    if not reason.strip():
        raise ClosingReasonMissing(file=file_id)
    file = StatementFile.objects.filter(public_id=file_id).first()
    if file is None:
        raise FileUnknown(file=file_id)
    day = lock_day(file.channel, file.bill, file.day)
    reading = file.readings.filter(state__in=["read", "empty"]).order_by("-id").first()
    if reading is None or FileDecision.objects.filter(file=file).exists():
        raise FileNotWaiting(file=file_id)
    _decide(file, is_taken=is_taken, reason=reason, actor=actor, now=now)
    if is_taken:
        day.reading, day.compared_at = reading, None
        day.save(update_fields=["reading", "compared_at"])
    record(
        actor=actor,
        action="reconciliation.file_taken" if is_taken else "reconciliation.file_put_aside",
        object_id=file_id,
        details={"reason": reason.strip()[:REASON_LENGTH_MAX]},
        now=now,
    )


def read_content(
    reader: StatementChannel, bill: StatementKind, day: dt.date, content: bytes
) -> Read:
    """What today's parser makes of a bill's bytes. Pure."""
    parser = parser_of(reader)
    try:
        statement = reader.read_statement(bill, content)
    except StatementRefused as refused:
        return Read(parser, ReadingState.REFUSED, (), refused.reason[:300], refused.line_no)
    if statement.day != day:
        reason = f"it is the bill of {statement.day.isoformat()}"
        return Read(parser, ReadingState.REFUSED, (), reason)
    return Read(parser, ReadingState.READ, statement.lines, closing=statement.closing_balance)


@transaction.atomic(durable=True)
def _keep(
    *,
    channel: str,
    bill: StatementKind,
    day: dt.date,
    content: bytes,
    file_name: str,
    source: Source,
    read: Read,
    actor: Actor,
    now: dt.datetime,
) -> Brought:
    bill_day = lock_day(channel, bill, day)
    sha256 = hashlib.sha256(content).hexdigest()
    files = StatementFile.objects.filter(channel=channel, bill=bill, day=day)
    known = files.filter(sha256=sha256).first()
    if known is not None:
        reading = known.readings.order_by("id").last()
        assert reading is not None  # a file is kept together with its first reading
        return _brought(known, reading, bill_day, is_new=False)
    file = StatementFile.objects.create(
        public_id=new_id(IdPrefix.STATEMENT_FILE, now=now),
        channel=channel,
        bill=bill,
        day=day,
        version=1 + (files.aggregate(last=Max("version"))["last"] or 0),
        sha256=sha256,
        content=content,
        file_name=file_name[:FILE_NAME_LENGTH_MAX],
        source=source,
        brought_by=actor.id,
        brought_at=now,
    )
    reading = keep_reading(file, read, now)
    if read.state.is_sound:
        take_if_free(bill_day, file, reading, now)
    record(
        actor=actor,
        action="reconciliation.file_brought",
        object_id=file.public_id,
        details={"channel": channel, "bill": bill, "day": day.isoformat(), "sha256": sha256,
                 "state": read.state, "line_no": read.line_no},
        now=now,
    )  # fmt: skip
    return _brought(file, reading, bill_day, is_new=True)


@requires_transaction
def lock_day(channel: str, bill: str, day: dt.date) -> BillDay:
    """The day's row, which is there from the first file on."""
    BillDay.objects.bulk_create(
        [BillDay(channel=channel, bill=bill, day=day)], ignore_conflicts=True
    )
    return BillDay.objects.select_for_update().get(channel=channel, bill=bill, day=day)


def take_if_free(
    day: BillDay, file: StatementFile, reading: StatementReading, now: dt.datetime
) -> None:
    """Let the first sound bill of a day be the one that it is compared by."""
    if day.reading_id is not None or FileDecision.objects.filter(file=file).exists():
        return
    _decide(file, is_taken=True, reason="the first bill of its day", actor=FIRST, now=now)
    day.reading, day.compared_at, day.problem = reading, None, ""
    day.next_try_at, day.late_at = None, None
    day.save()


def _decide(
    file: StatementFile, *, is_taken: bool, reason: str, actor: Actor, now: dt.datetime
) -> None:
    FileDecision.objects.create(
        file=file,
        is_taken=is_taken,
        decided_by=actor.id,
        decided_at=now,
        reason=reason.strip()[:REASON_LENGTH_MAX],
    )


@requires_transaction
def keep_reading(file: StatementFile, read: Read, now: dt.datetime) -> StatementReading:
    """Keep what a parser made of a file, with all its lines, under a name that is free."""
    reading = StatementReading.objects.create(
        file=file,
        parser=_free_name(file, read.parser),
        read_at=now,
        state=read.state,
        reason=read.reason,
        line_no=read.line_no,
        lines_count=len(read.lines),
        lines_sha256=lines_digest(read.lines),
        closing_minor=read.closing.minor if read.closing else None,
        closing_currency=read.closing.currency if read.closing else "",
    )
    if read.lines:
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for line in read.lines:
                copy.write_row((reading.pk, *line_row(line)))
    return reading


def _free_name(file: StatementFile, parser: str) -> str:
    """A parser that reads otherwise without another version is told apart by a number."""
    taken = set(file.readings.values_list("parser", flat=True))
    names = (parser, *(numbered_parser(parser, number) for number in range(2, len(taken) + 2)))
    return next(name for name in names if name not in taken)


def _brought(
    file: StatementFile, reading: StatementReading, day: BillDay, *, is_new: bool
) -> Brought:
    is_taken = day.reading is not None and day.reading.file_id == file.pk
    return Brought(
        file_id=file.public_id,
        is_new=is_new,
        state=ReadingState(reading.state),
        is_taken=is_taken,
        reason=reading.reason,
        line_no=reading.line_no,
        lines_count=reading.lines_count,
    )
