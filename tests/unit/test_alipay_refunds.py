"""Refunds along a payment: what is asked, and what every answer means."""

from __future__ import annotations

import datetime as dt

import httpx
import pytest

from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NotFound,
    NotSent,
    OriginalPayment,
    Outcome,
    PayoutInstruction,
    RejectedConfig,
    Succeeded,
    Unknown,
)
from kuaitui.kernel.money import Money
from tests.support.alipay import (
    APP_SERIAL,
    DEADLINE_S,
    NOW,
    ROOT_SERIAL,
    StandIn,
    answer,
    failure,
    success,
    written,
)

REFUND = "alipay.trade.refund"
QUERY = "alipay.trade.fastpay.refund.query"
TRADE = "2026112522001"
PAID_AT = dt.datetime(2026, 11, 25, 11, 30, 0, tzinfo=dt.UTC)
INSTRUCTION = PayoutInstruction(
    "pay_1_a", Money(120_050, "CNY"), OriginalPayment(TRADE, Money(500_000, "CNY"))
)
REFUNDED = success(
    trade_no=TRADE,
    out_trade_no="payin_1",
    fund_change="Y",
    refund_fee="1200.50",
    gmt_refund_pay="2026-11-25 19:30:00",
)
FOUND = success(
    trade_no=TRADE,
    out_request_no="pay_1_a",
    refund_amount="1200.50",
    refund_status="REFUND_SUCCESS",
    gmt_refund_pay="2026-11-25 19:30:00",
)


@pytest.fixture
def alipay() -> StandIn:
    return StandIn()


def submit(alipay: StandIn, told: dict[str, object]) -> Outcome:
    alipay.will_answer(REFUND, told)
    return alipay.channel().submit(INSTRUCTION, deadline_s=DEADLINE_S)


def query(alipay: StandIn, told: dict[str, object]) -> Outcome:
    alipay.will_answer(QUERY, told)
    return alipay.channel().query(INSTRUCTION, deadline_s=DEADLINE_S)


def test_a_refund_names_payment_amount_and_number_and_nothing_stands_in_the_address(
    alipay: StandIn,
) -> None:
    submit(alipay, REFUNDED)

    (call,) = alipay.calls
    assert call.url == "https://gateway.test/gateway.do"
    assert call.content == {
        "trade_no": TRADE,
        "refund_amount": "1200.50",
        "out_request_no": "pay_1_a",
    }
    assert call.form["timestamp"] == "2026-11-25 20:00:00"
    assert (call.form["app_cert_sn"], call.form["alipay_root_cert_sn"]) == (APP_SERIAL, ROOT_SERIAL)
    assert "notify_url" not in call.form


def test_key_mode_names_no_certificates(alipay: StandIn) -> None:
    channel = alipay.channel(with_certificates=False)
    alipay.will_answer(REFUND, REFUNDED)

    outcome = channel.submit(INSTRUCTION, deadline_s=DEADLINE_S)

    assert isinstance(outcome, Succeeded)
    assert not {"app_cert_sn", "alipay_root_cert_sn"} & set(alipay.calls[0].form)


def test_the_same_instruction_makes_the_same_content_every_time(alipay: StandIn) -> None:
    for _ in range(2):
        submit(alipay, REFUNDED)

    first, second = (call.form["biz_content"] for call in alipay.calls)
    assert first == second


def test_a_refund_succeeded_only_when_money_moved(alipay: StandIn) -> None:
    assert submit(alipay, REFUNDED) == Succeeded(TRADE, PAID_AT)
    assert submit(alipay, {**REFUNDED, "fund_change": "N"}) == Accepted(TRADE)
    assert submit(alipay, {**REFUNDED, "fund_change": ""}) == Unknown("fund_change_absent")


def test_the_sum_of_all_refunds_of_a_payment_may_be_more_than_this_one(alipay: StandIn) -> None:
    assert isinstance(submit(alipay, {**REFUNDED, "refund_fee": "3000.00"}), Succeeded)
    assert submit(alipay, {**REFUNDED, "refund_fee": "1200.49"}) == Unknown("echo_mismatch")


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"trade_no": "2026112522009"}, "echo_mismatch"),
        ({"refund_fee": "1200.505"}, "unreadable"),
        ({"refund_fee": ""}, "unreadable"),
        ({"gmt_refund_pay": "yesterday"}, "unreadable"),
    ],
)
def test_a_success_that_does_not_fit_the_refund_is_unknown(
    alipay: StandIn, change: dict[str, object], cause: str
) -> None:
    assert submit(alipay, {**REFUNDED, **change}) == Unknown(cause)


