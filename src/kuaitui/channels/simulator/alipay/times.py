"""Moments as Alipay writes them: Beijing time, to the second."""

from __future__ import annotations

import datetime as dt
from typing import Final

BEIJING: Final = dt.timezone(dt.timedelta(hours=8))
MINUTE_S: Final = 60.0
HOUR_S: Final = 3600.0
DAY_S: Final = 86400.0


def beijing(at: float) -> dt.datetime:
    """The moment on Beijing's clocks."""
    return dt.datetime.fromtimestamp(int(at), tz=BEIJING)


def written(at: float) -> str:
    """`2014-07-24 03:07:50`."""
    return f"{beijing(at):%Y-%m-%d %H:%M:%S}"


def read(text: str) -> float:
    """The moment that such a text names.

    Raises:
        ValueError: it names none.
    """
    return dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING).timestamp()


def start_of(day: dt.date) -> float:
    """When a day of Beijing's begins."""
    return dt.datetime.combine(day, dt.time(), tzinfo=BEIJING).timestamp()
