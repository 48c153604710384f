"""Bills of WeChat Pay, Alipay and a bank, written out of plain movements in each one's own form."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kuaitui.channels.alipay.bill_lines import read_bill as read_alipay_bill
from kuaitui.channels.port import Statement, StatementKind
from kuaitui.channels.wechatpay.bills import FUND_COLUMNS, FUND_TOTALS, TRADE_COLUMNS, TRADE_TOTALS
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
    word: str = ""
    """The channel's word for it, where it is not the usual one."""

    @property
    def fee_minor(self) -> int:
        """What a trade bill says was taken for it, or below nothing given back with it."""
        fee = max(self.minor * 6 // 1000, 1)
        return fee if self.kind == "pay_in" else -fee

    @property
    def signed_minor(self) -> int:
        return self.minor if self.kind in COMES_IN else -self.minor


@dataclass(frozen=True)
class Form:
    """How one channel writes one of its bills, and how its adapter reads it."""

    name: str
    kinds: frozenset[str]
    """The movements that it tells."""
    write: Callable[[dt.date, Sequence[Movement]], bytes]
    read: Callable[[bytes], Statement]
    bill: StatementKind = StatementKind.FUNDS
    is_zipped: bool = False

    def text(self, content: bytes) -> str:
        """A bill's text, to be spoiled."""
        if not self.is_zipped:
            return content.decode()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.read("2_detail.csv").decode("gbk")

    def packed(self, text: str) -> bytes:
        """A text as the bill that it would be."""
        return alipay_bills.zipped(text) if self.is_zipped else text.encode()


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
        word, way = one.word or WECHAT_WORDS[one.kind], "收入" if one.kind in COMES_IN else "支出"
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


def write_wechat_trades(_day: dt.date, movements: Sequence[Movement]) -> bytes:
    """A trade bill with its totals: payments and refunds, each with its fee in the same row."""
    rows = [_wechat_trade(one) for one in movements]
    paid = yuan(sum(one.minor for one in movements if one.kind == "pay_in"))
    refunded = yuan(sum(one.minor for one in movements if one.kind == "refund"))
    fees = signed_yuan(sum(one.fee_minor for one in movements))
    totals = [str(len(movements)), paid, refunded, "0.00", fees, paid, refunded]
    written = [",".join(TRADE_COLUMNS), *rows, ",".join(TRADE_TOTALS)]
    return "\r\n".join([*written, ",".join(f"`{cell}" for cell in totals), ""]).encode()


def _wechat_trade(one: Movement) -> str:
    is_refund = one.kind == "refund"
    paid, refunded = ("0.00", yuan(one.minor)) if is_refund else (yuan(one.minor), "0.00")
    cells = dict.fromkeys(TRADE_COLUMNS, "") | {
        "交易时间": _beijing(one.at), "商户号": MCHID, "货币种类": "CNY",
        "微信订单号": f"P{one.reference}" if is_refund else one.reference,
        "商户订单号": f"order-of-{one.number}" if is_refund else one.number,
        "交易状态": "REFUND" if is_refund else one.word or "SUCCESS",
        "微信退款单号": one.reference if is_refund else "0",
        "商户退款单号": one.number if is_refund else "0",
        "退款状态": (one.word or "SUCCESS") if is_refund else "",
        "应结订单金额": paid, "退款金额": refunded, "充值券退款金额": "0.00",
        "手续费": signed_yuan(one.fee_minor), "订单金额": paid, "申请退款金额": refunded,
    }  # fmt: skip
    return ",".join(f"`{cell}" for cell in cells.values())


def signed_yuan(minor: int) -> str:
    return f"-{yuan(-minor)}" if minor < 0 else yuan(minor)


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
            income, outgo, yuan(balance), "支付宝", one.word or ALIPAY_WORDS[one.kind], "",
        ]  # fmt: skip
        rows.append(",".join(cells))
    ins = [one.minor for one in movements if one.kind in COMES_IN]
    outs = [one.minor for one in movements if one.kind not in COMES_IN]
    ending = (
        f"#支出合计：{len(outs)}笔，共-{yuan(sum(outs))}元",
        f"#收入合计：{len(ins)}笔，共{yuan(sum(ins))}元",
    )
    return alipay_bills.zipped(alipay_bills.detail("signcustomer", rows, ending, day=_span(day)))


def _span(day: dt.date) -> str:
    until = day + dt.timedelta(days=1)
    return f"[{day:%Y年%m月%d日} 00:00:00]   终止日期：[{until:%Y年%m月%d日} 00:00:00]"


def write_alipay_trades(day: dt.date, movements: Sequence[Movement]) -> bytes:
    """A ZIP of payments and refunds with its sums; a refund stands under its request's number."""
    paid = [one.minor for one in movements if one.kind == "pay_in" and not one.word]
    refunded = [one.minor for one in movements if one.kind == "refund" and not one.word]
    ending = (
        f"#交易合计：{len(paid)}笔，商家实收共{yuan(sum(paid))}元，商家优惠共0.00元",
        f"#退款合计：{len(refunded)}笔，商家实收退款共-{yuan(sum(refunded))}元，商家优惠退款共0.00元",
    )
    rows = [_alipay_trade(one) for one in movements]
    return alipay_bills.zipped(alipay_bills.detail("trade", rows, ending, day=_span(day)))


def _alipay_trade(one: Movement) -> str:
    is_refund = one.kind == "refund"
    number, refund = (f"order-of-{one.number}", one.number) if is_refund else (one.number, "")
    cells = alipay_bills.trade(
        one.word or ("退款" if is_refund else "交易"), number, signed_yuan(one.signed_minor),
        reference=one.reference, refund=refund,
    ).split(",")  # fmt: skip
    cells[4], cells[5] = _beijing(one.at), _beijing(one.at)
    cells[22] = signed_yuan(-one.fee_minor)
    return ",".join(cells)


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
TRADED = frozenset({"pay_in", "refund"})


def _wechat(kind: StatementKind) -> Callable[[bytes], Statement]:
    return lambda content: read_wechat_bill(kind, content, mchid=MCHID)


def _alipay(kind: StatementKind) -> Callable[[bytes], Statement]:
    return lambda content: read_alipay_bill(kind, content, seller_id=SELLER_ID)


FORMS = (
    Form("wechatpay", EVERYTHING, write_wechat, _wechat(StatementKind.FUNDS)),
    Form("alipay", EVERYTHING, write_alipay, _alipay(StatementKind.FUNDS), is_zipped=True),
    Form(
        "bank",
        frozenset({"payout", "return"}),
        write_camt053,
        lambda content: bank_given.channel().read_statement(StatementKind.FUNDS, content),
    ),
)
TRADE_FORMS = (
    Form(
        "wechatpay trades",
        TRADED,
        write_wechat_trades,
        _wechat(StatementKind.TRADES),
        StatementKind.TRADES,
    ),
    Form(
        "alipay trades",
        TRADED,
        write_alipay_trades,
        _alipay(StatementKind.TRADES),
        StatementKind.TRADES,
        is_zipped=True,
    ),
)
