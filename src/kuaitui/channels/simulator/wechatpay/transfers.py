"""商家转账: locked when accepted, paid when the payee confirms, given back when nobody does.

Source: pay.weixin.qq.com/doc/v3/merchant/4012716434 (create), 4012716437 (query), 4012716458
(cancel), 4013778940 (questions); limits as in the reference §1.2.
"""

from __future__ import annotations

import re
import secrets
from typing import Any, Final

from kuaitui.channels.simulator.faults import Fault, Faults
from kuaitui.channels.simulator.money_book import (
    MERCHANT,
    PAYEES,
    TRANSFERS,
    NoticePlan,
    digits,
    fingerprint,
)
from kuaitui.channels.simulator.wechatpay.book import WechatPayBook, refuse
from kuaitui.channels.simulator.wechatpay.keys import APPID, MCHID
from kuaitui.channels.simulator.wechatpay.times import DAY_S, rfc3339_fine

OUT_BILL_NO: Final = re.compile(r"[0-9A-Za-z]{1,32}")
AMOUNT_MINOR_MIN: Final = 10
NAME_REQUIRED_FROM_MINOR: Final = 200_000
REMARK_CHARACTERS_MAX: Final = 32
CONFIRM_WITHIN_S: Final = DAY_S
QUERY_FOR_S: Final = 30 * DAY_S
CANCELLABLE: Final = ("ACCEPTED", "PROCESSING", "WAIT_USER_CONFIRM")
FINAL: Final = ("SUCCESS", "FAIL", "CANCELLED")


