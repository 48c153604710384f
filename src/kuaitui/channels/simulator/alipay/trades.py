"""Trades: offered by the merchant, paid by a buyer whom a page or the director plays.

A trade of `precreate` does not exist before its code was scanned: until then a query answers
TRADE_NOT_EXIST. One of `wap.pay` begins when the buyer follows the link.

Source: reference §1.3; codes of errors from Alipay's tables of trade.precreate, .query and .close.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any, Final

from kuaitui.channels.simulator.alipay.amounts import fen, yuan
from kuaitui.channels.simulator.alipay.book import AlipayBook
from kuaitui.channels.simulator.alipay.keys import SELLER_ID
from kuaitui.channels.simulator.alipay.refusals import refuse
from kuaitui.channels.simulator.alipay.times import DAY_S, HOUR_S, MINUTE_S, read, written
from kuaitui.channels.simulator.faults import Fault, Faults, Operation
from kuaitui.channels.simulator.money_book import (
    MERCHANT,
    PAYERS,
    NoticePlan,
    digits,
    fingerprint,
)

OUT_TRADE_NO: Final = re.compile(r"[0-9A-Za-z_]{1,64}")
TIMEOUT: Final = re.compile(r"(\d{1,5})([mhd])")
UNITS_S: Final = {"m": MINUTE_S, "h": HOUR_S, "d": DAY_S}
OFFERED_FOR_S: Final = {"precreate": 2 * HOUR_S, "wap": 15 * DAY_S}
REFUNDABLE_DAYS: Final = "365"
DEFAULT_BUYER: Final = "2088000000009999"
BUYER_LOGON_ID: Final = "buy***@sim.invalid"


@dataclass(frozen=True, slots=True)
class Offer:
    """A trade that waits for its buyer; `token` is the buyer's page."""

    out_trade_no: str
    token: str


