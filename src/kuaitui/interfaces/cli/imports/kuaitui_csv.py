"""kuaitui's own CSV: shop_id, order_id, status, status_at, amount_minor and perhaps currency."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from kuaitui.interfaces.cli.imports.csv_files import TakeRow, csv_rows
from kuaitui.interfaces.cli.imports.mapping import (
    Defaults,
    Progress,
    ReadingOrder,
    Row,
    each_file_by_itself,
)
from kuaitui.interfaces.cli.imports.rows import (
    OrderStager,
    parse_amount_minor,
    parse_currency,
    parse_moment,
    parse_status,
)

DEFAULTS = Defaults(currency="CNY", zone="Asia/Shanghai")
groups = each_file_by_itself
COLUMNS = ("shop_id", "order_id", "status", "status_at", "amount_minor")


def rows(order: ReadingOrder, progress: Progress) -> Iterator[Row]:
    """The orders of one file."""
    (path,) = order.paths
    return csv_rows(
        path,
        encoding=order.encoding,
        required=COLUMNS if order.shop_id is None else COLUMNS[1:],
        take_row=partial(_stager, order),
        progress=progress,
    )


def _stager(order: ReadingOrder, columns: list[str]) -> TakeRow[str]:
    """How to stage a row with these columns."""
    stage = OrderStager(as_of=order.as_of).stage
    number, status, moment, amount = (columns.index(name) for name in COLUMNS[1:])
    shop = None if order.shop_id is not None else columns.index("shop_id")
    currency = columns.index("currency") if "currency" in columns else None

    def stage_row(line: int, fields: list[str]) -> str:
        return stage(
            line,
            order.shop_id or "" if shop is None else fields[shop],
            fields[number],
            parse_status(fields[status]),
            parse_moment(fields[moment], "status_at"),
            parse_amount_minor(fields[amount], "amount_minor"),
            order.currency if currency is None else parse_currency(fields[currency]),
        )

    return stage_row
