"""The interfaces of APIv3 that are simulated: one table from method and path to what is done."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs

from kuaitui.channels.simulator.faults import Faults, Operation
from kuaitui.channels.simulator.wechatpay.book import refuse
from kuaitui.channels.simulator.wechatpay.institution import WechatPay
from kuaitui.channels.simulator.wechatpay.keys import MCHID
from kuaitui.channels.simulator.wechatpay.times import beijing
from kuaitui.channels.simulator.wechatpay.wire_protocol import encrypt_resource


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: a document, or a file."""

    status: int
    document: Mapping[str, Any] = field(default_factory=dict)
    content: bytes | None = None
    content_type: str = "application/json; charset=utf-8"
    is_signed: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """One understood request. Without an `operation` no fault touches it."""

    operation: Operation | None
    number: str
    tail: str
    act: Callable[[Faults], Answer]

    def carry_out(self, faults: Faults) -> Answer:
        """Do it.

        Raises:
            ChannelRefuses: it cannot be done, or it was not understood.
        """
        return _understand(lambda: self.act(faults))


@dataclass
class Call:
    """One request with what it came with."""

    wechat_pay: WechatPay
    ask: Callable[[Call], Asked]
    parts: Mapping[str, str]
    query: str
    body: bytes
    key_id: str
    base_url: str

    def understood(self) -> Asked:
        """What is asked.

        Raises:
            ChannelRefuses: it was not understood.
        """
        return _understand(lambda: self.ask(self))

    @cached_property
    def document(self) -> dict[str, Any]:
        """The body of the request."""
        document = json.loads(self.body)
        if not isinstance(document, dict):
            raise TypeError("the body is no object")
        return document

    def argument(self, name: str, default: str = "") -> str:
        """One argument of the address."""
        return parse_qs(self.query).get(name, [default])[0]

    def decrypted(self, name: str) -> str:
        """A sensitive field, or nothing where it is left out."""
        sealed = self.document.get(name)
        return self.wechat_pay.decrypt(sealed, self.key_id) if sealed else ""


Result = TypeVar("Result")


def _understand(step: Callable[[], Result]) -> Result:
    """Take a step that reads the caller's document: what is missing there is the caller's error."""
    try:
        return step()
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise refuse("PARAM_ERROR", f"参数错误: {problem}") from problem


def _open(call: Call) -> Asked:
    method, number = call.parts["method"], str(call.document["out_trade_no"])

    def act(faults: Faults) -> Answer:
        opened = call.wechat_pay.trades.open(call.document, method=method, faults=faults)
        url = f"{call.base_url}/sim/pay/{opened.token}"
        answers = {
            "native": {"code_url": url},
            "h5": {"h5_url": url},
            "jsapi": {"prepay_id": opened.token},
        }
        return Answer(200, answers[method])

    return Asked(Operation.OPEN_PAY_IN, number, "", act)


def _query_trade(call: Call) -> Asked:
    if call.argument("mchid") != MCHID:
        raise refuse("PARAM_ERROR", "mchid")
    number = dict(call.parts)
    trades = call.wechat_pay.trades
    name = next(iter(number.values()))
    return Asked(Operation.QUERY_PAY_IN, name, "", lambda _: Answer(200, trades.query(**number)))


def _close(call: Call) -> Asked:
    number = call.parts["out_trade_no"]
    if call.document["mchid"] != MCHID:
        raise refuse("PARAM_ERROR", "mchid")

    def act(_faults: Faults) -> Answer:
        call.wechat_pay.trades.close(number)
        return Answer(204)

    return Asked(Operation.CLOSE_PAY_IN, number, "", act)


def _refund(call: Call) -> Asked:
    refunds, document = call.wechat_pay.refunds, call.document
    return Asked(
        Operation.SUBMIT,
        str(document["out_refund_no"]),
        refunds.payer_tail(document),
        lambda faults: Answer(200, refunds.apply(document, faults)),
    )


def _query_refund(call: Call) -> Asked:
    number, refunds = call.parts["number"], call.wechat_pay.refunds
    tail = refunds.tail_of(number)
    return Asked(Operation.QUERY, number, tail, lambda _: Answer(200, refunds.query(number)))


def _send_refund_on(call: Call) -> Asked:
    refunds, document = call.wechat_pay.refunds, call.document
    account = call.decrypted("bank_account")
    call.decrypted("real_name")  # whoever cannot seal it would not be understood either
    number = str(document["out_refund_no"])
    return Asked(
        Operation.HAND_OVER,
        number,
        refunds.tail_of(number),
        lambda _: Answer(200, refunds.send_on(call.parts["refund_id"], document, account)),
    )


def _transfer(call: Call) -> Asked:
    transfers, document = call.wechat_pay.transfers, call.document
    name = call.decrypted("user_name")
    return Asked(
        Operation.SUBMIT,
        str(document["out_bill_no"]),
        str(document["openid"])[-4:],
        lambda faults: Answer(200, transfers.apply(document, name, faults)),
    )


