"""Refunds along a payment: accepted, settled later, stuck, or closed for want of money.

Source: pay.weixin.qq.com/doc/v3/merchant/4012791883 (apply), 4012791884 (query), 4013071031
(ABNORMAL, CLOSED); limits as in the reference §1.1.
"""

from __future__ import annotations

import re
from typing import Any, Final

from kuaitui.channels.simulator.faults import Fault, Faults
from kuaitui.channels.simulator.money_book import (
    BANK,
    MERCHANT,
    PAYERS,
    REFUNDS,
    FeeOf,
    NoticePlan,
    digits,
    fingerprint,
)
from kuaitui.channels.simulator.wechatpay.book import WechatPayBook, refuse
from kuaitui.channels.simulator.wechatpay.keys import MCHID
from kuaitui.channels.simulator.wechatpay.times import DAY_S, MINUTE_S, rfc3339

OUT_REFUND_NO: Final = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")
REFUNDABLE_FOR_S: Final = 365 * DAY_S
REFUNDS_PER_PAYMENT_MAX: Final = 50
BETWEEN_REFUNDS_S: Final = MINUTE_S
UNFUNDED_CLOSES_AFTER_S: Final = 7 * DAY_S
ABNORMAL_WAYS: Final = {"USER_BANK_CARD": PAYERS, "MERCHANT_BANK_CARD": BANK}


