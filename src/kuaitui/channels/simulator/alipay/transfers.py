"""Transfers to Alipay accounts and bank cards: dealt with, paid, failed, or returned days later.

Source: reference §1.3; codes of errors from Alipay's tables of fund.trans.uni.transfer.
"""

from __future__ import annotations

import re
from typing import Any, Final

from kuaitui.channels.simulator.alipay.amounts import fen, yuan
from kuaitui.channels.simulator.alipay.book import AlipayBook
from kuaitui.channels.simulator.alipay.keys import SELLER_ID
from kuaitui.channels.simulator.alipay.refusals import refuse
from kuaitui.channels.simulator.alipay.times import DAY_S, written
from kuaitui.channels.simulator.faults import Fault, Faults
from kuaitui.channels.simulator.money_book import (
    MERCHANT,
    PAYEES,
    TRANSFERS,
    digits,
    fingerprint,
)

OUT_BIZ_NO: Final = re.compile(r"[0-9A-Za-z_\-]{1,64}")
USER_ID: Final = re.compile(r"2088\d{12}")
AMOUNT_MINOR_MIN: Final = 10
TO_ACCOUNT: Final = "TRANS_ACCOUNT_NO_PWD"
TO_CARD: Final = "TRANS_BANKCARD_NO_PWD"
COMPANY, PERSON = "1", "2"


