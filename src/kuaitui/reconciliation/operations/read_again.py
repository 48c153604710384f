"""A kept bill is read again, by the parser of today: its bytes are the truth, its lines follow."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import structlog
from django.db import transaction

from kuaitui.audit.operations import record
from kuaitui.channels.port import StatementChannel, StatementKind
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.money import Money
from kuaitui.kit.outbox import publish
from kuaitui.reconciliation.errors import FileDamaged, FileUnknown
from kuaitui.reconciliation.events import BillDamaged
from kuaitui.reconciliation.models import BillDay, DamagedFile, StatementFile, StatementReading
from kuaitui.reconciliation.operations.bring import (
    Read,
    keep_reading,
    lock_day,
    read_content,
    take_if_free,
)
from kuaitui.reconciliation.queries.lines import LineValues, line_row, lines_digest
from kuaitui.reconciliation.types import LineChange, ReadAgain, ReadingState

CHANGES_SHOWN_MAX: Final = 20
REREADER: Final = Actor.system("reconciliation.read_again")

log = structlog.get_logger(__name__)


def read_again(
    *, file_id: str, reader: StatementChannel, actor: Actor = REREADER, now: dt.datetime
) -> ReadAgain:
    """Read a kept file with the parser of today, and say what it reads otherwise than before.

    What reads the same is kept no second time, so repeating moves nothing. What reads otherwise is
    a new reading beside the old one, which stays for whoever asks what the day was compared by
    then. It takes the old one's place if its file is the one the day is compared by and it is
    sound; a file that cannot be read any more is compared as it was read before, until people
    decide. The day is compared by `compare_bill`, as after any bill.

    Raises:
        FileUnknown: there is no such file.
        FileDamaged: its bytes do not have the hash that they came with. People are told.
    """
    file = StatementFile.objects.filter(public_id=file_id).first()
    if file is None:
        raise FileUnknown(file=file_id)
    content = bytes(file.content)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        _tell_damaged(file, actor, now)
        raise FileDamaged(file=file_id)
    read = Read("", ReadingState.EMPTY)
    if content:
        read = read_content(reader, StatementKind(file.bill), file.day, content)
    with transaction.atomic(durable=True):
        day = lock_day(file.channel, file.bill, file.day)
        before = file.readings.order_by("-id").first()
        assert before is not None  # a file is kept together with its first reading
        if _is_same(before, read):
            return _result(file, day, before, read, [])
        changes = _changes(before, read)
        _take_place(day, file, keep_reading(file, read, now), now)
        record(
            actor=actor,
            action="reconciliation.file_read_again",
            object_id=file_id,
            details={
                "parser": read.parser,
                "state": read.state,
                "lines_before": before.lines_count,
                "lines": len(read.lines),
                "lines_changed": len(changes),
                "lines_sha256_before": before.lines_sha256,
                "lines_sha256": lines_digest(read.lines),
            },
            now=now,
        )
        return _result(file, day, before, read, changes)


def _is_same(before: StatementReading, read: Read) -> bool:
    kept = (before.state, before.reason, before.line_no, before.lines_sha256)
    minor = before.closing_minor
    closing = None if minor is None else Money(minor, before.closing_currency)
    made = (read.state, read.reason, read.line_no, lines_digest(read.lines))
    return (kept, closing) == (made, read.closing)


def _take_place(
    day: BillDay, file: StatementFile, reading: StatementReading, now: dt.datetime
) -> None:
    if not ReadingState(reading.state).is_sound:
        return
    take_if_free(day, file, reading, now)
    if day.reading is not None and day.reading.file_id == file.pk:
        day.reading, day.compared_at = reading, None
        day.save(update_fields=["reading", "compared_at"])


def _result(
    file: StatementFile,
    day: BillDay,
    before: StatementReading,
    read: Read,
    changes: list[LineChange],
) -> ReadAgain:
    return ReadAgain(
        file_id=file.public_id,
        is_changed=not _is_same(before, read),
        is_compared=day.reading is not None and day.reading.file_id == file.pk,
        state=read.state,
        reason=read.reason,
        line_no=read.line_no,
        lines_before=before.lines_count,
        lines_count=len(read.lines),
        changes_count=len(changes),
        changes=tuple(changes[:CHANGES_SHOWN_MAX]),
    )


def _changes(before: StatementReading, read: Read) -> list[LineChange]:
    """Line by line, what is read otherwise. One line of the file may be read as several."""
    kept = before.lines.order_by("line_no", "kind").values_list(
        "line_no", "kind", "event", "key", "number", "reference", "amount_minor", "currency",
        "occurred_at", "state",
    )  # fmt: skip
    old = _by_line((*row[:8], row[8].isoformat(), row[9]) for row in kept.iterator())
    new = _by_line(
        (
            *values[:8],
            dt.datetime.fromisoformat(values[8]).astimezone(dt.UTC).isoformat(),
            values[9],
        )
        for values in map(line_row, read.lines)
    )
    return [
        LineChange(line_no, _words(old[line_no]), _words(new[line_no]))
        for line_no in sorted(old.keys() | new.keys())
        if old[line_no] != new[line_no]
    ]


def _by_line(rows: Iterable[LineValues]) -> defaultdict[int, list[LineValues]]:
    found: defaultdict[int, list[LineValues]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    for parts in found.values():
        parts.sort()
    return found


def _words(rows: list[LineValues]) -> str:
    """Lines in few words: kind, number, amount, moment, and the channel's own word."""
    return "; ".join(
        f"{kind} {number or reference} {Money(minor, currency)} {moment} {state}".rstrip()
        for _, kind, _, _, number, reference, minor, currency, moment, state in rows
    )


@transaction.atomic(durable=True)
def _tell_damaged(file: StatementFile, actor: Actor, now: dt.datetime) -> None:
    day = file.day.isoformat()
    DamagedFile.objects.get_or_create(file=file, defaults={"found_at": now})
    publish(BillDamaged(file.public_id, file.channel, file.bill, day, now), now=now)
    record(
        actor=actor,
        action="reconciliation.file_damaged",
        object_id=file.public_id,
        details={"channel": file.channel, "bill": file.bill, "day": day, "sha256": file.sha256},
        now=now,
    )
    log.error("reconciliation.file.damaged", file_id=file.public_id, channel=file.channel)
