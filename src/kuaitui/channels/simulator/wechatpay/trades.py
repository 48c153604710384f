"""Orders and payments: opened by the merchant, paid by a payer whom a page or the director plays.

Source: pay.weixin.qq.com/doc/v3/merchant/4012791877 (Native), 4012791832 (H5), 4012791880 (query),
4012791881 (close); states and times as in the reference §1.1.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from dataclasses import dataclass
from typing import Any, Final

from kuaitui.channels.simulator.faults import Fault, Faults, Operation
from kuaitui.channels.simulator.money_book import MERCHANT, PAYERS, NoticePlan, digits, fingerprint
from kuaitui.channels.simulator.wechatpay.book import WechatPayBook, refuse
from kuaitui.channels.simulator.wechatpay.keys import APPID, MCHID
from kuaitui.channels.simulator.wechatpay.times import DAY_S, HOUR_S, MINUTE_S, rfc3339

OUT_TRADE_NO: Final = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
ORDER_CLOSES_AFTER_S: Final = 7 * DAY_S
AMOUNT_MINOR_MAX: Final = 10**10
DEFAULT_OPENID: Final = "oSimulatedPayer0001"
TRADE_STATES: Final = {
    "NOTPAY": "订单未支付",
    "SUCCESS": "支付成功",
    "CLOSED": "订单已关闭",
    "REFUND": "转入退款",
}
TRADE_TYPES: Final = {"native": "NATIVE", "h5": "MWEB", "jsapi": "JSAPI"}
OFFERED_FOR_S: Final = {"native": 2 * HOUR_S, "h5": 5 * MINUTE_S, "jsapi": 2 * HOUR_S}


@dataclass(frozen=True, slots=True)
class Opened:
    """An order that waits for its payer; `token` is the payer's page."""

    out_trade_no: str
    token: str