def _query_transfer(call: Call) -> Asked:
    number = dict(call.parts)
    name, transfers = next(iter(number.values())), call.wechat_pay.transfers
    tail = transfers.tail_of(name)
    return Asked(Operation.QUERY, name, tail, lambda _: Answer(200, transfers.query(**number)))


def _cancel(call: Call) -> Asked:
    number, transfers = call.parts["out_bill_no"], call.wechat_pay.transfers
    tail = transfers.tail_of(number)
    return Asked(Operation.CANCEL, number, tail, lambda _: Answer(200, transfers.cancel(number)))


def _bill(call: Call) -> Asked:
    kind = {"tradebill": "trades", "fundflowbill": "funds"}[call.parts["kind"]]
    day = dt.date.fromisoformat(call.argument("bill_date"))
    whole = {"bill_type": call.argument("bill_type", "ALL")}
    whole["account_type"] = call.argument("account_type", "BASIC")
    # The other types of bills have other columns, and nobody has asked for them here yet.
    if whole != {"bill_type": "ALL", "account_type": "BASIC"}:
        raise refuse("PARAM_ERROR", "bill_type, account_type")
    packed = "&tartype=gzip" if call.argument("tar_type") == "GZIP" else ""

    def act(faults: Faults) -> Answer:
        made = call.wechat_pay.bills.make(kind, day, faults)
        url = f"{call.base_url}/v3/billdownload/file?token={made.pop('token')}{packed}"
        return Answer(200, {**made, "download_url": url})

    return Asked(Operation.STATEMENT, f"{kind}:{day}", "", act)


def _download(call: Call) -> Asked:
    token = call.argument("token")

    def act(_faults: Faults) -> Answer:
        content = call.wechat_pay.bills.fetch(token)
        if call.argument("tartype") == "gzip":
            content = gzip.compress(content, mtime=0)
        kind = "application/octet-stream"
        return Answer(200, content=content, content_type=kind, is_signed=False)

    return Asked(Operation.DOWNLOAD, token, "", act)


def _certificates(call: Call) -> Asked:
    keys, book = call.wechat_pay.keys, call.wechat_pay.book

    def act(_faults: Faults) -> Answer:
        if book.setting("key_mode", "public_key") == "public_key":
            raise refuse("RESOURCE_NOT_EXISTS", "无可用的平台证书，请使用微信支付公钥")
        entries = []
        for key in keys.certificates():
            if key.certificate is None:
                continue
            sealed = encrypt_resource(
                keys.apiv3_key, keys.file_of(key.key_id).read_bytes(), associated="certificate"
            )
            entries.append(
                {
                    "serial_no": key.key_id,
                    "effective_time": _moment(key.certificate.not_valid_before_utc),
                    "expire_time": _moment(key.certificate.not_valid_after_utc),
                    "encrypt_certificate": sealed,
                }
            )
        return Answer(200, {"data": entries})

    return Asked(None, "", "", act)


def _moment(at: dt.datetime) -> str:
    return beijing(at.timestamp()).isoformat()


_TRADES = "/v3/pay/transactions"
_REFUNDS = "/v3/refund/domestic/refunds"
_TRANSFERS = "/v3/fund-app/mch-transfer/transfer-bills"
_NUMBER = "[^/]+"
Route = tuple[str, re.Pattern[str], Callable[[Call], Asked]]
ROUTES: Final[tuple[Route, ...]] = tuple(
    (method, re.compile(pattern), ask)
    for method, pattern, ask in (
        ("POST", f"{_TRADES}/(?P<method>native|h5|jsapi)", _open),
        ("GET", f"{_TRADES}/out-trade-no/(?P<out_trade_no>{_NUMBER})", _query_trade),
        ("GET", f"{_TRADES}/id/(?P<transaction_id>{_NUMBER})", _query_trade),
        ("POST", f"{_TRADES}/out-trade-no/(?P<out_trade_no>{_NUMBER})/close", _close),
        ("POST", _REFUNDS, _refund),
        ("GET", f"{_REFUNDS}/(?P<number>{_NUMBER})", _query_refund),
        ("POST", f"{_REFUNDS}/(?P<refund_id>{_NUMBER})/apply-abnormal-refund", _send_refund_on),
        ("POST", _TRANSFERS, _transfer),
        ("GET", f"{_TRANSFERS}/out-bill-no/(?P<out_bill_no>{_NUMBER})", _query_transfer),
        ("GET", f"{_TRANSFERS}/transfer-bill-no/(?P<transfer_bill_no>{_NUMBER})", _query_transfer),
        ("POST", f"{_TRANSFERS}/out-bill-no/(?P<out_bill_no>{_NUMBER})/cancel", _cancel),
        ("GET", "/v3/bill/(?P<kind>tradebill|fundflowbill)", _bill),
        ("GET", "/v3/billdownload/file", _download),
        ("GET", "/v3/certificates", _certificates),
    )
)
