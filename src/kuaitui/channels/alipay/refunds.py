"""Money back along its payment: alipay.trade.refund, asked about by fastpay.refund.query."""

from __future__ import annotations

import datetime as dt
from typing import Final

from kuaitui.channels.alipay.answers import Answer
from kuaitui.channels.alipay.codes import REFUND, REFUND_QUERY, meaning_of
from kuaitui.channels.alipay.formats import read_moment, read_yuan, write_yuan
from kuaitui.channels.alipay.gateway import Content
from kuaitui.channels.port import (
    Accepted,
    NotFound,
    OriginalPayment,
    PayoutInstruction,
    QueryOutcome,
    Succeeded,
    Unknown,
)

REFUND_METHOD: Final = "alipay.trade.refund"
REFUND_QUERY_METHOD: Final = "alipay.trade.fastpay.refund.query"


def refund_content(instruction: PayoutInstruction, target: OriginalPayment) -> Content:
    """The request. `out_request_no` is what makes a second one of the same number harmless."""
    return {
        "trade_no": target.payment_reference,
        "refund_amount": write_yuan(instruction.amount),
        "out_request_no": instruction.number,
    }


def refund_query_content(instruction: PayoutInstruction, target: OriginalPayment) -> Content:
    """The question. The time of the refund is told only to whom asks for it."""
    return {
        "trade_no": target.payment_reference,
        "out_request_no": instruction.number,
        "query_options": ["gmt_refund_pay"],
    }


def read_refund(
    answer: Answer,
    instruction: PayoutInstruction,
    target: OriginalPayment,
    *,
    now: dt.datetime,
) -> QueryOutcome:
    """What the answer to a refund means.

    A success of the call is no success of the refund: only `fund_change=Y` says that money moved.
    N is also the answer to a repeated number, so it shows that Alipay has it, and no more.
    The amount told here is the sum of all refunds of the payment, so it is at least this one's.
    """
    if not answer.is_success:
        refused = meaning_of(answer, REFUND)
        return Unknown("not_found_after_submit") if isinstance(refused, NotFound) else refused
    if answer.text("trade_no") != target.payment_reference:
        return Unknown("echo_mismatch")
    match answer.text("fund_change"):
        case "Y":
            try:
                if read_yuan(answer.text("refund_fee")) < instruction.amount:
                    return Unknown("echo_mismatch")
                return Succeeded(target.payment_reference, _paid_at(answer, now))
            except ValueError:
                return Unknown("unreadable")
        case "N":
            return Accepted(target.payment_reference)
        case _:
            return Unknown("fund_change_absent")


def read_refund_query(
    answer: Answer,
    instruction: PayoutInstruction,
    target: OriginalPayment,
    *,
    now: dt.datetime,
) -> QueryOutcome:
    """What became of a refund. Without a status there is no such refund (yet)."""
    if not answer.is_success:
        return meaning_of(answer, REFUND_QUERY)
    status = answer.text("refund_status")
    if not status:
        return NotFound()
    if status != "REFUND_SUCCESS":
        return Unknown("state_unmapped")
    echo = (answer.text("trade_no"), answer.text("out_request_no"))
    if echo != (target.payment_reference, instruction.number):
        return Unknown("echo_mismatch")
    try:
        if read_yuan(answer.text("refund_amount")) != instruction.amount:
            return Unknown("echo_mismatch")
        return Succeeded(target.payment_reference, _paid_at(answer, now))
    except ValueError:
        return Unknown("unreadable")


def _paid_at(answer: Answer, now: dt.datetime) -> dt.datetime:
    """When Alipay says that it refunded; if it does not say, when it said that it did."""
    told = answer.text("gmt_refund_pay")
    return read_moment(told) if told else now
