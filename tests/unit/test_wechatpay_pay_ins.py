"""Orders that a payer pays: opening, asking, closing."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest

from kuaitui.channels.port import (
    FailedDefinite,
    NotFound,
    PayInClosed,
    PayInMethod,
    PayInOpened,
    PayInOrder,
    PayInOutcome,
    PayInPaid,
    PayInWaiting,
    RejectedConfig,
    Unknown,
)
from kuaitui.kernel.money import Money
from tests.support.fake_wechatpay import (
    APPID,
    MCHID,
    NOTIFY_URL,
    NOW,
    answer,
    channel,
    refusal,
    unsigned,
)

DEADLINE_S = 5.0
ORDER = PayInOrder(
    number="KTP00000000000000000000000000001",
    amount=Money(10_000_00, "CNY"),
    method=PayInMethod.QR_CODE,
    description="店铺保证金",
    expires_at=NOW + dt.timedelta(days=1),
)
LINK = replace(
    ORDER,
    method=PayInMethod.LINK,
    payer_ip="203.0.113.9",
    return_url="https://desk.example/deposit?paid=1",
)
ORDERS = "/v3/pay/transactions/out-trade-no"
ASK = f"GET {ORDERS}/{ORDER.number}?mchid={MCHID}"
TRANSACTION = "4200000263201902167700134902"
PAID_AT = dt.datetime(2026, 3, 2, 4, 0, tzinfo=dt.UTC)
PAID = PayInPaid(TRANSACTION, ORDER.amount, PAID_AT)


def order(state: str, **changes: Any) -> dict[str, Any]:
    document = {
        "appid": APPID,
        "mchid": MCHID,
        "out_trade_no": ORDER.number,
        "trade_state": state,
        "trade_state_desc": "",
    }
    if state in {"SUCCESS", "REFUND"}:
        document |= {
            "transaction_id": TRANSACTION,
            "success_time": "2026-03-02T12:00:00+08:00",
            "amount": {"total": 1000000, "payer_total": 1000000, "currency": "CNY"},
        }
    return document | changes


def test_a_code_is_asked_for_with_the_same_bytes_every_time() -> None:
    reply = answer({"code_url": "weixin://wxpay/bizpayurl?pr=JyC91EIz1"})
    adapter, fake = channel(reply, reply)

    outcomes = [adapter.open_pay_in(ORDER, deadline_s=DEADLINE_S) for _ in range(2)]

    first, second = fake.requests
    assert first.content == second.content
    assert fake.paths[0] == "POST /v3/pay/transactions/native"
    assert json.loads(first.content) == {
        "appid": APPID,
        "mchid": MCHID,
        "description": "店铺保证金",
        "out_trade_no": ORDER.number,
        "time_expire": "2026-03-03T12:05:06+08:00",
        "notify_url": NOTIFY_URL,
        "amount": {"total": 1000000, "currency": "CNY"},
    }
    assert (
        outcomes
        == [PayInOpened("weixin://wxpay/bizpayurl?pr=JyC91EIz1", NOW + dt.timedelta(hours=2))] * 2
    )


def test_a_link_is_asked_for_with_the_payer_s_address_and_leads_back() -> None:
    adapter, fake = channel(answer({"h5_url": "https://wx.tenpay.com/pay?prepay_id=wx1"}))

    outcome = adapter.open_pay_in(LINK, deadline_s=DEADLINE_S)

    assert fake.paths == ["POST /v3/pay/transactions/h5"]
    assert json.loads(fake.requests[0].content)["scene_info"] == {
        "payer_client_ip": "203.0.113.9",
        "h5_info": {"type": "Wap"},
    }
    assert outcome == PayInOpened(
        "https://wx.tenpay.com/pay?prepay_id=wx1"
        "&redirect_url=https%3A%2F%2Fdesk.example%2Fdeposit%3Fpaid%3D1",
        NOW + dt.timedelta(minutes=5),
    )


def test_no_code_is_usable_after_its_order_ends() -> None:
    ends_at = NOW + dt.timedelta(minutes=3)
    adapter, _ = channel(answer({"code_url": "weixin://wxpay/bizpayurl?pr=1"}))

    outcome = adapter.open_pay_in(replace(ORDER, expires_at=ends_at), deadline_s=DEADLINE_S)

    assert isinstance(outcome, PayInOpened)
    assert outcome.usable_until == ends_at


@pytest.mark.parametrize(
    "document", [{}, {"code_url": ""}, {"code_url": 1}, {"code_url": "w" * 2049}]
)
def test_an_answer_without_a_code_is_unknown(document: dict[str, Any]) -> None:
    adapter, _ = channel(answer(document))

    assert adapter.open_pay_in(ORDER, deadline_s=DEADLINE_S) == Unknown("unreadable")


STATES: list[tuple[dict[str, Any], PayInOutcome]] = [
    (order("SUCCESS"), PAID),
    (order("REFUND"), PAID),
    (order("NOTPAY"), PayInWaiting()),
    (order("USERPAYING"), PayInWaiting()),
    (order("PAYERROR"), PayInWaiting()),
    (order("CLOSED"), PayInClosed()),
    (order("REVOKED"), PayInClosed()),
    (order("SOMETHING_NEW"), Unknown("state_unmapped")),
    (order("SUCCESS", out_trade_no="KTP2"), Unknown("echo_mismatch")),
    (order("SUCCESS", mchid="1900000110"), Unknown("echo_mismatch")),
    (order("SUCCESS", transaction_id=""), Unknown("unreadable")),
    (order("SUCCESS", success_time=""), Unknown("unreadable")),
    (order("SUCCESS", amount=None), Unknown("unreadable")),
    (order("SUCCESS", amount={"total": 1.0, "currency": "CNY"}), Unknown("unreadable")),
    (order("SUCCESS", amount={"total": 0, "currency": "CNY"}), Unknown("unreadable")),
    (order("SUCCESS", amount={"total": 10**16, "currency": "CNY"}), Unknown("unreadable")),
    (order("SUCCESS", amount={"total": 100, "currency": "USD"}), Unknown("unreadable")),
    ({}, Unknown("echo_mismatch")),
]


@pytest.mark.parametrize(("document", "outcome"), STATES)
def test_an_order_stands_as_the_answer_says(
    document: dict[str, Any], outcome: PayInOutcome
) -> None:
    adapter, fake = channel(answer(document))

    assert adapter.query_pay_in(ORDER, deadline_s=DEADLINE_S) == outcome
    assert fake.paths == [ASK]


def test_an_order_paid_with_another_amount_is_paid_with_that_amount() -> None:
    adapter, _ = channel(answer(order("SUCCESS", amount={"total": 1, "currency": "CNY"})))

    outcome = adapter.query_pay_in(ORDER, deadline_s=DEADLINE_S)

    assert outcome == PayInPaid(TRANSACTION, Money(1, "CNY"), PAID_AT)


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (404, "ORDER_NOT_EXIST", NotFound()),
        (404, "SOMETHING_NEW", Unknown("http_404_SOMETHING_NEW")),
        (400, "PARAM_ERROR", Unknown("http_400_PARAM_ERROR")),
        (401, "SIGN_ERROR", RejectedConfig("SIGN_ERROR")),
        (403, "NO_AUTH", RejectedConfig("NO_AUTH")),
        (429, "FREQUENCY_LIMITED", Unknown("http_429_FREQUENCY_LIMITED")),
        (500, "SYSTEM_ERROR", Unknown("http_500_SYSTEM_ERROR")),
    ],
)
def test_a_refused_question_says_no_more_than_the_table(
    status: int, code: str, outcome: PayInOutcome
) -> None:
    adapter, _ = channel(refusal(status, code))

    assert adapter.query_pay_in(ORDER, deadline_s=DEADLINE_S) == outcome


def test_an_order_that_is_closed_is_closed() -> None:
    adapter, fake = channel(answer(b"", 204))

    assert adapter.close_pay_in(ORDER, deadline_s=DEADLINE_S) == PayInClosed()
    assert fake.paths == [f"POST {ORDERS}/{ORDER.number}/close"]
    assert fake.requests[0].content == f'{{"mchid":"{MCHID}"}}'.encode()


# A refused opening or closing is followed by a question: the order may stand otherwise.
AFTER_REFUSAL: list[tuple[int, str, Any, PayInOutcome]] = [
    (400, "ORDERPAID", answer(order("SUCCESS")), PAID),
    (400, "ORDER_CLOSED", answer(order("CLOSED")), PayInClosed()),
    (403, "OUT_TRADE_NO_USED", answer(order("SUCCESS")), PAID),
    (403, "OUT_TRADE_NO_USED", answer(order("NOTPAY")), Unknown("http_403_OUT_TRADE_NO_USED")),
    (400, "INVALID_REQUEST", answer(order("NOTPAY")), Unknown("http_400_INVALID_REQUEST")),
    (400, "ORDERPAID", unsigned(b"busy", 502), Unknown("signature_missing")),
]


@pytest.mark.parametrize(("status", "code", "standing", "outcome"), AFTER_REFUSAL)
def test_a_refused_call_answers_how_the_order_stands(
    status: int, code: str, standing: Any, outcome: PayInOutcome
) -> None:
    opening, opened_fake = channel(refusal(status, code), standing)
    closing, closed_fake = channel(refusal(status, code), standing)

    assert opening.open_pay_in(ORDER, deadline_s=DEADLINE_S) == outcome
    assert closing.close_pay_in(ORDER, deadline_s=DEADLINE_S) == outcome
    assert opened_fake.paths[1] == closed_fake.paths[1] == ASK


@pytest.mark.parametrize(
    ("code", "opened"),
    [
        ("PARAM_ERROR", FailedDefinite("PARAM_ERROR")),
        ("INVALID_REQUEST", FailedDefinite("INVALID_REQUEST")),
        ("SOMETHING_NEW", Unknown("http_400_SOMETHING_NEW")),
    ],
)
def test_an_order_refused_and_not_known_was_never_opened(code: str, opened: PayInOutcome) -> None:
    answers = (refusal(400, code), refusal(404, "ORDER_NOT_EXIST"))
    opening, _ = channel(*answers)
    closing, _ = channel(*answers)

    assert opening.open_pay_in(ORDER, deadline_s=DEADLINE_S) == opened
    assert closing.close_pay_in(ORDER, deadline_s=DEADLINE_S) == NotFound()


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (401, "SIGN_ERROR", RejectedConfig("SIGN_ERROR")),
        (400, "APPID_MCHID_NOT_MATCH", RejectedConfig("APPID_MCHID_NOT_MATCH")),
        (429, "FREQUENCY_LIMITED", Unknown("http_429_FREQUENCY_LIMITED")),
        (500, "SYSTEM_ERROR", Unknown("http_500_SYSTEM_ERROR")),
    ],
)
def test_no_question_follows_where_nothing_was_decided(
    status: int, code: str, outcome: PayInOutcome
) -> None:
    adapter, fake = channel(refusal(status, code), refusal(status, code))

    assert adapter.open_pay_in(ORDER, deadline_s=DEADLINE_S) == outcome
    assert adapter.close_pay_in(ORDER, deadline_s=DEADLINE_S) == outcome
    assert len(fake.requests) == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"number": "KTP1"}, "NUMBER_UNFIT"),
        ({"number": "K" * 33}, "NUMBER_UNFIT"),
        ({"number": "KTP1/../x"}, "NUMBER_UNFIT"),
        ({"amount": Money(1, "EUR")}, "CURRENCY_NOT_SUPPORTED"),
        ({"method": PayInMethod.LINK, "payer_ip": ""}, "PAYER_IP_MISSING"),
        ({"method": PayInMethod.LINK, "payer_ip": "here"}, "PAYER_IP_MISSING"),
    ],
)
def test_what_no_order_can_be_is_refused_without_a_call(change: dict[str, Any], code: str) -> None:
    adapter, fake = channel()

    outcome = adapter.open_pay_in(replace(ORDER, **change), deadline_s=DEADLINE_S)

    assert outcome == FailedDefinite(code)
    assert fake.requests == []
