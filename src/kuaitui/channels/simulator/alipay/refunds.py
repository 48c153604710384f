"""Refunds of a trade: done at once, or accepted and done later; and the cancelling of a trade.

Source: reference §1.3; codes of errors from Alipay's tables of trade.refund and trade.cancel.
"""

from __future__ import annotations

from typing import Any, Final

from kuaitui.channels.simulator.alipay.amounts import fen, yuan
from kuaitui.channels.simulator.alipay.book import AlipayBook
from kuaitui.channels.simulator.alipay.refusals import refuse
from kuaitui.channels.simulator.alipay.times import written
from kuaitui.channels.simulator.alipay.trades import BUYER_LOGON_ID, Trades
from kuaitui.channels.simulator.faults import Fault, Faults
from kuaitui.channels.simulator.money_book import MERCHANT, PAYERS, FeeOf

OUT_REQUEST_NO_CHARACTERS_MAX: Final = 64
BETWEEN_REFUNDS_S: Final = 3.0
NO_FAULTS: Final = Faults(())


class Refunds:
    """Everything about money back."""

    def __init__(self, book: AlipayBook, trades: Trades) -> None:
        self._book = book
        self._trades = trades

    def apply(self, document: dict[str, Any], faults: Faults) -> dict[str, Any]:
        """Take a refund in, or find it: the trade and `out_request_no` decide.

        What has failed is tried again under its number.

        Raises:
            ChannelRefuses: something is wrong with it, or there is no money for it.
        """
        amount_minor = fen(document["refund_amount"], field="refund_amount")
        with self._book.transaction():
            self._book.settle_due()
            trade = self._trades.known(document)
            number = _number(document, trade)
            refund = self._find(trade, number)
            if refund is not None and refund["amount_minor"] != amount_minor:
                raise refuse("ACQ.DISCORDANT_REPEAT_REQUEST", "不一致的请求")
            if refund is not None and refund["state"] != "FAILED":
                return self._answer(trade, fund_change="N")
            is_partial = amount_minor < trade["paid_minor"]
            if is_partial and not document.get("out_request_no"):
                raise refuse("ACQ.INVALID_PARAMETER", "out_request_no")
            self._require_refundable(trade, amount_minor)
            self._insert(trade, number, amount_minor, document, faults)
            self._book.settle_due()
            is_done = self._find(trade, number, state="SUCCESS") is not None
            return self._answer(trade, fund_change="Y" if is_done else "N")

    def query(self, document: dict[str, Any]) -> dict[str, Any]:
        """One refund. Without `refund_status` it has not happened, or not yet.

        Raises:
            ChannelRefuses: there is no such trade.
        """
        with self._book.transaction():
            self._book.settle_due()
            trade = self._trades.known(document)
            refund = self._find(trade, str(document["out_request_no"]), state="SUCCESS")
            if refund is None or refund["visible_at"] > self._book.now():
                return {}
            answer = {
                "out_trade_no": trade["out_trade_no"],
                "trade_no": trade["trade_no"],
                "out_request_no": refund["out_request_no"],
                "total_amount": yuan(trade["paid_minor"]),
                "refund_amount": yuan(refund["amount_minor"]),
                "refund_status": "REFUND_SUCCESS",
            }
            if "gmt_refund_pay" in document.get("query_options", ()):
                answer["gmt_refund_pay"] = written(refund["settled_at"])
            return answer

    def cancel(self, document: dict[str, Any]) -> dict[str, Any]:
        """Undo a trade: close it, or give everything back that is left of it.

        Raises:
            ChannelRefuses: there is no such trade, or it cannot be undone any more.
        """
        with self._book.transaction():
            self._book.settle_due()
            trade = self._trades.known(document)
            action = {"action": "refund"}
            if trade["state"] == "WAIT_BUYER_PAY":
                self._trades.close(document)
                action = {"action": "close"}
            elif trade["state"] == "TRADE_CLOSED":
                action = {}
            else:
                left_minor = trade["paid_minor"] - self._given_minor(trade, "SUCCESS", "PROCESSING")
                self.apply(
                    {
                        "trade_no": trade["trade_no"],
                        "refund_amount": yuan(left_minor),
                        "out_request_no": trade["out_trade_no"],
                    },
                    NO_FAULTS,
                )
            numbers = {name: trade[name] for name in ("out_trade_no", "trade_no")}
            return numbers | {"retry_flag": "N"} | action

    def buyer_tail(self, document: dict[str, Any]) -> str:
        """The end of the buyer's id, by which rules may choose."""
        numbers = {name: str(document.get(name) or "") for name in ("out_trade_no", "trade_no")}
        trade = self._trades.find(**numbers)
        return "" if trade is None else str(trade["buyer_id"])[-4:]

    def settle_due(self, now: float) -> None:
        """Do what has been processed. What there is no money for fails."""
        due = "SELECT * FROM refund WHERE state = 'PROCESSING' AND due_at <= ?"
        for refund in self._book.rows(f"{due} ORDER BY due_at, rowid", now):
            self._settle(refund)

    def _require_refundable(self, trade: dict[str, Any], amount_minor: int) -> None:
        if trade["state"] == "TRADE_FINISHED":
            raise refuse("ACQ.TRADE_HAS_FINISHED", "交易已完结")
        if trade["paid_at"] is None:
            raise refuse("ACQ.TRADE_STATUS_ERROR", "交易状态非法")
        given_minor = self._given_minor(trade, "SUCCESS", "PROCESSING")
        if given_minor + amount_minor > trade["paid_minor"]:
            raise refuse("ACQ.REASON_TRADE_REFUND_FEE_ERR", "退款金额无效")
        # The 3 seconds have a source, the code that comes within them has none.
        last = self._book.row(
            "SELECT max(accepted_at) AS at FROM refund WHERE trade_no = ?", trade["trade_no"]
        )
        if last and last["at"] and self._book.now() - last["at"] < BETWEEN_REFUNDS_S:
            raise refuse("ACQ.SYSTEM_ERROR", "同一笔交易的退款需要间隔3秒")
        if not self._book.can_spend(amount_minor):
            raise refuse("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足")

    def _insert(
        self,
        trade: dict[str, Any],
        number: str,
        amount_minor: int,
        document: dict[str, Any],
        faults: Faults,
    ) -> None:
        now = self._book.now()
        key = (trade["trade_no"], number)
        self._book.change("DELETE FROM refund WHERE trade_no = ? AND out_request_no = ?", *key)
        values = {
            "trade_no": trade["trade_no"],
            "out_request_no": number,
            "amount_minor": amount_minor,
            "reason": str(document.get("refund_reason", "")),
            "state": "PROCESSING",
            "accepted_at": now,
            "visible_at": now + faults.seconds(Fault.HIDDEN),
            "due_at": now + faults.seconds(Fault.SLOW, self._book.processing_s),
            "due_state": "FAILED" if Fault.FAIL_LATER in faults else "SUCCESS",
        }
        self._book.insert("refund", values)

    def _settle(self, refund: dict[str, Any]) -> None:
        is_paid = refund["due_state"] == "SUCCESS" and self._book.can_spend(refund["amount_minor"])
        if is_paid:
            self._book.move(
                "refund",
                origin=MERCHANT,
                target=PAYERS,
                amount_minor=refund["amount_minor"],
                number=refund["out_request_no"],
                reference=refund["trade_no"],
                at=refund["due_at"],
                remark=refund["reason"],
            )
            self._give_fee_back(refund)
        self._book.change(
            "UPDATE refund SET state = ?, settled_at = due_at"
            " WHERE trade_no = ? AND out_request_no = ?",
            "SUCCESS" if is_paid else "FAILED",
            refund["trade_no"],
            refund["out_request_no"],
        )
        self._book.change(
            "UPDATE trade SET state = 'TRADE_CLOSED' WHERE trade_no = ?1 AND paid_minor ="
            " (SELECT sum(amount_minor) FROM refund WHERE trade_no = ?1 AND state = 'SUCCESS')",
            refund["trade_no"],
        )

    def _give_fee_back(self, refund: dict[str, Any]) -> None:
        """What this refund gives back of its trade's fee, now that it has succeeded."""
        of = self._book.row(
            "SELECT t.paid_minor,"
            " coalesce(sum(iif(m.kind = 'fee', m.amount_minor, 0)), 0) AS taken_minor,"
            " coalesce(sum(iif(m.kind = 'fee_return', m.amount_minor, 0)), 0) AS given_minor"
            " FROM trade t LEFT JOIN movement m ON m.reference = t.trade_no"
            " AND m.kind IN ('fee', 'fee_return') WHERE t.trade_no = ?",
            refund["trade_no"],
        )
        if of is None:
            return
        given_minor = self._given_minor(refund, "SUCCESS")
        self._book.give_fee_back(
            FeeOf(of["paid_minor"], of["taken_minor"], of["given_minor"]),
            refunded_minor=given_minor + refund["amount_minor"],
            number=refund["out_request_no"],
            reference=refund["trade_no"],
            at=refund["due_at"],
        )

    def _answer(self, trade: dict[str, Any], *, fund_change: str) -> dict[str, Any]:
        """`refund_fee` is what has gone back of the trade so far, not what this refund gave."""
        return {
            "out_trade_no": trade["out_trade_no"],
            "trade_no": trade["trade_no"],
            "buyer_logon_id": BUYER_LOGON_ID,
            "fund_change": fund_change,
            "refund_fee": yuan(self._given_minor(trade, "SUCCESS")),
        }

    def _given_minor(self, trade: dict[str, Any], *states: str) -> int:
        refunds = self._book.rows(
            "SELECT amount_minor, state FROM refund WHERE trade_no = ?", trade["trade_no"]
        )
        return sum(refund["amount_minor"] for refund in refunds if refund["state"] in states)

    def _find(
        self, trade: dict[str, Any], number: str, *, state: str = ""
    ) -> dict[str, Any] | None:
        refund = self._book.row(
            "SELECT * FROM refund WHERE trade_no = ? AND out_request_no = ?",
            trade["trade_no"],
            number,
        )
        return None if refund and state and refund["state"] != state else refund


def _number(document: dict[str, Any], trade: dict[str, Any]) -> str:
    """A full refund without a number of its own has its trade's."""
    number = str(document.get("out_request_no") or trade["out_trade_no"])
    if len(number) > OUT_REQUEST_NO_CHARACTERS_MAX:
        raise refuse("ACQ.INVALID_PARAMETER", "out_request_no")
    return number
