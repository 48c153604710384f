"""Transfers to users: the request, the confirmation, the calling back, and every answer."""

from __future__ import annotations

import base64
import datetime as dt
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NeededAction,
    NeedsAction,
    NotFound,
    NotSent,
    PayeeAccount,
    PayeeKind,
    PayoutInstruction,
    QueryOutcome,
    RejectedConfig,
    Succeeded,
    Unknown,
)
from kuaitui.channels.wechatpay import KeyMode
from kuaitui.kernel.money import Money
from tests.support.fake_wechatpay import (
    APPID,
    KEY_ID,
    MCHID,
    NOTIFY_URL,
    Answer,
    answer,
    channel,
    private_key,
    refusal,
    unsigned,
)

DEADLINE_S = 5.0
PAYEE = PayeeAccount("王小明", "", "o-MYE42l80oelYMDE34nYD456Xoy", PayeeKind.WECHAT_USER)
INSTRUCTION = PayoutInstruction("KT0000000000000000000000000002", Money(199_999, "CNY"), PAYEE)
BILL_NO = "1330000071100999991182020050700019480001"
BILLS = "/v3/fund-app/mch-transfer/transfer-bills"
ASK = f"GET {BILLS}/out-bill-no/{INSTRUCTION.number}"


def accepted(state: str, **changes: Any) -> dict[str, Any]:
    """The answer to a send: it repeats the number only."""
    return {
        "out_bill_no": INSTRUCTION.number,
        "transfer_bill_no": BILL_NO,
        "create_time": "2026-03-02T12:05:06.120+08:00",
        "state": state,
    } | changes


def queried(state: str, **changes: Any) -> dict[str, Any]:
    """The answer to a question."""
    return (
        accepted(state)
        | {
            "mch_id": MCHID,
            "appid": APPID,
            "transfer_amount": INSTRUCTION.amount.minor,
            "transfer_remark": "保证金退款",
            "openid": PAYEE.account_number,
            "update_time": "2026-03-02T12:06:00.000+08:00",
        }
        | changes
    )


def test_the_request_of_a_transfer_is_always_the_same_bytes_and_names_nobody_below_the_limit() -> (
    None
):
    adapter, fake = channel(*(answer(accepted("ACCEPTED")) for _ in range(2)))

    for _ in range(2):
        adapter.submit(INSTRUCTION, deadline_s=DEADLINE_S)

    first, second = fake.requests
    assert first.content == second.content
    assert fake.paths[0] == f"POST {BILLS}"
    assert json.loads(first.content) == {
        "appid": APPID,
        "out_bill_no": INSTRUCTION.number,
        "transfer_scene_id": "1011",
        "openid": PAYEE.account_number,
        "transfer_amount": 199_999,
        "transfer_remark": "保证金退款",
        "notify_url": NOTIFY_URL,
        "user_recv_perception": "退款",
        "transfer_scene_report_infos": [
            {"info_type": "赔付原因", "info_content": "店铺保证金退还"}
        ],
    }


def test_from_two_thousand_yuan_the_name_goes_with_it_sealed_and_still_the_same_bytes() -> None:
    large = replace(INSTRUCTION, amount=Money(200_000, "CNY"))
    adapter, fake = channel(*(answer(accepted("ACCEPTED")) for _ in range(2)))

    for _ in range(2):
        adapter.submit(large, deadline_s=DEADLINE_S)

    first, second = fake.requests
    sealed_name = base64.b64decode(json.loads(first.content)["user_name"])
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    assert first.content == second.content
    assert first.headers["Wechatpay-Serial"] == KEY_ID
    assert private_key("wechat").decrypt(sealed_name, oaep).decode() == "王小明"
    assert "王小明" not in first.content.decode()


ACCEPTED_STATES: list[tuple[dict[str, Any], QueryOutcome]] = [
    (accepted("ACCEPTED"), Accepted(BILL_NO, wants_again=True)),
    (accepted("PROCESSING"), Accepted(BILL_NO, wants_again=True)),
    (
        accepted("WAIT_USER_CONFIRM", package_info="affffddafdfafddffda=="),
        NeedsAction(NeededAction.USER_CONFIRM, BILL_NO, "affffddafdfafddffda=="),
    ),
    (accepted("WAIT_USER_CONFIRM"), NeedsAction(NeededAction.USER_CONFIRM, BILL_NO)),
    (accepted("TRANSFERING"), Accepted(BILL_NO)),
    (accepted("CANCELING"), Accepted(BILL_NO)),
    (accepted("SUCCESS"), Accepted(BILL_NO)),
    (accepted("FAIL", fail_reason="PAYEE_ACCOUNT_ABNORMAL"), FailedDefinite("PAYEE_ACCOUNT_ABNORMAL")),
    (accepted("FAIL", fail_reason="王小明的账户异常"), FailedDefinite("FAIL")),
    (accepted("CANCELLED"), FailedDefinite("CANCELLED")),
    (accepted("SOMETHING_NEW"), Unknown("state_unmapped")),
    (accepted("ACCEPTED", out_bill_no="KT3"), Unknown("echo_mismatch")),
    (accepted("ACCEPTED", transfer_bill_no=7), Unknown("unreadable")),
    ({}, Unknown("echo_mismatch")),
]  # fmt: skip