class Refunds:
    """Everything about money back."""

    def __init__(self, book: WechatPayBook) -> None:
        self._book = book

    def apply(self, document: dict[str, Any], faults: Faults) -> dict[str, Any]:
        """Take a refund in, or find it: the number decides.

        Raises:
            ChannelRefuses: something is wrong with it, or there is no money for it.
        """
        number, amount_minor = self._check(document)
        with self._book.transaction():
            self._book.settle_due()
            mark = fingerprint(document)
            known = self._refund(number)
            if known is not None:
                if known["fingerprint"] != mark:
                    raise refuse("INVALID_REQUEST", "268498688: 请求重入时，参数与首次请求时不一致")
                return self.describe(known)
            payment = self._payment_of(document)
            self._require_refundable(payment, document["amount"]["total"], amount_minor)
            is_funded = self._book.can_spend(amount_minor)
            if not is_funded and self._book.setting("accepts_without_balance", "0") == "0":
                raise refuse("NOT_ENOUGH", "基本账户余额不足，请充值后重新发起")
            self._insert(document, payment, mark, faults)
            if is_funded:
                self._fund(self._known(number), self._book.now())
            self._book.settle_due()
            return self.describe(self._known(number))

    def query(self, out_refund_no: str) -> dict[str, Any]:
        """One refund.

        Raises:
            ChannelRefuses: there is none, or it is hidden for now.
        """
        with self._book.transaction():
            self._book.settle_due()
            refund = self._refund(out_refund_no)
            if refund is None or refund["visible_at"] > self._book.now():
                raise refuse("RESOURCE_NOT_EXISTS", "退款单不存在")
            return self.describe(refund)

    def send_on(self, refund_id: str, document: dict[str, Any], account: str) -> dict[str, Any]:
        """Send a stuck refund to a bank card. Asking again changes nothing.

        `account` is the card's number, decrypted; only its last digits are kept.

        Raises:
            ChannelRefuses: there is no such refund, or it is not stuck.
        """
        way = ABNORMAL_WAYS.get(document["type"])
        if way is None or (way == PAYERS and not (account and document.get("bank_type"))):
            raise refuse("PARAM_ERROR", "type, bank_type, bank_account")
        with self._book.transaction():
            self._book.settle_due()
            refund = self._refund(document["out_refund_no"])
            if refund is None or refund["refund_id"] != refund_id:
                raise refuse("RESOURCE_NOT_EXISTS", "退款单不存在")
            if refund["state"] == "ABNORMAL":
                self._send_on(refund, way, f"{document.get('bank_type', '')}{account[-4:]}")
            elif refund["target"] != way:
                raise refuse("INVALID_REQUEST", "该退款单不是退款异常状态")
            self._book.settle_due()
            return self.describe(self._known(refund["out_refund_no"]))

    def tail_of(self, out_refund_no: str) -> str:
        """The end of the payer's openid, by which rules may choose."""
        refund = self._refund(out_refund_no)
        return self.payer_tail({} if refund is None else refund)

    def payer_tail(self, document: dict[str, Any]) -> str:
        """The same of a payment that is to be refunded."""
        payment = self._book.row(
            "SELECT openid FROM payment WHERE transaction_id = ? OR out_trade_no = ?",
            str(document.get("transaction_id", "")),
            str(document.get("out_trade_no", "")),
        )
        return "" if payment is None else str(payment["openid"])[-4:]

    def settle_due(self, now: float) -> None:
        """Fund what waits for money, close what waited too long, settle what has been processed."""
        waiting = "SELECT * FROM refund WHERE state = 'PROCESSING' AND NOT is_funded"
        for refund in self._book.rows(f"{waiting} ORDER BY accepted_at, out_refund_no"):
            closes_at = refund["accepted_at"] + UNFUNDED_CLOSES_AFTER_S
            if closes_at <= now:
                self._finish(refund, "CLOSED", closes_at)
            elif self._book.can_spend(refund["amount_minor"]):
                self._fund(refund, now)
        due = "SELECT * FROM refund WHERE state = 'PROCESSING' AND is_funded AND due_at <= ?"
        for refund in self._book.rows(f"{due} ORDER BY due_at, out_refund_no", now):
            self._settle(refund)

    def describe(self, refund: dict[str, Any]) -> dict[str, Any]:
        """A refund in the words of an answer."""
        paid = self._book.row(
            "SELECT amount_minor FROM payment WHERE transaction_id = ?", refund["transaction_id"]
        )
        total, amount = (paid or {})["amount_minor"], refund["amount_minor"]
        document = {
            "refund_id": refund["refund_id"],
            "out_refund_no": refund["out_refund_no"],
            "transaction_id": refund["transaction_id"],
            "out_trade_no": refund["out_trade_no"],
            "channel": "ORIGINAL" if refund["target"] == PAYERS else "OTHER_BALANCE",
            "user_received_account": refund["received_account"],
            "create_time": rfc3339(refund["accepted_at"]),
            "status": refund["state"],
            "funds_account": "AVAILABLE",
            "amount": {
                "total": total,
                "refund": amount,
                "from": [],
                "payer_total": total,
                "payer_refund": amount,
                "settlement_refund": amount,
                "settlement_total": total,
                "discount_refund": 0,
                "currency": "CNY",
            },
        }
        if refund["state"] == "SUCCESS":
            document["success_time"] = rfc3339(refund["settled_at"])
        return document

    def _check(self, document: dict[str, Any]) -> tuple[str, int]:
        number, amount = str(document["out_refund_no"]), document["amount"]
        if not OUT_REFUND_NO.fullmatch(number):
            raise refuse("PARAM_ERROR", "out_refund_no")
        if ("transaction_id" in document) == ("out_trade_no" in document):
            raise refuse("PARAM_ERROR", "transaction_id, out_trade_no")
        if any(type(amount[name]) is not int or amount[name] <= 0 for name in ("refund", "total")):
            raise refuse("PARAM_ERROR", "amount")
        if amount["currency"] != "CNY":
            raise refuse("PARAM_ERROR", "amount.currency")
        return number, amount["refund"]

    def _payment_of(self, document: dict[str, Any]) -> dict[str, Any]:
        column = "transaction_id" if "transaction_id" in document else "out_trade_no"
        by = {
            "transaction_id": "SELECT * FROM payment WHERE transaction_id = ?",
            "out_trade_no": "SELECT * FROM payment WHERE out_trade_no = ? ORDER BY paid_at LIMIT 1",
        }
        payment = self._book.row(by[column], document[column])
        if payment is None:
            raise refuse("RESOURCE_NOT_EXISTS", "订单不存在")
        return payment

    def _require_refundable(
        self, payment: dict[str, Any], total_minor: int, amount_minor: int
    ) -> None:
        now = self._book.now()
        others = self._book.rows(
            "SELECT amount_minor, accepted_at FROM refund"
            " WHERE transaction_id = ? AND state <> 'CLOSED' ORDER BY accepted_at",
            payment["transaction_id"],
        )
        if total_minor != payment["amount_minor"]:
            raise refuse("INVALID_REQUEST", "订单金额或退款金额与之前请求不一致")
        if now - payment["paid_at"] > REFUNDABLE_FOR_S:
            raise refuse("INVALID_REQUEST", "订单已经超过可退款的最大期限")
        if len(others) >= REFUNDS_PER_PAYMENT_MAX:
            raise refuse("INVALID_REQUEST", "一笔订单最多支持50次部分退款")
        if sum(other["amount_minor"] for other in others) + amount_minor > total_minor:
            raise refuse("INVALID_REQUEST", "申请退款金额大于订单可退金额")
        if others and now - others[-1]["accepted_at"] < BETWEEN_REFUNDS_S:
            raise refuse("FREQUENCY_LIMITED", "同一笔订单的退款需要间隔1分钟")

    def _insert(
        self, document: dict[str, Any], payment: dict[str, Any], mark: str, faults: Faults
    ) -> None:
        now = self._book.now()
        processing_s = float(self._book.setting("processing_s", "0"))
        is_stuck = Fault.ABNORMAL in faults
        values = {
            "out_refund_no": document["out_refund_no"],
            "refund_id": digits("5030", document["out_refund_no"], 29),
            "fingerprint": mark,
            "transaction_id": payment["transaction_id"],
            "out_trade_no": payment["out_trade_no"],
            "amount_minor": document["amount"]["refund"],
            "reason": document.get("reason", ""),
            "notify_url": document.get("notify_url", ""),
            "state": "PROCESSING",
            "is_funded": False,
            "received_account": "支付用户零钱",
            "target": PAYERS,
            "accepted_at": now,
            "visible_at": now + faults.seconds(Fault.HIDDEN),
            "due_at": now + faults.seconds(Fault.SLOW, processing_s),
            "due_state": "ABNORMAL" if is_stuck else _closes_or_succeeds(faults),
            "plan": NoticePlan.of(faults).written(),
        }
        self._book.insert("refund", values)

    def _fund(self, refund: dict[str, Any], at: float) -> None:
        self._move(refund, origin=MERCHANT, target=REFUNDS, at=at)
        self._book.change(
            "UPDATE refund SET is_funded = 1, due_at = max(due_at, ?) WHERE out_refund_no = ?",
            at,
            refund["out_refund_no"],
        )

    def _settle(self, refund: dict[str, Any]) -> None:
        if refund["due_state"] == "SUCCESS":
            self._move(refund, origin=REFUNDS, target=refund["target"], at=refund["due_at"])
            self._give_fee_back(refund)
        elif refund["due_state"] == "CLOSED":
            self._move(refund, origin=REFUNDS, target=MERCHANT, at=refund["due_at"])
        self._finish(refund, refund["due_state"], refund["due_at"])

    def _give_fee_back(self, refund: dict[str, Any]) -> None:
        """What this refund gives back of its payment's fee, now that it has succeeded."""
        of = self._book.row(
            "SELECT p.amount_minor AS payment_minor,"
            " (SELECT coalesce(sum(m.amount_minor), 0) FROM movement m"
            "  WHERE m.kind = 'fee' AND m.reference = p.transaction_id) AS taken_minor,"
            " (SELECT coalesce(sum(m.amount_minor), 0) FROM refund r JOIN movement m"
            "  ON m.reference = r.refund_id WHERE m.kind = 'fee_return'"
            "  AND r.transaction_id = p.transaction_id) AS given_minor,"
            " (SELECT coalesce(sum(r.amount_minor), 0) FROM refund r WHERE r.state = 'SUCCESS'"
            "  AND r.transaction_id = p.transaction_id) AS refunded_minor"
            " FROM payment p WHERE p.transaction_id = ?",
            refund["transaction_id"],
        )
        if of is None:
            return
        self._book.give_fee_back(
            FeeOf(of["payment_minor"], of["taken_minor"], of["given_minor"]),
            refunded_minor=of["refunded_minor"] + refund["amount_minor"],
            number=refund["out_refund_no"],
            reference=refund["refund_id"],
            at=refund["due_at"],
        )

    def _send_on(self, refund: dict[str, Any], way: str, account: str) -> None:
        processing_s = float(self._book.setting("processing_s", "0"))
        self._book.change(
            "UPDATE refund SET state = 'PROCESSING', due_state = 'SUCCESS', due_at = ?,"
            " target = ?, received_account = ? WHERE out_refund_no = ?",
            self._book.now() + processing_s,
            way,
            account,
            refund["out_refund_no"],
        )

    def _finish(self, refund: dict[str, Any], state: str, at: float) -> None:
        self._book.change(
            "UPDATE refund SET state = ?, settled_at = ? WHERE out_refund_no = ?",
            state,
            at,
            refund["out_refund_no"],
        )
        now = self.describe(self._known(refund["out_refund_no"]))
        names = ("out_trade_no", "transaction_id", "out_refund_no", "refund_id")
        resource = {name: now[name] for name in (*names, "user_received_account")}
        resource |= {"mchid": MCHID, "refund_status": state}
        if state == "SUCCESS":
            resource["success_time"] = now["success_time"]
        amounts = ("total", "refund", "payer_total", "payer_refund")
        resource["amount"] = {name: now["amount"][name] for name in amounts}
        self._book.tell(
            f"REFUND.{state}",
            number=refund["out_refund_no"],
            url=refund["notify_url"],
            resource=resource,
            plan=NoticePlan.read(refund["plan"]),
            at=at,
        )

    def _move(self, refund: dict[str, Any], *, origin: str, target: str, at: float) -> None:
        self._book.move(
            "refund",
            origin=origin,
            target=target,
            amount_minor=refund["amount_minor"],
            number=refund["out_refund_no"],
            reference=refund["refund_id"],
            at=at,
            remark=refund["reason"],
        )

    def _refund(self, out_refund_no: str) -> dict[str, Any] | None:
        return self._book.row("SELECT * FROM refund WHERE out_refund_no = ?", out_refund_no)

    def _known(self, out_refund_no: str) -> dict[str, Any]:
        refund = self._refund(out_refund_no)
        if refund is None:
            raise refuse("RESOURCE_NOT_EXISTS", "退款单不存在")
        return refund


def _closes_or_succeeds(faults: Faults) -> str:
    """A refund that fails for good is called CLOSED; its money goes back to the merchant."""
    return "CLOSED" if Fault.FAIL_LATER in faults else "SUCCESS"
