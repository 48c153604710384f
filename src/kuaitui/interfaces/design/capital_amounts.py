"""Amounts of renminbi in capitals (大写金额), as papers that prove a payment carry them.

Source: 支付结算办法 (People's Bank of China, 1997), annex on filling in bills and vouchers: a zero
between figures is written once; nothing is written after 分; 整 ends an amount of whole yuan.
"""

from __future__ import annotations

from typing import Final

from kuaitui.kernel.money import Money

DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"
UNITS: Final = ((10**8, "亿"), (10**4, "万"), (1000, "仟"), (100, "佰"), (10, "拾"))
FEN_PER_YUAN, FEN_PER_JIAO = 100, 10


def in_capitals(amount: Money) -> str:
    """An amount of renminbi in capitals; empty for other currencies and for what is negative."""
    if amount.currency != "CNY" or amount.minor < 0:
        return ""
    yuan, below = divmod(amount.minor, FEN_PER_YUAN)
    jiao, fen = divmod(below, FEN_PER_JIAO)
    if not below:
        return f"{_whole(yuan)}元整"
    words = f"{_whole(yuan)}元" if yuan else ""
    if jiao:
        words += f"{DIGITS[jiao]}角"
    elif yuan:
        words += DIGITS[0]
    return words + (f"{DIGITS[fen]}分" if fen else "")


def _whole(number: int) -> str:
    """A whole number: the head of its largest unit, the unit, and the rest after a zero if one is due."""
    for unit, word in UNITS:
        if number >= unit:
            head, rest = divmod(number, unit)
            skips_a_place = 0 < rest < unit // 10
            return _whole(head) + word + (DIGITS[0] if skips_a_place else "") + _rest(rest)
    return DIGITS[number]


def _rest(number: int) -> str:
    return _whole(number) if number else ""