def test_a_success_without_its_time_is_dated_when_it_was_heard(alipay: StandIn) -> None:
    told = {name: value for name, value in REFUNDED.items() if name != "gmt_refund_pay"}

    assert submit(alipay, told) == Succeeded(TRADE, NOW)


@pytest.mark.parametrize(
    ("sub_code", "outcome"),
    [
        ("ACQ.TRADE_HAS_FINISHED", FailedDefinite("TRADE_HAS_FINISHED")),
        ("ACQ.TRADE_NOT_EXIST", FailedDefinite("TRADE_NOT_EXIST")),
        ("ACQ.TRADE_NOT_ALLOW_REFUND", FailedDefinite("TRADE_NOT_ALLOW_REFUND")),
        ("ACQ.TRADE_STATUS_ERROR", FailedDefinite("TRADE_STATUS_ERROR")),
        ("ACQ.REASON_TRADE_BEEN_FREEZEN", FailedDefinite("REASON_TRADE_BEEN_FREEZEN")),
        ("ACQ.REASON_TRADE_REFUND_FEE_ERR", FailedDefinite("REASON_TRADE_REFUND_FEE_ERR")),
        ("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", FailedDefinite("REFUND_AMT_NOT_EQUAL_TOTAL")),
        ("ACQ.INVALID_PARAMETER", FailedDefinite("INVALID_PARAMETER")),
        ("INVAILID_ARGUMENTS", FailedDefinite("INVAILID_ARGUMENTS")),
        (
            "ACQ.SELLER_BALANCE_NOT_ENOUGH",
            FailedDefinite("SELLER_BALANCE_NOT_ENOUGH", same_key_retry_ok=True),
        ),
        ("ACQ.ACCESS_FORBIDDEN", RejectedConfig("ACCESS_FORBIDDEN")),
        ("ACQ.SYSTEM_ERROR", Unknown("ACQ.SYSTEM_ERROR")),
        ("AQC.SYSTEM_ERROR", Unknown("AQC.SYSTEM_ERROR")),
        ("aop.ACQ.SYSTEM_ERROR", Unknown("aop.ACQ.SYSTEM_ERROR")),
        ("TRADE_HAS_FINISHED.SYSTEM_ERROR", Unknown("TRADE_HAS_FINISHED.SYSTEM_ERROR")),
        ("ACQ.DISCORDANT_REPEAT_REQUEST", Unknown("ACQ.DISCORDANT_REPEAT_REQUEST")),
        ("ACQ.A_CODE_NOBODY_KNOWS", Unknown("ACQ.A_CODE_NOBODY_KNOWS")),
        ("", Unknown("40004")),
    ],
)
def test_what_a_business_error_means(alipay: StandIn, sub_code: str, outcome: Outcome) -> None:
    assert submit(alipay, failure(sub_code)) == outcome


@pytest.mark.parametrize(
    ("code", "sub_code", "outcome"),
    [
        ("20000", "isp.unknow-error", Unknown("isp.unknow-error")),
        ("20000", "aop.unknow-error", Unknown("aop.unknow-error")),
        ("20000", "ACQ.TRADE_HAS_FINISHED", Unknown("ACQ.TRADE_HAS_FINISHED")),
        ("40002", "isv.invalid-app-id", RejectedConfig("INVALID-APP-ID")),
        ("40002", "isv.invalid-signature", RejectedConfig("INVALID-SIGNATURE")),
        ("40002", "isv.invalid-timestamp", Unknown("isv.invalid-timestamp")),
        ("40001", "isv.missing-app-id", RejectedConfig("MISSING-APP-ID")),
        (
            "40006",
            "isv.insufficient-isv-permissions",
            RejectedConfig("INSUFFICIENT-ISV-PERMISSIONS"),
        ),
        ("20001", "aop.invalid-auth-token", RejectedConfig("INVALID-AUTH-TOKEN")),
        ("50000", "", Unknown("50000")),
    ],
)
def test_what_an_error_of_the_gateway_means(
    alipay: StandIn, code: str, sub_code: str, outcome: Outcome
) -> None:
    assert submit(alipay, failure(sub_code, code=code)) == outcome


