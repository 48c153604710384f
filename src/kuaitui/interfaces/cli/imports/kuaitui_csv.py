"""kuaitui's own CSV: shop_id, order_id, status, status_at, amount_minor and perhaps currency."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

from kuaitui.facts.types import RefusedRow
from kuaitui.interfaces.cli.imports.errors import FileUnusable
from kuaitui.interfaces.cli.imports.files import encoding_of, lines_of, opened
from kuaitui.interfaces.cli.imports.mapping import Defaults, Progress, ReadingOrder, Row
from kuaitui.interfaces.cli.imports.rows import (
    OrderStager,
    RowRefused,
    content_of,
    parse_amount_minor,
    parse_currency,
    parse_moment,
    parse_status,
)

DEFAULTS = Defaults(currency="CNY", zone="Asia/Shanghai")
COLUMNS = ("shop_id", "order_id", "status", "status_at", "amount_minor")
FIELD_CHARACTERS_MAX = 10_000


def groups(paths: tuple[Path, ...]) -> list[tuple[Path, ...]]:
    """Each file stands for itself."""
    return [(path,) for path in paths]


def rows(order: ReadingOrder, progress: Progress) -> Iterator[Row]:
    """The rows of one file.

    Raises:
        FileUnusable: it does not begin with the columns this mapping needs.
    """
    (path,) = order.paths
    with opened(path, encoding=encoding_of(path, order.encoding)) as (measured, text):
        progress.size = measured.size
        csv.field_size_limit(FIELD_CHARACTERS_MAX)
        reader = csv.reader(lines_of(text))
        columns = columns_of(path, reader, required=COLUMNS)
        stage = _stager(columns, order)
        while True:
            fields: list[str] = []
            try:
                fields = next(reader)
                if fields:
                    yield stage(reader.line_num, fields)
            except StopIteration:
                break
            except RowRefused as refusal:
                yield RefusedRow(path.name, reader.line_num, str(refusal), content_of(fields))
            except csv.Error as problem:
                yield RefusedRow(path.name, reader.line_num, _in_our_words(problem), "")
            progress.bytes_read = measured.bytes_read
        progress.digests.append(measured.digest())


def _stager(columns: list[str], order: ReadingOrder) -> Callable[[int, list[str]], str]:
    """How to stage a row with these columns."""
    stage = OrderStager(as_of=order.as_of).stage
    width = len(columns)
    shop, number, status, moment, amount = (columns.index(name) for name in COLUMNS)
    currency = columns.index("currency") if "currency" in columns else None

    def stage_row(line: int, fields: list[str]) -> str:
        if len(fields) != width:
            raise RowRefused(f"it has {len(fields)} fields, the first line has {width}")
        return stage(
            line,
            fields[shop],
            fields[number],
            parse_status(fields[status]),
            parse_moment(fields[moment], "status_at"),
            parse_amount_minor(fields[amount], "amount_minor"),
            order.currency if currency is None else parse_currency(fields[currency]),
        )

    return stage_row


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
        raise FileUnusable(path, f"line 1: the columns {', '.join(twice)} stand there twice")
    return columns


def _shown(columns: list[str]) -> str:
    shown = ", ".join(name[:40] for name in columns[:12])
    return ascii(shown) if not shown.isprintable() else shown


def _in_our_words(problem: csv.Error) -> str:
    if "field limit" in str(problem):
        return (
            f"a field is longer than {FIELD_CHARACTERS_MAX} characters; is a quotation mark open?"
        )
    return f"it cannot be read as CSV: {problem}"
