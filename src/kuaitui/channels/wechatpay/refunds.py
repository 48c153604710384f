"""Back along the payment: domestic refunds, and those that WeChat Pay could not deliver.

Source: reference §1.1; pay.weixin.qq.com/doc/v3/merchant/4013071031.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NeededAction,
    NeedsAction,
    NotFound,
    OriginalPayment,
    PayeeAccount,
    PayeeKind,
    PayoutInstruction,
    QueryOutcome,
    SubmitOutcome,
    Succeeded,
    Unknown,
)
from kuaitui.channels.wechatpay.client import Deadline, Reply, WeChatPayClient
from kuaitui.channels.wechatpay.keys import WeChatKey
from kuaitui.channels.wechatpay.replies import (
    AnswerUnreadable,
    believe,
    is_fen,
    moment,
    reference,
    refused,
    refuses_us,
)
from kuaitui.channels.wechatpay.settings import CURRENCY, WeChatPaySettings
from kuaitui.kernel.invariants import ensure

REFUNDS: Final = "/v3/refund/domestic/refunds"
NUMBER: Final = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")
REFUND_ID: Final = re.compile(r"[0-9A-Za-z]{1,64}")

# The banks whose debit cards take a stuck refund, by the ends of the names that people write.
# Source: the list of `bank_type` of apply-abnormal-refund.
BANKS: Final[Mapping[str, str]] = {
    "招商银行": "CMB_DEBIT",
    "交通银行": "COMM_DEBIT",
    "农业银行": "ABC_DEBIT",
    "建设银行": "CCB_DEBIT",
    "工商银行": "ICBC_DEBIT",
    "中国银行": "BOC_DEBIT",
    "平安银行": "PAB_DEBIT",
    "浦东发展银行": "SPDB_DEBIT",
    "浦发银行": "SPDB_DEBIT",
    "中信银行": "CITIC_DEBIT",
    "光大银行": "CEB_DEBIT",
    "民生银行": "CMBC_DEBIT",
    "兴业银行": "CIB_DEBIT",
    "广发银行": "GDB_DEBIT",
    "邮储银行": "PSBC_DEBIT",
    "邮政储蓄银行": "PSBC_DEBIT",
    "宁波银行": "NBCB_DEBIT",
}


class Refunds:
    """Refunds along the original payment."""

    def __init__(self, settings: WeChatPaySettings, client: WeChatPayClient) -> None:
        self._settings = settings
        self._client = client

    def submit(self, instruction: PayoutInstruction, deadline: Deadline) -> SubmitOutcome:
        """Ask for the refund. The same number many times refunds once."""
        if unfit := _unfit(instruction):
            return FailedDefinite(unfit)
        document = render(self._settings, instruction)
        reply = self._client.call("POST", REFUNDS, document=document, deadline=deadline)
        if not isinstance(reply, Reply):
            return reply
        if reply.is_success:
            return read_refund(reply, instruction)
        return believe(refused(reply), lambda: self.query(instruction, deadline))

    def query(self, instruction: PayoutInstruction, deadline: Deadline) -> QueryOutcome:
        """Ask how it stands."""
        if NUMBER.fullmatch(instruction.number) is None:
            return Unknown("number_unfit")
        reply = self._client.call("GET", f"{REFUNDS}/{instruction.number}", deadline=deadline)
        return reply if not isinstance(reply, Reply) else read_queried(reply, instruction)

    def hand_over(
        self,
        instruction: PayoutInstruction,
        refund_id: str,
        payee: PayeeAccount,
        deadline: Deadline,
    ) -> QueryOutcome:
        """Send a stuck refund to a person's debit card, under its old number."""
        bank = bank_type(payee)
        if not bank or REFUND_ID.fullmatch(refund_id) is None:
            return NeedsAction(NeededAction.MISSING_BANK_DETAILS, refund_id)
        key = self._client.sealing_key(deadline=deadline)
        if not isinstance(key, WeChatKey):
            return key
        number = instruction.number
        seal = self._client.seal
        reply = self._client.call(
            "POST",
            f"{REFUNDS}/{refund_id}/apply-abnormal-refund",
            document={
                "out_refund_no": number,
                "type": "USER_BANK_CARD",
                "bank_type": bank,
                "bank_account": seal(key, payee.account_number, number=number, name="bank_account"),
                "real_name": seal(key, payee.holder_name, number=number, name="real_name"),
            },
            serial=key.serial,
            deadline=deadline,
        )
        if not isinstance(reply, Reply):
            return reply
        if reply.is_success:
            return read_refund(reply, instruction)
        # The refund stands as it stood before: no refusal of this call ends it.
        return refuses_us(reply) or reply.unmapped()


