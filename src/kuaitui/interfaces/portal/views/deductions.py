"""Deductions: what was taken, why, and how it was calculated."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.views.decorators.http import require_safe

from kuaitui.deposits import queries as deposits
from kuaitui.interfaces.portal.rendering import show
from kuaitui.interfaces.portal.requests import ShopRequest
from kuaitui.interfaces.portal.words import DEDUCTION_PURPOSES
from kuaitui.kit.web import permission


@permission("deposit.view")
@require_safe
def deductions(request: ShopRequest, shop_id: str) -> HttpResponseBase:  # noqa: ARG001
    """Every deduction from the deposits of the shop, the newest first."""
    found = [
        (deduction, DEDUCTION_PURPOSES[deduction.purpose])
        for account in deposits.deposits_of_shop(shop_key=request.shop.key)
        for deduction in deposits.deductions(account_id=account.account_id)
    ]
    found.sort(key=lambda pair: pair[0].decided_at, reverse=True)
    return show(request, "portal/deductions.html", {"deductions": found}, place="mine")
