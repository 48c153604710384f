"""What a mapping is, and how it is asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from kuaitui.facts.types import RefusedRow, ReportedRow

# An order as COPY reads it, a report on something else, or a refused row.
Row: TypeAlias = str | ReportedRow | RefusedRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOrder:
    """What to read and how, as it travels to the reading process."""

    mapping: str
    paths: tuple[Path, ...]
    as_of: dt.datetime
    currency: str
    zone: str
    encoding: str | None
    shop_id: str | None
    rows_done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What holds where an export does not say it and nobody asked for another."""

    currency: str
    zone: str


class Progress(Protocol):
    """Where a mapping tells how much of its files it has read."""

    bytes_read: int
    size: int
    digests: dict[Path, str]


class Mapping(Protocol):
    """One kind of export."""

    DEFAULTS: Defaults

    def groups(self, paths: tuple[Path, ...], *, encoding: str | None) -> list[tuple[Path, ...]]:
        """The files that make up one intake each."""

    def rows(self, order: ReadingOrder, progress: Progress) -> Iterator[Row]:
        """Every row of a group, in an order that is the same each time."""


def each_file_by_itself(
    paths: tuple[Path, ...],
    *,
    encoding: str | None,  # noqa: ARG001 - others look into the files
) -> list[tuple[Path, ...]]:
    """Each file is an intake of its own."""
    return [(path,) for path in paths]
