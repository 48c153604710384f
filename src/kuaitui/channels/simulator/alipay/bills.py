"""Bills: one day of the book as the files Alipay makes of it, and what can be wrong with them.

A bill is a ZIP of a summary and a detail, CSV in GBK, with lines of comment before and after. It is
made on the next morning (no source names the hour), and its address works for 30 seconds.

Source: reference §1.3; the form is that of the bills which `tests/support/alipay_bills.py` shows.
The business words of a failed transfer's money and of a fee coming back have no source.
"""

from __future__ import annotations

import datetime as dt
import io
import secrets
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from kuaitui.channels.simulator.alipay.amounts import yuan
from kuaitui.channels.simulator.alipay.book import AlipayBook
from kuaitui.channels.simulator.alipay.keys import SELLER_ID
from kuaitui.channels.simulator.alipay.refusals import refuse
from kuaitui.channels.simulator.alipay.times import HOUR_S, beijing, start_of, written
from kuaitui.channels.simulator.faults import Fault, Faults
from kuaitui.channels.simulator.money_book import MERCHANT, TRANSFERS, digits

ACCOUNT: Final = f"{SELLER_ID}0156"
TRADE: Final = "trade"
FUNDS: Final = "signcustomer"
WORDS: Final = {TRADE: "业务", FUNDS: "账务"}
COLUMNS: Final = {
    TRADE: (
        "支付宝交易号", "商户订单号", "业务类型", "商品名称", "创建时间", "完成时间", "门店编号",
        "门店名称", "操作员", "终端号", "对方账户", "订单金额（元）", "商家实收（元）",
        "支付宝红包（元）", "集分宝（元）", "支付宝优惠（元）", "商家优惠（元）", "券核销金额（元）",
        "券名称", "商家红包消费金额（元）", "卡消费金额（元）", "退款批次号/请求号", "服务费（元）",
        "分润（元）", "备注",
    ),
    FUNDS: (
        "账务流水号", "业务流水号", "商户订单号", "商品名称", "发生时间", "对方账号",
        "收入金额（+元）", "支出金额（-元）", "账户余额（元）", "交易渠道", "业务类型", "备注",
    ),
}  # fmt: skip
ZEROS: Final = (
    "支付宝红包（元）", "集分宝（元）", "支付宝优惠（元）", "商家优惠（元）", "券核销金额（元）",
    "商家红包消费金额（元）", "卡消费金额（元）", "服务费（元）", "分润（元）",
)  # fmt: skip
READY_AFTER_S: Final = 9 * HOUR_S
ADDRESS_WORKS_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Line:
    """One line of either bill without its amount, which is written last."""

    cells: Mapping[str, str]
    amount_minor: int
    """Below nothing when it went out."""
    more_decimals: str = ""

    @property
    def amount(self) -> str:
        """As it is written."""
        return signed_yuan(self.amount_minor) + self.more_decimals