class Transfers:
    """Everything about money to people who have not paid it."""

    def __init__(self, book: AlipayBook) -> None:
        self._book = book

    def apply(self, document: dict[str, Any], faults: Faults) -> dict[str, Any]:
        """Take a transfer in, or find it: the number decides.

        Raises:
            ChannelRefuses: something is wrong with it or its payee, or there is no money for it.
        """
        number, amount_minor = _check(document)
        payee = document["payee_info"]
        with self._book.transaction():
            self._book.settle_due()
            transfer = self._find(out_biz_no=number)
            mark = fingerprint(document)
            if transfer is None:
                self._require_name(document["product_code"], payee)
                if not self._book.can_spend(amount_minor):
                    raise refuse("BALANCE_IS_NOT_ENOUGH", "付款方余额不足")
                self._insert(document, amount_minor, mark, faults)
                self._move(self._of(number), MERCHANT, TRANSFERS, self._book.now())
                self._book.settle_due()
            elif transfer["fingerprint"] != mark:
                raise refuse("PAYMENT_INFO_INCONSISTENCY", "两次请求商户单号一样，但是参数不一致")
            found = self._of(number)
            return _numbers(found) | {
                "status": found["state"],
                "trans_date": written(found["settled_at"] or found["created_at"]),
            }

    def query(self, document: dict[str, Any]) -> dict[str, Any]:
        """One transfer.

        Raises:
            ChannelRefuses: there is none, or it is hidden for now although it exists.
        """
        names = ("out_biz_no", "order_id", "pay_fund_order_id")
        numbers = {name: str(document.get(name) or "") for name in names}
        if not any(numbers.values()):
            raise refuse("INVALID_PARAMETER", "out_biz_no, order_id, pay_fund_order_id")
        with self._book.transaction():
            self._book.settle_due()
            transfer = self._find(**numbers)
            if transfer is None or transfer["visible_at"] > self._book.now():
                raise refuse("ORDER_NOT_EXIST", "转账订单不存在")
            return self.describe(transfer)

    def balance(self, document: dict[str, Any]) -> dict[str, Any]:
        """What the merchant can spend.

        Raises:
            ChannelRefuses: another account is asked about.
        """
        if document.get("alipay_user_id", SELLER_ID) != SELLER_ID:
            raise refuse("INVALID_PARAMETER", "alipay_user_id")
        with self._book.transaction():
            self._book.settle_due()
            return {
                "available_amount": yuan(self._book.balance(MERCHANT)),
                "freeze_amount": "0.00",
            }

    def return_now(self, out_biz_no: str, *, code: str) -> None:
        """Let the payee's bank give a paid transfer back (退票).

        Raises:
            ChannelRefuses: there is no such transfer to a card, or it is not paid.
        """
        with self._book.transaction():
            self._book.settle_due()
            transfer = self._of(out_biz_no)
            if transfer["state"] != "SUCCESS" or not transfer["is_to_card"]:
                raise refuse("INVALID_PARAMETER", "nothing to return")
            self._return({**transfer, "return_code": code}, self._book.now())

    def tail_of(self, document: dict[str, Any]) -> str:
        """The end of the payee's account, by which rules may choose."""
        transfer = self._find(
            out_biz_no=str(document.get("out_biz_no") or ""),
            order_id=str(document.get("order_id") or ""),
        )
        return "" if transfer is None else str(transfer["identity"])[-4:]

    def settle_due(self, now: float) -> None:
        """End what has been dealt with, and return what does not stay."""
        due = "SELECT * FROM transfer WHERE state = 'DEALING' AND due_at <= ?"
        for transfer in self._book.rows(f"{due} ORDER BY due_at, out_biz_no", now):
            self._settle(transfer)
        returning = (
            "SELECT *, settled_at + returns_after_s AS returns_at FROM transfer"
            " WHERE state = 'SUCCESS' AND settled_at + returns_after_s <= ?"
        )
        for transfer in self._book.rows(f"{returning} ORDER BY returns_at, out_biz_no", now):
            self._return(transfer, transfer["returns_at"])

    def describe(self, transfer: dict[str, Any]) -> dict[str, Any]:
        """A transfer in the words of a query's answer."""
        answer = _numbers(transfer) | {
            "status": transfer["state"],
            "trans_amount": yuan(transfer["amount_minor"]),
        }
        if transfer["state"] in {"SUCCESS", "REFUND"}:
            answer["pay_date"] = written(transfer["settled_at"])
        if transfer["is_to_card"]:
            answer |= {"arrival_time_end": written(transfer["due_at"]), "order_fee": "0.00"}
        if transfer["error_code"]:
            answer |= {"error_code": transfer["error_code"], "fail_reason": "模拟"}
        return answer

    def _require_name(self, product: str, payee: dict[str, Any]) -> None:
        """An account's name is checked at once; a card's by its bank, which takes its time."""
        real_name = self._book.setting(f"name:{payee['identity']}", "")
        given = payee.get("name") or ""
        if product == TO_ACCOUNT and real_name and given and given != real_name:
            raise refuse("PAYEE_USER_INFO_ERROR", "支付宝账号和姓名不匹配")

    def _insert(
        self, document: dict[str, Any], amount_minor: int, mark: str, faults: Faults
    ) -> None:
        now, number, payee = self._book.now(), document["out_biz_no"], document["payee_info"]
        is_to_card = document["product_code"] == TO_CARD
        real_name = self._book.setting(f"name:{payee['identity']}", "")
        is_misnamed = is_to_card and real_name and payee["name"] != real_name
        error = faults.code(Fault.FAIL_LATER, "PAYEE_CARD_INFO_ERROR")
        returns = Fault.RETURN_LATER in faults and is_to_card
        values = {
            "out_biz_no": number,
            "order_id": digits("2026110070000", number, 32),
            "pay_fund_order_id": digits("2026110070001", number, 32),
            "fingerprint": mark,
            "identity": payee["identity"],
            "is_to_card": is_to_card,
            "amount_minor": amount_minor,
            "remark": str(document.get("remark") or ""),
            "state": "DEALING",
            "created_at": now,
            "visible_at": now + faults.seconds(Fault.HIDDEN),
            "due_at": now + faults.seconds(Fault.SLOW, self._book.processing_s),
            "due_error_code": error if Fault.FAIL_LATER in faults or is_misnamed else "",
            "returns_after_s": faults.seconds(Fault.RETURN_LATER, DAY_S) if returns else None,
            "return_code": faults.code(Fault.RETURN_LATER, "PAYEE_CARD_INFO_ERROR"),
        }
        self._book.insert("transfer", values)

    def _settle(self, transfer: dict[str, Any]) -> None:
        error, at = transfer["due_error_code"], transfer["due_at"]
        self._move(transfer, TRANSFERS, MERCHANT if error else PAYEES, at)
        self._book.change(
            "UPDATE transfer SET state = ?, error_code = ?, settled_at = ? WHERE out_biz_no = ?",
            "FAIL" if error else "SUCCESS",
            error,
            at,
            transfer["out_biz_no"],
        )

    def _return(self, transfer: dict[str, Any], at: float) -> None:
        self._move(transfer, PAYEES, MERCHANT, at)
        self._book.change(
            "UPDATE transfer SET state = 'REFUND', error_code = ?, returned_at = ?"
            " WHERE out_biz_no = ?",
            transfer["return_code"],
            at,
            transfer["out_biz_no"],
        )

    def _move(self, transfer: dict[str, Any], origin: str, target: str, at: float) -> None:
        self._book.move(
            "transfer",
            origin=origin,
            target=target,
            amount_minor=transfer["amount_minor"],
            number=transfer["out_biz_no"],
            reference=transfer["order_id"],
            at=at,
            remark=transfer["remark"],
        )

    def _find(
        self, *, out_biz_no: str = "", order_id: str = "", pay_fund_order_id: str = ""
    ) -> dict[str, Any] | None:
        return self._book.row(
            "SELECT * FROM transfer WHERE out_biz_no = ? OR order_id = ? OR pay_fund_order_id = ?",
            out_biz_no,
            order_id,
            pay_fund_order_id,
        )

    def _of(self, out_biz_no: str) -> dict[str, Any]:
        transfer = self._find(out_biz_no=out_biz_no)
        if transfer is None:
            raise refuse("ORDER_NOT_EXIST", "转账订单不存在")
        return transfer