def render(settings: WeChatPaySettings, instruction: PayoutInstruction) -> dict[str, Any]:
    """The request of a refund. Its optional parts are in it only when the settings have them."""
    target = instruction.target
    ensure(isinstance(target, OriginalPayment), "a refund goes back along a payment")
    assert isinstance(target, OriginalPayment)  # for the type checker
    reason = {"reason": settings.refund_reason} if settings.refund_reason else {}
    return {
        "transaction_id": target.payment_reference,
        "out_refund_no": instruction.number,
        **reason,
        "notify_url": settings.notify_url,
        "amount": {
            "refund": instruction.amount.minor,
            "total": target.total.minor,
            "currency": CURRENCY,
        },
    }


def read_queried(reply: Reply, instruction: PayoutInstruction) -> QueryOutcome:
    """What an answer to a question means. A refusal of the question says nothing of the refund."""
    if reply.is_success:
        return read_refund(reply, instruction)
    if (reply.status, reply.code) == (404, "RESOURCE_NOT_EXISTS"):
        return NotFound()
    return refuses_us(reply) or reply.unmapped()


def read_refund(reply: Reply, instruction: PayoutInstruction) -> SubmitOutcome:
    """How a refund stands, if the answer is about this very refund."""
    document = reply.document
    if not _echoes(document, instruction):
        return Unknown("echo_mismatch")
    try:
        refund_id = reference(document, "refund_id")
        match document.get("status"):
            case "PROCESSING":
                return Accepted(refund_id)
            case "SUCCESS":
                return Succeeded(refund_id, moment(document, "success_time"))
            case "CLOSED":
                return FailedDefinite("CLOSED")
            case "ABNORMAL":
                return NeedsAction(NeededAction.ABNORMAL_REFUND, refund_id)
            case _:
                return Unknown("state_unmapped")
    except AnswerUnreadable:
        return Unknown("unreadable")


def bank_type(payee: PayeeAccount) -> str:
    """WeChat Pay's name of a person's bank; nothing if it takes no stuck refund to that account."""
    if payee.kind is not PayeeKind.BANK_ACCOUNT or payee.is_company or not payee.holder_name:
        return ""
    found = (code for name, code in BANKS.items() if payee.bank_name.endswith(name))
    return next(found, "")


def _echoes(document: Mapping[str, Any], instruction: PayoutInstruction) -> bool:
    target, amount = instruction.target, document.get("amount")
    return (
        isinstance(target, OriginalPayment)
        and isinstance(amount, dict)
        and document.get("out_refund_no") == instruction.number
        and document.get("transaction_id") == target.payment_reference
        and is_fen(amount.get("refund"), instruction.amount)
        and is_fen(amount.get("total"), target.total)
        and amount.get("currency") == CURRENCY
    )


def _unfit(instruction: PayoutInstruction) -> str:
    """Why WeChat Pay could never take this; nothing was sent then."""
    target = instruction.target
    assert isinstance(target, OriginalPayment)  # the channel sends others elsewhere
    if NUMBER.fullmatch(instruction.number) is None:
        return "NUMBER_UNFIT"
    if {instruction.amount.currency, target.total.currency} != {CURRENCY}:
        return "CURRENCY_NOT_SUPPORTED"
    if instruction.amount > target.total:
        return "AMOUNT_ABOVE_PAYMENT"
    return ""
