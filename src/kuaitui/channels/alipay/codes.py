"""What Alipay's error codes mean to us, operation by operation. What no table names is Unknown.

A code is looked for inside the answer's `sub_code`, since Alipay's own pages spell some of them
differently from one page to the next (`AQC.SYSTEM_ERROR`, `INVAILID_ARGUMENTS`). A code that leaves
the result open is looked for first, so that nothing else in its name can make it definite.

Source: reference §1.3; Alipay's lists of business errors of trade.refund and fund.trans.uni.transfer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kuaitui.channels.alipay.answers import Answer
from kuaitui.channels.port import (
    FailedDefinite,
    NotFound,
    RejectedConfig,
    Unknown,
)

BUSINESS_FAILED: Final = "40004"
# The gateway itself refuses the application: nothing behind it was reached.
APPLICATION_REFUSED: Final = frozenset({"20001", "40001", "40002", "40006"})
APPLICATION_CODES: Final = (
    "INVALID-APP-ID",
    "MISSING-APP-ID",
    "INVALID-SIGNATURE",
    "MISSING-SIGNATURE",
    "INSUFFICIENT-ISV-PERMISSIONS",
    "INSUFFICIENT-USER-PERMISSIONS",
    "INVALID-AUTH-TOKEN",
    "ACCESS_FORBIDDEN",
)
LEAVES_IT_OPEN: Final = ("SYSTEM_ERROR", "UNKNOW", "SYSTEM-ERROR")


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of one operation. A query's errors speak of the query, so its table is short."""

    refused: tuple[str, ...] = ()
    """It did not happen and never will under this number."""
    may_pass: tuple[str, ...] = ()
    """It did not happen, and the same number may be tried again."""
    stops_us: tuple[str, ...] = ()
    """Our own account cannot do this: it is no fault of this one payment."""
    not_found: tuple[str, ...] = ()


Refused = FailedDefinite | RejectedConfig | NotFound | Unknown

REFUND: Final = Codes(
    refused=(
        "TRADE_HAS_FINISHED",
        "TRADE_NOT_EXIST",
        "TRADE_NOT_ALLOW_REFUND",
        "TRADE_STATUS_ERROR",
        "REASON_TRADE_BEEN_FREEZEN",
        "REASON_TRADE_REFUND_FEE_ERR",
        "REFUND_AMT_NOT_EQUAL_TOTAL",
        "INVALID_PARAMETER",
        "INVAILID_ARGUMENTS",
    ),
    may_pass=("SELLER_BALANCE_NOT_ENOUGH",),
)
REFUND_QUERY: Final = Codes(not_found=("TRADE_NOT_EXIST", "REFUND_NOT_EXIST"))
TRANSFER: Final = Codes(
    refused=(
        "PAYEE_NOT_EXIST",
        "PAYEE_ACCOUNT_NOT_EXSIT",
        "PAYEE_ACCOUNT_STATUS_ERROR",
        "PAYEE_USERINFO_STATUS_ERROR",
        "PAYEE_USER_INFO_ERROR",
        "PAYEE_USER_TYPE_ERROR",
        "PAYEE_NOT_RELNAME_CERTIFY",
        "PAYEE_ACC_OCUPIED",
        "PAYEE_CARD_INFO_ERROR",
        "CARD_BIN_ERROR",
        "INVALID_CARDNO",
        "NO_ACCOUNT_RECEIVE_PERMISSION",
        "PERMIT_NON_BANK_LIMIT_PAYEE",
        "PERMIT_CHECK_RECEIVE_LIMIT",
        "PERM_AML_NOT_REALNAME_REV",
        "RELEASE_USER_FORBBIDEN_RECIEVE",
        "EXCEED_LIMIT_SM_AMOUNT",
        "EXCEED_LIMIT_SM_MIN_AMOUNT",
        "EXCEED_LIMIT_PERSONAL_SM_AMOUNT",
        "EXCEED_LIMIT_UNRN_DM_AMOUNT",
        "REMARK_HAS_SENSITIVE_WORD",
        "PAYER_PAYEE_CANNOT_SAME",
        "SECURITY_CHECK_FAILED",
        "INVALID_PARAMETER",
        "INVAILID_ARGUMENTS",
    ),
    may_pass=(
        "BALANCE_NOT_ENOUGH",
        "BALANCE_IS_NOT_ENOUGH",
        "EXCEED_LIMIT_DM_AMOUNT",
        "EXCEED_LIMIT_DM_MAX_AMOUNT",
        "EXCEED_LIMIT_MM_AMOUNT",
    ),
    stops_us=(
        "PRODUCT_NOT_SIGN",
        "PAYER_STATUS_ERROR",
        "PAYER_NOT_EXIST",
        "PAYER_CERTIFY_CHECK_FAIL",
        "PAYER_PERMLIMIT_CHECK_FAILURE",
        "PAYCARD_UNABLE_PAYMENT",
        "PERMIT_CHECK_PERM_LIMITED",
        "PERMIT_CHECK_PERM_IDENTITY_THEFT",
        "NO_ACCOUNT_PAYMENT_PERMISSION",
        "NO_PERMISSION_ACCOUNT",
        "INVALID_PAYER_ACCOUNT",
        "NOT_IN_WHITE_LIST",
        "MONEY_PAY_CLOSED",
        "NO_AVAILABLE_PAYMENT_TOOLS",
    ),
)
TRANSFER_QUERY: Final = Codes(not_found=("ORDER_NOT_EXIST",))
PAY_IN: Final = Codes(
    refused=(
        "INVALID_PARAMETER",
        "INVAILID_ARGUMENTS",
        "TOTAL_FEE_EXCEED",
    ),
)
PAY_IN_QUERY: Final = Codes(not_found=("TRADE_NOT_EXIST",))


def meaning_of(answer: Answer, codes: Codes) -> Refused:
    """What an answer that is not a success means to this operation."""
    said = answer.text("sub_code").upper()
    if _named(said, LEAVES_IT_OPEN):
        return Unknown(answer.cause)
    if answer.text("code") in APPLICATION_REFUSED or answer.text("code") == BUSINESS_FAILED:
        refused_us = _named(said, APPLICATION_CODES)
        if refused_us:
            return RejectedConfig(refused_us)
    if answer.text("code") != BUSINESS_FAILED:
        return Unknown(answer.cause)
    if _named(said, codes.not_found):
        return NotFound()
    if stops_us := _named(said, codes.stops_us):
        return RejectedConfig(stops_us)
    if may_pass := _named(said, codes.may_pass):
        return FailedDefinite(may_pass, same_key_retry_ok=True)
    if refused := _named(said, codes.refused):
        return FailedDefinite(refused)
    return Unknown(answer.cause)


def names_any(answer: Answer, codes: tuple[str, ...]) -> bool:
    """Whether a business error is one of these."""
    said = answer.text("sub_code").upper()
    return answer.text("code") == BUSINESS_FAILED and bool(_named(said, codes))


def _named(said: str, codes: tuple[str, ...]) -> str:
    """The first of the codes that stands in what was said, or nothing."""
    return next((code for code in codes if code in said), "")
