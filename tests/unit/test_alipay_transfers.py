"""Transfers to accounts: what is asked, what every answer means, and when nothing is sent."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NotFound,
    Outcome,
    PayeeAccount,
    PayeeKind,
    PayoutInstruction,
    RejectedConfig,
    Returned,
    Succeeded,
    Unknown,
)
from kuaitui.kernel.money import Money
from tests.support.alipay import DEADLINE_S, NOW, StandIn, failure, success

TRANSFER = "alipay.fund.trans.uni.transfer"
QUERY = "alipay.fund.trans.common.query"
PAID_AT = dt.datetime(2026, 11, 25, 11, 30, 0, tzinfo=dt.UTC)
PERSON = PayeeAccount("王小明", "", "13800138000", PayeeKind.ALIPAY_ACCOUNT)
CARD = PayeeAccount("王小明", "招商银行", "6225880123456789")
COMPANY = PayeeAccount(
    "上海某某有限公司", "招商银行", "121900000000001", bank_code="308290003011", is_company=True
)
DONE = success(
    out_biz_no="pay_1_a",
    order_id="20261125110070",
    status="SUCCESS",
    trans_date="2026-11-25 19:30:00",
)
FOUND = success(
    out_biz_no="pay_1_a",
    order_id="20261125110070",
    status="SUCCESS",
    trans_amount="5000.00",
    pay_date="2026-11-25 19:30:00",
)


def to(payee: PayeeAccount) -> PayoutInstruction:
    return PayoutInstruction("pay_1_a", Money(500_000, "CNY"), payee)


@pytest.fixture
def alipay() -> StandIn:
    return StandIn()


def submit(
    alipay: StandIn, told: dict[str, object], payee: PayeeAccount = PERSON, **settings: object
) -> Outcome:
    alipay.will_answer(TRANSFER, told)
    return alipay.channel(**settings).submit(to(payee), deadline_s=DEADLINE_S)


def query(alipay: StandIn, told: dict[str, object], payee: PayeeAccount = CARD) -> Outcome:
    alipay.will_answer(QUERY, told)
    return alipay.channel().query(to(payee), deadline_s=DEADLINE_S)


def test_a_transfer_to_an_alipay_account_carries_the_name_to_be_compared(alipay: StandIn) -> None:
    submit(alipay, DONE)

    assert alipay.calls[0].content == {
        "out_biz_no": "pay_1_a",
        "trans_amount": "5000.00",
        "product_code": "TRANS_ACCOUNT_NO_PWD",
        "biz_scene": "DIRECT_TRANSFER",
        "order_title": "保证金退还",
        "remark": "pay_1_a",
        "payee_info": {
            "identity": "13800138000",
            "identity_type": "ALIPAY_LOGON_ID",
            "name": "王小明",
        },
        "transfer_scene_name": "企业退款",
    }
    assert alipay.calls[0].url == "https://gateway.test/gateway.do"


@pytest.mark.parametrize(
    ("account", "identity_type"),
    [
        ("2088000000000001", "ALIPAY_USER_ID"),
        ("seller@example.com", "ALIPAY_LOGON_ID"),
        ("20880000000000012", "ALIPAY_LOGON_ID"),
    ],
)
def test_a_user_id_is_told_from_a_log_in_name(
    alipay: StandIn, account: str, identity_type: str
) -> None:
    submit(alipay, DONE, dataclasses.replace(PERSON, account_number=account))

    assert alipay.calls[0].content["payee_info"]["identity_type"] == identity_type


@pytest.mark.parametrize(
    ("payee", "bank"),
    [
        (CARD, {"account_type": "2", "inst_name": "招商银行"}),
        (
            COMPANY,
            {"account_type": "1", "inst_name": "招商银行", "bank_code": "308290003011"},
        ),
    ],
)
def test_a_transfer_to_a_bank_says_whose_account_it_is(
    alipay: StandIn, payee: PayeeAccount, bank: dict[str, str]
) -> None:
    submit(alipay, DONE, payee)

    content = alipay.calls[0].content
    assert content["product_code"] == "TRANS_BANKCARD_NO_PWD"
    assert content["payee_info"]["identity_type"] == "BANKCARD_ACCOUNT"
    assert content["payee_info"]["bankcard_ext_info"] == bank


def test_the_scene_reports_what_was_agreed(alipay: StandIn) -> None:
    submit(
        alipay,
        DONE,
        transfer_scene_name="业务结算",
        transfer_scene_report=(("结算款项名称", "店铺保证金"),),
    )

    content = alipay.calls[0].content
    assert content["transfer_scene_name"] == "业务结算"
    assert content["transfer_scene_report_infos"] == [
        {"info_type": "结算款项名称", "info_content": "店铺保证金"}
    ]


@pytest.mark.parametrize(
    ("payee", "code"),
    [
        (dataclasses.replace(COMPANY, bank_code=""), "missing_bank_details"),
        (dataclasses.replace(COMPANY, bank_name=""), "missing_bank_details"),
        (dataclasses.replace(CARD, kind=PayeeKind.WECHAT_USER), "payee_kind_not_offered"),
    ],
)
def test_what_cannot_be_paid_is_not_sent(alipay: StandIn, payee: PayeeAccount, code: str) -> None:
    assert submit(alipay, DONE, payee) == FailedDefinite(code)
    assert alipay.calls == []


def test_without_certificates_nothing_is_sent_and_the_channel_stops(alipay: StandIn) -> None:
    outcome = alipay.channel(with_certificates=False).submit(to(PERSON), deadline_s=DEADLINE_S)

    assert outcome == RejectedConfig("certificate_mode_required")
    assert alipay.calls == []


STATES: list[tuple[dict[str, object], Outcome]] = [
    ({"status": "SUCCESS"}, Succeeded("20261125110070", PAID_AT)),
    ({"status": "DEALING"}, Accepted("20261125110070")),
    ({"status": "FAIL"}, FailedDefinite("FAIL")),
    (
        {"status": "FAIL", "error_code": "PAYEE_CARD_INFO_ERROR"},
        FailedDefinite("PAYEE_CARD_INFO_ERROR"),
    ),
    ({"status": "REFUND"}, Returned("20261125110070", "REFUND", NOW)),
    (
        {"status": "REFUND", "error_code": "PAYEE_CARD_INFO_ERROR"},
        Returned("20261125110070", "PAYEE_CARD_INFO_ERROR", NOW),
    ),
    ({"status": "WAIT_PAY"}, Unknown("state_unmapped")),
    ({"status": ""}, Unknown("state_unmapped")),
    ({"out_biz_no": "pay_2_a"}, Unknown("echo_mismatch")),
    ({"trans_amount": "5000.01"}, Unknown("echo_mismatch")),
    ({"trans_amount": "5000.000"}, Unknown("unreadable")),
]


@pytest.mark.parametrize(("change", "outcome"), STATES)
def test_what_a_state_means_to_a_transfer_and_to_a_question(
    alipay: StandIn, change: dict[str, object], outcome: Outcome
) -> None:
    assert submit(alipay, {**DONE, **change}) == outcome
    assert query(alipay, {**FOUND, **change}) == outcome


def test_a_paid_transfer_can_be_given_back_later(alipay: StandIn) -> None:
    paid = query(alipay, FOUND)
    returned = query(alipay, {**FOUND, "status": "REFUND"})

    assert isinstance(paid, Succeeded)
    assert isinstance(returned, Returned)


@pytest.mark.parametrize(
    ("sub_code", "outcome"),
    [
        ("PAYEE_NOT_EXIST", FailedDefinite("PAYEE_NOT_EXIST")),
        ("PAYEE_CARD_INFO_ERROR", FailedDefinite("PAYEE_CARD_INFO_ERROR")),
        ("CARD_BIN_ERROR", FailedDefinite("CARD_BIN_ERROR")),
        ("PERMIT_NON_BANK_LIMIT_PAYEE", FailedDefinite("PERMIT_NON_BANK_LIMIT_PAYEE")),
        ("EXCEED_LIMIT_SM_AMOUNT", FailedDefinite("EXCEED_LIMIT_SM_AMOUNT")),
        ("SECURITY_CHECK_FAILED", FailedDefinite("SECURITY_CHECK_FAILED")),
        ("INVALID_PARAMETER", FailedDefinite("INVALID_PARAMETER")),
        (
            "PAYER_BALANCE_NOT_ENOUGH",
            FailedDefinite("BALANCE_NOT_ENOUGH", same_key_retry_ok=True),
        ),
        (
            "BALANCE_IS_NOT_ENOUGH",
            FailedDefinite("BALANCE_IS_NOT_ENOUGH", same_key_retry_ok=True),
        ),
        (
            "EXCEED_LIMIT_DM_AMOUNT",
            FailedDefinite("EXCEED_LIMIT_DM_AMOUNT", same_key_retry_ok=True),
        ),
        ("PRODUCT_NOT_SIGN", RejectedConfig("PRODUCT_NOT_SIGN")),
        ("PAYER_STATUS_ERROR", RejectedConfig("PAYER_STATUS_ERROR")),
        ("PERMIT_CHECK_PERM_LIMITED", RejectedConfig("PERMIT_CHECK_PERM_LIMITED")),
        ("SYSTEM_ERROR", Unknown("SYSTEM_ERROR")),
        ("PAYMENT_INFO_INCONSISTENCY", Unknown("PAYMENT_INFO_INCONSISTENCY")),
        ("ORDER_NOT_EXIST", Unknown("ORDER_NOT_EXIST")),
        ("PAYMENT_FAIL", Unknown("PAYMENT_FAIL")),
        ("RESOURCE_LIMIT_EXCEED", Unknown("RESOURCE_LIMIT_EXCEED")),
    ],
)
def test_what_an_error_of_a_transfer_means(
    alipay: StandIn, sub_code: str, outcome: Outcome
) -> None:
    assert submit(alipay, failure(sub_code)) == outcome


def test_a_question_names_product_and_scene_with_the_number(alipay: StandIn) -> None:
    query(alipay, FOUND, CARD)
    query(alipay, FOUND, PERSON)

    assert [call.content for call in alipay.calls] == [
        {"out_biz_no": "pay_1_a", "product_code": product, "biz_scene": "DIRECT_TRANSFER"}
        for product in ("TRANS_BANKCARD_NO_PWD", "TRANS_ACCOUNT_NO_PWD")
    ]


@pytest.mark.parametrize(
    ("sub_code", "outcome"),
    [
        ("ORDER_NOT_EXIST", NotFound()),
        ("SYSTEM_ERROR", Unknown("SYSTEM_ERROR")),
        ("PAYEE_NOT_EXIST", Unknown("PAYEE_NOT_EXIST")),
    ],
)
def test_an_error_of_a_question_never_fails_the_transfer(
    alipay: StandIn, sub_code: str, outcome: Outcome
) -> None:
    assert query(alipay, failure(sub_code)) == outcome
