"""The settings of an installation whose channels are the models of one history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from kuaitui.channels.registry import adapter_added
from kuaitui.simulation.channels import ModelChannel

ADAPTER = "model"


@contextmanager
def installed(channels: Mapping[str, ModelChannel]) -> Iterator[None]:
    """Let the machine find these channels, and no others, for the time inside."""

    def build(
        name: str, document: dict[str, Any], *, clock: Callable[[], dt.datetime]
    ) -> ModelChannel:
        del document, clock
        return channels[name]

    before = settings.KUAITUI_CHANNELS, settings.KUAITUI_PAYERS
    settings.KUAITUI_CHANNELS = {name: {"adapter": ADAPTER} for name in channels}
    settings.KUAITUI_PAYERS = {}
    try:
        with adapter_added(ADAPTER, build):
            yield
    finally:
        settings.KUAITUI_CHANNELS, settings.KUAITUI_PAYERS = before
