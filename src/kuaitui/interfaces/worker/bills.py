"""Fetching the channels' bills when their hour has come, and comparing them."""

from __future__ import annotations

from django.conf import settings

from kuaitui.channels.registry import Channels
from kuaitui.kernel.clock import read_clock
from kuaitui.reconciliation.operations import Plan, fetch_due


class Bills:
    """One worker's turn at the bills. Several workers share them without asking twice."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._plan = Plan.parse(settings.KUAITUI_BILLS)

    def take_turn(self) -> bool:
        """Fetch and compare what is due. Never at once again: retries have their own clock."""
        fetch_due(channels=self._channels, plan=self._plan, clock=read_clock)
        return False
