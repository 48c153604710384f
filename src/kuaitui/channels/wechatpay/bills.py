"""The bill files, read: every cell is checked, and the totals must be the sums of the lines.

A file has a header, one line for each event, a header of totals and one line of totals. Every
cell of the lines begins with a backtick; amounts are yuan; times are Beijing's.

Source: reference §1.1 and pay.weixin.qq.com …/bill-download/format-trade (2023-09-26).
"""

from __future__ import annotations

import datetime as dt
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from kuaitui.channels.port import (
    LineKind,
    Statement,
    StatementKind,
    StatementLine,
    StatementRefused,
)
from kuaitui.channels.running_balance import BalanceRow, closing_minor
from kuaitui.channels.wechatpay.replies import BEIJING
from kuaitui.channels.wechatpay.settings import CURRENCY
from kuaitui.kernel.money import EXPONENTS, MINOR_MAX, Money

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
GZIP_MAGIC: Final = b"\x1f\x8b"
ZLIB_GZIP: Final = 31
_AMOUNT = re.compile(r"-?\d{1,13}(?:\.\d{1,5})?")
_COUNT = re.compile(r"(\d{1,9})(?:\.0+)?")

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Form:
    """How one kind of bill is laid out: its columns, and each total with what it is the sum of."""

    columns: tuple[str, ...]
    totals: tuple[str, ...]
    moment: str
    count: str
    sums: Mapping[str, Callable[[Row], str | None]]
    """Title of a total → the amount that a line adds to it, if it adds any."""
    counts: Mapping[str, Callable[[Row], bool]]
    lines: Callable[[Row, int], Iterator[StatementLine]]


def unpack(content: bytes) -> bytes:
    """A bill as text, whether it came packed or plain.

    Raises:
        StatementRefused: broken, or larger than any bill.
    """
    if not content.startswith(GZIP_MAGIC):
        return content
    machine = zlib.decompressobj(ZLIB_GZIP)
    try:
        plain = machine.decompress(content, FILE_BYTES_MAX + 1)
    except zlib.error:
        raise StatementRefused("not a sound gzip file") from None
    if len(plain) > FILE_BYTES_MAX:
        raise StatementRefused("larger than any bill")
    if not machine.eof or machine.unused_data:
        raise StatementRefused("not one whole gzip file")
    return plain


def read_bill(kind: StatementKind, content: bytes, *, mchid: str) -> Statement:
    """Read a day's bill of this merchant.

    Raises:
        StatementRefused: not a whole, sound bill of this merchant; with the line, if one is wrong.
    """
    form = FORMS[kind]
    rows, totals = _split(form, _text(content))
    if not rows:
        raise StatementRefused("a bill without lines does not say its day")
    day = _moment(rows[0][1][form.moment], rows[0][0]).astimezone(BEIJING).date()
    lines: list[StatementLine] = []
    for line_no, row in rows:
        _check_row(form, row, line_no, day=day, mchid=mchid)
        lines.extend(form.lines(row, line_no))
    _check_totals(form, rows, totals)
    closing = _closing(rows) if kind is StatementKind.FUNDS else None
    return Statement(account=mchid, day=day, lines=tuple(lines), closing_balance=closing)


def _text(content: bytes) -> list[str]:
    try:
        text = unpack(content).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise StatementRefused("not UTF-8") from None
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    if lines and not lines[-1]:
        lines.pop()
    return lines


def _split(form: Form, lines: Sequence[str]) -> tuple[list[tuple[int, Row]], tuple[int, Row]]:
    """The lines and the totals, each as column → cell, with their numbers in the file."""
    if not lines or _titles(lines[0]) != form.columns:
        raise StatementRefused("not the columns of this kind of bill", line_no=1)
    if len(lines) < 3 or _titles(lines[-2]) != form.totals:
        raise StatementRefused("the totals are missing", line_no=len(lines))
    rows = [
        (line_no, _cells(line, form.columns, line_no))
        for line_no, line in enumerate(lines[1:-2], start=2)
    ]
    return rows, (len(lines), _cells(lines[-1], form.totals, len(lines)))


def _titles(line: str) -> tuple[str, ...]:
    titles = (title.removeprefix("`") for title in line.split(","))
    return tuple(title.replace("（", "(").replace("）", ")") for title in titles)


def _cells(line: str, columns: tuple[str, ...], line_no: int) -> Row:
    """Cells are told apart by the backtick after the comma: what a payer wrote may hold commas."""
    if not line.startswith("`"):
        raise StatementRefused("a cell without its backtick", line_no=line_no)
    cells = line[1:].split(",`")
    if len(cells) != len(columns):
        reason = f"{len(cells)} cells where {len(columns)} belong"
        raise StatementRefused(reason, line_no=line_no)
    return dict(zip(columns, cells, strict=True))


