"""Whether what is kept of bills is still what came, and still reads as it was read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from kuaitui.channels.port import (
    StatementChannel,
    StatementKind,
    StatementLine,
    StatementRefused,
)
from kuaitui.reconciliation.models import StatementFile, StatementReading
from kuaitui.reconciliation.queries.lines import is_by, line_row, lines_digest, parser_of

SAMPLE_FILES: Final = 20
Readers = Callable[[str], StatementChannel | None]


@dataclass(frozen=True, slots=True)
class Reread:
    """How many files were looked at, and what is not as it was."""

    files_count: int
    differences: tuple[str, ...]


def reread(readers: Readers, *, is_whole: bool = False) -> Reread:
    """Read kept files again from their bytes and compare hashes and lines.

    The newest `SAMPLE_FILES`, or all of them. `readers` gives the adapter of a channel, or None
    where there is none any more: then bytes and lines are compared with their hashes only.
    """
    files = StatementFile.objects.order_by("-id")
    count, found = 0, []
    for file in (files if is_whole else files[:SAMPLE_FILES]).iterator(chunk_size=1):
        count += 1
        found += _differences(file, readers(file.channel))
    return Reread(count, tuple(found))


def _differences(file: StatementFile, reader: StatementChannel | None) -> list[str]:
    content = bytes(file.content)
    if hashlib.sha256(content).hexdigest() != file.sha256:
        return [f"bill {file.public_id}: its bytes are not those that came"]
    found = []
    readings = list(file.readings.order_by("id"))
    # Only the newest reading of a parser can be made again: what it made before, it makes no more.
    today = next((one for one in reversed(readings) if reader and _is_by(one, reader)), None)
    for reading in readings:
        if not content or reader is None or reading is not today:
            is_same = _kept_count(reading) == reading.lines_count
        else:
            lines = _read(reader, file, content)
            is_same = lines_digest(lines) == reading.lines_sha256 and _are_kept(reading, lines)
        if not is_same:
            found.append(f"bill {file.public_id}: its lines are not what its bytes read as")
    return found


def _is_by(reading: StatementReading, reader: StatementChannel) -> bool:
    return is_by(reading.parser, parser_of(reader))


def _read(
    reader: StatementChannel, file: StatementFile, content: bytes
) -> tuple[StatementLine, ...]:
    try:
        statement = reader.read_statement(StatementKind(file.bill), content)
    except StatementRefused:
        return ()
    return statement.lines if statement.day == file.day else ()


def _kept_count(reading: StatementReading) -> int:
    return reading.lines.count()


def _are_kept(reading: StatementReading, lines: tuple[StatementLine, ...]) -> bool:
    """Whether the table holds exactly these lines."""
    kept = reading.lines.order_by("line_no", "kind").values_list(
        "line_no",
        "kind",
        "event",
        "key",
        "number",
        "reference",
        "amount_minor",
        "currency",
        "state",
    )
    read = sorted(map(line_row, lines), key=lambda row: row[:2])
    pairs = zip_longest(kept.iterator(), read)
    return all(
        row is not None and values is not None and row == (*values[:8], values[9])
        for row, values in pairs
    )
