"""What the rows of the two bills say: 业务明细 (orders and refunds), 账务明细 (every movement)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from kuaitui.channels.alipay.bill_files import BillFile, Row, open_bill
from kuaitui.channels.alipay.formats import CURRENCY, read_moment, read_yuan
from kuaitui.channels.port import (
    LineKind,
    Statement,
    StatementKind,
    StatementLine,
    StatementRefused,
)
from kuaitui.channels.running_balance import BalanceRow, closing_minor
from kuaitui.kernel.money import Money

TITLES: Final = {
    StatementKind.TRADES: ("支付宝业务明细查询", "业务明细列表"),
    StatementKind.FUNDS: ("支付宝账务明细查询", "账务明细列表"),
}
_SUMS: Final = {
    LineKind.PAY_IN: re.compile(r"#交易合计[：:](\d+)笔，商家实收共(-?[\d.]+)元", re.ASCII),
    LineKind.REFUND: re.compile(r"#退款合计[：:](\d+)笔，商家实收退款共(-?[\d.]+)元", re.ASCII),
}
_IN: Final = re.compile(r"#收入合计[：:](\d+)笔，共(-?[\d.]+)元", re.ASCII)
_OUT: Final = re.compile(r"#支出合计[：:](\d+)笔，共(-?[\d.]+)元", re.ASCII)
_BALANCE: Final = re.compile(r"\d{1,13}\.\d{2}", re.ASCII)
_TRADES: Final = {"交易": LineKind.PAY_IN, "退款": LineKind.REFUND}
# The first word that stands in the kind of business decides; whether money came or went, too.
_MOVEMENTS: Final = (
    ("收费", LineKind.FEE_RETURN, LineKind.FEE),
    ("手续费", LineKind.FEE_RETURN, LineKind.FEE),
    ("服务费", LineKind.FEE_RETURN, LineKind.FEE),
    ("退票", LineKind.RETURN, LineKind.STRANGE),
    ("转账退回", LineKind.RETURN, LineKind.STRANGE),
    ("提现", LineKind.TRANSFER, LineKind.TRANSFER),
    ("充值", LineKind.TRANSFER, LineKind.TRANSFER),
    ("退款", LineKind.STRANGE, LineKind.REFUND),
    ("在线支付", LineKind.PAY_IN, LineKind.STRANGE),
    ("交易付款", LineKind.PAY_IN, LineKind.STRANGE),
    ("转账", LineKind.OTHER, LineKind.PAYOUT),
)


def read_bill(kind: StatementKind, content: bytes, *, seller_id: str) -> Statement:
    """Read a bill's ZIP, its sums checked against its rows.

    Raises:
        StatementRefused: not a whole, sound bill of this merchant.
    """
    title, table = TITLES[kind]
    bill = open_bill(content, title=title, table=table)
    if not _is_account_of(seller_id, bill.account):
        raise StatementRefused("the bill of another account")
    lines = _trades(bill) if kind is StatementKind.TRADES else _movements(bill)
    closing = _closing(bill) if kind is StatementKind.FUNDS else None
    return Statement(bill.account, bill.day, lines, closing)


def _is_account_of(seller_id: str, account: str) -> bool:
    """A merchant's accounts are numbered by its id and four more digits."""
    return account == seller_id or (len(account) == 20 and account.startswith(seller_id))


def _trades(bill: BillFile) -> tuple[StatementLine, ...]:
    lines = tuple(_trade(row) for row in bill.rows)
    for kind, told in _SUMS.items():
        _check(bill, told, [line.amount for line in lines if line.kind is kind])
    return lines


def _trade(row: Row) -> StatementLine:
    """An order or a refund. A refund is known by its own number, a payment by the order's."""
    business = row.cell("业务类型")
    kind = _TRADES.get(business, LineKind.STRANGE)
    number = "退款批次号/请求号" if kind is LineKind.REFUND else "商户订单号"
    return _line(
        row,
        kind=kind,
        number=row.cell(number),
        reference=row.cell("支付宝交易号"),
        amount=_amount(row, "商家实收(元)"),
        moment=row.cell("完成时间"),
        state=business,
    )


def _movements(bill: BillFile) -> tuple[StatementLine, ...]:
    lines: list[StatementLine] = []
    came: list[Money] = []
    went: list[Money] = []
    for row in bill.rows:
        income, outgo = _amount(row, "收入金额(+元)"), _amount(row, "支出金额(-元)")
        if income.is_zero == outgo.is_zero:
            raise StatementRefused("neither income nor expense", line_no=row.line_no)
        (came if outgo.is_zero else went).append(income + outgo)
        lines.append(_movement(row, income + outgo, is_income=outgo.is_zero))
    _check(bill, _IN, came)
    _check(bill, _OUT, went)
    return tuple(lines)


def _closing(bill: BillFile) -> Money | None:
    """The balance at the end of the day, by what stands beside each movement."""
    if not all(_BALANCE.fullmatch(row.cells.get("账户余额(元)", "")) for row in bill.rows):
        return None
    minor = closing_minor(
        [
            BalanceRow(
                at=read_moment(row.cell("发生时间")),
                change_minor=_amount(row, "收入金额(+元)").minor
                - _amount(row, "支出金额(-元)").minor,
                balance_minor=read_yuan(row.cell("账户余额(元)")).minor,
            )
            for row in bill.rows
        ]
    )
    return None if minor is None else Money(minor, CURRENCY)


def _movement(row: Row, amount: Money, *, is_income: bool) -> StatementLine:
    """A movement of the balance. The order named by a refund is the payment's, so it is left out."""
    business = row.cell("业务类型")
    kind = next(
        (income if is_income else outgo for word, income, outgo in _MOVEMENTS if word in business),
        LineKind.OTHER if is_income else LineKind.STRANGE,
    )
    return _line(
        row,
        kind=kind,
        number="" if kind is LineKind.REFUND else row.cell("商户订单号"),
        reference=row.cell("业务流水号"),
        amount=amount,
        moment=row.cell("发生时间"),
        state=business,
    )


def _line(
    row: Row,
    *,
    kind: LineKind,
    number: str,
    reference: str,
    amount: Money,
    moment: str,
    state: str,
) -> StatementLine:
    if amount.is_zero:
        raise StatementRefused("no amount", line_no=row.line_no)
    try:
        occurred_at = read_moment(moment)
    except ValueError:
        raise StatementRefused("not a time", line_no=row.line_no) from None
    return StatementLine(row.line_no, kind, number, reference, amount, occurred_at, state)


def _amount(row: Row, column: str) -> Money:
    """A cell's amount without its sign: the kind of the line says which way it went."""
    written = row.cell(column).removeprefix("-")
    try:
        return read_yuan(written or "0")
    except ValueError:
        raise StatementRefused(f"{column} is not an amount", line_no=row.line_no) from None


def _check(bill: BillFile, told: re.Pattern[str], amounts: Iterable[Money]) -> None:
    """Hold the bill to the count and the sum at its end."""
    counted = list(amounts)
    found = told.findall(bill.ending)
    if len(found) != 1:
        raise StatementRefused("no sums")
    count, total = found[0]
    try:
        expected = read_yuan(total.removeprefix("-"))
    except ValueError:
        raise StatementRefused("no sums") from None
    if int(count) != len(counted) or expected.minor != sum(amount.minor for amount in counted):
        raise StatementRefused("the rows are not what the bill sums up")