def _check_row(form: Form, row: Row, line_no: int, *, day: dt.date, mchid: str) -> None:
    if row.get("商户号", mchid) != mchid:
        raise StatementRefused("a line of another merchant", line_no=line_no)
    if row.get("货币种类", CURRENCY) != CURRENCY:
        raise StatementRefused("another currency", line_no=line_no)
    if _moment(row[form.moment], line_no).astimezone(BEIJING).date() != day:
        raise StatementRefused("a line of another day", line_no=line_no)


def _check_totals(form: Form, rows: Sequence[tuple[int, Row]], totals: tuple[int, Row]) -> None:
    line_no, said = totals
    counted = {form.count: len(rows)}
    counted |= {
        title: sum(1 for _, row in rows if belongs(row)) for title, belongs in form.counts.items()
    }
    for title, count in counted.items():
        if _count(said[title], line_no) != count:
            raise StatementRefused(f"{title} is not the number of lines", line_no=line_no)
    for title, part in form.sums.items():
        fen = _fee_fen if title == FEE_TOTAL else _fen
        summed = sum(fen(cell, no) for no, row in rows if (cell := part(row)) is not None)
        if fen(said[title], line_no) != summed:
            raise StatementRefused(f"{title} is not the sum of the lines", line_no=line_no)


def _fen(cell: str, line_no: int) -> int:
    """Yuan as the bill writes them, in fen. A third decimal, zero too, is a unit error."""
    if len(cell.partition(".")[2]) > EXPONENTS[CURRENCY]:
        raise StatementRefused("an amount with more than two decimals", line_no=line_no)
    return _fee_fen(cell, line_no)


def _fee_fen(cell: str, line_no: int) -> int:
    """A fee in fen, which bills write with five decimals: `0.01000`."""
    if _AMOUNT.fullmatch(cell) is None or not cell.isascii():
        raise StatementRefused("an amount that is none", line_no=line_no)
    fen = Decimal(cell).scaleb(EXPONENTS[CURRENCY])
    if fen != fen.to_integral_value():
        raise StatementRefused("an amount with more than two decimals", line_no=line_no)
    if abs(fen) > MINOR_MAX:
        raise StatementRefused("an amount that is too large", line_no=line_no)
    return int(fen)


def _positive(cell: str, line_no: int) -> Money:
    fen = _fen(cell, line_no)
    if fen <= 0:
        raise StatementRefused("an amount that is not positive", line_no=line_no)
    return Money(fen, CURRENCY)


def _count(cell: str, line_no: int) -> int:
    match = _COUNT.fullmatch(cell)
    if match is None or not cell.isascii():
        raise StatementRefused("a number of lines that is none", line_no=line_no)
    return int(match[1])


