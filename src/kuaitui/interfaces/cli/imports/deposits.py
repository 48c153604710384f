"""Deposits that sellers paid before kuaitui was there: each row a payment, or a deposit without one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kuaitui.deposits.errors import DepositCurrencyWrong
from kuaitui.deposits.operations import EarlierPayment, take_over_deposit
from kuaitui.deposits.types import DepositKind
from kuaitui.facts.queries import find_shop
from kuaitui.facts.types import RefusedRow
from kuaitui.interfaces.cli.imports.csv_files import TakeRow, csv_rows
from kuaitui.interfaces.cli.imports.rows import (
    RowRefused,
    content_of,
    parse_amount_minor,
    parse_currency,
    parse_moment,
    parse_shop_id,
    shown,
)
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money

COLUMNS = ("shop_id", "kind", "currency", "required_minor")
PAYMENT_COLUMNS = ("paid_minor", "channel", "channel_reference", "paid_at", "refundable_until")
IMPORTER = Actor.system("import.deposits")
KINDS = {kind.value: kind for kind in DepositKind}
CHANNEL_CHARACTERS_MAX, REFERENCE_CHARACTERS_MAX = 40, 80


@dataclass(frozen=True, slots=True)
class DepositRow:
    """A deposit of a shop, and one payment into it if it has any."""

    line: int
    shop_id: str
    kind: DepositKind
    required: Money
    payment: EarlierPayment | None
    content: str
    """The row as it was."""


@dataclass(slots=True)
class DepositsRead:
    """How far a file has been read, and what came of it."""

    bytes_read: int = 0
    size: int = 0
    digests: dict[Path, str] = field(default_factory=dict)
    rows: int = 0
    payments_new: int = 0
    refused: list[RefusedRow] = field(default_factory=list)


def take_deposits(path: Path, read: DepositsRead, *, encoding: str | None) -> Iterator[None]:
    """Open the deposits of a file and record their payments; pauses after each row, told in `read`.

    Each row is taken by itself and for good, or refused and changes nothing. A row that was taken
    before changes nothing, but for the amount that is required: what the file says last holds.

    Raises:
        FileUnusable: it does not begin with the required columns, or not in that encoding.
    """
    rows = csv_rows(path, encoding=encoding, required=COLUMNS, take_row=_reader, progress=read)
    for row in rows:
        read.rows += 1
        if isinstance(row, RefusedRow):
            read.refused.append(row)
        else:
            try:
                read.payments_new += _take(row)
            except Refusal as refusal:
                read.refused.append(RefusedRow(path.name, row.line, str(refusal), row.content))
        yield


def _take(row: DepositRow) -> bool:
    """Whether a payment was recorded that was not known."""
    now, shop = read_clock(), find_shop(shop_id=row.shop_id)
    if shop.currency != row.required.currency:
        raise DepositCurrencyWrong(given=row.required.currency, expected=shop.currency)
    return take_over_deposit(
        shop_key=shop.key, kind=row.kind, required=row.required, payment=row.payment,
        actor=IMPORTER, now=now,
    )  # fmt: skip


def _reader(columns: list[str]) -> TakeRow[DepositRow]:
    places = {name: columns.index(name) for name in columns}

    def read_row(line: int, fields: list[str]) -> DepositRow:
        values = {name: fields[place].strip() for name, place in places.items()}
        currency = parse_currency(values["currency"])
        required = parse_amount_minor(values["required_minor"], "required_minor")
        return DepositRow(
            line,
            parse_shop_id(values["shop_id"]),
            _kind(values["kind"]),
            Money(required, currency),
            _payment(values, currency),
            content_of(fields),
        )

    return read_row


def _kind(word: str) -> DepositKind:
    if word not in KINDS:
        raise RowRefused(f"the kind {shown(word)} is unknown; known are {', '.join(KINDS)}")
    return KINDS[word]


def _payment(values: dict[str, str], currency: str) -> EarlierPayment | None:
    said = {name: values.get(name, "") for name in PAYMENT_COLUMNS}
    if not any(said.values()):
        return None
    missing = [name for name in PAYMENT_COLUMNS[:-1] if not said[name]]
    if missing:
        raise RowRefused(f"a payment needs {', '.join(missing)} too")
    until = said["refundable_until"]
    return EarlierPayment(
        Money(parse_amount_minor(said["paid_minor"], "paid_minor"), currency),
        _text(said["channel"], "channel", CHANNEL_CHARACTERS_MAX),
        _text(said["channel_reference"], "channel_reference", REFERENCE_CHARACTERS_MAX),
        parse_moment(said["paid_at"], "paid_at"),
        parse_moment(until, "refundable_until") if until else None,
    )


def _text(text: str, column: str, length_max: int) -> str:
    if len(text) > length_max or not text.isprintable():
        raise RowRefused(
            f"{column} {shown(text)} is longer than {length_max} characters or not printable"
        )
    return text
