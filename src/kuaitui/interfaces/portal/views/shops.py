"""The way in: my shops, and what belongs to me in one of them."""

from __future__ import annotations

from django.http import HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from kuaitui.accounts.rules import SHOPS_OF_ONE_USER_MAX
from kuaitui.deposits import queries as deposits
from kuaitui.facts.queries import list_shops
from kuaitui.interfaces.portal.rendering import show
from kuaitui.interfaces.portal.requests import PortalRequest, ShopRequest
from kuaitui.kernel.clock import read_clock
from kuaitui.kit.web import permission


@permission("home.view")
@require_safe
def start(request: PortalRequest) -> HttpResponseBase:
    """The shops of the viewer; straight into the only one; staff go to their own pages."""
    if request.viewer.is_staff:
        return HttpResponseRedirect("/console/")
    shops = list_shops(shop_keys=request.viewer.shop_keys, limit=SHOPS_OF_ONE_USER_MAX)
    if len(shops) == 1:
        return redirect("home", shops[0].id)
    return render(request, "portal/shops.html", {"shops": shops})


@permission("deposit.view")
@require_safe
def mine(request: ShopRequest, shop_id: str) -> HttpResponseBase:  # noqa: ARG001
    """Payee accounts, shops, language, log-out."""
    context = {
        "destinations": deposits.destinations(shop_key=request.shop.key),
        "now": read_clock(),
        "has_more_shops": len(request.viewer.shop_keys) > 1,
    }
    return show(request, "portal/mine.html", context, place="mine")
