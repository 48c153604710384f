"""Requests as views see them after the gate."""

from __future__ import annotations

from django.http import HttpRequest

from kuaitui.accounts.types import Viewer
from kuaitui.facts.types import ShopRecord


class PortalRequest(HttpRequest):
    """Somebody is logged in."""

    viewer: Viewer


class ShopRequest(PortalRequest):
    """Somebody is logged in who may see the shop in the address."""

    shop: ShopRecord


def is_in_wechat(request: HttpRequest) -> bool:
    """Whether the page is looked at in WeChat, as its browser says. Good for words, not for trust."""
    return "MicroMessenger" in request.headers.get("User-Agent", "")
