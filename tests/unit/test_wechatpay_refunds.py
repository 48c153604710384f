"""Refunds along the payment: the request, and what every answer means."""

from __future__ import annotations

import base64
import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

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
    RejectedConfig,
    Succeeded,
    Unknown,
)
from kuaitui.channels.wechatpay.refunds import bank_type
from kuaitui.kernel.money import Money
from tests.support.fake_wechatpay import (
    NOTIFY_URL,
    Answer,
    answer,
    channel,
    private_key,
    refusal,
    unsigned,
)

DEADLINE_S = 5.0
PAYMENT = OriginalPayment("4200000263201902167700134212", Money(100_00, "CNY"))
INSTRUCTION = PayoutInstruction("KT0000000000000000000000000001", Money(30_00, "CNY"), PAYMENT)
SETTLED_AT = dt.datetime(2026, 3, 1, 8, 18, 12, tzinfo=dt.UTC)
UNCHANGED: dict[str, Any] = {}


def refund(status: str = "PROCESSING", **changes: Any) -> dict[str, Any]:
    amount = {"total": 10000, "refund": 3000, "payer_total": 10000, "currency": "CNY"}
    document = {
        "refund_id": "50000000382019052709732678859",
        "out_refund_no": INSTRUCTION.number,
        "transaction_id": PAYMENT.payment_reference,
        "out_trade_no": "KTP1",
        "channel": "ORIGINAL",
        "user_received_account": "招商银行信用卡0403",
        "success_time": "2026-03-01T16:18:12+08:00",
        "status": status,
        "amount": amount | changes.pop("amount", UNCHANGED),
    }
    return document | changes


def test_the_request_of_a_refund_is_always_the_same_bytes() -> None:
    adapter, fake = channel(*(answer(refund()) for _ in range(2)), refund_reason="店铺保证金退还")

    for _ in range(2):
        adapter.submit(INSTRUCTION, deadline_s=DEADLINE_S)

    first, second = fake.requests
    assert fake.paths[0] == "POST /v3/refund/domestic/refunds"
    assert first.content == second.content
    assert first.content.decode() == (
        '{"transaction_id":"4200000263201902167700134212",'
        '"out_refund_no":"KT0000000000000000000000000001","reason":"店铺保证金退还",'
        f'"notify_url":"{NOTIFY_URL}",'
        '"amount":{"refund":3000,"total":10000,"currency":"CNY"}}'
    )


STATES: list[tuple[dict[str, Any], QueryOutcome]] = [
    (refund("PROCESSING"), Accepted("50000000382019052709732678859")),
    (refund("SUCCESS"), Succeeded("50000000382019052709732678859", SETTLED_AT)),
    (refund("CLOSED"), FailedDefinite("CLOSED")),
    (
        refund("ABNORMAL"),
        NeedsAction(NeededAction.ABNORMAL_REFUND, "50000000382019052709732678859"),
    ),
    (refund("SOMETHING_NEW"), Unknown("state_unmapped")),
    (refund("SUCCESS", success_time=None), Unknown("unreadable")),
    (refund("SUCCESS", success_time="yesterday"), Unknown("unreadable")),
    (refund("SUCCESS", success_time="2026-03-01T16:18:12"), Unknown("unreadable")),
    (refund(refund_id=None), Unknown("unreadable")),
    (refund(refund_id="5" * 65), Unknown("unreadable")),
    (refund(out_refund_no="KT2"), Unknown("echo_mismatch")),
    (refund(transaction_id="4200000000"), Unknown("echo_mismatch")),
    (refund(amount={"refund": 3001}), Unknown("echo_mismatch")),
    (refund(amount={"refund": 3000.0}), Unknown("echo_mismatch")),
    (refund(amount={"refund": "3000"}), Unknown("echo_mismatch")),
    (refund(amount={"total": 9999}), Unknown("echo_mismatch")),
    (refund(amount={"currency": "USD"}), Unknown("echo_mismatch")),
    ({}, Unknown("echo_mismatch")),
    (refund() | {"amount": []}, Unknown("echo_mismatch")),
]


