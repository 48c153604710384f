"""Reading the simulated channel's bills: bytes in, lines out, or one reason why not."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from kuaitui.channels.port import (
    LineKind,
    Statement,
    StatementKind,
    StatementLine,
    StatementRefused,
)
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money

TEXT_LENGTH_MAX: Final = 80


def read_bill(kind: StatementKind, content: bytes, *, account: str) -> Statement:
    """Read a bill. Pure.

    Raises:
        StatementRefused: it is not a whole, sound bill of this kind and account.
    """
    document = _document(content)
    if document.get("kind") != kind.value:
        raise StatementRefused("it is a bill of another kind")
    if document.get("account") != account:
        raise StatementRefused("it is the bill of another account")
    lines = document.get("lines")
    if not isinstance(lines, list) or document.get("lines_count") != len(lines):
        raise StatementRefused("lines are missing or too many")
    if document.get("lines_sha256") != digest_of(lines):
        raise StatementRefused("its lines are not those that its hash was made of")
    read = tuple(_line(number, line) for number, line in enumerate(lines, start=1))
    return Statement(account=account, day=_day(document), lines=read)


def digest_of(lines: list[Any]) -> str:
    """What a bill announces of its lines, so that a changed one is noticed."""
    text = json.dumps(lines, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _document(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content.decode("utf-8"), parse_float=_refuse_number)
    except UnicodeDecodeError:
        raise StatementRefused("it is not UTF-8 text") from None
    except (ValueError, RecursionError):
        raise StatementRefused("it is not JSON") from None
    if not isinstance(document, dict):
        raise StatementRefused("it is not a bill")
    return document


def _refuse_number(_text: str) -> object:
    raise StatementRefused("amounts are text, never binary fractions")


def _day(document: Mapping[str, Any]) -> dt.date:
    try:
        return dt.date.fromisoformat(document["day"])
    except (KeyError, TypeError, ValueError):
        raise StatementRefused("it does not say of which day it is") from None


def _line(line_no: int, line: object) -> StatementLine:
    if not isinstance(line, dict) or line.get("line_no") != line_no:
        raise StatementRefused("the lines are not numbered one by one", line_no=line_no)
    try:
        return StatementLine(
            line_no=line_no,
            kind=LineKind(line["kind"]),
            number=_text(line["number"]),
            reference=_text(line["reference"]),
            amount=_amount(line),
            occurred_at=_moment(line["at"]),
            state=_text(line["state"]),
        )
    except KeyError as missing:
        raise StatementRefused(f"{missing} is missing", line_no=line_no) from None
    except Refusal as refusal:
        raise StatementRefused(f"amount: {refusal.message}", line_no=line_no) from None
    except (TypeError, ValueError):
        raise StatementRefused("a value has the wrong form", line_no=line_no) from None


def _amount(line: Mapping[str, Any]) -> Money:
    amount = Money.parse(_text(line["amount"]), _text(line["currency"]))
    if not amount.is_positive:
        raise ValueError
    return amount


def _moment(text: object) -> dt.datetime:
    moment = dt.datetime.fromisoformat(_text(text))
    if moment.tzinfo is None:
        raise ValueError
    return moment


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > TEXT_LENGTH_MAX or not value.isprintable():
        raise ValueError
    return value
