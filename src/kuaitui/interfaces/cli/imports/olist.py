"""The public data set of the marketplace Olist: orders and items (sellers and payments add nothing).

An order may hold items of several sellers: each seller gets an order of its own, of the sum of its
items. The files are joined in a scratch file on disk, so their size does not matter.
"""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from kuaitui.facts.types import OrderStatus, RefusedRow
from kuaitui.interfaces.cli.imports.csv_files import TakeRow, columns_of_file, csv_rows
from kuaitui.interfaces.cli.imports.errors import ImportRefused
from kuaitui.interfaces.cli.imports.mapping import Defaults, Progress, ReadingOrder, Row
from kuaitui.interfaces.cli.imports.rows import OrderStager, RowRefused
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money

DEFAULTS = Defaults(currency="BRL", zone="America/Sao_Paulo")

_PURCHASED, _APPROVED = "order_purchase_timestamp", "order_approved_at"
_SHIPPED, _DELIVERED = "order_delivered_carrier_date", "order_delivered_customer_date"
ORDER_COLUMNS = ("order_id", "order_status", _PURCHASED, _APPROVED, _SHIPPED, _DELIVERED)
ITEM_COLUMNS = ("order_id", "seller_id", "price")

# The data set ends with the delivery: what was delivered is taken as completed that day.
_STATUSES = {
    "created": (OrderStatus.PLACED, _PURCHASED),
    "approved": (OrderStatus.PAID, _APPROVED),
    "invoiced": (OrderStatus.PAID, _APPROVED),
    "processing": (OrderStatus.PAID, _APPROVED),
    "shipped": (OrderStatus.SHIPPED, _SHIPPED),
    "delivered": (OrderStatus.COMPLETED, _DELIVERED),
    "canceled": (OrderStatus.CLOSED, None),
    "unavailable": (OrderStatus.CLOSED, None),
}
_MONTH_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d{2})")
BATCH_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class _Order:
    order_id: str
    line: int
    status: int
    status_at: str


@dataclass(frozen=True, slots=True)
class _Item:
    order_id: str
    seller_id: str
    line: int
    price_minor: int


def groups(paths: tuple[Path, ...], *, encoding: str | None) -> list[tuple[Path, ...]]:
    """All files together are one intake; the orders come first, then the items."""
    main = _orders_and_items(paths, encoding=encoding)
    return [(*main, *(path for path in paths if path not in main))]


def rows(order: ReadingOrder, progress: Progress) -> Iterator[Row]:
    """One order for each seller in each order of the data set."""
    if order.shop_id is not None:
        raise ImportRefused("every item of the Olist data set names its seller; leave --shop out")
    orders_path, items_path = order.paths[:2]
    with tempfile.TemporaryDirectory(prefix="kuaitui-olist-") as directory:
        scratch = sqlite3.connect(Path(directory) / "join.sqlite", isolation_level=None)
        scratch.executescript(_TABLES)
        try:
            yield from _load_orders(scratch, orders_path, order, progress)
            yield from _load_items(scratch, items_path, order, progress)
            yield from _refuse_unmatched(scratch, orders_path, items_path)
            yield from _join(scratch, orders_path, order)
        finally:
            scratch.close()


_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE told_order (order_id TEXT PRIMARY KEY, line INT, status INT, status_at TEXT)
    WITHOUT ROWID;
CREATE TABLE told_item (order_id TEXT, seller_id TEXT, line INT, price_minor INT,
    PRIMARY KEY (order_id, seller_id, line)) WITHOUT ROWID;
