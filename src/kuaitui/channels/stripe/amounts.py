"""How Stripe writes amounts and moments: minor units with a small-letter currency, Unix seconds."""

from __future__ import annotations

import datetime as dt

from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money


def write_currency(amount: Money) -> str:
    """`CNY` as `cny`."""
    return amount.currency.lower()


def read_amount(minor: object, currency: object) -> Money:
    """An amount and its currency.

    Raises:
        ValueError: not a whole number of a known currency.
    """
    if type(minor) is not int or not isinstance(currency, str):
        raise ValueError("not an amount")
    try:
        return Money(minor, currency.upper())
    except Refusal:
        raise ValueError("not an amount") from None


def read_moment(seconds: object) -> dt.datetime:
    """An instant.

    Raises:
        ValueError: not a whole number of seconds of our era.
    """
    if type(seconds) is not int:
        raise ValueError("not a moment")
    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (OverflowError, OSError):
        raise ValueError("not a moment") from None
