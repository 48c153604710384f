"""Bills: one day of the book as the files WeChat Pay makes of it, and what can be wrong with them.

Every cell has a backtick before it, amounts are yuan, the last two lines are totals. A bill is made
on the next day; its address works for five minutes and its hash is of the file before compression.

Source: pay.weixin.qq.com/doc/v3/merchant/4012791886 (trades), 4012791887 (funds), 4012791888
(download); columns as in the test data of the official wechatpay-go. What a fund bill calls a
商家转账 has no public source; these words are ours.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from kuaitui.channels.simulator.faults import Fault, Faults
from kuaitui.channels.simulator.money_book import MERCHANT, PAYERS, digits
from kuaitui.channels.simulator.wechatpay.book import WechatPayBook, refuse
from kuaitui.channels.simulator.wechatpay.keys import APPID, MCHID
from kuaitui.channels.simulator.wechatpay.times import BEIJING, HOUR_S, MINUTE_S, beijing
from kuaitui.kernel.money import Money

TRADE_COLUMNS: Final = (
    "交易时间", "公众账号ID", "商户号", "特约商户号", "设备号", "微信订单号", "商户订单号", "用户标识",
    "交易类型", "交易状态", "付款银行", "货币种类", "应结订单金额", "代金券金额", "微信退款单号",
    "商户退款单号", "退款金额", "充值券退款金额", "退款类型", "退款状态", "商品名称", "商户数据包",
    "手续费", "费率", "订单金额", "申请退款金额", "费率备注",
)  # fmt: skip
TRADE_TOTALS: Final = (
    "总交易单数", "应结订单总金额", "退款总金额", "充值券退款总金额", "手续费总金额", "订单总金额",
    "申请退款总金额",
)  # fmt: skip
FUND_COLUMNS: Final = (
    "记账时间", "微信支付业务单号", "资金流水单号", "业务名称", "业务类型", "收支类型", "收支金额(元)",
    "账户结余(元)", "资金变更提交申请人", "备注", "业务凭证号",
)  # fmt: skip
FUND_TOTALS: Final = ("资金流水总笔数", "收入笔数", "收入金额", "支出笔数", "支出金额")
BUSINESS: Final = {
    "payment": "交易",
    "refund": "退款",
    "transfer": "商家转账",
    "top_up": "充值",
    "withdrawal": "提现",
    "fee": "扣除交易手续费",
    "fee_return": "退回交易手续费",
}
REFUND_STATES: Final = {
    "PROCESSING": "PROCESSING",
    "SUCCESS": "SUCCESS",
    "ABNORMAL": "CHANGE",
    "CLOSED": "FAIL",
}
READY_AFTER_S: Final = 9 * HOUR_S
_NO_RATE: Final = "0.00%"
KEPT_FOR: Final = dt.timedelta(days=92)
ADDRESS_WORKS_S: Final = 5 * MINUTE_S


@dataclass(frozen=True, slots=True)
class Line:
    """One line of either bill. In a fund bill `in_minor` is income and `out_minor` expense."""

    cells: tuple[str, ...]
    in_minor: int
    out_minor: int
    fee_minor: int = 0
    """In a trade bill what was taken for it, below nothing what was given back with it."""


class Bills:
    """Everything about bills."""

    def __init__(self, book: WechatPayBook) -> None:
        self._book = book

    def make(self, kind: str, day: dt.date, faults: Faults) -> dict[str, str]:
        """Make a day's bill of kind `trades` or `funds`: its token and its hash.

        Raises:
            ChannelRefuses: nothing happened on that day, or the bill is not made yet, or no more.
        """
        with self._book.transaction():
            self._book.settle_due()
            self._require_made(day, faults)
            lines = self._trades(day) if kind == "trades" else self._funds(day)
            if not lines:
                raise refuse("NO_STATEMENT_EXIST", "账单文件不存在")
            content = _write(kind, _distort(kind, lines, day, faults), faults)
            token = secrets.token_urlsafe(32)
            values = {"token": token, "content": content, "made_at": self._book.now()}
            self._book.insert("bill", values)
        hash_value = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        if Fault.HASH_WRONG in faults:
            hash_value = hash_value[::-1]
        return {"token": token, "hash_type": "SHA1", "hash_value": hash_value}

    def fetch(self, token: str) -> bytes:
        """The file of a token, not compressed.

        Raises:
            ChannelRefuses: the address is too old, or none of ours.
        """
        bill = self._book.row("SELECT * FROM bill WHERE token = ?", token)
        if bill is None or self._book.now() - bill["made_at"] > ADDRESS_WORKS_S:
            raise refuse("INVALID_REQUEST", "账单下载地址已失效，请重新申请账单")
        content: bytes = bill["content"]
        return content

    def _require_made(self, day: dt.date, faults: Faults) -> None:
        now = self._book.now()
        ready_at = _start_of(day + dt.timedelta(days=1)) + READY_AFTER_S
        if day >= beijing(now).date() or day < beijing(now).date() - KEPT_FOR:
            raise refuse("INVALID_REQUEST", "bill_date")
        if now < ready_at or Fault.BILL_LATE in faults:
            raise refuse("STATEMENT_CREATING", "账单生成中")

    def _trades(self, day: dt.date) -> list[Line]:
        period = (_start_of(day), _start_of(day + dt.timedelta(days=1)))
        payments = self._book.rows(
            "SELECT p.*, p.paid_at AS at, t.trade_type, t.description, t.attach,"
            " (SELECT coalesce(sum(m.amount_minor), 0) FROM movement m WHERE m.kind = 'fee'"
            " AND m.reference = p.transaction_id) AS fee_minor FROM payment p"
            " JOIN trade t USING (out_trade_no) WHERE p.paid_at >= ? AND p.paid_at < ?",
            *period,
        )
        refunds = self._book.rows(
            "SELECT r.*, r.accepted_at AS at, p.openid, t.trade_type, t.description, t.attach,"
            " (SELECT -coalesce(sum(m.amount_minor), 0) FROM movement m WHERE"
            " m.kind = 'fee_return' AND m.reference = r.refund_id) AS fee_minor"
            " FROM refund r JOIN payment p USING (transaction_id)"
            " JOIN trade t ON t.out_trade_no = p.out_trade_no"
            " WHERE r.accepted_at >= ? AND r.accepted_at < ?",
            *period,
        )
        rows = sorted([*payments, *refunds], key=lambda row: row["at"])
        rate = f"{self._book.fee_rate:.2f}%"
        return [
            _refund_line(row, rate) if "refund_id" in row else _payment_line(row, rate)
            for row in rows
        ]

    def _funds(self, day: dt.date) -> list[Line]:
        start, end = _start_of(day), _start_of(day + dt.timedelta(days=1))
        balance, lines = 0, []
        for row in self._book.rows(
            "SELECT * FROM movement WHERE ?1 IN (origin, target) AND moved_at < ?2"
            " ORDER BY moved_at, id",
            MERCHANT,
            end,
        ):
            is_income = row["target"] == MERCHANT
            balance += row["amount_minor"] if is_income else -row["amount_minor"]
            if row["moved_at"] >= start:
                lines.append(_fund_line(row, balance, is_income=is_income))
        return lines


def yuan(minor: int) -> str:
    """Fen as bills write them: `0.01`."""
    return f"{Money(minor, 'CNY').to_decimal():.2f}"


def _start_of(day: dt.date) -> float:
    return dt.datetime.combine(day, dt.time(), tzinfo=BEIJING).timestamp()


def _written(at: float) -> str:
    return f"{beijing(at):%Y-%m-%d %H:%M:%S}"


def _fee(minor: int) -> str:
    """A fee as trade bills write it: `0.07000`."""
    return f"{Money(minor, 'CNY').to_decimal():.5f}"


def _trade_cells(row: dict[str, Any], rate: str, **named: str) -> tuple[str, ...]:
    cells = {
        "交易时间": _written(row["at"]),
        "公众账号ID": APPID,
        "商户号": MCHID,
        "特约商户号": "0",
        "微信订单号": row["transaction_id"],
        "商户订单号": row["out_trade_no"],
        "用户标识": row["openid"],
        "交易类型": row["trade_type"],
        "付款银行": "OTHERS",
        "货币种类": "CNY",
        "商品名称": _one_cell(row["description"]),
        "商户数据包": _one_cell(row["attach"]),
        "手续费": _fee(row["fee_minor"]),
        "费率": rate,
        "代金券金额": "0.00",
        "充值券退款金额": "0.00",
        **named,
    }
    return tuple(cells.get(column, "") for column in TRADE_COLUMNS)


def _payment_line(row: dict[str, Any], rate: str) -> Line:
    amount = yuan(row["amount_minor"])
    cells = _trade_cells(
        row,
        rate,
        交易状态="SUCCESS",
        应结订单金额=amount,
        微信退款单号="0",
        商户退款单号="0",
        退款金额="0.00",
        订单金额=amount,
        申请退款金额="0.00",
    )
    return Line(cells, row["amount_minor"], 0, row["fee_minor"])


def _refund_line(row: dict[str, Any], rate: str) -> Line:
    amount = yuan(row["amount_minor"])
    cells = _trade_cells(
        row,
        rate,
        交易状态="REFUND",
        应结订单金额="0.00",
        微信退款单号=row["refund_id"],
        商户退款单号=row["out_refund_no"],
        退款金额=amount,
        退款类型="ORIGINAL" if row["target"] == PAYERS else "OTHER_BANKCARD",
        退款状态=REFUND_STATES[row["state"]],
        订单金额="0.00",
        申请退款金额=amount,
    )
    return Line(cells, 0, row["amount_minor"], row["fee_minor"])


def _fund_line(row: dict[str, Any], balance_minor: int, *, is_income: bool) -> Line:
    business = BUSINESS[row["kind"]]
    cells = (
        _written(row["moved_at"]),
        row["reference"],
        digits("4200", f"flow:{row['id']}", 28),
        business,
        business,
        "收入" if is_income else "支出",
        yuan(row["amount_minor"]),
        yuan(balance_minor),
        f"{MCHID}API",
        _one_cell(row["remark"]),
        row["number"],
    )
    amount = row["amount_minor"]
    return Line(cells, amount if is_income else 0, 0 if is_income else amount)


def _one_cell(text: str) -> str:
    """What a person wrote, without what would end the cell or the line."""
    return "".join(" " if character in "\r\n,`" else character for character in text)


def _totals(kind: str, lines: Sequence[Line]) -> tuple[Sequence[str], list[str]]:
    income, expense = sum(line.in_minor for line in lines), sum(line.out_minor for line in lines)
    if kind == "trades":
        fees = _fee(sum(line.fee_minor for line in lines))
        cells = [str(len(lines)), yuan(income), yuan(expense), "0.00", fees]
        return TRADE_TOTALS, [*cells, yuan(income), yuan(expense)]
    counts = [str(sum(bool(line.in_minor) for line in lines))]
    counts += [str(sum(bool(line.out_minor) for line in lines))]
    return FUND_TOTALS, [str(len(lines)), counts[0], yuan(income), counts[1], yuan(expense)]


def _write(kind: str, lines: Sequence[Line], faults: Faults) -> bytes:
    """The file. Its totals are of the lines in it, unless a fault wants them wrong."""
    columns = TRADE_COLUMNS if kind == "trades" else FUND_COLUMNS
    counted = lines[1:] if Fault.TOTALS_WRONG in faults else lines
    names, totals = _totals(kind, counted)
    written = [",".join(columns), *(_cells(line.cells) for line in lines)]
    return "".join(f"{line}\r\n" for line in [*written, ",".join(names), _cells(totals)]).encode()


def _cells(cells: Iterable[str]) -> str:
    return ",".join(f"`{cell}" for cell in cells)


def _distort(kind: str, lines: list[Line], day: dt.date, faults: Faults) -> list[Line]:
    """What the channel's bill should not say."""
    amounts = [_amount_columns(kind, line) for line in lines]
    if Fault.LINE_CHANGED in faults:
        first = lines[0]
        more = (first.in_minor + bool(first.in_minor), first.out_minor + bool(first.out_minor))
        lines = [_with_amount(first, amounts[0], more, yuan(sum(more))), *lines[1:]]
    if Fault.LINE_DECIMALS in faults:
        first = lines[0]
        figures = (first.in_minor, first.out_minor)
        lines = [_with_amount(first, amounts[0], figures, f"{yuan(sum(figures))}1"), *lines[1:]]
    if Fault.LINE_EXTRA in faults:
        lines = [*lines, _stray(kind, day)]
    if Fault.LINE_MISSING in faults:
        lines = lines[1:]
    return lines


