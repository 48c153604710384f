"""What the marketplace reported of a demo shop, as its scene says."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from random import Random

from kuaitui.demo.names import number_of, yuan
from kuaitui.demo.scenes import Scene
from kuaitui.facts.types import (
    AfterSaleReport,
    AfterSaleStatus,
    BalanceReport,
    DebtReport,
    DebtStatus,
    DisputeReport,
    DisputeStatus,
    ListingsReport,
    OrderReport,
    OrderStatus,
    Report,
    RestrictionReport,
    ShopKind,
    ShopReport,
    Standing,
    ViolationReport,
    ViolationStatus,
)

DAY = dt.timedelta(days=1)


def reported(
    scene: Scene,
    shop_id: str,
    name: str,
    kind: ShopKind,
    category: str,
    opened_at: dt.datetime,
    rng: Random,
    now: dt.datetime,
) -> Iterator[Report]:
    """Every report of one shop, in no particular order."""
    yield from _standing(scene, shop_id, name, kind, category, opened_at, now)
    yield from _orders(scene, shop_id, rng, now)
    yield from _cases(scene, shop_id, now)
    yield from _rest(scene, shop_id, now)


def _standing(
    scene: Scene,
    shop_id: str,
    name: str,
    kind: ShopKind,
    category: str,
    opened_at: dt.datetime,
    now: dt.datetime,
) -> Iterator[Report]:
    notice = None if scene.closing_notice_days is None else now - scene.closing_notice_days * DAY
    expelled = None if scene.expelled_days is None else now - scene.expelled_days * DAY
    if notice or expelled or scene.standing is not Standing.NORMAL:
        yield ShopReport(
            shop_id=shop_id,
            name=name,
            kind=kind,
            categories=(category,),
            standing=scene.standing,
            status_at=now - 2 * DAY,
            opened_at=opened_at,
            closing_notice_at=notice,
            expelled_at=expelled,
        )


def _orders(scene: Scene, shop_id: str, rng: Random, now: dt.datetime) -> Iterator[Report]:
    last_days = rng.randint(*scene.last_completed_days)
    for index in range(rng.randint(3, 9)):
        yield OrderReport(
            shop_id=shop_id,
            order_id=number_of("2026", shop_id, index),
            status=OrderStatus.COMPLETED,
            status_at=now - (last_days + index * rng.randint(1, 6)) * DAY,
            amount=yuan(rng.randint(19, 899)),
        )
    for index in range(scene.open_orders):
        status = (OrderStatus.SHIPPED, OrderStatus.PAID, OrderStatus.RECEIVED)[index % 3]
        yield OrderReport(
            shop_id=shop_id,
            order_id=number_of("2611", shop_id, index),
            status=status,
            status_at=now - (index + 1) * DAY,
            amount=yuan(rng.randint(19, 899)),
        )


def _cases(scene: Scene, shop_id: str, now: dt.datetime) -> Iterator[Report]:
    for index in range(scene.open_after_sales):
        yield AfterSaleReport(
            shop_id=shop_id,
            after_sale_id=number_of("AS", shop_id, index),
            order_id=number_of("2026", shop_id, index),
            status=AfterSaleStatus.OPEN,
            status_at=now - 3 * DAY,
            opened_at=now - 3 * DAY,
        )
    for index in range(scene.open_disputes):
        yield DisputeReport(
            shop_id=shop_id,
            dispute_id=number_of("DP", shop_id, index),
            status=DisputeStatus.OPEN,
            status_at=now - 6 * DAY,
            opened_at=now - 6 * DAY,
        )
    if scene.violation:
        yield ViolationReport(
            shop_id=shop_id,
            violation_id=number_of("VL", shop_id, 0),
            status=ViolationStatus.from_word(scene.violation),
            status_at=now - 5 * DAY,
            occurred_at=now - 9 * DAY,
        )


def _rest(scene: Scene, shop_id: str, now: dt.datetime) -> Iterator[Report]:
    if scene.restriction:
        ends = scene.restriction_ends_in_days
        yield RestrictionReport(
            shop_id=shop_id,
            restriction_id=number_of("RS", shop_id, 0),
            kind=scene.restriction,
            status_at=now - 4 * DAY,
            from_at=now - 4 * DAY,
            to_at=None if ends is None else now + ends * DAY,
        )
    if scene.debt:
        yield DebtReport(
            shop_id=shop_id,
            debt_id=number_of("DB", shop_id, 0),
            kind=scene.debt,
            amount=yuan(scene.debt_yuan),
            status=DebtStatus.OPEN,
            status_at=now - 8 * DAY,
        )
    if scene.listings:
        yield ListingsReport(shop_id=shop_id, listings_on_sale=scene.listings, status_at=now - DAY)
    if scene.balance_yuan:
        yield BalanceReport(
            shop_id=shop_id, withdrawable_balance=yuan(scene.balance_yuan), status_at=now - DAY
        )