@pytest.mark.parametrize(("document", "outcome"), ACCEPTED_STATES)
def test_a_transfer_just_sent_stands_as_the_answer_says(
    document: dict[str, Any], outcome: QueryOutcome
) -> None:
    adapter, _ = channel(answer(document))

    assert adapter.submit(INSTRUCTION, deadline_s=DEADLINE_S) == outcome


QUERIED_STATES: list[tuple[dict[str, Any], QueryOutcome]] = [
    (queried("ACCEPTED"), Accepted(BILL_NO, wants_again=True)),
    (queried("PROCESSING"), Accepted(BILL_NO, wants_again=True)),
    (queried("WAIT_USER_CONFIRM"), NeedsAction(NeededAction.USER_CONFIRM, BILL_NO)),
    (queried("TRANSFERING"), Accepted(BILL_NO)),
    (
        queried("SUCCESS"),
        Succeeded(BILL_NO, dt.datetime(2026, 3, 2, 4, 6, tzinfo=dt.UTC)),
    ),
    (queried("SUCCESS", update_time="noon"), Unknown("unreadable")),
    (queried("FAIL", fail_reason="MCH_CANCEL"), FailedDefinite("MCH_CANCEL")),
    (queried("CANCELING"), Accepted(BILL_NO)),
    (queried("CANCELLED"), FailedDefinite("CANCELLED")),
    (queried("SUCCESS", transfer_amount=199_998), Unknown("echo_mismatch")),
    (queried("SUCCESS", transfer_amount=199_999.0), Unknown("echo_mismatch")),
    (queried("SUCCESS", transfer_amount=None), Unknown("echo_mismatch")),
    (queried("SUCCESS", out_bill_no="KT3"), Unknown("echo_mismatch")),
    (queried("SUCCESS", openid="o-somebody-else"), Unknown("echo_mismatch")),
]


@pytest.mark.parametrize(("document", "outcome"), QUERIED_STATES)
def test_a_transfer_asked_about_stands_as_the_answer_says(
    document: dict[str, Any], outcome: QueryOutcome
) -> None:
    adapter, fake = channel(answer(document))

    assert adapter.query(INSTRUCTION, deadline_s=DEADLINE_S) == outcome
    assert fake.paths == [ASK]


# A refusal is followed by a question, as the documents ask for.


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (400, "PARAM_ERROR", FailedDefinite("PARAM_ERROR", same_key_retry_ok=True)),
        (400, "INVALID_REQUEST", FailedDefinite("INVALID_REQUEST", same_key_retry_ok=True)),
        (403, "NOT_ENOUGH", FailedDefinite("NOT_ENOUGH", same_key_retry_ok=True)),
    ],
)
def test_a_refusal_is_believed_when_the_number_is_not_known(
    status: int, code: str, outcome: QueryOutcome
) -> None:
    adapter, fake = channel(refusal(status, code), refusal(404, "NOT_FOUND"))

    assert adapter.submit(INSTRUCTION, deadline_s=DEADLINE_S) == outcome
    assert fake.paths == [f"POST {BILLS}", ASK]


def test_a_refusal_is_not_believed_while_the_number_is_known() -> None:
    adapter, _ = channel(refusal(400, "INVALID_REQUEST"), answer(queried("WAIT_USER_CONFIRM")))

    outcome = adapter.submit(INSTRUCTION, deadline_s=DEADLINE_S)

    assert outcome == NeedsAction(NeededAction.USER_CONFIRM, BILL_NO)


def test_a_refusal_is_not_believed_while_nobody_can_say_whether_the_number_is_known() -> None:
    adapter, _ = channel(refusal(403, "NOT_ENOUGH"), unsigned(b"busy", 503))

    assert adapter.submit(INSTRUCTION, deadline_s=DEADLINE_S) == Unknown("signature_missing")


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (401, "SIGN_ERROR", RejectedConfig("SIGN_ERROR")),
        (403, "NO_AUTH", RejectedConfig("NO_AUTH")),
        (500, "SYSTEM_ERROR", Unknown("http_500_SYSTEM_ERROR")),
        (429, "FREQUENCY_LIMITED", Unknown("http_429_FREQUENCY_LIMITED")),
        (400, "A_CODE_NOBODY_KNOWS", Unknown("http_400_A_CODE_NOBODY_KNOWS")),
    ],
)
def test_other_refusals_mean_what_they_mean_everywhere(
    status: int, code: str, outcome: QueryOutcome
) -> None:
    adapter, fake = channel(refusal(status, code), refusal(status, code))

    assert adapter.submit(INSTRUCTION, deadline_s=DEADLINE_S) == outcome
    assert adapter.query(INSTRUCTION, deadline_s=DEADLINE_S) == outcome
    assert len(fake.requests) == 2