def _amount_columns(kind: str, line: Line) -> tuple[int, ...]:
    if kind == "funds":
        return (FUND_COLUMNS.index("收支金额(元)"),)
    names = ("应结订单金额", "订单金额") if line.in_minor else ("退款金额", "申请退款金额")
    return tuple(TRADE_COLUMNS.index(name) for name in names)


def _with_amount(
    line: Line, columns: tuple[int, ...], figures: tuple[int, int], written: str
) -> Line:
    cells = tuple(
        written if position in columns else cell for position, cell in enumerate(line.cells)
    )
    return replace(line, cells=cells, in_minor=figures[0], out_minor=figures[1])


def _stray(kind: str, day: dt.date) -> Line:
    """A line of something that never happened."""
    noon = _start_of(day) + 12 * HOUR_S
    number = digits("STRAY", str(day), 24)
    row: dict[str, Any] = {
        "transaction_id": digits("4200", number, 28),
        "out_trade_no": number,
        "openid": "o",
    }
    row |= {"trade_type": "NATIVE", "description": "", "attach": "", "amount_minor": 4321}
    row["fee_minor"] = 0
    if kind == "trades":
        return _payment_line({**row, "at": noon}, _NO_RATE)
    movement = {"id": 0, "kind": "payment", "number": number, "remark": "", "moved_at": noon}
    movement |= {"reference": row["transaction_id"], "amount_minor": row["amount_minor"]}
    return _fund_line(movement, 0, is_income=True)