def test_a_question_names_payment_and_number_and_asks_for_the_time(alipay: StandIn) -> None:
    query(alipay, FOUND)

    assert alipay.calls[0].content == {
        "trade_no": TRADE,
        "out_request_no": "pay_1_a",
        "query_options": ["gmt_refund_pay"],
    }


def test_a_refund_is_done_when_its_status_says_so_and_not_found_without_one(
    alipay: StandIn,
) -> None:
    assert query(alipay, FOUND) == Succeeded(TRADE, PAID_AT)
    assert query(alipay, success()) == NotFound()
    assert query(alipay, {**FOUND, "refund_status": "REFUND_PROCESSING"}) == Unknown(
        "state_unmapped"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"refund_amount": "1200.49"},
        {"out_request_no": "pay_2_a"},
        {"trade_no": "2026112522009"},
    ],
)
def test_a_refund_of_another_amount_or_number_is_no_answer(
    alipay: StandIn, change: dict[str, object]
) -> None:
    assert query(alipay, {**FOUND, **change}) == Unknown("echo_mismatch")


@pytest.mark.parametrize(
    ("sub_code", "outcome"),
    [
        ("ACQ.TRADE_NOT_EXIST", NotFound()),
        ("ACQ.REFUND_NOT_EXIST", NotFound()),
        ("ACQ.SYSTEM_ERROR", Unknown("ACQ.SYSTEM_ERROR")),
        ("ACQ.INVALID_PARAMETER", Unknown("ACQ.INVALID_PARAMETER")),
        ("ACQ.TRADE_HAS_FINISHED", Unknown("ACQ.TRADE_HAS_FINISHED")),
    ],
)
def test_an_error_of_a_question_never_fails_the_refund(
    alipay: StandIn, sub_code: str, outcome: Outcome
) -> None:
    assert query(alipay, failure(sub_code)) == outcome


def test_nothing_unsigned_is_believed(alipay: StandIn) -> None:
    alipay.will_send(REFUND, answer(REFUND, written(REFUNDED), signer="a stranger"))
    channel = alipay.channel()

    assert channel.submit(INSTRUCTION, deadline_s=DEADLINE_S) == Unknown("signature_wrong")


@pytest.mark.parametrize("status", [302, 404, 429, 500, 502])
def test_another_status_is_not_the_gateways_own_word(alipay: StandIn, status: int) -> None:
    alipay.will_send(REFUND, answer(REFUND, written(REFUNDED)), status=status)

    outcome = alipay.channel().submit(INSTRUCTION, deadline_s=DEADLINE_S)

    assert outcome == Unknown(f"http_{status}")


def test_an_answer_larger_than_any_answer_is_unknown(alipay: StandIn) -> None:
    alipay.will_send(REFUND, b" " * 70_000 + answer(REFUND, written(REFUNDED)))

    assert isinstance(alipay.channel().submit(INSTRUCTION, deadline_s=DEADLINE_S), Unknown)


def test_a_lost_answer_is_unknown(alipay: StandIn) -> None:
    def lose(_: object) -> bytes:
        raise httpx.ReadTimeout("lost")

    alipay.answers[REFUND] = lose

    assert isinstance(alipay.channel().submit(INSTRUCTION, deadline_s=DEADLINE_S), Unknown)


def test_another_currency_is_refused_before_anything_is_sent(alipay: StandIn) -> None:
    dollars = Money(100, "USD")
    instruction = PayoutInstruction("pay_2_a", dollars, OriginalPayment(TRADE, dollars))

    outcome = alipay.channel().submit(instruction, deadline_s=DEADLINE_S)

    assert outcome == FailedDefinite("currency_not_offered")
    assert alipay.calls == []


def test_a_refused_connection_is_not_sent() -> None:
    from kuaitui.channels.alipay import AlipayChannel
    from tests.support.alipay import settings

    channel = AlipayChannel(settings(base_url="http://127.0.0.1:1"), clock=lambda: NOW)

    assert isinstance(channel.submit(INSTRUCTION, deadline_s=DEADLINE_S), NotSent)