class Transfers:
    """Everything about money to people who have not paid it."""

    def __init__(self, book: WechatPayBook) -> None:
        self._book = book

    def apply(self, document: dict[str, Any], user_name: str, faults: Faults) -> dict[str, Any]:
        """Take a transfer in, or find it: the number decides.

        `user_name` is the payee's name, decrypted. The ciphertext differs whenever a name is
        encrypted again, so the name counts for "the same request", not the ciphertext.

        Raises:
            ChannelRefuses: something is wrong with it, or there is no money for it.
        """
        number, amount_minor = self._check(document, user_name)
        with self._book.transaction():
            self._book.settle_due()
            mark = fingerprint({**document, "name": user_name}, without=["user_name"])
            known = self._transfer(number)
            if known is not None:
                if known["fingerprint"] != mark:
                    raise refuse("INVALID_REQUEST", "268498688: 请求重入时，参数与首次请求时不一致")
                if _is_unlocked(known) and self._book.can_spend(amount_minor):
                    self._lock(known)
                return self._answer(self._known(number))
            if not self._book.can_spend(amount_minor):
                raise refuse("NOT_ENOUGH", "资金不足，请充值后使用原商户单号重试")
            self._insert(document, mark, user_name, faults)
            if Fault.WANTS_AGAIN not in faults:
                self._move(self._known(number), MERCHANT, TRANSFERS, self._book.now())
            self._book.settle_due()
            return self._answer(self._known(number))

    def query(self, *, out_bill_no: str = "", transfer_bill_no: str = "") -> dict[str, Any]:
        """One transfer of the last 30 days.

        Raises:
            ChannelRefuses: there is none, it is older, or it is hidden for now.
        """
        with self._book.transaction():
            self._book.settle_due()
            transfer = self._book.row(
                "SELECT * FROM transfer WHERE out_bill_no = ? OR transfer_bill_no = ?",
                out_bill_no,
                transfer_bill_no,
            )
            now = self._book.now()
            if transfer is None or transfer["visible_at"] > now:
                raise refuse("NOT_FOUND", "转账单不存在")
            if now - transfer["created_at"] > QUERY_FOR_S:
                raise refuse("NOT_FOUND", "只支持查询最近30天内的转账单")
            return self.describe(transfer)

    def cancel(self, out_bill_no: str) -> dict[str, Any]:
        """Call a transfer back that nobody has confirmed; it is cancelled a little later.

        Raises:
            ChannelRefuses: there is none, or it is too late.
        """
        with self._book.transaction():
            self._book.settle_due()
            transfer = self._transfer(out_bill_no)
            if transfer is None:
                raise refuse("NOT_FOUND", "转账单不存在")
            if _is_unlocked(transfer):
                self._finish(transfer, "CANCELLED", self._book.now(), reason="")
            elif transfer["state"] in CANCELLABLE:
                due_at = self._book.now() + float(self._book.setting("cancelling_s", "0"))
                self._change(transfer, "CANCELING", due=("CANCELLED", due_at))
            elif transfer["state"] not in {"CANCELING", "CANCELLED"}:
                raise refuse("INVALID_REQUEST", "当前单据状态不支持撤销")
            now = self._known(out_bill_no)
            names = ("out_bill_no", "transfer_bill_no", "state")
            answer = {name: now[name] for name in names}
            return {**answer, "update_time": rfc3339_fine(now["updated_at"])}

    def confirm(self, package_info: str) -> None:
        """Play the payee, who accepts the money.

        Raises:
            ChannelRefuses: nothing waits for a confirmation here.
        """
        with self._book.transaction():
            transfer = self.offered(package_info)
            if transfer["state"] != "WAIT_USER_CONFIRM" or (
                transfer["expires_at"] <= self._book.now()
            ):
                raise refuse("INVALID_REQUEST", "该转账已不能确认收款")
            self._confirm(transfer, self._book.now())
            self._book.settle_due()

    def package_of(self, out_bill_no: str) -> str:
        """What the payee's app needs to confirm.

        Raises:
            ChannelRefuses: there is no such transfer.
        """
        return str(self._known(out_bill_no)["package_info"])

    def offered(self, package_info: str) -> dict[str, Any]:
        """What the payee's page shows.

        Raises:
            ChannelRefuses: nothing is offered here.
        """
        with self._book.transaction():
            self._book.settle_due()
            transfer = self._book.row("SELECT * FROM transfer WHERE package_info = ?", package_info)
            if transfer is None:
                raise refuse("NOT_FOUND", "转账单不存在")
            return transfer

    def tail_of(self, number: str) -> str:
        """The end of the payee's openid, by which rules may choose."""
        transfer = self._book.row(
            "SELECT openid FROM transfer WHERE ? IN (out_bill_no, transfer_bill_no)", number
        )
        return "" if transfer is None else str(transfer["openid"])[-4:]

    def settle_due(self, now: float) -> None:
        """Move on what has been processed, close what nobody confirmed."""
        due = "SELECT * FROM transfer WHERE due_at <= ? ORDER BY due_at, out_bill_no"
        while moving := self._book.rows(due, now):
            for transfer in moving:
                self._move_on(transfer)
        overdue = "SELECT * FROM transfer WHERE state = 'WAIT_USER_CONFIRM' AND closes_at <= ?"
        for transfer in self._book.rows(f"{overdue} ORDER BY closes_at, out_bill_no", now):
            self._finish(transfer, "FAIL", transfer["closes_at"], reason="OVERDUE_CLOSE")

    def describe(self, transfer: dict[str, Any]) -> dict[str, Any]:
        """A transfer in the words of a query's answer."""
        document = {
            "mch_id": MCHID,
            "out_bill_no": transfer["out_bill_no"],
            "transfer_bill_no": transfer["transfer_bill_no"],
            "appid": APPID,
            "state": transfer["state"],
            "transfer_amount": transfer["amount_minor"],
            "transfer_remark": transfer["remark"],
            "openid": transfer["openid"],
            "create_time": rfc3339_fine(transfer["created_at"]),
            "update_time": rfc3339_fine(transfer["updated_at"]),
        }
        if transfer["fail_reason"]:
            document["fail_reason"] = transfer["fail_reason"]
        return document

    def _answer(self, transfer: dict[str, Any]) -> dict[str, Any]:
        names = ("out_bill_no", "transfer_bill_no", "state")
        answer = {name: transfer[name] for name in names}
        answer["create_time"] = rfc3339_fine(transfer["created_at"])
        if transfer["state"] == "WAIT_USER_CONFIRM":
            answer["package_info"] = transfer["package_info"]
        if transfer["fail_reason"]:
            answer["fail_reason"] = transfer["fail_reason"]
        return answer

    def _check(self, document: dict[str, Any], user_name: str) -> tuple[str, int]:
        number, amount_minor = str(document["out_bill_no"]), document["transfer_amount"]
        if not OUT_BILL_NO.fullmatch(number):
            raise refuse("PARAM_ERROR", "out_bill_no")
        if document["appid"] != APPID:
            raise refuse("APPID_MCHID_NOT_MATCH", "appid和mchid不匹配")
        if type(amount_minor) is not int or amount_minor < AMOUNT_MINOR_MIN:
            raise refuse("PARAM_ERROR", "transfer_amount")
        if amount_minor >= NAME_REQUIRED_FROM_MINOR and not user_name:
            raise refuse("PARAM_ERROR", "user_name")
        if not 0 < len(document["transfer_remark"]) <= REMARK_CHARACTERS_MAX:
            raise refuse("PARAM_ERROR", "transfer_remark")
        if not document["openid"] or not document["transfer_scene_id"]:
            raise refuse("PARAM_ERROR", "openid, transfer_scene_id")
        if not document["transfer_scene_report_infos"]:
            raise refuse("PARAM_ERROR", "transfer_scene_report_infos")
        return number, amount_minor

    def _insert(self, document: dict[str, Any], mark: str, user_name: str, faults: Faults) -> None:
        now = self._book.now()
        waits_from = now + faults.seconds(Fault.SLOW)
        number, openid = document["out_bill_no"], document["openid"]
        real_name = self._book.setting(f"name:{openid}", "")
        is_misnamed = bool(user_name and real_name and user_name != real_name)
        lag_s = faults.seconds(Fault.CLOSE_LATE, float(self._book.setting("closing_lag_s", "0")))
        fails = faults.code(Fault.FAIL_LATER, "PAYEE_ACCOUNT_ABNORMAL")
        is_wanted_again = Fault.WANTS_AGAIN in faults
        values = {
            "out_bill_no": number,
            "transfer_bill_no": digits("1330", number, 40),
            "fingerprint": mark,
            "openid": openid,
            "amount_minor": document["transfer_amount"],
            "remark": document["transfer_remark"],
            "notify_url": document.get("notify_url", ""),
            "state": "PROCESSING" if is_wanted_again else "ACCEPTED",
            "package_info": secrets.token_urlsafe(24),
            "created_at": now,
            "updated_at": now,
            "visible_at": now + faults.seconds(Fault.HIDDEN),
            "expires_at": waits_from + CONFIRM_WITHIN_S,
            "closes_at": waits_from + CONFIRM_WITHIN_S + lag_s,
            "due_at": None if is_wanted_again else waits_from,
            "due_state": "FAIL" if is_misnamed else "WAIT_USER_CONFIRM",
            "due_reason": "NAME_NOT_CORRECT" if is_misnamed else "",
            "confirmed_fails": fails if Fault.FAIL_LATER in faults else "",
            "plan": NoticePlan.of(faults).written(),
        }
        self._book.insert("transfer", values)

    def _lock(self, transfer: dict[str, Any]) -> None:
        """Take the money for a transfer that was wanted again, and go on with it."""
        now = self._book.now()
        self._move(transfer, MERCHANT, TRANSFERS, now)
        waited = now - transfer["created_at"]
        self._book.change(
            "UPDATE transfer SET due_at = ?, expires_at = expires_at + ?, closes_at = closes_at + ?"
            " WHERE out_bill_no = ?",
            now,
            waited,
            waited,
            transfer["out_bill_no"],
        )
        self._book.settle_due()

    def _confirm(self, transfer: dict[str, Any], at: float) -> None:
        due_at = at + float(self._book.setting("processing_s", "0"))
        reason = transfer["confirmed_fails"]
        self._change(
            transfer, "TRANSFERING", due=("FAIL" if reason else "SUCCESS", due_at), reason=reason
        )

    def _move_on(self, transfer: dict[str, Any]) -> None:
        state, at = transfer["due_state"], transfer["due_at"]
        if state in FINAL:
            self._finish(transfer, state, at, reason=transfer["due_reason"])
            return
        self._change(transfer, state)
        if self._book.setting("payees_confirm", "0") == "1":
            self._confirm(transfer, at)

    def _change(
        self,
        transfer: dict[str, Any],
        state: str,
        *,
        due: tuple[str | None, float | None] = (None, None),
        reason: str = "",
    ) -> None:
        self._book.change(
            "UPDATE transfer SET state = ?, due_state = ?, due_at = ?, due_reason = ?,"
            " updated_at = ? WHERE out_bill_no = ?",
            state,
            *due,
            reason,
            self._book.now(),
            transfer["out_bill_no"],
        )

    def _finish(self, transfer: dict[str, Any], state: str, at: float, *, reason: str) -> None:
        if not _is_unlocked(transfer):
            self._move(transfer, TRANSFERS, PAYEES if state == "SUCCESS" else MERCHANT, at)
        self._book.change(
            "UPDATE transfer SET state = ?, fail_reason = ?, due_at = NULL, updated_at = ?"
            " WHERE out_bill_no = ?",
            state,
            reason,
            at,
            transfer["out_bill_no"],
        )
        now = self.describe(self._known(transfer["out_bill_no"]))
        left_out = ("appid", "transfer_remark")
        self._book.tell(
            "MCHTRANSFER.BILL.FINISHED",
            number=transfer["out_bill_no"],
            url=transfer["notify_url"],
            resource={name: value for name, value in now.items() if name not in left_out},
            plan=NoticePlan.read(transfer["plan"]),
            at=at,
        )

    def _move(self, transfer: dict[str, Any], origin: str, target: str, at: float) -> None:
        self._book.move(
            "transfer",
            origin=origin,
            target=target,
            amount_minor=transfer["amount_minor"],
            number=transfer["out_bill_no"],
            reference=transfer["transfer_bill_no"],
            at=at,
            remark=transfer["remark"],
        )

    def _transfer(self, out_bill_no: str) -> dict[str, Any] | None:
        return self._book.row("SELECT * FROM transfer WHERE out_bill_no = ?", out_bill_no)

    def _known(self, out_bill_no: str) -> dict[str, Any]:
        transfer = self._transfer(out_bill_no)
        if transfer is None:
            raise refuse("NOT_FOUND", "转账单不存在")
        return transfer


def _is_unlocked(transfer: dict[str, Any]) -> bool:
    """Whether it has no money yet, and waits for the same order once more."""
    return bool(transfer["state"] == "PROCESSING" and transfer["due_at"] is None)