def _numbers(transfer: dict[str, Any]) -> dict[str, Any]:
    names = ("out_biz_no", "order_id", "pay_fund_order_id")
    return {name: transfer[name] for name in names}


def _check(document: dict[str, Any]) -> tuple[str, int]:
    number, payee = str(document["out_biz_no"]), document["payee_info"]
    if not OUT_BIZ_NO.fullmatch(number):
        raise refuse("INVALID_PARAMETER", "out_biz_no")
    amount_minor = fen(document["trans_amount"], field="trans_amount")
    if amount_minor < AMOUNT_MINOR_MIN:
        raise refuse("EXCEED_LIMIT_SM_MIN_AMOUNT", "单笔最低转账金额0.1元")
    if document["biz_scene"] != "DIRECT_TRANSFER" or not payee["identity"]:
        raise refuse("INVALID_PARAMETER", "biz_scene, payee_info.identity")
    if document["product_code"] == TO_ACCOUNT:
        _check_account(payee)
    elif document["product_code"] == TO_CARD:
        _check_card(payee)
    else:
        raise refuse("INVALID_PARAMETER", "product_code")
    return number, amount_minor


def _check_account(payee: dict[str, Any]) -> None:
    kind = payee["identity_type"]
    if kind == "ALIPAY_USER_ID":
        if not USER_ID.fullmatch(payee["identity"]):
            raise refuse("PAYEE_NOT_EXIST", "收款用户不存在")
    elif kind != "ALIPAY_LOGON_ID":
        raise refuse("INVALID_PARAMETER", "payee_info.identity_type")
    elif not payee.get("name"):
        raise refuse("INVALID_PARAMETER", "payee_info.name")


def _check_card(payee: dict[str, Any]) -> None:
    details = payee["bankcard_ext_info"]
    if payee["identity_type"] != "BANKCARD_ACCOUNT":
        raise refuse("INVALID_PARAMETER", "payee_info.identity_type")
    if not str(payee["identity"]).isdecimal():
        raise refuse("CARD_BIN_ERROR", "收款人银行账号不正确")
    if not payee.get("name") or details["account_type"] not in {COMPANY, PERSON}:
        raise refuse("INVALID_PARAMETER", "payee_info.name, account_type")
    if details["account_type"] == COMPANY and not (
        details.get("inst_name") and details.get("bank_code")
    ):
        raise refuse("INVALID_PARAMETER", "bankcard_ext_info.inst_name, bank_code")
