"""What people call the channels, on every page and in every message."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_NAMES: Final[dict[str, str | Promise]] = {
    "wechatpay": _("WeChat Pay"),
    "alipay": _("Alipay"),
    "bank": _("Bank transfer"),
    "stripe": "Stripe",
    "simulator": _("Simulated bank"),
}


def name_of_channel(channel: str) -> str | Promise:
    """What people call a channel; one that has no name here is called by its code."""
    return _NAMES.get(channel, channel)


def channel_choices(channels: Iterable[str]) -> list[tuple[str, str | Promise]]:
    """Channels to choose from, in a form."""
    return [(channel, name_of_channel(channel)) for channel in channels]
