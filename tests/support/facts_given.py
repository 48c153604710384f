"""Shops and reports for tests, in the words of the story."""

from __future__ import annotations

import datetime as dt
from itertools import count

from kuaitui.facts.operations import register_shop
from kuaitui.facts.types import OrderReport, OrderStatus, ShopKind, ShopRecord
from kuaitui.kernel.money import Money

NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
_numbers = count(1)


def shop(shop_id: str | None = None, *, currency: str = "CNY") -> ShopRecord:
    """A shop nobody else in the test uses, unless it is named."""
    shop_id = shop_id or f"shop-{next(_numbers)}"
    return register_shop(
        shop_id=shop_id,
        name="A shop",
        kind=ShopKind.INDIVIDUAL,
        currency=currency,
        zone="Asia/Shanghai",
        opened_at=NOW - dt.timedelta(days=900),
        now=NOW,
    )


def order(
    shop_id: str,
    order_id: str = "O1",
    status: OrderStatus = OrderStatus.COMPLETED,
    *,
    days_ago: float = 100,
    amount_minor: int = 9900,
    currency: str = "CNY",
) -> OrderReport:
    """A report on an order."""
    return OrderReport(
        shop_id=shop_id,
        order_id=order_id,
        status=status,
        status_at=NOW - dt.timedelta(days=days_ago),
        amount=Money(amount_minor, currency),
    )
