"""The ways in which a seller can pay here, and what the payer's browser tells a channel."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from kuaitui.channels.port import PayInMethod
from kuaitui.channels.registry import Channels, build_channels
from kuaitui.deposits.operations import PayerDetails
from kuaitui.deposits.types import PayInPace
from kuaitui.interfaces.portal.requests import ShopRequest
from kuaitui.kernel.clock import read_clock
from kuaitui.kit.web import visitor_address

PACES = {"standard": PayInPace(), "brisk": PayInPace.brisk()}


@dataclass(frozen=True, slots=True)
class WayIn:
    """One channel by one method; `value` is what the form sends."""

    channel: str
    method: PayInMethod

    @property
    def value(self) -> str:
        """The way in one word."""
        return f"{self.method.value}:{self.channel}"

    @property
    def is_code(self) -> bool:
        """Whether the payer scans something."""
        return self.method is PayInMethod.QR_CODE


def ways_in() -> tuple[WayIn, ...]:
    """Every way that the channels of this installation declare: codes first, then links."""
    found = channels()
    return tuple(
        WayIn(name, method)
        for method in PayInMethod
        for name in found.names
        if method in found.get(name).capabilities.pay_in_methods
    )


def way_named(value: str) -> WayIn | None:
    """The way that a form sent, if it is one of ours."""
    return next((way for way in ways_in() if way.value == value), None)


def payer_of(request: ShopRequest) -> PayerDetails:
    """What a channel wants to know of the payer's browser."""
    return_to = request.build_absolute_uri(reverse("home", args=[request.shop.id]) + "pay-ins/")
    return PayerDetails(ip=visitor_address(request) or "", return_to=return_to[:250])


def pace() -> PayInPace:
    """How fast this installation asks."""
    return PACES[settings.KUAITUI_PAYOUT_PACE]


@functools.cache
def channels() -> Channels:
    """The channels of this installation, to ask what they can do. No page of money calls them."""
    return build_channels(settings.KUAITUI_CHANNELS, clock=read_clock)