@pytest.mark.parametrize(("document", "outcome"), STATES)
def test_a_refund_stands_as_the_answer_says(
    document: dict[str, Any], outcome: QueryOutcome
) -> None:
    adapter, fake = channel(answer(document), answer(document))

    assert adapter.submit(INSTRUCTION, deadline_s=DEADLINE_S) == outcome
    assert adapter.query(INSTRUCTION, deadline_s=DEADLINE_S) == outcome
    assert fake.paths[1] == f"GET /v3/refund/domestic/refunds/{INSTRUCTION.number}"


# Every row of the error table of reference §1.1: what it means to a send. To a question only
# "refuses us" and "no such refund" mean anything; nothing else says how the refund stands.
REFUSALS: list[tuple[int, str, QueryOutcome]] = [
    (403, "NOT_ENOUGH", FailedDefinite("NOT_ENOUGH", same_key_retry_ok=True)),
    (403, "USER_ACCOUNT_ABNORMAL", FailedDefinite("USER_ACCOUNT_ABNORMAL")),
    (404, "RESOURCE_NOT_EXISTS", FailedDefinite("RESOURCE_NOT_EXISTS")),
    (404, "ORDER_NOT_EXIST", FailedDefinite("ORDER_NOT_EXIST")),
    (400, "PARAM_ERROR", FailedDefinite("PARAM_ERROR", same_key_retry_ok=True)),
    (400, "INVALID_REQUEST", FailedDefinite("INVALID_REQUEST")),
    (404, "MCH_NOT_EXISTS", RejectedConfig("MCH_NOT_EXISTS")),
    (401, "SIGN_ERROR", RejectedConfig("SIGN_ERROR")),
    (403, "NO_AUTH", RejectedConfig("NO_AUTH")),
    (500, "SYSTEM_ERROR", Unknown("http_500_SYSTEM_ERROR")),
    (429, "FREQUENCY_LIMITED", Unknown("http_429_FREQUENCY_LIMITED")),
    (400, "268498688", Unknown("http_400_268498688")),
    (400, "A_CODE_NOBODY_KNOWS", Unknown("http_400_A_CODE_NOBODY_KNOWS")),
    (500, "PARAM_ERROR", Unknown("http_500_PARAM_ERROR")),
]


@pytest.mark.parametrize(("status", "code", "outcome"), REFUSALS)
def test_each_refusal_of_a_send_means_what_the_table_says(
    status: int, code: str, outcome: QueryOutcome
) -> None:
    adapter, fake = channel(refusal(status, code), refusal(404, "RESOURCE_NOT_EXISTS"))

    assert adapter.submit(INSTRUCTION, deadline_s=DEADLINE_S) == outcome
    # What WeChat Pay refuses is believed when it does not know the number.
    assert len(fake.requests) == (2 if isinstance(outcome, FailedDefinite) else 1)


@pytest.mark.parametrize(
    ("asked", "outcome"),
    [
        (answer(refund("PROCESSING")), Accepted("50000000382019052709732678859")),
        (answer(refund("CLOSED")), FailedDefinite("CLOSED")),
        (answer(refund(amount={"refund": 1})), Unknown("echo_mismatch")),
        (refusal(403, "NO_AUTH"), Unknown("then_NO_AUTH")),
        (refusal(500, "SYSTEM_ERROR"), Unknown("http_500_SYSTEM_ERROR")),
        (unsigned(b"busy", 503), Unknown("signature_missing")),
    ],
)
@pytest.mark.parametrize("code", ["INVALID_REQUEST", "PARAM_ERROR"])
def test_a_refusal_is_not_believed_unless_the_number_is_not_known(
    code: str, asked: Answer, outcome: QueryOutcome
) -> None:
    adapter, _ = channel(refusal(400, code), asked)

    assert adapter.submit(INSTRUCTION, deadline_s=DEADLINE_S) == outcome


