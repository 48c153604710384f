"""One order as an export tells it: good and staged, or refused with a reason."""

from __future__ import annotations

import datetime as dt

from kuaitui.facts.rules import EARLIEST_AT, is_shop_id, is_subject_id
from kuaitui.facts.types import OrderStatus
from kuaitui.kernel.money import EXPONENTS, MINOR_MAX

FORMULA_STARTS = ("=", "+", "-", "@")
SHOP_IDS_REMEMBERED_MAX = 50_000
CONTENT_CHARACTERS_MAX = 500

STATUS_BY_WORD = {status.word: int(status) for status in OrderStatus}
_AMOUNT_DIGITS_MAX = len(str(MINOR_MAX))


class RowRefused(Exception):  # noqa: N818 - it is an answer about a row
    """This row cannot be taken; the message says why and what would be right."""


class OrderStager:
    """Turns the parts of a row into a line for COPY, or refuses it.

    Columns: shop_id, order_id, status, status_at, amount_minor, currency, line.
    """

    def __init__(self, *, as_of: dt.datetime) -> None:
        self._as_of = as_of
        self._shop_ids: set[str] = set()

    def stage(
        self,
        line: int,
        shop_id: str,
        order_id: str,
        status: int,
        status_at: dt.datetime,
        amount_minor: int,
        currency: str,
    ) -> str:
        """The staged line.

        Raises:
            RowRefused: a value is impossible; says which.
        """
        if shop_id not in self._shop_ids:
            self._remember_shop(shop_id)
        if not is_subject_id(order_id):
            raise RowRefused(_unusable_order_id(order_id))
        if order_id[0] in FORMULA_STARTS:
            raise RowRefused(
                f"the order id {shown(order_id)} begins with {order_id[0]}, like a formula"
            )
        if status_at > self._as_of:
            raise RowRefused(f"{status_at.isoformat()} lies after {self._as_of.isoformat()}")
        if status_at < EARLIEST_AT:
            raise RowRefused(f"{status_at.isoformat()} lies before the year 2000")
        if "\\" in order_id:
            order_id = order_id.replace("\\", "\\\\")
        return (
            f"{shop_id}\t{order_id}\t{status}\t{status_at.isoformat()}"
            f"\t{amount_minor}\t{currency}\t{line}\n"
        )

    def _remember_shop(self, shop_id: str) -> None:
        parse_shop_id(shop_id)
        if len(self._shop_ids) >= SHOP_IDS_REMEMBERED_MAX:
            self._shop_ids.clear()
        self._shop_ids.add(shop_id)


def parse_shop_id(text: str) -> str:
    """A shop as the marketplace names it."""
    if not text:
        raise RowRefused("the shop id is empty")
    if text[0] in FORMULA_STARTS:
        raise RowRefused(f"the shop id {shown(text)} begins with {text[0]}, like a formula")
    if not is_shop_id(text):
        raise RowRefused(
            f"the shop id {shown(text)} must be 1 to 100 visible characters "
            "without spaces or any of / \\ ? # %"
        )
    return text


def parse_status(word: str) -> int:
    """The number of a status from our own word for it."""
    status = STATUS_BY_WORD.get(word)
    if status is None:
        raise RowRefused(
            f"the status {shown(word)} is unknown; known are {', '.join(STATUS_BY_WORD)}"
        )
    return status


def parse_moment(text: str, column: str) -> dt.datetime:
    """An instant written in ISO 8601 with its offset."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise RowRefused(
            f"{column} {shown(text)} is no time such as 2026-10-01T12:00:00+08:00"
        ) from None
    if moment.tzinfo is None:
        raise RowRefused(f"{column} {shown(text)} has no offset such as +08:00")
    return moment


def parse_amount_minor(text: str, column: str) -> int:
    """A count of minor units (fen, cents): digits and nothing else."""
    if text.isdecimal() and text.isascii() and len(text) < _AMOUNT_DIGITS_MAX:
        return int(text)
    if text.startswith("-"):
        raise RowRefused(f"{column} {shown(text)} is negative")
    if text.isdecimal() and text.isascii():
        raise RowRefused(f"{column} {shown(text)} is larger than this system can hold")
    raise RowRefused(f"{column} {shown(text)} is not a whole number of minor units (fen, cents)")


def parse_currency(text: str) -> str:
    """A currency code this system knows."""
    if text not in EXPONENTS:
        raise RowRefused(f"the currency {shown(text)} is not supported")
    return text


def content_of(fields: list[str]) -> str:
    """The row as it was, cut to a bearable length, for the file of refused rows."""
    return ",".join(fields)[:CONTENT_CHARACTERS_MAX]


def _unusable_order_id(order_id: str) -> str:
    if not order_id.strip():
        return "the order id is empty"
    if any("\udc80" <= letter <= "\udcff" for letter in order_id):
        return f"the order id {shown(order_id)} is not in the file's encoding"
    return f"the order id {shown(order_id)} is longer than 100 characters or not printable"


def shown(text: str) -> str:
    """A value quoted for a message: short, and harmless to print."""
    return ascii(text) if not text.isprintable() and len(text) < 40 else repr(text[:40])
