"""How Alipay writes amounts (yuan, at most two decimals) and moments (Beijing time, no zone)."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from kuaitui.kernel.money import Money

CURRENCY: Final = "CNY"
BEIJING: Final = dt.timezone(dt.timedelta(hours=8))
_YUAN: Final = re.compile(r"(\d{1,12})(?:\.(\d{1,2}))?", re.ASCII)
_MOMENT: Final = "%Y-%m-%d %H:%M:%S"


def write_yuan(amount: Money) -> str:
    """`Money(120050, "CNY")` as `1200.50`."""
    return f"{amount.to_decimal():f}"


def read_yuan(text: str) -> Money:
    """`1200.5` as `Money(120050, "CNY")`. Never rounds.

    Raises:
        ValueError: not an unsigned amount with at most two decimals.
    """
    match = _YUAN.fullmatch(text)
    if match is None:
        raise ValueError("not an amount in yuan")
    return Money(int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0")), CURRENCY)


def write_moment(moment: dt.datetime) -> str:
    """An instant on Beijing's clocks, to the second."""
    return moment.astimezone(BEIJING).strftime(_MOMENT)


def read_moment(text: str) -> dt.datetime:
    """A time on Beijing's clocks, as an instant.

    Raises:
        ValueError: not of the form `2026-11-25 20:00:00`.
    """
    return dt.datetime.strptime(text, _MOMENT).replace(tzinfo=BEIJING).astimezone(dt.UTC)
