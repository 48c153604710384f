"""Moments as WeChat Pay writes them: Beijing time, to the second."""

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


def rfc3339(at: float) -> str:
    """`2018-06-08T10:34:56+08:00`."""
    return beijing(at).isoformat()


def rfc3339_fine(at: float) -> str:
    """The same to the millisecond, as 商家转账 writes it: `2015-05-20T13:29:35.120+08:00`."""
    whole = dt.datetime.fromtimestamp(int(at * 1000) / 1000, tz=BEIJING)
    return whole.isoformat(timespec="milliseconds")
