"""Which channels this installation has, from plain settings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol, cast

from kuaitui.channels.alipay import AlipayChannel, AlipaySettings
from kuaitui.channels.bank import BankChannel, BankSettings, Inbox
from kuaitui.channels.port import (
    Channel,
    ChannelCapabilities,
    IdentifyingChannel,
    PayInChannel,
    StatementChannel,
)
from kuaitui.channels.simulator.client import SimulatorChannel, SimulatorSettings
from kuaitui.channels.wechatpay import WeChatPayChannel, WeChatPaySettings
from kuaitui.kernel.errors import Refusal, RefusalKind

Clock = Callable[[], dt.datetime]
Document = dict[str, Any]


class Builder(Protocol):
    """Makes one adapter from its entry in the settings."""

    def __call__(self, name: str, document: Document, *, clock: Clock) -> Channel:
        """The adapter, under the name of its entry."""


def _simulator(name: str, document: Document, *, clock: Clock) -> Channel:  # noqa: ARG001
    return SimulatorChannel(SimulatorSettings.parse(document), name=name)


def _alipay(name: str, document: Document, *, clock: Clock) -> Channel:
    return AlipayChannel(AlipaySettings.parse(document), clock=clock, name=name)


def _bank(
    name: str,
    document: Document,
    *,
    clock: Clock,  # noqa: ARG001
    inbox: Inbox | None = None,
    is_business_day: Callable[[dt.date], bool] = lambda on: on.weekday() < 5,
) -> Channel:
    settings = BankSettings.parse(document)
    return BankChannel(settings, name=name, inbox=inbox, is_business_day=is_business_day)


def _wechatpay(name: str, document: Document, *, clock: Clock) -> Channel:
    return WeChatPayChannel(WeChatPaySettings.parse(document), name=name, clock=clock)


def _stripe(name: str, document: Document, *, clock: Clock) -> Channel:
    try:
        # Only who pays by Stripe has its library.
        from kuaitui.channels.stripe import StripeChannel, StripeSettings  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        if missing.name != "stripe":
            raise
        raise ChannelExtraMissing(channel=name, install="kuaitui[stripe]") from None
    return StripeChannel(StripeSettings.parse(document), clock=clock, name=name)


ADAPTERS: dict[str, Builder] = {
    "alipay": _alipay,
    "simulator": _simulator,
    "stripe": _stripe,
    "bank": _bank,
    "wechatpay": _wechatpay,
}


@contextmanager
def adapter_added(name: str, builder: Builder) -> Iterator[None]:
    """Know one more adapter inside: a simulation brings channels of its own."""
    ADAPTERS[name] = builder
    try:
        yield
    finally:
        del ADAPTERS[name]


class ChannelUnknown(Refusal):
    """There is no channel of this name here."""

    code = "channel.unknown"
    kind = RefusalKind.NOT_FOUND


class ChannelExtraMissing(Refusal):
    """This channel needs a library that is not installed."""

    code = "channel.extra_missing"
    kind = RefusalKind.UNAVAILABLE


class ChannelCannot(Refusal):
    """This channel cannot do that."""

    code = "channel.cannot"


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

    def collecting(self, name: str) -> PayInChannel:
        """One channel, for money in.

        Raises:
            ChannelUnknown: the settings name no such channel.
            ChannelCannot: it declares no way to pay in.
        """
        return cast("PayInChannel", self._able(name, "pay_in", lambda can: can.pay_in_methods))

    def stating(self, name: str) -> StatementChannel:
        """One channel, for its bills.

        Raises:
            ChannelUnknown: the settings name no such channel.
            ChannelCannot: it declares no bills.
        """
        able = self._able(name, "statement", lambda can: can.statement_kinds)
        return cast("StatementChannel", able)

    def identifying(self, name: str) -> IdentifyingChannel:
        """One channel, for what it knows of payees.

        Raises:
            ChannelUnknown: the settings name no such channel.
            ChannelCannot: it does not say who anybody is.
        """
        able = self._able(name, "identify", lambda can: can.identifies_payees)
        return cast("IdentifyingChannel", able)

    def batching(self, name: str) -> BankChannel:
        """One channel, for its batches.

        Raises:
            ChannelUnknown: the settings name no such channel.
            ChannelCannot: it sends each payout by itself.
        """
        return cast("BankChannel", self._able(name, "batch", lambda can: can.is_batched))

    def _able(
        self, name: str, what: str, declares: Callable[[ChannelCapabilities], object]
    ) -> Channel:
        channel = self.get(name)
        if not declares(channel.capabilities):
            raise ChannelCannot(channel=name, what=what)
        return channel

    @property
    def names(self) -> tuple[str, ...]:
        """All channels, in the order of the settings."""
        return tuple(self._channels)


def declared(settings: Mapping[str, Mapping[str, Any]]) -> dict[str, ChannelCapabilities]:
    """What every channel of the settings can do. Nothing is called, so no clock is needed.

    Raises:
        ChannelUnknown: no adapter is written for an entry.
    """
    channels = build_channels(settings, clock=_no_clock)
    return {name: channels.get(name).capabilities for name in channels.names}


def _no_clock() -> dt.datetime:
    raise AssertionError("what a channel declares does not hang on the time")


def build_channels(
    settings: Mapping[str, Mapping[str, Any]],
    *,
    clock: Clock,
    inbox: Inbox | None = None,
    is_business_day: Callable[[dt.date], bool] | None = None,
) -> Channels:
    """Make an adapter for every entry `name: {…}`.

    An entry's `adapter` says which one is meant, where it is not the entry's name: two merchants
    of WeChat Pay are two channels. A bank answers from its `inbox`; without one, it answers nothing.

    Raises:
        ChannelUnknown: no adapter is written for an entry.
    """
    adapters = dict(ADAPTERS)
    if is_business_day is not None:
        adapters["bank"] = partial(_bank, inbox=inbox, is_business_day=is_business_day)
    channels: dict[str, Channel] = {}
    for name, entry in settings.items():
        document = {key: value for key, value in entry.items() if key != "adapter"}
        adapter = str(entry.get("adapter", name))
        if adapter not in adapters:
            raise ChannelUnknown(channel=name)
        channels[name] = adapters[adapter](name, document, clock=clock)
    return Channels(channels)
