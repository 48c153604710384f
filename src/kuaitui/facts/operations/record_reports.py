"""Reports come in: they are kept as they are, and the greatest one of each thing is its state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from django.db import connection, transaction

from kuaitui.facts.errors import CurrencyDiffers, ReportUnusable, ShopUnknown, TooManyReports
from kuaitui.facts.operations.appending import append_to_log
from kuaitui.facts.operations.log_entries import log_entry
from kuaitui.facts.operations.merging import MERGE_ORDERS, ORDERS_IN_ARRAYS
from kuaitui.facts.operations.taking_turns import write_beside_others
from kuaitui.facts.rules import money_of, problem_of, subject_id_of
from kuaitui.facts.types import OrderReport, Recorded, Report
from kuaitui.kernel.ids import IdPrefix, new_id

REPORTS_MAX = 50_000


@transaction.atomic
def record_reports(reports: Iterable[Report], *, source: str, now: dt.datetime) -> Recorded:
    """Record what the marketplace reports, and let it decide how things stand.

    All are taken or none. The same report again, late, or out of order changes nothing about the
    state that all of them together give: the one with the latest `status_at` wins, then the higher
    status, then the rest of the content in a fixed order.

    Raises:
        ShopUnknown: a report is about a shop that was never registered.
        CurrencyDiffers: an amount is in another currency than the shop trades in.
        ReportUnusable: a report cannot be true; `details` say which and why.
        TooManyReports: more than `REPORTS_MAX` at once.
    """
    taken = list(islice(reports, REPORTS_MAX + 1))
    if len(taken) > REPORTS_MAX:
        raise TooManyReports(reports_max=REPORTS_MAX)
    for report in taken:
        if problem := problem_of(report):
            raise ReportUnusable(
                shop_id=report.shop_id, subject_id=subject_id_of(report), problem=problem
            )
    write_beside_others()
    shops = _lock_shops(taken)
    intake_key = _begin_intake(source=source, reports=len(taken), now=now)
    orders = [report for report in taken if isinstance(report, OrderReport)]
    others = [
        log_entry(report, shop_key=shops[report.shop_id])
        for report in taken
        if not isinstance(report, OrderReport)
    ]
    if orders:
        _merge_orders(orders, shops=shops, intake_key=intake_key, now=now)
    if others:
        append_to_log(others, intake_key=intake_key, now=now)
    return Recorded(intake_key=intake_key, reports=len(taken))


def _lock_shops(reports: Sequence[Report]) -> dict[str, int]:
    """The keys of all shops spoken of, their summaries locked in one order against deadlocks."""
    named = sorted({report.shop_id for report in reports})
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT shop.shop_id, shop.id, shop.currency FROM facts_shop AS shop
            JOIN facts_summary AS summary ON summary.shop_key = shop.id
            WHERE shop.shop_id = ANY (%s) ORDER BY shop.id FOR UPDATE OF summary
            """,
            [named],
        )
        rows = cursor.fetchall()
    shops = {shop_id: key for shop_id, key, _ in rows}
    currencies = {shop_id: currency for shop_id, _, currency in rows}
    for report in reports:
        if report.shop_id not in shops:
            raise ShopUnknown(shop_id=report.shop_id[:120])
        money = money_of(report)
        if money is not None and money.currency != currencies[report.shop_id]:
            raise CurrencyDiffers(
                shop_id=report.shop_id,
                expected=currencies[report.shop_id],
                reported=money.currency,
            )
    return shops


def _begin_intake(*, source: str, reports: int, now: dt.datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO facts_intake
                (public_id, source, started_at, finished_at, rows_read, rows_recorded)
            VALUES (%s, %s, %s, %s, %s, %s) RETURNING id
            """,
            [new_id(IdPrefix.IMPORT_BATCH, now=now), source, now, now, reports, reports],
        )
        return int(cursor.fetchone()[0])


def _merge_orders(
    orders: Sequence[OrderReport], *, shops: Mapping[str, int], intake_key: int, now: dt.datetime
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            MERGE_ORDERS.format(stage=ORDERS_IN_ARRAYS),
            {
                "shop_keys": [shops[order.shop_id] for order in orders],
                "order_ids": [order.order_id for order in orders],
                "statuses": [int(order.status) for order in orders],
                "status_ats": [order.status_at for order in orders],
                "amounts": [order.amount.minor for order in orders],
                "intake_key": intake_key,
                "now": now,
            },
        )
