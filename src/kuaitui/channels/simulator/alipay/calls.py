"""The methods of the gateway that are simulated: one table from name to what is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from kuaitui.channels.simulator.alipay.institution import Alipay, Request
from kuaitui.channels.simulator.alipay.keys import KEY_MODE
from kuaitui.channels.simulator.alipay.refusals import refuse
from kuaitui.channels.simulator.faults import Faults, Operation

Result = TypeVar("Result")
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One understood request."""

    operation: Operation
    number: str
    tail: str
    act: Callable[[Faults], Document]

    def carry_out(self, faults: Faults) -> Document:
        """Do it.

        Raises:
            ChannelRefuses: it cannot be done, or it was not understood.
        """
        return _understand(lambda: self.act(faults))


@dataclass(frozen=True, slots=True)
class Call:
    """One request with what it came with."""

    alipay: Alipay
    request: Request
    base_url: str

    @property
    def document(self) -> dict[str, Any]:
        """The business part of the request."""
        return self.request.document

    def understood(self) -> Asked:
        """What is asked.

        Raises:
            ChannelRefuses: there is no such method, it is not for this mode, or not understood.
        """
        method = METHODS.get(self.request.method)
        if method is None:
            raise refuse("isv.invalid-method", "不存在的方法名")
        # That transfers need certificates has a source, the code that says so has none.
        if self.request.method in CERTIFICATE_ONLY and self.request.mode == KEY_MODE:
            raise refuse("isv.insufficient-isv-permissions", "该接口仅支持证书模式")
        return _understand(lambda: method(self))


def _understand(step: Callable[[], Result]) -> Result:
    """Take a step that reads the caller's document: what is missing there is the caller's error."""
    try:
        return step()
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise refuse("INVALID_PARAMETER", f"参数有误: {problem}") from problem


def _open(call: Call, product: str) -> Asked:
    def act(faults: Faults) -> Document:
        offer = call.alipay.trades.open(
            call.document,
            product=product,
            notify_url=call.request.notify_url,
            mode=call.request.mode,
            faults=faults,
        )
        address = f"{call.base_url}/sim/pay/{offer.token}"
        return {"out_trade_no": offer.out_trade_no, "qr_code": address}

    return Asked(Operation.OPEN_PAY_IN, str(call.document["out_trade_no"]), "", act)


def _on_trade(call: Call, operation: Operation, act: Callable[[dict[str, Any]], Document]) -> Asked:
    number = str(call.document.get("out_trade_no") or call.document["trade_no"])
    return Asked(operation, number, "", lambda _: act(call.document))


def _refund(call: Call) -> Asked:
    refunds, document = call.alipay.refunds, call.document
    number = str(document.get("out_request_no") or document.get("out_trade_no") or "")
    return Asked(
        Operation.SUBMIT,
        number,
        refunds.buyer_tail(document),
        lambda faults: refunds.apply(document, faults),
    )


def _query_refund(call: Call) -> Asked:
    refunds, document = call.alipay.refunds, call.document
    return Asked(
        Operation.QUERY,
        str(document["out_request_no"]),
        refunds.buyer_tail(document),
        lambda _: refunds.query(document),
    )


def _transfer(call: Call) -> Asked:
    transfers, document = call.alipay.transfers, call.document
    return Asked(
        Operation.SUBMIT,
        str(document["out_biz_no"]),
        str(document["payee_info"]["identity"])[-4:],
        lambda faults: transfers.apply(document, faults),
    )


def _query_transfer(call: Call) -> Asked:
    transfers, document = call.alipay.transfers, call.document
    number = str(document.get("out_biz_no") or document.get("order_id") or "")
    tail = transfers.tail_of(document)
    return Asked(Operation.QUERY, number, tail, lambda _: transfers.query(document))


def _balance(call: Call) -> Asked:
    transfers, document = call.alipay.transfers, call.document
    return Asked(Operation.QUERY, "balance", "", lambda _: transfers.balance(document))


def _bill(call: Call) -> Asked:
    kind, day = str(call.document["bill_type"]), str(call.document["bill_date"])

    def act(faults: Faults) -> Document:
        token = call.alipay.bills.make(kind, day, faults)
        return {"bill_download_url": f"{call.base_url}/sim/bill?token={token}"}

    return Asked(Operation.STATEMENT, f"{kind}:{day}", "", act)


WAP_PAY: Final = "alipay.trade.wap.pay"
CERTIFICATE_ONLY: Final = frozenset(
    {
        "alipay.fund.trans.uni.transfer",
        "alipay.fund.trans.common.query",
        "alipay.fund.account.query",
    }
)
METHODS: Final[Mapping[str, Callable[[Call], Asked]]] = {
    "alipay.trade.precreate": lambda call: _open(call, "precreate"),
    WAP_PAY: lambda call: _open(call, "wap"),
    "alipay.trade.query": lambda call: _on_trade(
        call, Operation.QUERY_PAY_IN, call.alipay.trades.query
    ),
    "alipay.trade.close": lambda call: _on_trade(
        call, Operation.CLOSE_PAY_IN, call.alipay.trades.close
    ),
    "alipay.trade.cancel": lambda call: _on_trade(
        call, Operation.CANCEL, call.alipay.refunds.cancel
    ),
    "alipay.trade.refund": _refund,
    "alipay.trade.fastpay.refund.query": _query_refund,
    "alipay.fund.trans.uni.transfer": _transfer,
    "alipay.fund.trans.common.query": _query_transfer,
    "alipay.fund.account.query": _balance,
    "alipay.data.dataservice.bill.downloadurl.query": _bill,
}