class Bills:
    """Everything about bills."""

    def __init__(self, book: AlipayBook) -> None:
        self._book = book

    def make(self, kind: str, day: str, faults: Faults) -> str:
        """Make a day's bill of kind `trade` or `signcustomer`: its token.

        Raises:
            ChannelRefuses: there is no such bill, nothing happened then, or it is not made yet.
        """
        if kind not in COLUMNS:
            raise refuse("INVALID_PARAMETER", "bill_type")
        on = dt.date.fromisoformat(day)
        begins, ends = start_of(on), start_of(on + dt.timedelta(days=1))
        with self._book.transaction():
            self._book.settle_due()
            if self._book.now() < ends + READY_AFTER_S or Fault.BILL_LATE in faults:
                raise refuse("BILL_NOT_EXIST", "账单不存在")
            lines = (self._trades if kind == TRADE else self._funds)(begins, ends)
            if not lines:
                raise refuse("NO_BILL_DATA", "无账单数据")
            text = _write(kind, _distorted(kind, lines, begins, faults), on, faults)
            token, now = secrets.token_urlsafe(32), self._book.now()
            values = {"token": token, "name": f"{ACCOUNT}_{on:%Y%m%d}.csv.zip", "made_at": now}
            content = _zipped(kind, on, text)
            self._book.insert("bill", {**values, "content": content})
        return token

    def fetch(self, token: str) -> tuple[str, bytes]:
        """The name and the ZIP of a token.

        Raises:
            ChannelRefuses: the address is too old, or none of ours.
        """
        bill = self._book.row("SELECT * FROM bill WHERE token = ?", token)
        if bill is None or self._book.now() - bill["made_at"] > ADDRESS_WORKS_S:
            raise refuse("BILL_NOT_EXIST", "下载地址已失效")
        return bill["name"], bill["content"]

    def _trades(self, begins: float, ends: float) -> list[Line]:
        payments = self._book.rows(
            "SELECT t.*, t.paid_at AS at, t.paid_minor AS moved_minor, '' AS out_request_no,"
            " (SELECT -coalesce(sum(m.amount_minor), 0) FROM movement m WHERE m.kind = 'fee'"
            " AND m.reference = t.trade_no) AS fee_minor"
            " FROM trade t WHERE t.paid_at >= ? AND t.paid_at < ?",
            begins,
            ends,
        )
        refunds = self._book.rows(
            "SELECT t.*, r.settled_at AS at, -r.amount_minor AS moved_minor, r.out_request_no,"
            " (SELECT coalesce(sum(m.amount_minor), 0) FROM movement m WHERE"
            " m.kind = 'fee_return' AND m.reference = t.trade_no"
            " AND m.number = r.out_request_no) AS fee_minor"
            " FROM refund r JOIN trade t USING (trade_no)"
            " WHERE r.state = 'SUCCESS' AND r.settled_at >= ? AND r.settled_at < ?",
            begins,
            ends,
        )
        return [_trade_line(row) for row in sorted([*payments, *refunds], key=_moment)]

    def _funds(self, begins: float, ends: float) -> list[Line]:
        balance, lines = 0, []
        for row in self._book.rows(
            "SELECT m.*, m.moved_at AS at, coalesce(t.out_trade_no, m.number) AS order_number,"
            " coalesce(t.subject, '') AS subject"
            " FROM movement m LEFT JOIN trade t ON t.trade_no = m.reference"
            " WHERE ?1 IN (m.origin, m.target) AND m.moved_at < ?2 ORDER BY m.moved_at, m.id",
            MERCHANT,
            ends,
        ):
            moved_minor = row["amount_minor"] if row["target"] == MERCHANT else -row["amount_minor"]
            balance += moved_minor
            if row["moved_at"] >= begins:
                lines.append(_fund_line({**row, "moved_minor": moved_minor}, balance))
        return lines


def signed_yuan(minor: int) -> str:
    """Fen as yuan, with a minus when it went out."""
    return f"-{yuan(-minor)}" if minor < 0 else yuan(minor)


def _moment(row: dict[str, Any]) -> float:
    return float(row["at"])


def _trade_line(row: dict[str, Any]) -> Line:
    cells = dict.fromkeys(ZEROS, "0.00") | {
        "支付宝交易号": _number_cell(row["trade_no"]),
        "商户订单号": _number_cell(row["out_trade_no"]),
        "业务类型": "退款" if row["out_request_no"] else "交易",
        "商品名称": _one_cell(row["subject"]),
        "创建时间": written(row["created_at"]),
        "完成时间": written(row["at"]),
        "对方账户": "*买家(buy***@sim.invalid)",
        "退款批次号/请求号": _number_cell(row["out_request_no"]),
        "服务费（元）": signed_yuan(row["fee_minor"]),
    }
    return Line(cells, row["moved_minor"])


def _fund_line(row: dict[str, Any], balance_minor: int) -> Line:
    cells = {
        "账务流水号": _number_cell(digits("54", f"flow:{row['id']}", 16)),
        "业务流水号": _number_cell(row["reference"]),
        "商户订单号": _number_cell(row["order_number"]),
        "商品名称": _one_cell(row["subject"]),
        "发生时间": written(row["at"]),
        "对方账号": "*某人(som***@sim.invalid)",
        "账户余额（元）": signed_yuan(balance_minor),
        "交易渠道": "支付宝",
        "业务类型": _business(row),
        "备注": _one_cell(row["remark"]),
    }
    return Line(cells, row["moved_minor"])


def _business(row: dict[str, Any]) -> str:
    if row["kind"] == "transfer" and row["target"] == MERCHANT:
        return "转账退回" if row["origin"] == TRANSFERS else "转账退票"
    return {
        "payment": "在线支付",
        "refund": "交易退款",
        "transfer": "转账",
        "top_up": "充值",
        "withdrawal": "提现",
        "fee": "收费",
        "fee_return": "服务费退回",
    }[row["kind"]]


