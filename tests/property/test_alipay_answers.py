"""Whatever Alipay answers: nobody stumbles, and nothing is definite that it did not clearly say."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from kuaitui.channels.alipay.answers import Answer
from kuaitui.channels.alipay.pay_ins import read_closed, read_opened, read_trade
from kuaitui.channels.alipay.refunds import read_refund, read_refund_query
from kuaitui.channels.alipay.transfers import read_transfer, read_transfer_query
from kuaitui.channels.port import (
    FailedDefinite,
    NotFound,
    OriginalPayment,
    PayInClosed,
    PayInMethod,
    PayInOrder,
    PayInOutcome,
    PayInPaid,
    PayoutInstruction,
    QueryOutcome,
    Returned,
    Succeeded,
)
from kuaitui.kernel.money import Money
from tests.support.alipay import NOW

AMOUNT = Money(120_050, "CNY")
TARGET = OriginalPayment("2026112522001", AMOUNT)
INSTRUCTION = PayoutInstruction("pay_1_a", AMOUNT, TARGET)
ORDER = PayInOrder("payin_1", AMOUNT, PayInMethod.QR_CODE, "店铺保证金", NOW)

# Right and wrong words in every field, so that whole and half fitting answers come up.
FIELDS: dict[str, list[object]] = {
    "code": ["10000", "20000", "40004", "40002", "40006", ""],
    "sub_code": [
        "ACQ.TRADE_NOT_EXIST",
        "ACQ.SYSTEM_ERROR",
        "ACQ.SELLER_BALANCE_NOT_ENOUGH",
        "PAYEE_NOT_EXIST",
        "ORDER_NOT_EXIST",
        "isv.invalid-app-id",
    ],
    "trade_no": ["2026112522001", "2026112522009"],
    "out_trade_no": ["payin_1", "payin_2"],
    "out_request_no": ["pay_1_a", "pay_2_a"],
    "out_biz_no": ["pay_1_a", "pay_2_a"],
    "order_id": ["20261125110070"],
    "fund_change": ["Y", "N"],
    "refund_fee": ["1200.50", "1.00", "1200.505"],
    "refund_amount": ["1200.50", "1.00"],
    "refund_status": ["REFUND_SUCCESS", "REFUND_FAIL"],
    "trans_amount": ["1200.50", "1.00"],
    "total_amount": ["1200.50", "0.00", "-1.00"],
    "status": ["SUCCESS", "FAIL", "REFUND", "DEALING"],
    "trade_status": ["WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_CLOSED", "TRADE_FINISHED"],
    "send_pay_date": ["2026-11-25 19:30:00", "now"],
    "gmt_refund_pay": ["2026-11-25 19:30:00", "now"],
    "qr_code": ["https://qr.alipay.com/1", "x"],
}
ODD: st.SearchStrategy[object] = st.none() | st.text(max_size=5) | st.lists(st.none(), max_size=1)
ANSWERS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(words) | ODD for name, words in FIELDS.items()}
).map(Answer)


def payouts(answer: Answer) -> dict[str, QueryOutcome]:
    return {
        "refund": read_refund(answer, INSTRUCTION, TARGET, now=NOW),
        "refund_query": read_refund_query(answer, INSTRUCTION, TARGET, now=NOW),
        "transfer": read_transfer(answer, INSTRUCTION, now=NOW),
        "transfer_query": read_transfer_query(answer, INSTRUCTION, now=NOW),
    }


def pay_ins(answer: Answer) -> list[PayInOutcome]:
    return [
        read_opened(answer, ORDER, now=NOW),
        read_trade(answer, ORDER, now=NOW),
        read_closed(answer, ORDER),
    ]


@given(answer=ANSWERS)
def test_every_answer_has_one_of_the_meanings_of_the_port(answer: Answer) -> None:
    assert all(isinstance(outcome, get_args(QueryOutcome)) for outcome in payouts(answer).values())
    assert all(isinstance(outcome, get_args(PayInOutcome)) for outcome in pay_ins(answer))


@given(answer=ANSWERS)
def test_only_a_success_about_our_own_number_is_money(answer: Answer) -> None:
    said = answer.fields.get
    found = payouts(answer)

    if isinstance(found["refund"], Succeeded):
        assert (said("code"), said("fund_change")) == ("10000", "Y")
        assert said("trade_no") == TARGET.payment_reference
    if isinstance(found["refund_query"], Succeeded):
        assert (said("code"), said("refund_status")) == ("10000", "REFUND_SUCCESS")
        assert (said("out_request_no"), said("refund_amount")) == ("pay_1_a", "1200.50")
    for outcome in (found["transfer"], found["transfer_query"]):
        if isinstance(outcome, Succeeded | Returned):
            assert (said("code"), said("out_biz_no")) == ("10000", "pay_1_a")
            assert said("trans_amount") != "1.00"
    for told in pay_ins(answer):
        if isinstance(told, PayInPaid):
            assert (said("code"), said("out_trade_no")) == ("10000", "payin_1")
            assert told.amount.is_positive


@given(answer=ANSWERS)
def test_no_error_of_a_question_fails_a_payout_and_no_send_is_not_found(answer: Answer) -> None:
    found = payouts(answer)

    assert not isinstance(found["refund_query"], FailedDefinite)
    if isinstance(found["transfer_query"], FailedDefinite):
        assert (answer.fields["code"], answer.fields["status"]) == ("10000", "FAIL")
    assert not isinstance(found["refund"], NotFound)
    assert not isinstance(found["transfer"], NotFound)


@given(answer=ANSWERS, code=st.text(max_size=40))
def test_a_code_nobody_named_decides_nothing(answer: Answer, code: str) -> None:
    told: dict[str, Any] = {**answer.fields, "code": "40004", "sub_code": f"x{code.lower()}x"}
    if any(word in told["sub_code"].upper() for word in ("_", "-")):
        return

    outcomes: list[object] = [*payouts(Answer(told)).values(), *pay_ins(Answer(told))]

    definite = (Succeeded, Returned, FailedDefinite, NotFound, PayInPaid, PayInClosed)
    assert not any(isinstance(outcome, definite) for outcome in outcomes)
