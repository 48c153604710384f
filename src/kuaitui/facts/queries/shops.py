"""Shops by their id, and lists of them."""

from __future__ import annotations

from kuaitui.facts.errors import ShopUnknown
from kuaitui.facts.models import Shop
from kuaitui.facts.rules import is_shop_id
from kuaitui.facts.types import ShopKind, ShopRecord, Standing
from kuaitui.kernel.money import Money

SHOPS_PER_PAGE_MAX = 200


def find_shop(*, shop_id: str) -> ShopRecord:
    """The shop the marketplace calls so.

    Raises:
        ShopUnknown: there is none.
    """
    shop = Shop.objects.filter(shop_id=shop_id).first() if is_shop_id(shop_id) else None
    if shop is None:
        raise ShopUnknown(shop_id=shop_id[:120])
    return _record(shop)


def find_shop_by_key(*, shop_key: int) -> ShopRecord:
    """The shop with this row key.

    Raises:
        ShopUnknown: there is none.
    """
    shop = Shop.objects.filter(id=shop_key).first()
    if shop is None:
        raise ShopUnknown
    return _record(shop)


def list_shops(
    *, shop_keys: frozenset[int] | None = None, after_shop_id: str = "", limit: int = 50
) -> tuple[ShopRecord, ...]:
    """Shops in the order of their ids, all or those with the given keys, a page at a time."""
    shops = Shop.objects.filter(shop_id__gt=after_shop_id)
    if shop_keys is not None:
        shops = shops.filter(id__in=shop_keys)
    page = shops.order_by("shop_id")[: min(limit, SHOPS_PER_PAGE_MAX)]
    return tuple(_record(shop) for shop in page)


def _record(shop: Shop) -> ShopRecord:
    return ShopRecord(
        key=shop.id,
        id=shop.shop_id,
        name=shop.name or shop.shop_id,
        kind=ShopKind(shop.kind),
        categories=tuple(shop.categories),
        standing=Standing(shop.standing),
        currency=shop.currency,
        zone=shop.zone,
        opened_at=shop.opened_at,
        closing_notice_at=shop.closing_notice_at,
        closed_at=shop.closed_at,
        expelled_at=shop.expelled_at,
        listings_on_sale=shop.listings_on_sale,
        withdrawable_balance=Money(shop.withdrawable_balance_minor, shop.currency),
    )
