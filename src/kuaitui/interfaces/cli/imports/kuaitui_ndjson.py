"""kuaitui's own NDJSON: an object a line, with the names of kuaitui's CSV."""

from __future__ import annotations

from collections.abc import Iterator

from kuaitui.facts.types import RefusedRow
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
from kuaitui.interfaces.cli.imports.rows import (
    OrderStager,
    RowRefused,
    parse_currency,
    parse_moment,
    parse_status,
)

DEFAULTS = Defaults(currency="CNY", zone="Asia/Shanghai")
groups = each_file_by_itself
_FIELDS = frozenset(
    {"kind", "shop_id", "order_id", "status", "status_at", "amount_minor", "currency"}
)


def rows(order: ReadingOrder, progress: Progress) -> Iterator[Row]:
    """The orders of one file."""
    (path,) = order.paths
    stager = OrderStager(as_of=order.as_of)
    for value in json_values(path, encoding=order.encoding, progress=progress):
        if isinstance(value, RefusedRow):
            yield value
            continue
        line, told = value
        try:
            yield _stage(stager, order, line, object_of(told))
        except RowRefused as refusal:
            yield RefusedRow(path.name, line, str(refusal), content_of_object(told, _FIELDS))


def _stage(stager: OrderStager, order: ReadingOrder, line: int, told: dict[str, object]) -> str:
    unknown = sorted(told.keys() - _FIELDS)
    if unknown:
        raise RowRefused(f"the field {unknown[0][:40]!r} is unknown")
    if told.get("kind", "order") != "order":
        raise RowRefused(f"its kind is {str(told['kind'])[:40]!r}; only orders are imported here")
    return stager.stage(
        line,
        text_of(told, "shop_id") if order.shop_id is None else order.shop_id,
        text_of(told, "order_id"),
        parse_status(text_of(told, "status")),
        parse_moment(text_of(told, "status_at"), "status_at"),
        minor_units(told, "amount_minor"),
        parse_currency(text_of(told, "currency")) if "currency" in told else order.currency,
    )
