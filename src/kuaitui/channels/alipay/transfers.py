"""Money to an account: alipay.fund.trans.uni.transfer. In certificate mode only."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

from kuaitui.channels.alipay.answers import Answer, plain
from kuaitui.channels.alipay.codes import TRANSFER, TRANSFER_QUERY, meaning_of
from kuaitui.channels.alipay.formats import read_moment, read_yuan, write_yuan
from kuaitui.channels.alipay.gateway import Content
from kuaitui.channels.alipay.settings import AlipaySettings
from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NotFound,
    PayeeAccount,
    PayeeKind,
    PayoutInstruction,
    QueryOutcome,
    Returned,
    Succeeded,
    Unknown,
)

TRANSFER_METHOD: Final = "alipay.fund.trans.uni.transfer"
TRANSFER_QUERY_METHOD: Final = "alipay.fund.trans.common.query"
BIZ_SCENE: Final = "DIRECT_TRANSFER"
PRODUCTS: Final = {
    PayeeKind.ALIPAY_ACCOUNT: "TRANS_ACCOUNT_NO_PWD",
    PayeeKind.BANK_ACCOUNT: "TRANS_BANKCARD_NO_PWD",
}
ORDER_TITLE: Final = "保证金退还"
_USER_ID: Final = re.compile(r"2088\d{12}", re.ASCII)


def why_not_payable(payee: PayeeAccount) -> str:
    """Why Alipay could not pay this payee, known before anything is sent; or nothing.

    A company's bank account needs its branch's number (联行号) beside the bank's name.
    """
    if payee.kind not in PRODUCTS:
        return "payee_kind_not_offered"
    if payee.kind is PayeeKind.BANK_ACCOUNT and payee.is_company:
        return "" if payee.bank_name and payee.bank_code else "missing_bank_details"
    return ""


def transfer_content(
    instruction: PayoutInstruction, payee: PayeeAccount, settings: AlipaySettings
) -> Content:
    """The request. From 50,000 yuan on a remark is demanded, so there always is one."""
    content: dict[str, object] = {
        "out_biz_no": instruction.number,
        "trans_amount": write_yuan(instruction.amount),
        "product_code": PRODUCTS[payee.kind],
        "biz_scene": BIZ_SCENE,
        "order_title": ORDER_TITLE,
        "remark": instruction.number,
        "payee_info": _payee_info(payee),
        "transfer_scene_name": settings.transfer_scene_name,
    }
    if settings.transfer_scene_report:
        content["transfer_scene_report_infos"] = [
            {"info_type": kind, "info_content": told}
            for kind, told in settings.transfer_scene_report
        ]
    return content


def _payee_info(payee: PayeeAccount) -> dict[str, object]:
    """The name goes with every kind of account, so that Alipay compares it."""
    if payee.kind is PayeeKind.ALIPAY_ACCOUNT:
        is_id = _USER_ID.fullmatch(payee.account_number)
        identity_type = "ALIPAY_USER_ID" if is_id else "ALIPAY_LOGON_ID"
        return {
            "identity": payee.account_number,
            "identity_type": identity_type,
            "name": payee.holder_name,
        }
    bank = {
        "account_type": "1" if payee.is_company else "2",
        "inst_name": payee.bank_name,
        "bank_code": payee.bank_code,
    }
    return {
        "identity": payee.account_number,
        "identity_type": "BANKCARD_ACCOUNT",
        "name": payee.holder_name,
        "bankcard_ext_info": {name: value for name, value in bank.items() if value},
    }


def transfer_query_content(instruction: PayoutInstruction, payee: PayeeAccount) -> Content:
    """The question, which must name the product and scene along with our number."""
    return {
        "out_biz_no": instruction.number,
        "product_code": PRODUCTS[payee.kind],
        "biz_scene": BIZ_SCENE,
    }


def read_transfer(
    answer: Answer, instruction: PayoutInstruction, *, now: dt.datetime
) -> QueryOutcome:
    """What the answer to a transfer means."""
    if not answer.is_success:
        refused = meaning_of(answer, TRANSFER)
        return Unknown("not_found_after_submit") if isinstance(refused, NotFound) else refused
    return _read_state(answer, instruction, moment="trans_date", now=now)


def read_transfer_query(
    answer: Answer, instruction: PayoutInstruction, *, now: dt.datetime
) -> QueryOutcome:
    """What became of a transfer. A number that is not known may still be under way."""
    if not answer.is_success:
        return meaning_of(answer, TRANSFER_QUERY)
    return _read_state(answer, instruction, moment="pay_date", now=now)


def _read_state(
    answer: Answer, instruction: PayoutInstruction, *, moment: str, now: dt.datetime
) -> QueryOutcome:
    if answer.text("out_biz_no") != instruction.number:
        return Unknown("echo_mismatch")
    try:
        amount = answer.text("trans_amount")
        if amount and read_yuan(amount) != instruction.amount:
            return Unknown("echo_mismatch")
        told = answer.text(moment)
        settled_at = read_moment(told) if told else now
    except ValueError:
        return Unknown("unreadable")
    reference = plain(answer.text("order_id"))
    code = plain(answer.text("error_code"))
    match answer.text("status"):
        case "SUCCESS":
            return Succeeded(reference, settled_at)
        case "DEALING":
            return Accepted(reference)
        case "FAIL":
            return FailedDefinite(code or "FAIL")
        case "REFUND":
            # No answer tells when the bank gave it back: it is known from now on.
            return Returned(reference, code or "REFUND", now)
        case _:
            return Unknown("state_unmapped")
