"""`kuaitui reconcile --read-again`: kept bills, read by the parser of today, and what that changes."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from django.conf import settings

from kuaitui.channels.port import StatementKind
from kuaitui.channels.registry import Channels
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.clock import read_clock
from kuaitui.reconciliation.errors import FileDamaged
from kuaitui.reconciliation.types import Matching, ReadAgain

if TYPE_CHECKING:
    from kuaitui.reconciliation.queries import FileRecord

EVERY_FILE: Final = "all"
ACTOR: Final = Actor.system("cli.read_again")


@dataclass(frozen=True, slots=True)
class _Done:
    """One file read again: nothing of it when its bytes are damaged or its channel is no more."""

    file: FileRecord
    problem: str = ""
    read: ReadAgain | None = None
    matching: Matching | None = None

    @property
    def needs_people(self) -> bool:
        """Whether somebody must look: damaged, no longer readable, or other differences."""
        if self.read is None:
            return True
        is_lost = self.read.is_compared and not self.read.state.is_sound
        return is_lost or bool(self.matching and self.matching.found)


def run(arguments: argparse.Namespace, channels: Channels) -> int:
    """Read again, compare what changed, say it. 1: people must look."""
    from kuaitui.reconciliation import operations, queries  # noqa: PLC0415 - after the set-up

    named = "" if arguments.read_again == EVERY_FILE else arguments.read_again
    files = queries.files_kept(channel=arguments.channel or "", day=arguments.day, file_id=named)
    chosen = [file for file in files if arguments.kind in {None, file.bill}]
    done = [_read_again(file, channels) for file in chosen]
    operations.stop_for_breaks(now=read_clock())
    if arguments.json:
        print(json.dumps([_document(one) for one in done], ensure_ascii=False, indent=2))
    else:
        for one in done:
            print("\n".join(_lines(one)))
        print(_sum(done))
    return 1 if any(one.needs_people for one in done) else 0


def _read_again(file: FileRecord, channels: Channels) -> _Done:
    from kuaitui.reconciliation import operations, queries  # noqa: PLC0415 - after the set-up

    if file.channel not in queries.bills_given(channels):
        return _Done(file, "no channel of today gives this bill")
    now, reader = read_clock(), channels.stating(file.channel)
    try:
        read = operations.read_again(file_id=file.file_id, reader=reader, actor=ACTOR, now=now)
    except FileDamaged as damaged:
        return _Done(file, damaged.message)
    if not (read.is_changed and read.is_compared):
        return _Done(file, read=read)
    plan = operations.Plan.parse(settings.KUAITUI_BILLS)
    matching = operations.compare_bill(
        channel=file.channel,
        bill=StatementKind(file.bill),
        day=file.day,
        zone=plan.zone,
        today=now.astimezone(plan.zone).date(),
        now=now,
    )
    return _Done(file, read=read, matching=matching)


def _lines(done: _Done) -> list[str]:
    name = f"{done.file.day} {done.file.channel} {done.file.bill} {done.file.file_id}"
    read = done.read
    if read is None:
        return [f"{name}: {done.problem}"]
    if not read.state.is_sound:
        where = f"line {read.line_no}: " if read.line_no else ""
        return [f"{name}: cannot be read: {where}{read.reason}"]
    if not read.is_changed:
        return [f"{name}: the same, {read.lines_count:,} lines"]
    count = read.changes_count
    what = f"{count:,} lines read otherwise" if count else "another closing balance"
    said = [f"{name}: {what}, {read.lines_count:,} lines in all"]
    said += [
        f"  line {change.line_no}: {change.before or 'nothing'} → {change.after or 'nothing'}"
        for change in read.changes
    ]
    if read.changes_count > len(read.changes):
        said.append(f"  and {read.changes_count - len(read.changes):,} more")
    if done.matching is not None:
        said += [f"  difference found: {found}" for found in done.matching.found]
        said += [f"  difference settled: {found}" for found in done.matching.matched_later]
    return said


def _sum(done: list[_Done]) -> str:
    changed = sum(bool(one.read and one.read.is_changed) for one in done)
    waiting = sum(one.needs_people for one in done)
    return f"{len(done):,} bills read again, {changed:,} otherwise, {waiting:,} for people."


def _document(done: _Done) -> dict[str, object]:
    return {
        "file": done.file.file_id,
        "channel": done.file.channel,
        "bill": done.file.bill.value,
        "day": done.file.day.isoformat(),
        "problem": done.problem,
        "read": asdict(done.read) if done.read else None,
        "found": list(done.matching.found) if done.matching else [],
        "settled": list(done.matching.matched_later) if done.matching else [],
    }
