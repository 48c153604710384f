"""The only place that reads the clock. Only interfaces call it; everything else receives `now`."""

from __future__ import annotations

import datetime as dt
import time


def read_clock() -> dt.datetime:
    """The present instant, aware, in UTC."""
    return dt.datetime.now(dt.UTC)  # noqa: TID251 - this is the one place


def read_stopwatch_s() -> float:
    """Seconds on a clock that never jumps, for deadlines and durations."""
    return time.monotonic()
