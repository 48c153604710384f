"""Drawing a page about a shop: in the zone of its marketplace, with its place in the navigation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from kuaitui.interfaces.portal.requests import ShopRequest
from kuaitui.notifications.queries import unread_count


def show(
    request: ShopRequest,
    template: str,
    context: Mapping[str, object],
    *,
    place: str = "",
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    """Draw a page of the shop in the request; `place` names the tab the reader is in."""
    about = {
        "shop": request.shop,
        "place": place,
        # Counted where it is shown, after all that the page itself has done.
        "unread": partial(unread_count, shop_key=request.shop.key),
    }
    with timezone.override(ZoneInfo(request.shop.zone)):
        return render(request, template, {**about, **context}, status=status)


def today_of(request: ShopRequest, *, now: dt.datetime) -> dt.date:
    """The date where the marketplace is."""
    return now.astimezone(ZoneInfo(request.shop.zone)).date()


def zone_of(request: ShopRequest) -> dt.tzinfo:
    """The zone of the marketplace the shop belongs to."""
    return ZoneInfo(request.shop.zone)