def _moment(cell: str, line_no: int) -> dt.datetime:
    try:
        moment = dt.datetime.strptime(cell, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 - Beijing's, below
    except ValueError:
        raise StatementRefused("a time that is none", line_no=line_no) from None
    return moment.replace(tzinfo=BEIJING).astimezone(dt.UTC)


FEE_TAKEN: Final = "手续费"
FEE_GIVEN_BACK: Final = "手续费退回"
"""A fee comes back with the refund of its payment."""


# How far a refund had come when the bill was made. Any other word is for people to look at.
REFUND_STATES: Final[Mapping[str, LineKind]] = {
    "SUCCESS": LineKind.REFUND,
    "PROCESSING": LineKind.REFUND_BEGUN,
    "CHANGE": LineKind.REFUND_BEGUN,
    "FAIL": LineKind.REFUND_FAILED,
}


def _trade_lines(row: Row, line_no: int) -> Iterator[StatementLine]:
    """What was paid or sent back, and the fee that was taken for it or given back with it."""
    occurred_at = _moment(row["交易时间"], line_no)
    match row["交易状态"]:
        case "SUCCESS":
            kind, number, reference = LineKind.PAY_IN, row["商户订单号"], row["微信订单号"]
            amount, state = row["订单金额"], "SUCCESS"
        case "REFUND":
            kind = REFUND_STATES.get(row["退款状态"], LineKind.STRANGE)
            number, reference = row["商户退款单号"], row["微信退款单号"]
            amount, state = row["申请退款金额"], row["退款状态"]
        case other:
            # REVOKED: an order of a till that was undone. No deposit is paid at a till.
            kind, number, reference = LineKind.STRANGE, row["商户订单号"], row["微信订单号"]
            amount, state = row["订单金额"], other
    moved = _positive(amount, line_no)
    yield StatementLine(line_no, kind, number, reference, moved, occurred_at, state)
    fee = _fee_fen(row["手续费"], line_no)
    if fee:
        taken = (LineKind.FEE, FEE_TAKEN), (LineKind.FEE_RETURN, FEE_GIVEN_BACK)
        kind, said = taken[fee < 0]
        money = Money(abs(fee), CURRENCY)
        yield StatementLine(line_no, kind, number, reference, money, occurred_at, said)


# What a movement is, by its type and direction. Anything else is for people to look at. Payments,
# refunds and the fees taken are in published bills; the names of the others are assumed, since no
# published bill has them.
MOVEMENTS: Final[Mapping[tuple[str, str], LineKind]] = {
    ("交易", "收入"): LineKind.PAY_IN,
    ("退款", "支出"): LineKind.REFUND,
    ("扣除交易手续费", "支出"): LineKind.FEE,
    ("退回交易手续费", "收入"): LineKind.FEE_RETURN,
    ("商家转账", "支出"): LineKind.PAYOUT,
    ("商家转账", "收入"): LineKind.RETURN,
    ("充值", "收入"): LineKind.TRANSFER,
    ("提现", "支出"): LineKind.TRANSFER,
}
INCOME: Final = "收入"
EXPENSE: Final = "支出"
UNMAPPED: Final = {INCOME: LineKind.OTHER, EXPENSE: LineKind.STRANGE}


def _fund_lines(row: Row, line_no: int) -> Iterator[StatementLine]:
    if row["收支类型"] not in UNMAPPED:
        raise StatementRefused("neither income nor expense", line_no=line_no)
    yield StatementLine(
        line_no,
        MOVEMENTS.get((row["业务类型"], row["收支类型"]), UNMAPPED[row["收支类型"]]),
        row["业务凭证号"],
        row["微信支付业务单号"],
        _positive(row["收支金额(元)"], line_no),
        _moment(row["记账时间"], line_no),
        f"{row['业务类型']} {row['收支类型']}",
    )


def _closing(rows: Sequence[tuple[int, Row]]) -> Money | None:
    """The balance at the end of the day, by what stands beside each movement."""
    if not all(_AMOUNT.fullmatch(row["账户结余(元)"]) for _, row in rows):
        return None
    minor = closing_minor(
        [
            BalanceRow(
                at=_moment(row["记账时间"], line_no),
                change_minor=_fen(row["收支金额(元)"], line_no)
                * (1 if row["收支类型"] == INCOME else -1),
                balance_minor=_fen(row["账户结余(元)"], line_no),
            )
            for line_no, row in rows
        ]
    )
    return None if minor is None else Money(minor, CURRENCY)


def _column(title: str) -> Callable[[Row], str]:
    return lambda row: row[title]


def _directed(title: str, direction: str) -> Callable[[Row], str | None]:
    return lambda row: row[title] if row["收支类型"] == direction else None


TRADE_COLUMNS: Final = _titles(
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,"
    "付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,"
    "退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
)
FUND_COLUMNS: Final = _titles(
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
    "资金变更提交申请人,备注,业务凭证号"
)
FEE_TOTAL: Final = "手续费总金额"
TRADE_COUNT: Final = "总交易单数"
TRADE_TOTALS: Final = _titles(
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
)
FUND_COUNT: Final = "资金流水总笔数"
FUND_TOTALS: Final = _titles("资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额")
FORMS: Final[Mapping[StatementKind, Form]] = {
    StatementKind.TRADES: Form(
        columns=TRADE_COLUMNS,
        totals=TRADE_TOTALS,
        moment="交易时间",
        count=TRADE_COUNT,
        sums={
            "应结订单总金额": _column("应结订单金额"),
            "退款总金额": _column("退款金额"),
            "充值券退款总金额": _column("充值券退款金额"),
            FEE_TOTAL: _column("手续费"),
            "订单总金额": _column("订单金额"),
            "申请退款总金额": _column("申请退款金额"),
        },
        counts={},
        lines=_trade_lines,
    ),
    StatementKind.FUNDS: Form(
        columns=FUND_COLUMNS,
        totals=FUND_TOTALS,
        moment="记账时间",
        count=FUND_COUNT,
        sums={
            "收入金额": _directed("收支金额(元)", INCOME),
            "支出金额": _directed("收支金额(元)", EXPENSE),
        },
        counts={
            "收入笔数": lambda row: row["收支类型"] == INCOME,
            "支出笔数": lambda row: row["收支类型"] == EXPENSE,
        },
        lines=_fund_lines,
    ),
}
