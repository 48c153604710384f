"""Amounts as Alipay writes them: yuan, with at most two decimals. Inside they are fen."""

from __future__ import annotations

import re
from typing import Final

from kuaitui.channels.simulator.alipay.refusals import refuse
from kuaitui.kernel.money import Money

AMOUNT_MINOR_MAX: Final = 10**10
_YUAN: Final = re.compile(r"(\d{1,9})(?:\.(\d{1,2}))?")


def yuan(minor: int) -> str:
    """Fen as yuan: `0.01`."""
    return f"{Money(minor, 'CNY').to_decimal():.2f}"


def fen(written: object, *, field: str) -> int:
    """An amount of a request, which callers write as a text or as a number of JSON.

    Raises:
        ChannelRefuses: it is no amount, has more decimals, or is nothing.
    """
    match = _YUAN.fullmatch(str(written))
    minor = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")) if match else 0
    if not 0 < minor <= AMOUNT_MINOR_MAX:
        raise refuse("INVALID_PARAMETER", field)
    return minor
