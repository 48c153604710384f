"""Which channels this installation has, from plain settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kuaitui.channels.port import Channel
from kuaitui.channels.simulator.client import SimulatorChannel, SimulatorSettings
from kuaitui.kernel.errors import Refusal, RefusalKind

ADAPTERS: Mapping[str, Callable[[dict[str, Any]], Channel]] = {
    "simulator": lambda document: SimulatorChannel(SimulatorSettings.parse(document)),
}


class ChannelUnknown(Refusal):
    """There is no channel of this name here."""

    code = "channel.unknown"
    kind = RefusalKind.NOT_FOUND


class Channels:
    """The channels of this installation by name."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = dict(channels)

    def get(self, name: str) -> Channel:
        """One channel.

        Raises:
            ChannelUnknown: the settings name no such channel.
        """
        try:
            return self._channels[name]
        except KeyError:
            raise ChannelUnknown(channel=name) from None

    @property
    def names(self) -> tuple[str, ...]:
        """All channels, in the order of the settings."""
        return tuple(self._channels)


def build_channels(settings: Mapping[str, Mapping[str, Any]]) -> Channels:
    """Make an adapter for every entry `name: {…}`.

    Raises:
        ChannelUnknown: no adapter is written for that name.
    """
    for name in settings:
        if name not in ADAPTERS:
            raise ChannelUnknown(channel=name)
    return Channels({name: ADAPTERS[name](dict(entry)) for name, entry in settings.items()})
