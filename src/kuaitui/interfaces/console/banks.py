"""The banks of this installation, as the staff's pages need them."""

from __future__ import annotations

from django.conf import settings

from kuaitui.channels.bank import BankChannel
from kuaitui.channels.registry import Channels, ChannelUnknown, build_channels
from kuaitui.kernel.clock import read_clock
from kuaitui.payouts.queries import StoredInbox
from kuaitui.policy.calendar import is_working_day


def banks() -> list[BankChannel]:
    """Every channel whose payouts are gathered in batches."""
    channels = _channels()
    batched = [name for name in channels.names if channels.get(name).capabilities.is_batched]
    return [channels.batching(name) for name in batched]


def bank(name: str) -> BankChannel:
    """One of them.

    Raises:
        ChannelUnknown: there is none of this name, or it gathers nothing.
    """
    for channel in banks():
        if channel.name == name:
            return channel
    raise ChannelUnknown(channel=name[:40])


def _channels() -> Channels:
    return build_channels(
        settings.KUAITUI_CHANNELS,
        clock=read_clock,
        inbox=StoredInbox(),
        is_business_day=is_working_day,
    )
