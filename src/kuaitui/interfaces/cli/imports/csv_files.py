"""CSV files, row by row; what is wrong with one row does not stop the others."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias, TypeVar

from kuaitui.facts.types import RefusedRow
from kuaitui.interfaces.cli.imports.errors import FileUnusable
from kuaitui.interfaces.cli.imports.files import encoding_of, lines_of, opened
from kuaitui.interfaces.cli.imports.mapping import Progress
from kuaitui.interfaces.cli.imports.rows import RowRefused, content_of

FIELD_CHARACTERS_MAX = 10_000

Taken = TypeVar("Taken")
# Makes something of a row's line number and fields, or refuses it.
TakeRow: TypeAlias = Callable[[int, list[str]], Taken]


def csv_rows(
    path: Path,
    *,
    encoding: str | None,
    required: tuple[str, ...],
    take_row: Callable[[list[str]], TakeRow[Taken]],
    progress: Progress,
) -> Iterator[Taken | RefusedRow]:
    """What `take_row`, told the columns, makes of each row of a file.

    Raises:
        FileUnusable: it does not begin with the required columns, or not in that encoding.
    """
    with opened(path, encoding=encoding_of(path, encoding)) as (measured, text):
        progress.size += measured.size
        bytes_before = progress.bytes_read
        csv.field_size_limit(FIELD_CHARACTERS_MAX)
        reader = csv.reader(lines_of(text))
        columns = columns_of(path, reader, required=required)
        width = len(columns)
        take = take_row(columns)
        while True:
            fields: list[str] = []
            try:
                fields = next(reader)
                if len(fields) == width:
                    yield take(reader.line_num, fields)
                elif fields:
                    reason = f"it has {len(fields)} fields, the first line has {width}"
                    yield RefusedRow(path.name, reader.line_num, reason, content_of(fields))
            except StopIteration:
                break
            except RowRefused as refusal:
                yield RefusedRow(path.name, reader.line_num, str(refusal), content_of(fields))
            except csv.Error as problem:
                yield RefusedRow(path.name, reader.line_num, _in_our_words(problem), "")
            progress.bytes_read = bytes_before + measured.bytes_read
        progress.digests[path] = measured.digest()


def columns_of_file(path: Path, *, encoding: str | None) -> list[str]:
    """The names in the first line of a file."""
    with opened(path, encoding=encoding_of(path, encoding)) as (_, text):
        return columns_of(path, csv.reader(lines_of(text)), required=())


def columns_of(path: Path, reader: Iterator[list[str]], *, required: tuple[str, ...]) -> list[str]:
    """The names in the first line.

    Raises:
        FileUnusable: a required one is missing, or one stands there twice; says which.
    """
    try:
        columns = [name.strip().removeprefix("\ufeff") for name in next(reader)]
    except (StopIteration, csv.Error):
        raise FileUnusable(path, "line 1: holds no column names") from None
    missing = [name for name in required if name not in columns]
    if missing:
        hint = ""
        if len(columns) == 1 and (";" in columns[0] or "\t" in columns[0]):
            hint = "; its columns are not separated by commas"
        raise FileUnusable(
            path,
            f"line 1: the columns {', '.join(missing)} are missing; it has {_shown(columns)}{hint}",
        )
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise FileUnusable(path, f"line 1: the columns {_shown(twice)} stand there twice")
    return columns


def _shown(columns: list[str]) -> str:
    shown = ", ".join(name[:40] for name in columns[:12])
    return shown if shown.isprintable() else ascii(shown)


def _in_our_words(problem: csv.Error) -> str:
    if "field limit" in str(problem):
        return (
            f"a field is longer than {FIELD_CHARACTERS_MAX} characters; is a quotation mark open?"
        )
    return f"it cannot be read as CSV: {problem}"
