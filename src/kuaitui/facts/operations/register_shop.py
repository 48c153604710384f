"""A shop becomes known."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import connection, transaction

from kuaitui.facts.errors import ReportUnusable, ShopIdUnusable, ZoneUnknown
from kuaitui.facts.queries import find_shop
from kuaitui.facts.rules import NAME_CHARACTERS_MAX, is_shop_id
from kuaitui.facts.types import ShopKind, ShopRecord
from kuaitui.kernel.money import Money


@transaction.atomic
def register_shop(
    *,
    shop_id: str,
    name: str,
    kind: ShopKind,
    currency: str,
    zone: str,
    opened_at: dt.datetime,
    now: dt.datetime,
) -> ShopRecord:
    """Make a shop known, in normal standing; a known one is left as it is and returned.

    Everything about it but its id, currency and zone can be changed by a later `ShopReport`.

    Raises:
        ShopIdUnusable: the id is empty, too long, or could not stand in an address.
        ZoneUnknown: the zone is not in the IANA list.
        CurrencyUnknown: the currency is not supported.
        ReportUnusable: the name is too long or the opening time has no offset.
    """
    if not is_shop_id(shop_id):
        raise ShopIdUnusable(shop_id=shop_id[:120])
    require_zone(zone)
    Money.zero(currency)
    if len(name) > NAME_CHARACTERS_MAX or opened_at.utcoffset() is None:
        raise ReportUnusable(shop_id=shop_id)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO facts_shop (shop_id, name, kind, currency, zone, opened_at, registered_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (shop_id) DO NOTHING
            """,
            [shop_id, name, kind, currency, zone, opened_at, now],
        )
    return find_shop(shop_id=shop_id)


def require_zone(zone: str) -> None:
    """Refuse a time zone nobody knows.

    Raises:
        ZoneUnknown: the zone is not in the IANA list.
    """
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ZoneUnknown(zone=zone[:80]) from None