def _number_cell(number: str) -> str:
    """Numbers have a tab behind them, lest a table program rounds them."""
    return f"{number}\t"


def _one_cell(text: str) -> str:
    """What a person wrote, without what would end the cell or the line."""
    return "".join(" " if character in '\r\n,"' else character for character in text)


def _with_amount(kind: str, line: Line) -> Mapping[str, str]:
    if kind == TRADE:
        return {**line.cells, "订单金额（元）": line.amount, "商家实收（元）": line.amount}
    income, outgo = ("0.00", line.amount) if line.amount_minor < 0 else (line.amount, "0.00")
    return {**line.cells, "收入金额（+元）": income, "支出金额（-元）": outgo}


def _totals(kind: str, lines: Sequence[Line]) -> list[str]:
    ins = [line.amount_minor for line in lines if line.amount_minor > 0]
    outs = [line.amount_minor for line in lines if line.amount_minor < 0]
    income, outgo = signed_yuan(sum(ins)), signed_yuan(sum(outs))
    if kind == TRADE:
        return [
            f"#交易合计：{len(ins)}笔，商家实收共{income}元，商家优惠共0.00元",
            f"#退款合计：{len(outs)}笔，商家实收退款共{outgo}元，商家优惠退款共0.00元",
        ]
    return [f"#支出合计：{len(outs)}笔，共{outgo}元", f"#收入合计：{len(ins)}笔，共{income}元"]


def _write(kind: str, lines: Sequence[Line], day: dt.date, faults: Faults) -> str:
    """The detail. Its totals are of the lines in it, unless a fault wants them wrong."""
    word, rule = WORDS[kind], "-" * 40
    until = day + dt.timedelta(days=1)
    counted = lines[1:] if Fault.TOTALS_WRONG in faults else lines
    cells = [_with_amount(kind, line) for line in lines]
    rows = [",".join(row.get(column, "") for column in COLUMNS[kind]) for row in cells]
    return "".join(
        f"{line}\r\n"
        for line in (
            f"#支付宝{word}明细查询",
            f"#账号：[{ACCOUNT}]",
            f"#起始日期：[{_cn(day)} 00:00:00]   终止日期：[{_cn(until)} 00:00:00]",
            f"#{rule}{word}明细列表{rule}",
            ",".join(COLUMNS[kind]),
            *rows,
            f"#{rule}{word}明细列表结束{rule}",
            *_totals(kind, counted),
            f"#导出时间：[{_cn(until)} 06:00:00]",
        )
    )


def _cn(day: dt.date) -> str:
    return f"{day:%Y}年{day:%m}月{day:%d}日"


def _zipped(kind: str, day: dt.date, detail: str) -> bytes:
    made, name = io.BytesIO(), f"{ACCOUNT}_{day:%Y%m%d}_{WORDS[kind]}明细"
    summary = f"#支付宝{WORDS[kind]}汇总查询\r\n"
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}(汇总).csv", summary.encode("gbk"))
        archive.writestr(f"{name}.csv", detail.encode("gbk", errors="replace"))
    return made.getvalue()


def _distorted(kind: str, lines: list[Line], begins: float, faults: Faults) -> list[Line]:
    """What the channel's bill should not say."""
    first = lines[0]
    if Fault.LINE_CHANGED in faults:
        more = 1 if first.amount_minor > 0 else -1
        lines = [replace(first, amount_minor=first.amount_minor + more), *lines[1:]]
    if Fault.LINE_DECIMALS in faults:
        lines = [replace(first, more_decimals="1"), *lines[1:]]
    if Fault.LINE_EXTRA in faults:
        lines = [*lines, _stray(kind, begins)]
    if Fault.LINE_MISSING in faults:
        lines = lines[1:]
    return lines


def _stray(kind: str, begins: float) -> Line:
    """A line of something that never happened."""
    at = begins + 12 * HOUR_S
    number = digits("STRAY", f"{beijing(at):%Y%m%d}", 24)
    reference = digits("2026", number, 28)
    row: dict[str, Any] = {"at": at, "moved_minor": 4321, "subject": "", "remark": "", "id": 0}
    row |= {"trade_no": reference, "reference": reference, "out_request_no": ""}
    row |= {"out_trade_no": number, "order_number": number, "created_at": at}
    row |= {"kind": "payment", "target": MERCHANT, "origin": "", "fee_minor": 0}
    return _trade_line(row) if kind == TRADE else _fund_line(row, 0)