"""


def _load_orders(
    scratch: sqlite3.Connection, path: Path, order: ReadingOrder, progress: Progress
) -> Iterator[RefusedRow]:
    told = csv_rows(
        path,
        encoding=order.encoding,
        required=ORDER_COLUMNS,
        take_row=partial(_order_reader, ZoneInfo(order.zone)),
        progress=progress,
    )
    statement = "INSERT OR IGNORE INTO told_order VALUES (?, ?, ?, ?)"
    while part := list(islice(told, BATCH_ROWS)):
        scratch.execute("BEGIN")
        for row in part:
            if isinstance(row, RefusedRow):
                yield row
                continue
            values = (row.order_id, row.line, row.status, row.status_at)
            if scratch.execute(statement, values).rowcount == 0:
                yield RefusedRow(path.name, row.line, "this order stands there twice", row.order_id)
        scratch.execute("COMMIT")


def _load_items(
    scratch: sqlite3.Connection, path: Path, order: ReadingOrder, progress: Progress
) -> Iterator[RefusedRow]:
    told = csv_rows(
        path,
        encoding=order.encoding,
        required=ITEM_COLUMNS,
        take_row=partial(_item_reader, order.currency),
        progress=progress,
    )
    statement = "INSERT INTO told_item VALUES (?, ?, ?, ?)"
    while part := list(islice(told, BATCH_ROWS)):
        yield from (row for row in part if isinstance(row, RefusedRow))
        scratch.execute("BEGIN")
        scratch.executemany(
            statement,
            (
                (row.order_id, row.seller_id, row.line, row.price_minor)
                for row in part
                if isinstance(row, _Item)
            ),
        )
        scratch.execute("COMMIT")


def _refuse_unmatched(
    scratch: sqlite3.Connection, orders_path: Path, items_path: Path
) -> Iterator[RefusedRow]:
    without_items = scratch.execute(
        "SELECT line, order_id FROM told_order"
        " WHERE order_id NOT IN (SELECT order_id FROM told_item) ORDER BY line"
    )
    for line, order_id in without_items:
        reason = "the order has no items, so its seller is not known"
        yield RefusedRow(orders_path.name, line, reason, order_id)
    without_order = scratch.execute(
        "SELECT line, order_id FROM told_item"
        " WHERE order_id NOT IN (SELECT order_id FROM told_order) ORDER BY line"
    )
    for line, order_id in without_order:
        yield RefusedRow(items_path.name, line, "its order is not in the file of orders", order_id)


def _join(scratch: sqlite3.Connection, path: Path, order: ReadingOrder) -> Iterator[Row]:
    stager = OrderStager(as_of=order.as_of)
    joined = scratch.execute(
        "SELECT line, seller_id, order_id, status, status_at, total_minor FROM told_order JOIN"
        " (SELECT order_id, seller_id, sum(price_minor) AS total_minor FROM told_item"
        " GROUP BY order_id, seller_id) USING (order_id) ORDER BY line, seller_id"
    )
    for line, seller_id, order_id, status, status_at, total_minor in joined:
        try:
            yield stager.stage(
                line,
                seller_id,
                order_id,
                status,
                dt.datetime.fromisoformat(status_at),
                total_minor,
                order.currency,
            )
        except RowRefused as refusal:
            yield RefusedRow(path.name, line, str(refusal), f"{seller_id},{order_id}")


def _order_reader(zone: ZoneInfo, columns: list[str]) -> TakeRow[_Order]:
    order_id, status = columns.index("order_id"), columns.index("order_status")
    moments = {name: columns.index(name) for name in (_PURCHASED, _APPROVED, _SHIPPED, _DELIVERED)}

    def read(line: int, fields: list[str]) -> _Order:
        word = fields[status]
        if word not in _STATUSES:
            raise RowRefused(
                f"the status {word[:40]!r} is unknown; known are {', '.join(_STATUSES)}"
            )
        known = {
            name: _moment(fields[place], name, zone)
            for name, place in moments.items()
            if fields[place]
        }
        if not known:
            raise RowRefused(f"{_PURCHASED} is missing")
        ours, since = _STATUSES[word]
        status_at = known[since] if since in known else max(known.values())
        return _Order(fields[order_id], line, int(ours), status_at.isoformat())

    return read


def _item_reader(currency: str, columns: list[str]) -> TakeRow[_Item]:
    order_id, seller_id, price = (columns.index(name) for name in ITEM_COLUMNS)

    def read(line: int, fields: list[str]) -> _Item:
        try:
            price_minor = Money.parse(fields[price], currency).minor
        except Refusal as refusal:
            raise RowRefused(f"the price {fields[price][:40]!r}: {refusal.message}") from None
        return _Item(fields[order_id], fields[seller_id], line, price_minor)

    return read


def _moment(text: str, column: str, zone: ZoneInfo) -> dt.datetime:
    """A local time as the data set writes it: `1/18/2018 14:48`, or `2018-01-18 14:48:00`."""
    try:
        if match := _MONTH_FIRST.fullmatch(text):
            month, day, year, hour, minute = (int(part) for part in match.groups())
            return dt.datetime(year, month, day, hour, minute, tzinfo=zone)
        return dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone)
    except ValueError:
        raise RowRefused(
            f"{column} {text[:40]!r} is no time such as 1/18/2018 14:48 or 2018-01-18 14:48:00"
        ) from None


def _orders_and_items(paths: tuple[Path, ...], *, encoding: str | None) -> tuple[Path, Path]:
    columns = {path: set(columns_of_file(path, encoding=encoding)) for path in paths}
    orders = [path for path in paths if {"order_id", "order_status"} <= columns[path]]
    items = [path for path in paths if {"order_id", "seller_id", "price"} <= columns[path]]
    if len(orders) != 1 or len(items) != 1:
        raise ImportRefused(
            "the Olist data set needs its file of orders (order_id, order_status, …) and its file "
            f"of items (order_id, seller_id, price, …), one of each; found {len(orders)} and "
            f"{len(items)}"
        )
    return orders[0], items[0]
