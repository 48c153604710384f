"""What falls due by the clock alone, one table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from django.utils.timezone import get_default_timezone

from kuaitui.kernel.clock import read_clock
from kuaitui.notifications.operations import remind_due


def _remind(now: dt.datetime) -> int:
    return remind_due(today=now.astimezone(get_default_timezone()).date(), now=now)


SWEEPS: Mapping[str, Callable[[dt.datetime], int]] = {"reminders": _remind}


def sweep() -> bool:
    """Do everything that has fallen due; whether anything had."""
    now = read_clock()
    return sum(step(now) for step in SWEEPS.values()) > 0
