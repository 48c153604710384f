"""What the bank writes, and how it reads a payment file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from kuaitui.channels.simulator.store import ChannelRefuses
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:"


@dataclass(frozen=True, slots=True)
class Order:
    """One payment that a file asks for."""

    number: str
    instruction_id: str
    amount: Money
    payee: str
    execute_on: dt.date


@dataclass(frozen=True, slots=True)
class PaymentFile:
    """A payment file, read."""

    file_id: str
    account: str
    orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """Whose account the messages are of."""

    number: str
    currency: str


@dataclass(frozen=True, slots=True)
class Booking:
    """One entry of the account: a payment that went out, or what came back of it."""

    number: str
    instruction_id: str
    file_id: str
    reference: str
    minor: int
    return_code: str = ""


class Tag(str):
    """Markup that is done; anything else is text, and escaped."""

    __slots__ = ()


def tag(name: str, *parts: str | Iterable[Tag], currency: str = "") -> Tag:
    """One element with its content."""
    inside = "".join(_inside(part) for part in parts)
    mark = f' Ccy="{currency}"' if currency else ""
    return Tag(f"<{name}{mark}>{inside}</{name}>")


def _inside(part: str | Iterable[Tag]) -> str:
    if isinstance(part, Tag):
        return part
    return escape(part) if isinstance(part, str) else "".join(part)


def read_payment_file(content: bytes) -> PaymentFile:
    """Read a pain.001.

    Raises:
        ChannelRefuses: it is no payment file that this bank understands.
    """
    if b"<!" in content:
        raise ChannelRefuses(400, "FF01", "declarations are not taken")
    try:
        root = ET.fromstring(content)  # noqa: S314 - without declarations nothing expands
        whole = _Reader(root)
        block = whole.need("CstmrCdtTrfInitn/PmtInf")
        on = dt.date.fromisoformat(block.say("ReqdExctnDt/Dt"))
        orders = tuple(_order(part, on) for part in block.all("CdtTrfTxInf"))
        counted = whole.say("CstmrCdtTrfInitn/GrpHdr/NbOfTxs")
        file_id = whole.say("CstmrCdtTrfInitn/GrpHdr/MsgId")
        account = block.say("DbtrAcct/Id/Othr/Id")
    except (ET.ParseError, ValueError, Refusal) as problem:
        raise ChannelRefuses(400, "FF01", str(problem)) from problem
    if not file_id or not orders or counted != str(len(orders)):
        raise ChannelRefuses(400, "FF01", "the file and its header do not agree")
    return PaymentFile(file_id, account, orders)


def _order(part: _Reader, on: dt.date) -> Order:
    amount = part.need("Amt/InstdAmt")
    return Order(
        number=part.say("PmtId/EndToEndId"),
        instruction_id=part.say("PmtId/InstrId"),
        amount=Money.parse(amount.element.text or "", amount.element.attrib.get("Ccy", "")),
        payee=part.say("CdtrAcct/Id/Othr/Id"),
        execute_on=on,
    )


class _Reader:
    """An element, asked by names without their namespace."""

    def __init__(self, element: ET.Element) -> None:
        self.element = element

    def all(self, path: str) -> Iterator[_Reader]:
        steps = "/".join(f"{{*}}{name}" for name in path.split("/"))
        return (_Reader(found) for found in self.element.iterfind(steps))

    def need(self, path: str) -> _Reader:
        found = next(self.all(path), None)
        if found is None:
            raise ValueError(f"{path} is missing")
        return found

    def say(self, path: str) -> str:
        return (self.need(path).element.text or "").strip()


def status_report(
    file: PaymentFile, refused: dict[str, str], *, message_id: str, at: dt.datetime
) -> bytes:
    """pain.002: which payments of the file are taken, and why the others are not."""
    words = {frozenset(): "ACCP", frozenset(order.number for order in file.orders): "RJCT"}
    status = words.get(frozenset(refused), "PART")
    return _document(
        "pain.002.001.10",
        "CstmrPmtStsRpt",
        _header(message_id, at),
        tag(
            "OrgnlGrpInfAndSts",
            tag("OrgnlMsgId", file.file_id),
            tag("OrgnlMsgNmId", "pain.001.001.09"),
            tag("GrpSts", status),
        ),
        tag(
            "OrgnlPmtInfAndSts",
            tag("OrgnlPmtInfId", file.file_id),
            (_order_status(order, refused.get(order.number, "")) for order in file.orders),
        ),
    )


def _order_status(order: Order, code: str) -> Tag:
    return tag(
        "TxInfAndSts",
        tag("OrgnlInstrId", order.instruction_id),
        tag("OrgnlEndToEndId", order.number),
        tag("TxSts", "RJCT" if code else "ACCP"),
        tag("StsRsnInf", tag("Rsn", tag("Cd", code))) if code else Tag(),
        tag(
            "OrgnlTxRef", tag("Amt", _amount("InstdAmt", order.amount.minor, order.amount.currency))
        ),
    )


def debit_notice(
    account: Account, bookings: Sequence[Booking], *, message_id: str, on: dt.date, at: dt.datetime
) -> bytes:
    """camt.054: what was booked today."""
    return _document(
        "camt.054.001.08",
        "BkToCstmrDbtCdtNtfctn",
        _header(message_id, at),
        tag(
            "Ntfctn",
            tag("Id", message_id),
            tag("CreDtTm", at.isoformat()),
            _account(account),
            (_entry(account, booking, on) for booking in bookings),
        ),
    )


def day_statement(
    account: Account,
    bookings: Sequence[Booking],
    *,
    opening: int,
    message_id: str,
    on: dt.date,
    at: dt.datetime,
) -> bytes:
    """camt.053: the whole day, between two balances."""
    closing = opening + sum(booking.minor for booking in bookings)
    return _document(
        "camt.053.001.08",
        "BkToCstmrStmt",
        _header(message_id, at),
        tag(
            "Stmt",
            tag("Id", message_id),
            tag("CreDtTm", at.isoformat()),
            _account(account),
            _balance("OPBD", opening, account.currency, on),
            _balance("CLBD", closing, account.currency, on),
            (_entry(account, booking, on) for booking in bookings),
        ),
    )


def payment_return(
    account: Account, booking: Booking, *, message_id: str, on: dt.date, at: dt.datetime
) -> bytes:
    """pacs.004: a payment that had settled, coming back."""
    header = tag(
        "GrpHdr",
        tag("MsgId", message_id),
        tag("CreDtTm", at.isoformat()),
        tag("NbOfTxs", "1"),
        tag("SttlmInf", tag("SttlmMtd", "INDA")),
    )
    return _document(
        "pacs.004.001.09",
        "PmtRtr",
        header,
        tag(
            "TxInf",
            tag("RtrId", booking.reference),
            tag("OrgnlGrpInf", tag("OrgnlMsgId", booking.file_id), tag("OrgnlMsgNmId", "pain.001")),
            tag("OrgnlInstrId", booking.instruction_id),
            tag("OrgnlEndToEndId", booking.number),
            _amount("RtrdIntrBkSttlmAmt", booking.minor, account.currency),
            tag("IntrBkSttlmDt", on.isoformat()),
            tag("RtrRsnInf", tag("Rsn", tag("Cd", booking.return_code))),
        ),
    )


def _document(definition: str, root: str, *parts: Tag) -> bytes:
    body = tag(root, parts)
    text = f'<Document xmlns="{NAMESPACE}{definition}">{body}</Document>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'.encode()


def _header(message_id: str, at: dt.datetime) -> Tag:
    return tag("GrpHdr", tag("MsgId", message_id), tag("CreDtTm", at.isoformat()))


def _account(account: Account) -> Tag:
    identity = tag("Id", tag("Othr", tag("Id", account.number)))
    return tag("Acct", identity, tag("Ccy", account.currency))


def _balance(code: str, minor: int, currency: str, on: dt.date) -> Tag:
    return tag(
        "Bal",
        tag("Tp", tag("CdOrPrtry", tag("Cd", code))),
        _amount("Amt", abs(minor), currency),
        tag("CdtDbtInd", "DBIT" if minor < 0 else "CRDT"),
        tag("Dt", tag("Dt", on.isoformat())),
    )


def _entry(account: Account, booking: Booking, on: dt.date) -> Tag:
    direction = tag("CdtDbtInd", "DBIT" if booking.minor < 0 else "CRDT")
    amount = _amount("Amt", abs(booking.minor), account.currency)
    is_back = booking.return_code != ""
    details = tag(
        "TxDtls",
        tag(
            "Refs",
            tag("MsgId", booking.file_id),
            tag("AcctSvcrRef", booking.reference),
            tag("InstrId", booking.instruction_id),
            tag("EndToEndId", booking.number),
        ),
        amount,
        direction,
        tag("RtrInf", tag("Rsn", tag("Cd", booking.return_code))) if is_back else Tag(),
    )
    return tag(
        "Ntry",
        amount,
        direction,
        tag("Sts", tag("Cd", "BOOK")),
        tag("BookgDt", tag("Dt", on.isoformat())),
        tag("ValDt", tag("Dt", on.isoformat())),
        tag("BkTxCd", tag("Domn", tag("Cd", "PMNT"), _family("RRTN" if is_back else "ESCT"))),
        tag("NtryDtls", details),
    )


def _family(code: str) -> Tag:
    return tag("Fmly", tag("Cd", "ICDT"), tag("SubFmlyCd", code))


def _amount(name: str, minor: int, currency: str) -> Tag:
    return tag(name, f"{Money(minor, currency).to_decimal():f}", currency=currency)
