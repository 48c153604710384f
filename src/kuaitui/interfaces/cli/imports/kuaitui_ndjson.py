"""kuaitui's own NDJSON: a report a line. `report` names what it is about, an order if it is absent.

Orders carry the names of kuaitui's CSV; everything else the names of FACTS.md, with `shop_id`,
`status_at` and, where there are several, `id`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

from kuaitui.facts.rules import is_shop_id, problem_of
from kuaitui.facts.types import (
    AfterSaleReport,
    AfterSaleStatus,
    BalanceReport,
    DebtKind,
    DebtReport,
    DebtStatus,
    DisputeReport,
    DisputeStatus,
    ListingsReport,
    RefusedRow,
    ReportedRow,
    ReportInLog,
    RestrictionKind,
    RestrictionReport,
    ShopKind,
    ShopReport,
    Standing,
    ViolationReport,
    ViolationStatus,
)
from kuaitui.interfaces.cli.imports.json_fields import Fields, content_of_object, object_of
from kuaitui.interfaces.cli.imports.json_files import json_values
from kuaitui.interfaces.cli.imports.mapping import (
    Defaults,
    Progress,
    ReadingOrder,
    Row,
    each_file_by_itself,
)
from kuaitui.interfaces.cli.imports.rows import FORMULA_STARTS, OrderStager, RowRefused
from kuaitui.kernel.money import Money

DEFAULTS = Defaults(currency="CNY", zone="Asia/Shanghai")
groups = each_file_by_itself


def rows(order: ReadingOrder, progress: Progress) -> Iterator[Row]:
    """The reports of one file."""
    (path,) = order.paths
    stager = OrderStager(as_of=order.as_of)
    for value in json_values(path, encoding=order.encoding, progress=progress):
        if isinstance(value, RefusedRow):
            yield value
            continue
        line, told = value
        try:
            fields = Fields(object_of(told), shop_id=order.shop_id, currency=order.currency)
            about = fields.text("report", "order")
            if about == "order":
                yield _stage(stager, line, fields)
            else:
                yield ReportedRow(path.name, line, _report(about, fields, order.as_of))
        except RowRefused as refusal:
            yield RefusedRow(path.name, line, str(refusal), content_of_object(told))


def _stage(stager: OrderStager, line: int, fields: Fields) -> str:
    staged = stager.stage(
        line,
        fields.shop_id(),
        fields.text("order_id"),
        fields.status(),
        fields.moment("status_at"),
        fields.minor_units("amount_minor"),
        fields.currency(),
    )
    fields.require_all_known()
    return staged


def _report(about: str, fields: Fields, as_of: dt.datetime) -> ReportInLog:
    build = _BUILDERS.get(about)
    if build is None:
        raise RowRefused(
            f"report {about[:40]!r} is unknown; known are order, {', '.join(_BUILDERS)}"
        )
    report = build(fields)
    fields.require_all_known()
    if not is_shop_id(report.shop_id) or report.shop_id.startswith(FORMULA_STARTS):
        raise RowRefused("the shop id is empty, longer than 100 characters or not usable")
    if problem := problem_of(report):
        raise RowRefused(problem)
    if report.status_at > as_of:
        raise RowRefused(f"{report.status_at.isoformat()} lies after {as_of.isoformat()}")
    return report


def _shop(fields: Fields) -> ShopReport:
    return ShopReport(
        shop_id=fields.shop_id(),
        standing=fields.one_of(Standing, "standing"),
        status_at=fields.moment("status_at"),
        kind=fields.one_of(ShopKind, "kind"),
        opened_at=fields.moment("opened_at"),
        name=fields.text("name", ""),
        categories=fields.texts("categories"),
        closing_notice_at=fields.moment_if_any("closing_notice_at"),
        closed_at=fields.moment_if_any("closed_at"),
        expelled_at=fields.moment_if_any("expelled_at"),
    )


def _after_sale(fields: Fields) -> AfterSaleReport:
    return AfterSaleReport(
        shop_id=fields.shop_id(),
        after_sale_id=fields.text("id"),
        order_id=fields.text("order_id"),
        status=fields.ranked(AfterSaleStatus, "status"),
        status_at=fields.moment("status_at"),
        opened_at=fields.moment("opened_at"),
        closed_at=fields.moment_if_any("closed_at"),
    )


def _dispute(fields: Fields) -> DisputeReport:
    return DisputeReport(
        shop_id=fields.shop_id(),
        dispute_id=fields.text("id"),
        status=fields.ranked(DisputeStatus, "status"),
        status_at=fields.moment("status_at"),
        opened_at=fields.moment("opened_at"),
        closed_at=fields.moment_if_any("closed_at"),
    )


def _violation(fields: Fields) -> ViolationReport:
    return ViolationReport(
        shop_id=fields.shop_id(),
        violation_id=fields.text("id"),
        status=fields.ranked(ViolationStatus, "status"),
        status_at=fields.moment("status_at"),
        occurred_at=fields.moment("occurred_at"),
        settled_at=fields.moment_if_any("settled_at"),
    )


def _restriction(fields: Fields) -> RestrictionReport:
    return RestrictionReport(
        shop_id=fields.shop_id(),
        restriction_id=fields.text("id"),
        kind=fields.ranked(RestrictionKind, "kind"),
        status_at=fields.moment("status_at"),
        from_at=fields.moment("from"),
        to_at=fields.moment_if_any("to"),
    )


def _debt(fields: Fields) -> DebtReport:
    return DebtReport(
        shop_id=fields.shop_id(),
        debt_id=fields.text("id"),
        kind=fields.ranked(DebtKind, "kind"),
        amount=Money(fields.minor_units("amount_minor"), fields.currency()),
        status=fields.ranked(DebtStatus, "status"),
        status_at=fields.moment("status_at"),
    )


def _listings(fields: Fields) -> ListingsReport:
    return ListingsReport(
        shop_id=fields.shop_id(),
        listings_on_sale=fields.minor_units("listings_on_sale"),
        status_at=fields.moment("status_at"),
    )


def _balance(fields: Fields) -> BalanceReport:
    return BalanceReport(
        shop_id=fields.shop_id(),
        withdrawable_balance=Money(
            fields.minor_units("withdrawable_balance_minor"), fields.currency()
        ),
        status_at=fields.moment("status_at"),
    )


_BUILDERS: dict[str, Callable[[Fields], ReportInLog]] = {
    "shop": _shop,
    "after_sale": _after_sale,
    "dispute": _dispute,
    "violation": _violation,
    "restriction": _restriction,
    "debt": _debt,
    "listings": _listings,
    "balance": _balance,
}
