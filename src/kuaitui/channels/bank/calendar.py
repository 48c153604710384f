"""On which day a bank executes what it is given now."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Final
from zoneinfo import ZoneInfo

from kuaitui.kernel.invariants import ensure

IsBusinessDay = Callable[[dt.date], bool]
CLOSED_DAYS_MAX: Final = 60
_DAY: Final = dt.timedelta(days=1)


def execution_day(
    now: dt.datetime, *, cut_off: dt.time, zone: ZoneInfo, is_business_day: IsBusinessDay
) -> dt.date:
    """Today, if the bank works and its cut-off is not over; else its next business day."""
    local = now.astimezone(zone)
    if is_business_day(local.date()) and local.time() < cut_off:
        return local.date()
    return next(business_days(local.date() + _DAY, is_business_day))


def business_days(start_on: dt.date, is_business_day: IsBusinessDay) -> Iterator[dt.date]:
    """Business days from a day on, that day included."""
    on, closed = start_on, 0
    while True:
        if is_business_day(on):
            closed = 0
            yield on
        else:
            closed += 1
            ensure(closed <= CLOSED_DAYS_MAX, "no bank is closed for two months")
        on += _DAY
