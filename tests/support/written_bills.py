"""Fund bills of WeChat Pay, Alipay and a bank, written out of plain movements in each one's own form."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kuaitui.channels.alipay.bill_lines import read_bill as read_alipay_bill
from kuaitui.channels.port import Statement, StatementKind
from kuaitui.channels.wechatpay.bills import FUND_COLUMNS, FUND_TOTALS
from kuaitui.channels.wechatpay.bills import read_bill as read_wechat_bill
from kuaitui.kernel.money import Money
from tests.support import alipay_bills, bank_given
from tests.support.alipay import SELLER_ID

BEIJING = dt.timezone(dt.timedelta(hours=8))
MCHID = "1900000109"
OPENING_MINOR = 10**8
COMES_IN = frozenset({"pay_in", "return", "fee_return"})


@dataclass(frozen=True)
class Movement:
    """One movement of an account. `number` is ours, `reference` the channel's."""

    kind: str
    number: str
    reference: str
    minor: int
    at: dt.datetime

    @property
    def signed_minor(self) -> int:
        return self.minor if self.kind in COMES_IN else -self.minor


@dataclass(frozen=True)
class Form:
    """How one channel writes its fund bill, and how its adapter reads it."""

    name: str
    kinds: frozenset[str]
    """The movements that it tells."""
    write: Callable[[dt.date, Sequence[Movement]], bytes]
    read: Callable[[bytes], Statement]


def yuan(minor: int) -> str:
    return f"{Money(minor, 'CNY').to_decimal():.2f}"


def _beijing(at: dt.datetime) -> str:
    return f"{at.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"


WECHAT_WORDS = {
    "pay_in": "交易",
    "refund": "退款",
    "payout": "商家转账",
    "return": "商家转账",
    "fee": "扣除交易手续费",
    "fee_return": "退回交易手续费",
}


def write_wechat(_day: dt.date, movements: Sequence[Movement]) -> bytes:
    """A fund bill with its totals, a balance beside each row."""
    balance, rows = OPENING_MINOR, []
    for one in movements:
        balance += one.signed_minor
        word, way = WECHAT_WORDS[one.kind], "收入" if one.kind in COMES_IN else "支出"
        cells = [
            _beijing(one.at), one.reference, "19", word, word, way, yuan(one.minor), yuan(balance),
            "system", "", one.number,
        ]  # fmt: skip
        rows.append(",".join(f"`{cell}" for cell in cells))
    ins = [one.minor for one in movements if one.kind in COMES_IN]
    outs = [one.minor for one in movements if one.kind not in COMES_IN]
    totals = [len(movements), len(ins), yuan(sum(ins)), len(outs), yuan(sum(outs))]
    written = [",".join(FUND_COLUMNS), *rows, ",".join(FUND_TOTALS)]
    return "\r\n".join([*written, ",".join(f"`{cell}" for cell in totals), ""]).encode()


ALIPAY_WORDS = {
    "pay_in": "在线支付",
    "refund": "交易退款",
    "payout": "转账",
    "return": "转账退票",
    "fee": "收费",
    "fee_return": "服务费退回",
}


def write_alipay(day: dt.date, movements: Sequence[Movement]) -> bytes:
    """A ZIP with its sums. A refund is told by the payment's number only."""
    balance, rows = OPENING_MINOR, []
    for one in movements:
        balance += one.signed_minor
        is_in = one.kind in COMES_IN
        income, outgo = (yuan(one.minor), "0.00") if is_in else ("0.00", f"-{yuan(one.minor)}")
        cells = [
            "54\t", f"{one.reference}\t", f"{one.number}\t", "保证金", _beijing(one.at), "*某人\t",
            income, outgo, yuan(balance), "支付宝", ALIPAY_WORDS[one.kind], "",
        ]  # fmt: skip
        rows.append(",".join(cells))
    ins = [one.minor for one in movements if one.kind in COMES_IN]
    outs = [one.minor for one in movements if one.kind not in COMES_IN]
    ending = (
        f"#支出合计：{len(outs)}笔，共-{yuan(sum(outs))}元",
        f"#收入合计：{len(ins)}笔，共{yuan(sum(ins))}元",
    )
    until = day + dt.timedelta(days=1)
    span = f"[{day:%Y年%m月%d日} 00:00:00]   终止日期：[{until:%Y年%m月%d日} 00:00:00]"
    return alipay_bills.zipped(alipay_bills.detail("signcustomer", rows, ending, day=span))


def write_camt053(day: dt.date, movements: Sequence[Movement]) -> bytes:
    """A statement of one day whose balances its entries explain."""
    closing = OPENING_MINOR + sum(one.signed_minor for one in movements)
    entries = "".join(_entry(day, one) for one in movements)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
        "<GrpHdr><MsgId>S1</MsgId></GrpHdr><Stmt>"
        f"<CreDtTm>{day}T22:00:00+08:00</CreDtTm>"
        f"<Acct><Id><IBAN>{bank_given.ACCOUNT}</IBAN></Id><Ccy>CNY</Ccy></Acct>"
        f"{_balance('OPBD', OPENING_MINOR, day)}{_balance('CLBD', closing, day)}{entries}"
        "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def _balance(code: str, minor: int, day: dt.date) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="CNY">{yuan(minor)}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
        f"<Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _entry(day: dt.date, one: Movement) -> str:
    is_in = one.kind in COMES_IN
    back = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>" if one.kind == "return" else ""
    return (
        f'<Ntry><Amt Ccy="CNY">{yuan(one.minor)}</Amt><CdtDbtInd>{"CRDT" if is_in else "DBIT"}</CdtDbtInd>'
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt>"
        f"<AcctSvcrRef>{one.reference}</AcctSvcrRef><NtryDtls><TxDtls>"
        f"<Refs><EndToEndId>{one.number}</EndToEndId></Refs>"
        f'<Amt Ccy="CNY">{yuan(one.minor)}</Amt>{back}</TxDtls></NtryDtls></Ntry>'
    )


EVERYTHING = frozenset({"pay_in", "refund", "payout", "return", "fee", "fee_return"})
FORMS = (
    Form(
        "wechatpay",
        EVERYTHING,
        write_wechat,
        lambda content: read_wechat_bill(StatementKind.FUNDS, content, mchid=MCHID),
    ),
    Form(
        "alipay",
        EVERYTHING,
        write_alipay,
        lambda content: read_alipay_bill(StatementKind.FUNDS, content, seller_id=SELLER_ID),
    ),
    Form(
        "bank",
        frozenset({"payout", "return"}),
        write_camt053,
        lambda content: bank_given.channel().read_statement(StatementKind.FUNDS, content),
    ),
)
