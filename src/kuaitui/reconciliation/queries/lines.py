"""How lines of a bill are kept, and what their digest is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.metadata import version
from typing import Final

from kuaitui.channels.port import StatementChannel, StatementLine
from kuaitui.reconciliation.rules import EVENTS, key_of

PARSER_LENGTH_MAX: Final = 72
LineValues = tuple[int, str, str, str, str, str, int, str, str, str]


def parser_of(reader: StatementChannel) -> str:
    """Which code reads: the adapter and the version of kuaitui."""
    return f"{type(reader).__name__} {version('kuaitui')}"[:80]


def numbered_parser(parser: str, number: int) -> str:
    """The name of a parser that bears the version of another, and reads otherwise."""
    return f"{parser[:PARSER_LENGTH_MAX]} #{number}"


def is_by(reading_parser: str, parser: str) -> bool:
    """Whether a kept reading is of this parser, whatever its number."""
    name, _, number = reading_parser.partition(" #")
    return reading_parser == parser or (name == parser[:PARSER_LENGTH_MAX] and number.isdigit())


def line_row(line: StatementLine) -> LineValues:
    """A line as the table keeps it, without its reading."""
    return (
        line.line_no,
        line.kind.value,
        EVENTS[line.kind] or "",
        key_of(line)[:80],
        line.number[:80],
        line.reference[:80],
        line.amount.minor,
        line.amount.currency,
        line.occurred_at.isoformat(),
        line.state[:80],
    )


def lines_digest(lines: Iterable[StatementLine]) -> str:
    """One hash of all lines in their order, so that reading again can be compared at a glance."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update("\x1f".join(map(str, line_row(line))).encode())
        digest.update(b"\x1e")
    return digest.hexdigest()