@pytest.mark.parametrize("code", ["NOT_FOUND", "RESOURCE_NOT_EXISTS"])
def test_a_number_nobody_knows_is_not_found(code: str) -> None:
    adapter, _ = channel(refusal(404, code))

    assert adapter.query(INSTRUCTION, deadline_s=DEADLINE_S) == NotFound()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount": Money(9, "CNY")}, "AMOUNT_BELOW_MINIMUM"),
        ({"amount": Money(100, "USD")}, "CURRENCY_NOT_SUPPORTED"),
        ({"number": "KT_1"}, "NUMBER_UNFIT"),
        ({"number": "n" * 33}, "NUMBER_UNFIT"),
        ({"target": replace(PAYEE, kind=PayeeKind.BANK_ACCOUNT)}, "PAYEE_KIND_NOT_SUPPORTED"),
        (
            {"amount": Money(200_000, "CNY"), "target": replace(PAYEE, holder_name="")},
            "HOLDER_NAME_MISSING",
        ),
    ],
)
def test_what_no_transfer_can_be_is_refused_without_a_call(
    change: dict[str, Any], code: str
) -> None:
    adapter, fake = channel()

    outcome = adapter.submit(replace(INSTRUCTION, **change), deadline_s=DEADLINE_S)

    assert outcome == FailedDefinite(code)
    assert fake.requests == []


def test_the_smallest_transfer_is_a_tenth_of_a_yuan() -> None:
    adapter, _ = channel(answer(accepted("ACCEPTED")))
    smallest = replace(INSTRUCTION, amount=Money(10, "CNY"))

    assert isinstance(adapter.submit(smallest, deadline_s=DEADLINE_S), Accepted)


def test_more_than_the_consoles_ceiling_is_refused_without_a_call() -> None:
    ceiling = INSTRUCTION.amount
    adapter, fake = channel(answer(accepted("ACCEPTED")), transfer_max=ceiling)
    above = replace(INSTRUCTION, amount=ceiling + Money(1, "CNY"))

    assert adapter.submit(above, deadline_s=DEADLINE_S) == FailedDefinite("AMOUNT_ABOVE_MAXIMUM")
    assert fake.requests == []

    assert isinstance(adapter.submit(INSTRUCTION, deadline_s=DEADLINE_S), Accepted)


def test_without_a_scene_nobody_is_paid() -> None:
    adapter, fake = channel(transfer_scene=None)

    outcome = adapter.submit(INSTRUCTION, deadline_s=DEADLINE_S)

    assert outcome == FailedDefinite("PAYEE_KIND_NOT_SUPPORTED")
    assert fake.requests == []


def break_off(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("broken")


@pytest.mark.parametrize(
    ("fetched", "cause"),
    [
        (break_off, "read_error"),
        (refusal(404, "RESOURCE_NOT_EXISTS"), "certificates_unreadable_404"),
    ],
)
def test_without_a_key_to_seal_the_name_with_the_transfer_is_not_sent(
    fetched: Answer, cause: str
) -> None:
    adapter, fake = channel(fetched, key_mode=KeyMode.CERTIFICATE, wechatpay_keys={})
    large = replace(INSTRUCTION, amount=Money(200_000, "CNY"))

    assert adapter.submit(large, deadline_s=DEADLINE_S) == NotSent(cause)
    assert fake.paths == ["GET /v3/certificates"]


# Calling back.


@pytest.mark.parametrize("called_back", [answer(b"", 200), answer(accepted("CANCELING"))])
def test_calling_back_is_decided_by_the_question_after_it(called_back: Answer) -> None:
    adapter, fake = channel(called_back, answer(queried("CANCELLED")))

    outcome = adapter.cancel(INSTRUCTION, deadline_s=DEADLINE_S)

    assert outcome == FailedDefinite("CANCELLED")
    assert fake.paths == [f"POST {BILLS}/out-bill-no/{INSTRUCTION.number}/cancel", ASK]
    assert fake.requests[0].content == b""


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        ("CANCELING", Accepted(BILL_NO)),
        ("WAIT_USER_CONFIRM", NeedsAction(NeededAction.USER_CONFIRM, BILL_NO)),
        ("SUCCESS", Succeeded(BILL_NO, dt.datetime(2026, 3, 2, 4, 6, tzinfo=dt.UTC))),
    ],
)
def test_only_a_cancelled_transfer_never_pays(state: str, outcome: QueryOutcome) -> None:
    for first in (answer(b""), refusal(400, "INVALID_REQUEST")):
        adapter, _ = channel(first, answer(queried(state)))

        assert adapter.cancel(INSTRUCTION, deadline_s=DEADLINE_S) == outcome


def test_a_calling_back_that_nobody_answered_is_unknown() -> None:
    adapter, _ = channel(unsigned(b""))

    assert adapter.cancel(INSTRUCTION, deadline_s=DEADLINE_S) == Unknown("signature_missing")


def test_a_calling_back_that_refuses_us_says_so() -> None:
    adapter, _ = channel(refusal(403, "NO_AUTH"))

    assert adapter.cancel(INSTRUCTION, deadline_s=DEADLINE_S) == RejectedConfig("NO_AUTH")