class Trades:
    """Everything about money in."""

    def __init__(self, book: WechatPayBook) -> None:
        self._book = book

    def open(self, document: dict[str, Any], *, method: str, faults: Faults) -> Opened:
        """Take an order in, or find it: the number decides.

        Raises:
            ChannelRefuses: something is wrong with it, or its number is used up.
        """
        amount_minor, expires_at = self._check(document, method)
        number = document["out_trade_no"]
        with self._book.transaction():
            self._book.settle_due()
            mark = fingerprint({**document, "method": method})
            trade = self._trade(number)
            if trade is None:
                self._insert(document, TRADE_TYPES[method], amount_minor, mark, expires_at, faults)
            else:
                self._require_reusable(trade, mark)
            self._book.change(
                "UPDATE trade SET offered_until = ? WHERE out_trade_no = ?",
                self._book.now() + OFFERED_FOR_S[method],
                number,
            )
            return Opened(number, self._known(number)["token"])

    def query(
        self, *, out_trade_no: str | None = None, transaction_id: str | None = None
    ) -> dict[str, Any]:
        """One order as the merchant sees it, by its number or by a payment of it.

        Raises:
            ChannelRefuses: there is none, or it is hidden for now.
        """
        with self._book.transaction():
            self._book.settle_due()
            payment = None
            if transaction_id is not None:
                payment = self._payment(transaction_id)
                out_trade_no = payment["out_trade_no"] if payment else None
            trade = self._trade(out_trade_no or "")
            if trade is None or trade["visible_at"] > self._book.now():
                raise refuse("ORDER_NOT_EXIST", "订单不存在")
            return self.describe(trade, payment or self._first_payment(trade["out_trade_no"]))

    def close(self, out_trade_no: str) -> None:
        """Let nobody pay it any more. Closing again changes nothing.

        Raises:
            ChannelRefuses: there is no such order, or it was paid.
        """
        with self._book.transaction():
            self._book.settle_due()
            if self._first_payment(out_trade_no) is not None:
                raise refuse("ORDERPAID", "该订单已支付")
            if not self._close(out_trade_no):
                raise refuse("ORDER_NOT_EXIST", "订单不存在")

    def pay(
        self,
        out_trade_no: str,
        *,
        amount_minor: int | None = None,
        openid: str = DEFAULT_OPENID,
        at: float | None = None,
    ) -> dict[str, Any]:
        """Play the payer, also in ways no payer has: twice, too late, another amount, no order.

        Raises:
            ChannelRefuses: there is no such order and no amount to make one up.
        """
        faults = self._book.draw_faults(Operation.PAY, out_trade_no, openid[-4:])
        with self._book.transaction():
            self._book.settle_due()
            trade = self._trade(out_trade_no) or self._make_up(out_trade_no, amount_minor)
            paid_minor = trade["amount_minor"] if amount_minor is None else amount_minor
            times = self._book.rows("SELECT 1 FROM payment WHERE out_trade_no = ?", out_trade_no)
            transaction_id = digits("4200", f"{out_trade_no}:{len(times)}", 28)
            paid_at = self._book.now() if at is None else at
            self._book.move(
                "payment",
                origin=PAYERS,
                target=MERCHANT,
                amount_minor=paid_minor,
                number=out_trade_no,
                reference=transaction_id,
                at=paid_at,
            )
            self._book.take_fee(
                paid_minor, number=out_trade_no, reference=transaction_id, at=paid_at
            )
            values: dict[str, object] = {"transaction_id": transaction_id}
            values |= {"out_trade_no": out_trade_no}
            values |= {"amount_minor": paid_minor, "openid": openid, "paid_at": paid_at}
            self._book.insert("payment", values)
            self._book.change("UPDATE trade SET is_paid = 1 WHERE out_trade_no = ?", out_trade_no)
            self._tell(trade, transaction_id, NoticePlan.of(faults))
            self._book.settle_due()
            return {"transaction_id": transaction_id}

    def pay_as_offered(self, token: str, *, openid: str = DEFAULT_OPENID) -> None:
        """What the payer's page does: an order is paid once, not when closed, not by an old link.

        A link is made fresh by asking for the order again.

        Raises:
            ChannelRefuses: it cannot be paid, or not by this link any more.
        """
        with self._book.transaction():
            trade = self.offered(token)
            if trade["trade_state"] != "NOTPAY":
                raise refuse("ORDER_CLOSED", TRADE_STATES[trade["trade_state"]])
            if trade["offered_until"] <= self._book.now():
                raise refuse("ORDER_CLOSED", "支付链接已过期")
            self.pay(trade["out_trade_no"], openid=openid)

    def offered(self, token: str) -> dict[str, Any]:
        """What the payer's page shows.

        Raises:
            ChannelRefuses: nothing is offered here.
        """
        with self._book.transaction():
            self._book.settle_due()
            trade = self._book.row("SELECT * FROM trade WHERE token = ?", token)
            if trade is None:
                raise refuse("ORDER_NOT_EXIST", "订单不存在")
            payment = self._first_payment(trade["out_trade_no"])
            state = self._state(trade, payment)
            return {**trade, "trade_state": state}

    def settle_due(self, now: float) -> None:
        """Close what nobody paid in time."""
        self._book.change(
            "UPDATE trade SET is_closed = 1 WHERE NOT is_closed AND NOT is_paid"
            " AND expires_at <= ?",
            now,
        )

    def describe(self, trade: dict[str, Any], payment: dict[str, Any] | None) -> dict[str, Any]:
        """An order in the words of a query's answer and of a notification."""
        state = self._state(trade, payment)
        document: dict[str, Any] = {
            "appid": APPID,
            "mchid": MCHID,
            "out_trade_no": trade["out_trade_no"],
            "trade_state": state,
            "trade_state_desc": TRADE_STATES[state],
            "attach": trade["attach"],
        }
        if payment is None:
            return document
        amount = payment["amount_minor"]
        return document | {
            "transaction_id": payment["transaction_id"],
            "trade_type": trade["trade_type"],
            "bank_type": "OTHERS",
            "success_time": rfc3339(payment["paid_at"]),
            "payer": {"openid": payment["openid"]},
            "amount": {
                "total": amount,
                "payer_total": amount,
                "currency": "CNY",
                "payer_currency": "CNY",
            },
        }

    def _check(self, document: dict[str, Any], method: str) -> tuple[int, float]:
        if not OUT_TRADE_NO.fullmatch(str(document["out_trade_no"])):
            raise refuse("PARAM_ERROR", "out_trade_no")
        if (document["appid"], document["mchid"]) != (APPID, MCHID):
            raise refuse("APPID_MCHID_NOT_MATCH", "appid和mchid不匹配")
        if not document["description"] or not document["notify_url"]:
            raise refuse("PARAM_ERROR", "description, notify_url")
        amount_minor, currency = document["amount"]["total"], document["amount"].get("currency")
        if type(amount_minor) is not int or not 0 < amount_minor <= AMOUNT_MINOR_MAX:
            raise refuse("PARAM_ERROR", "amount.total")
        if currency not in {None, "CNY"}:
            raise refuse("PARAM_ERROR", "amount.currency")
        if method == "h5" and not document["scene_info"]["payer_client_ip"]:
            raise refuse("PARAM_ERROR", "scene_info.payer_client_ip")
        if method == "jsapi" and not document["payer"]["openid"]:
            raise refuse("PARAM_ERROR", "payer.openid")
        last = self._book.now() + ORDER_CLOSES_AFTER_S
        if "time_expire" not in document:
            return amount_minor, last
        wanted = dt.datetime.fromisoformat(document["time_expire"])
        if wanted.tzinfo is None or wanted.timestamp() <= self._book.now():
            raise refuse("PARAM_ERROR", "time_expire")
        return amount_minor, min(wanted.timestamp(), last)

    def _require_reusable(self, trade: dict[str, Any], mark: str) -> None:
        if trade["fingerprint"] != mark:
            raise refuse("INVALID_REQUEST", "268498688: 请求重入时，参数与首次请求时不一致")
        if self._first_payment(trade["out_trade_no"]) is not None:
            raise refuse("ORDERPAID", "该订单已支付")
        if trade["is_closed"]:
            raise refuse("ORDER_CLOSED", "该订单已关闭")

    def _insert(
        self,
        document: dict[str, Any],
        trade_type: str,
        amount_minor: int,
        mark: str,
        expires_at: float,
        faults: Faults,
    ) -> None:
        now = self._book.now()
        values = {
            "out_trade_no": document["out_trade_no"],
            "fingerprint": mark,
            "trade_type": trade_type,
            "description": document["description"],
            "attach": document.get("attach", ""),
            "amount_minor": amount_minor,
            "notify_url": document["notify_url"],
            "token": secrets.token_urlsafe(12),
            "created_at": now,
            "expires_at": expires_at,
            "visible_at": now + faults.seconds(Fault.HIDDEN),
            "offered_until": now,
        }
        self._book.insert("trade", values)

    def _make_up(self, out_trade_no: str, amount_minor: int | None) -> dict[str, Any]:
        """An order that the merchant knows nothing of."""
        if amount_minor is None:
            raise refuse("ORDER_NOT_EXIST", "订单不存在")
        document = {"out_trade_no": out_trade_no, "description": "", "notify_url": ""}
        expires_at = self._book.now() + ORDER_CLOSES_AFTER_S
        self._insert(document, "NATIVE", amount_minor, "made up", expires_at, Faults(()))
        return self._known(out_trade_no)

    def _tell(self, trade: dict[str, Any], transaction_id: str, plan: NoticePlan) -> None:
        payment = self._payment(transaction_id)
        self._book.tell(
            "TRANSACTION.SUCCESS",
            number=trade["out_trade_no"],
            url=trade["notify_url"],
            resource=self.describe(trade, payment),
            plan=plan,
            at=self._book.now(),
        )

    def _close(self, out_trade_no: str) -> int:
        return self._book.change(
            "UPDATE trade SET is_closed = 1 WHERE out_trade_no = ?", out_trade_no
        )

    def _state(self, trade: dict[str, Any], payment: dict[str, Any] | None) -> str:
        if payment is None:
            return "CLOSED" if trade["is_closed"] else "NOTPAY"
        refund = self._book.row(
            "SELECT 1 FROM refund WHERE transaction_id = ? AND state <> 'CLOSED'",
            payment["transaction_id"],
        )
        return "SUCCESS" if refund is None else "REFUND"

    def _trade(self, out_trade_no: str) -> dict[str, Any] | None:
        return self._book.row("SELECT * FROM trade WHERE out_trade_no = ?", out_trade_no)

    def _known(self, out_trade_no: str) -> dict[str, Any]:
        trade = self._trade(out_trade_no)
        if trade is None:
            raise refuse("ORDER_NOT_EXIST", "订单不存在")
        return trade

    def _payment(self, transaction_id: str) -> dict[str, Any] | None:
        return self._book.row("SELECT * FROM payment WHERE transaction_id = ?", transaction_id)

    def _first_payment(self, out_trade_no: str) -> dict[str, Any] | None:
        return self._book.row(
            "SELECT * FROM payment WHERE out_trade_no = ? ORDER BY paid_at, rowid LIMIT 1",
            out_trade_no,
        )