@pytest.mark.parametrize(("status", "code", "sent"), REFUSALS)
def test_no_refusal_of_a_question_says_that_a_refund_failed(
    status: int, code: str, sent: QueryOutcome
) -> None:
    adapter, _ = channel(refusal(status, code))

    outcome = adapter.query(INSTRUCTION, deadline_s=DEADLINE_S)

    if isinstance(sent, RejectedConfig):
        assert outcome == sent
    elif code == "RESOURCE_NOT_EXISTS":
        assert outcome == NotFound()
    else:
        assert outcome == Unknown(f"http_{status}_{code}")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"number": "n" * 65}, "NUMBER_UNFIT"),
        ({"number": "KT 1"}, "NUMBER_UNFIT"),
        ({"amount": Money(100_01, "CNY")}, "AMOUNT_ABOVE_PAYMENT"),
        ({"amount": Money(30_00, "USD")}, "CURRENCY_NOT_SUPPORTED"),
    ],
)
def test_what_no_refund_can_be_is_refused_without_a_call(change: dict[str, Any], code: str) -> None:
    adapter, fake = channel()

    outcome = adapter.submit(replace(INSTRUCTION, **change), deadline_s=DEADLINE_S)

    assert outcome == FailedDefinite(code)
    assert fake.requests == []


def test_a_refund_cannot_be_called_back_so_it_is_asked_about() -> None:
    adapter, fake = channel(answer(refund("PROCESSING")))

    outcome = adapter.cancel(INSTRUCTION, deadline_s=DEADLINE_S)

    assert isinstance(outcome, Accepted)
    assert fake.paths == [f"GET /v3/refund/domestic/refunds/{INSTRUCTION.number}"]


# A refund that could not be delivered.

CARD = PayeeAccount("王小明", "中国工商银行", "6222020200112233456")
REFUND_ID = "50000000382019052709732678859"


def opened(text: str) -> str:
    return (
        private_key("wechat")
        .decrypt(
            base64.b64decode(text), padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
        )
        .decode()
    )


def test_a_stuck_refund_is_sent_to_a_card_under_its_old_number() -> None:
    adapter, fake = channel(answer(refund("PROCESSING")), answer(refund("PROCESSING")))

    outcomes = [
        adapter.hand_over(INSTRUCTION, reference=REFUND_ID, payee=CARD, deadline_s=DEADLINE_S)
        for _ in range(2)
    ]

    first, second = fake.requests
    document = json.loads(first.content)
    assert outcomes == [Accepted(REFUND_ID)] * 2
    assert first.content == second.content
    assert fake.paths[0] == f"POST /v3/refund/domestic/refunds/{REFUND_ID}/apply-abnormal-refund"
    assert first.headers["Wechatpay-Serial"].startswith("PUB_KEY_ID_")
    assert opened(document.pop("bank_account")) == CARD.account_number
    assert opened(document.pop("real_name")) == CARD.holder_name
    assert document == {
        "out_refund_no": INSTRUCTION.number,
        "type": "USER_BANK_CARD",
        "bank_type": "ICBC_DEBIT",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"bank_name": "某某农村商业银行"},
        {"is_company": True},
        {"kind": PayeeKind.ALIPAY_ACCOUNT},
        {"holder_name": ""},
    ],
)
def test_an_account_that_takes_no_stuck_refund_is_told_before_anything_is_sent(
    change: dict[str, Any],
) -> None:
    adapter, fake = channel()
    payee = replace(CARD, **change)

    outcome = adapter.hand_over(
        INSTRUCTION, reference=REFUND_ID, payee=payee, deadline_s=DEADLINE_S
    )

    assert outcome == NeedsAction(NeededAction.MISSING_BANK_DETAILS, REFUND_ID)
    assert fake.requests == []


@pytest.mark.parametrize("code", ["PARAM_ERROR", "INVALID_REQUEST", "NOT_ENOUGH"])
def test_no_refusal_of_a_hand_over_ends_the_refund(code: str) -> None:
    adapter, _ = channel(refusal(400, code))

    outcome = adapter.hand_over(INSTRUCTION, reference=REFUND_ID, payee=CARD, deadline_s=DEADLINE_S)

    assert outcome == Unknown(f"http_400_{code}")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("招商银行", "CMB_DEBIT"),
        ("中国农业银行", "ABC_DEBIT"),
        ("中国银行", "BOC_DEBIT"),
        ("上海浦东发展银行", "SPDB_DEBIT"),
        ("中国邮政储蓄银行", "PSBC_DEBIT"),
        ("招商银行信用卡", ""),
        ("", ""),
    ],
)
def test_a_bank_is_known_by_the_end_of_its_name(name: str, code: str) -> None:
    assert bank_type(replace(CARD, bank_name=name)) == code