class Trades:
    """Everything about money in."""

    def __init__(self, book: AlipayBook) -> None:
        self._book = book

    def open(
        self, document: dict[str, Any], *, product: str, notify_url: str, mode: str, faults: Faults
    ) -> Offer:
        """Take a trade in, or find it: the number decides.

        Raises:
            ChannelRefuses: something is wrong with it, or its number is used up.
        """
        number, total_minor = (
            str(document["out_trade_no"]),
            fen(document["total_amount"], field="total_amount"),
        )
        if not OUT_TRADE_NO.fullmatch(number) or not document["subject"]:
            raise refuse("ACQ.INVALID_PARAMETER", "out_trade_no, subject")
        mark = fingerprint({"total": total_minor, "subject": document["subject"]})
        with self._book.transaction():
            self._book.settle_due()
            trade = self.find(out_trade_no=number)
            if trade is not None:
                _require_reusable(trade, mark)
                return Offer(number, trade["token"])
            now, token = self._book.now(), secrets.token_urlsafe(12)
            values: dict[str, object] = {"out_trade_no": number, "mode": mode, "token": token}
            values |= {"trade_no": digits("2026", number, 28), "fingerprint": mark}
            values |= {"subject": document["subject"], "total_minor": total_minor}
            values |= {"notify_url": notify_url, "state": "OFFERED", "created_at": now}
            values |= {"expires_at": self._expiry(document, product)}
            values |= {"visible_at": now + faults.seconds(Fault.HIDDEN)}
            self._book.insert("trade", values)
            if product == "wap" or self._book.setting("begins_when_scanned", "1") == "0":
                self._change(number, "WAIT_BUYER_PAY")
            return Offer(number, token)

    def query(self, document: dict[str, Any]) -> dict[str, Any]:
        """One trade as the merchant sees it.

        Raises:
            ChannelRefuses: there is none, or it is hidden for now.
        """
        with self._book.transaction():
            self._book.settle_due()
            return self.describe(self.known(document))

    def close(self, document: dict[str, Any]) -> dict[str, Any]:
        """Let nobody pay it any more.

        Raises:
            ChannelRefuses: there is no such trade, or it does not wait.
        """
        with self._book.transaction():
            self._book.settle_due()
            trade = self.known(document)
            if trade["state"] != "WAIT_BUYER_PAY":
                raise refuse("ACQ.TRADE_STATUS_ERROR", "交易状态不合法")
            self._change(trade["out_trade_no"], "TRADE_CLOSED")
            return _numbers(trade)

    def scan(self, token: str) -> dict[str, Any]:
        """The buyer opens the page: the trade begins. What the page shows.

        Raises:
            ChannelRefuses: nothing is offered here.
        """
        with self._book.transaction():
            self._book.settle_due()
            trade = self._book.row("SELECT * FROM trade WHERE token = ?", token)
            if trade is None:
                raise refuse("ACQ.TRADE_NOT_EXIST", "交易不存在")
            if trade["state"] == "OFFERED":
                self._change(trade["out_trade_no"], "WAIT_BUYER_PAY")
            return self._of(trade["out_trade_no"])

    def pay(
        self, out_trade_no: str, *, amount_minor: int | None = None, buyer_id: str = DEFAULT_BUYER
    ) -> dict[str, Any]:
        """Play the buyer, who pays a trade once. Another amount is for tests: no buyer can.

        Raises:
            ChannelRefuses: there is no such trade, or it does not wait for its buyer.
        """
        faults = self._book.draw_faults(Operation.PAY, out_trade_no, buyer_id[-4:])
        with self._book.transaction():
            self._book.settle_due()
            trade = self._of(out_trade_no)
            if trade["state"] not in {"OFFERED", "WAIT_BUYER_PAY"}:
                raise refuse("ACQ.TRADE_STATUS_ERROR", trade["state"])
            paid_minor = trade["total_minor"] if amount_minor is None else amount_minor
            self._book.move(
                "payment",
                origin=PAYERS,
                target=MERCHANT,
                amount_minor=paid_minor,
                number=out_trade_no,
                reference=trade["trade_no"],
                at=self._book.now(),
            )
            self._book.take_fee(
                paid_minor,
                number=out_trade_no,
                reference=trade["trade_no"],
                at=self._book.now(),
            )
            self._book.change(
                "UPDATE trade SET state = 'TRADE_SUCCESS', paid_minor = ?2, buyer_id = ?3,"
                " paid_at = ?4 WHERE out_trade_no = ?1",
                out_trade_no,
                paid_minor,
                buyer_id,
                self._book.now(),
            )
            self._tell(self._of(out_trade_no), NoticePlan.of(faults))
            return {"trade_no": trade["trade_no"]}

    def settle_due(self, now: float) -> None:
        """Close what nobody paid in time, and finish what nobody can refund any more."""
        self._book.change(
            "UPDATE trade SET state = 'TRADE_CLOSED' WHERE expires_at <= ?"
            " AND state IN ('OFFERED', 'WAIT_BUYER_PAY')",
            now,
        )
        days = float(self._book.setting("refundable_days", REFUNDABLE_DAYS))
        self._book.change(
            "UPDATE trade SET state = 'TRADE_FINISHED' WHERE paid_at <= ?"
            " AND state = 'TRADE_SUCCESS'",
            now - days * DAY_S,
        )

    def known(self, document: dict[str, Any]) -> dict[str, Any]:
        """The trade that a request names, by either number.

        Raises:
            ChannelRefuses: there is none, its code was not scanned, or it is hidden for now.
        """
        numbers = {name: str(document.get(name) or "") for name in ("out_trade_no", "trade_no")}
        if not any(numbers.values()):
            raise refuse("ACQ.INVALID_PARAMETER", "out_trade_no, trade_no")
        trade = self.find(**numbers)
        is_hidden = trade is not None and trade["visible_at"] > self._book.now()
        if trade is None or is_hidden or trade["state"] == "OFFERED":
            raise refuse("ACQ.TRADE_NOT_EXIST", "交易不存在")
        return trade

    def find(self, *, out_trade_no: str = "", trade_no: str = "") -> dict[str, Any] | None:
        """A trade; where both numbers are given, Alipay's own decides."""
        if trade_no:
            return self._book.row("SELECT * FROM trade WHERE trade_no = ?", trade_no)
        return self._book.row("SELECT * FROM trade WHERE out_trade_no = ?", out_trade_no)

    def describe(self, trade: dict[str, Any]) -> dict[str, Any]:
        """A trade in the words of a query's answer."""
        document = _numbers(trade) | {
            "trade_status": trade["state"],
            "total_amount": yuan(trade["paid_minor"] or trade["total_minor"]),
            "buyer_logon_id": BUYER_LOGON_ID,
            "point_amount": "0.00",
        }
        if trade["paid_at"] is None:
            return document | {"buyer_pay_amount": "0.00", "receipt_amount": "0.00"}
        amount = yuan(trade["paid_minor"])
        return document | {
            "buyer_user_id": trade["buyer_id"],
            "buyer_pay_amount": amount,
            "receipt_amount": amount,
            "invoice_amount": amount,
            "send_pay_date": written(trade["paid_at"]),
            "fund_bill_list": [{"amount": amount, "fund_channel": "ALIPAYACCOUNT"}],
        }

    def _expiry(self, document: dict[str, Any], product: str) -> float:
        now = self._book.now()
        if "time_expire" in document:
            expires_at = read(document["time_expire"])
            if expires_at <= now:
                raise refuse("ACQ.INVALID_PARAMETER", "time_expire")
            return expires_at
        timeout = TIMEOUT.fullmatch(document.get("timeout_express", ""))
        if timeout:
            return now + int(timeout[1]) * UNITS_S[timeout[2]]
        return now + OFFERED_FOR_S[product]

    def _tell(self, trade: dict[str, Any], plan: NoticePlan) -> None:
        amount, paid_at = yuan(trade["paid_minor"]), trade["paid_at"]
        self._book.tell(
            "trade_status_sync",
            number=trade["out_trade_no"],
            url=trade["notify_url"],
            resource=_numbers(trade)
            | {
                "mode": trade["mode"],
                "seller_id": SELLER_ID,
                "buyer_id": trade["buyer_id"],
                "trade_status": "TRADE_SUCCESS",
                "subject": trade["subject"],
                "total_amount": amount,
                "receipt_amount": amount,
                "buyer_pay_amount": amount,
                "gmt_create": written(trade["created_at"]),
                "gmt_payment": written(paid_at),
            },
            plan=plan.without("probe"),
            at=paid_at,
        )

    def _change(self, out_trade_no: str, state: str) -> None:
        self._book.change("UPDATE trade SET state = ? WHERE out_trade_no = ?", state, out_trade_no)

    def _of(self, out_trade_no: str) -> dict[str, Any]:
        trade = self.find(out_trade_no=out_trade_no)
        if trade is None:
            raise refuse("ACQ.TRADE_NOT_EXIST", "交易不存在")
        return trade


def _numbers(trade: dict[str, Any]) -> dict[str, str]:
    return {"out_trade_no": trade["out_trade_no"], "trade_no": trade["trade_no"]}


def _require_reusable(trade: dict[str, Any], mark: str) -> None:
    if trade["state"] in {"TRADE_SUCCESS", "TRADE_FINISHED"}:
        raise refuse("ACQ.TRADE_HAS_SUCCESS", "交易已被支付")
    if trade["state"] == "TRADE_CLOSED":
        raise refuse("ACQ.TRADE_HAS_CLOSE", "交易已经关闭")
    if trade["fingerprint"] != mark:
        raise refuse("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改")
