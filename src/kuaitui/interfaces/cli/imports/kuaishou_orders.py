"""Kuaishou's order list: answers of `open.order.cursor.list`, or the same fields as CSV.

Fields as the platform names them: `oid`, `sellerOpenId`, `status`, `createTime`, `payTime`,
`sendTime`, `recvTime`, `updateTime` in milliseconds, `totalFee` in fen. What else an answer tells,
buyers' names and addresses among it, is not looked at and not kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from kuaitui.facts.types import OrderStatus, RefusedRow
from kuaitui.interfaces.cli.imports.csv_files import TakeRow, csv_rows
from kuaitui.interfaces.cli.imports.files import opened
from kuaitui.interfaces.cli.imports.json_fields import (
    content_of_object,
    minor_units,
    object_of,
    text_of,
)
from kuaitui.interfaces.cli.imports.json_files import json_values
from kuaitui.interfaces.cli.imports.mapping import (
    Defaults,
    Progress,
    ReadingOrder,
    Row,
    each_file_by_itself,
)
from kuaitui.interfaces.cli.imports.rows import OrderStager, RowRefused, parse_amount_minor

DEFAULTS = Defaults(currency="CNY", zone="Asia/Shanghai")
groups = each_file_by_itself
COLUMNS = ("oid", "status", "totalFee")
FIELDS = frozenset(
    {*COLUMNS, "sellerOpenId", "createTime", "payTime", "sendTime", "recvTime", "updateTime"}
)

# The platform's number: our status, and the field that says since when. The list has no time of
# success or failure; the last update is never earlier, so no holding period ends too soon.
_STATUSES = {
    10: (OrderStatus.PLACED, "createTime"),
    30: (OrderStatus.PAID, "payTime"),
    40: (OrderStatus.SHIPPED, "sendTime"),
    50: (OrderStatus.RECEIVED, "recvTime"),
    70: (OrderStatus.COMPLETED, "updateTime"),
    80: (OrderStatus.CLOSED, "updateTime"),
}
_TIMES = ("createTime", "payTime", "sendTime", "recvTime", "updateTime")
_MS_MIN, _MS_MAX = 10**11, 10**14  # 1973 to 5138: anything else is not in milliseconds


def rows(order: ReadingOrder, progress: Progress) -> Iterator[Row]:
    """The orders of one file, which is JSON when it begins with a bracket or brace, else CSV."""
    (path,) = order.paths
    with opened(path, encoding=order.encoding or "utf-8-sig") as (_, text):
        is_json = text.read(200).lstrip()[:1] in {"{", "["}
    if is_json:
        return _rows_of_json(path, order, progress)
    return csv_rows(
        path,
        encoding=order.encoding,
        required=COLUMNS,
        take_row=partial(_row_stager, order),
        progress=progress,
    )


def _rows_of_json(path: Path, order: ReadingOrder, progress: Progress) -> Iterator[Row]:
    stager = OrderStager(as_of=order.as_of)
    for value in json_values(path, encoding=order.encoding, progress=progress):
        if isinstance(value, RefusedRow):
            # Not JSON: its content may be about people, and nobody can tell.
            yield RefusedRow(value.file, value.line, value.reason, "")
            continue
        line, told = value
        for each in _orders_in(told):
            try:
                yield _stage(stager, order, line, object_of(each))
            except RowRefused as refusal:
                yield RefusedRow(path.name, line, str(refusal), content_of_object(each, FIELDS))


def _orders_in(told: object) -> Iterator[object]:
    """The orders in an answer, a list of answers, a list of orders, or a single order."""
    if isinstance(told, list):
        for each in told:
            yield from _orders_in(each)
    elif isinstance(told, dict) and isinstance(told.get("data"), dict):
        yield from _orders_in(told["data"])
    elif isinstance(told, dict) and isinstance(told.get("orderList"), list):
        yield from _orders_in(told["orderList"])
    elif isinstance(told, dict) and "orderBaseInfo" in told:
        yield told["orderBaseInfo"]
    else:
        yield told


def _row_stager(order: ReadingOrder, columns: list[str]) -> TakeRow[str]:
    """How to stage a CSV row: its fields are texts, empty where the answer has none."""
    stager = OrderStager(as_of=order.as_of)
    named = [(place, name) for place, name in enumerate(columns) if name in FIELDS]
    numbers = FIELDS - {"oid", "sellerOpenId"}

    def stage_row(line: int, fields: list[str]) -> str:
        told: dict[str, object] = {
            name: parse_amount_minor(fields[place], name) if name in numbers else fields[place]
            for place, name in named
            if fields[place]
        }
        return _stage(stager, order, line, told)

    return stage_row


def _stage(stager: OrderStager, order: ReadingOrder, line: int, told: dict[str, object]) -> str:
    number = told.get("status")
    if not isinstance(number, int) or number not in _STATUSES:
        raise RowRefused(
            f"the status {str(number)[:40]!r} is unknown; known are "
            f"{', '.join(str(known) for known in _STATUSES)}"
        )
    status, since = _STATUSES[number]
    return stager.stage(
        line,
        order.shop_id if order.shop_id is not None else text_of(told, "sellerOpenId"),
        text_of(told, "oid"),
        status,
        _moment(told, since),
        minor_units(told, "totalFee"),
        order.currency,
    )


def _moment(told: dict[str, object], name: str) -> dt.datetime:
    """The time of that name or, where it is absent or zero, the latest there is."""
    times = {known: told[known] for known in _TIMES if told.get(known)}
    for known, value in times.items():
        if not isinstance(value, int) or not _MS_MIN <= value < _MS_MAX:
            raise RowRefused(f"{known} {str(value)[:40]!r} is no time in milliseconds")
    if not times:
        raise RowRefused(f"{name} is missing")
    moment_ms = times.get(name) or max(value for value in times.values() if isinstance(value, int))
    assert isinstance(moment_ms, int)
    return dt.datetime.fromtimestamp(moment_ms // 1000, tz=dt.UTC).replace(
        microsecond=moment_ms % 1000 * 1000
    )
