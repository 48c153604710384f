"""Batches as files for people: a table out, the bank's results as a table in.

For banks without ISO 20022. UTF-8 with a byte order mark, since that is what spreadsheets open.
"""

from __future__ import annotations

import csv
import datetime as dt
import enum
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from kuaitui.channels.bank.amounts import moment_on, read_amount, read_date, write_amount
from kuaitui.channels.bank.markup import MESSAGE_BYTES_MAX
from kuaitui.channels.bank.words import (
    BankMessage,
    BankStatus,
    BankWord,
    MessageKind,
    MessageRefused,
    instruction_id,
    split_instruction_id,
)
from kuaitui.channels.port import PayeeAccount, PayoutInstruction

ROWS_MAX: Final = 100_000
BATCH_COLUMNS: Final = (
    "序号", "指令号", "收款户名", "收款账号", "收款银行", "联行号", "币种", "金额", "用途",
)  # fmt: skip
RESULT_COLUMNS: Final = ("指令号", "币种", "金额", "状态", "日期", "原因", "银行流水号")
# What a spreadsheet takes for the beginning of a formula.
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")


class _Reader(Protocol):
    """A csv reader, which knows its line."""

    @property
    def line_num(self) -> int:
        """The line it has come to."""

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...


class BatchFormat(enum.StrEnum):
    """In what form a batch leaves."""

    PAIN_001 = "pain.001"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class BatchFile:
    """A batch as bytes, the same every time."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


def write_batch_csv(payments: Sequence[PayoutInstruction]) -> bytes:
    """The batch as a table, one payment a row. 用途 carries our number to the bank's statement."""
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\r\n")
    writer.writerow(BATCH_COLUMNS)
    for index, payment in enumerate(payments, start=1):
        payee = payment.target
        assert isinstance(payee, PayeeAccount)  # the capabilities name the designated route only
        cells = [
            str(index),
            instruction_id(payment),
            payee.holder_name,
            "".join(payee.account_number.split()),
            payee.bank_name,
            payee.bank_code,
            payment.amount.currency,
            write_amount(payment.amount),
            payment.number,
        ]
        writer.writerow([_plain(cell) for cell in cells])
    return rows.getvalue().encode("utf-8-sig")


def read_results_csv(content: bytes, *, currency: str, zone: ZoneInfo) -> BankMessage:
    """What the bank made of a batch, one payment a row, columns by their names in any order.

    Raises:
        MessageRefused: a row cannot be read, stands twice, or is of another currency; then no row
            is taken.
    """
    if len(content) > MESSAGE_BYTES_MAX:
        raise MessageRefused("too_large")
    try:
        text = content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as problem:
        line_no = content[: problem.start].count(b"\n") + 1
        raise MessageRefused("not_utf_8", where=f"line {line_no}") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        rows = _rows(reader)
        words = tuple(_word(row, line, currency, zone) for line, row in rows)
    except csv.Error:
        raise MessageRefused("not_well_formed", where=f"line {reader.line_num}") from None
    if not words:
        raise MessageRefused("says_nothing")
    _refuse_repeated(words)
    return BankMessage(MessageKind.RESULTS_CSV, "", words)


def _rows(reader: _Reader) -> list[tuple[str, dict[str, str]]]:
    names = [name.strip() for name in next(reader, [])]
    missing = [name for name in RESULT_COLUMNS if names.count(name) != 1]
    if missing:
        raise MessageRefused("column_missing", where=f"line 1 {missing[0]}")
    rows: list[tuple[str, dict[str, str]]] = []
    for cells in reader:
        where = f"line {reader.line_num}"
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(names):
            raise MessageRefused("cells_miscounted", where=where)
        if len(rows) >= ROWS_MAX:
            raise MessageRefused("too_large", where=where)
        rows.append((where, {n: c.strip() for n, c in zip(names, cells, strict=True)}))
    return rows


def _word(row: dict[str, str], where: str, currency: str, zone: ZoneInfo) -> BankWord:
    parts = split_instruction_id(row["指令号"])
    if parts is None:
        raise MessageRefused("number_unreadable", where=f"{where} 指令号")
    if row["币种"] != currency:
        raise MessageRefused("another_currency", where=f"{where} 币种")
    try:
        status = BankStatus(row["状态"].lower())
    except ValueError:
        raise MessageRefused("status_unknown", where=f"{where} 状态") from None
    day = read_date(row["日期"], where=f"{where} 日期")
    end = dt.datetime.combine(day, dt.time(23, 59, 59), zone)
    return BankWord(
        number=parts[0],
        status=status,
        occurred_at=moment_on(day, end.astimezone(dt.UTC), zone),
        amount=read_amount(row["金额"], currency, where=f"{where} 金额"),
        code=row["原因"][:20],
        reference=row["银行流水号"][:80],
        instruction_id=row["指令号"],
    )


def _refuse_repeated(words: Sequence[BankWord]) -> None:
    seen: set[tuple[str, BankStatus]] = set()
    for word in words:
        if (word.instruction_id, word.status) in seen:
            raise MessageRefused("number_twice", where=word.instruction_id)
        seen.add((word.instruction_id, word.status))


def _plain(cell: str) -> str:
    """A cell that no spreadsheet runs: names are typed by sellers."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
