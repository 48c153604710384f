"""Amounts and moments as banks write them."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final
from zoneinfo import ZoneInfo

from kuaitui.channels.bank.words import MessageRefused
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import EXPONENTS, Money

_PLAIN: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,5})?")


def read_amount(text: str, currency: str, *, where: str) -> Money:
    """An amount in major units with a point; the currency's own decimals and no more.

    Raises:
        MessageRefused: anything else, `12.340` yuan too: three decimals are a unit error.
    """
    decimals = text.partition(".")[2]
    if _PLAIN.fullmatch(text) is None or len(decimals) > EXPONENTS.get(currency, 0):
        raise MessageRefused("amount_unreadable", where=where)
    try:
        return Money.parse(text, currency)
    except Refusal:
        raise MessageRefused("amount_unreadable", where=where) from None


def write_amount(amount: Money) -> str:
    """The same, out: `1234.50`."""
    return f"{amount.to_decimal():f}"


def read_date(text: str, *, where: str) -> dt.date:
    """A date, written `2026-11-23`; a time behind it is not looked at.

    Raises:
        MessageRefused: no date.
    """
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        raise MessageRefused("date_unreadable", where=where) from None


def read_moment(text: str, zone: ZoneInfo, *, where: str) -> dt.datetime:
    """A moment; without an offset it is the bank's local time.

    Raises:
        MessageRefused: no moment.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise MessageRefused("date_unreadable", where=where) from None


def moment_on(day: dt.date, written_at: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """When something booked on a day happened, told by a message written later.

    The message's own moment, if it was written that day; else the day's last second.
    """
    end = dt.datetime.combine(day, dt.time(23, 59, 59), zone).astimezone(dt.UTC)
    return min(end, written_at)
