"""The signed line to WeChat Pay: what is believed, what is not, and when anything is fetched."""

from __future__ import annotations

import datetime as dt
import json
import re

import httpx
import pytest

from kuaitui.channels.port import (
    Accepted,
    AmountLimits,
    NotFound,
    NotificationRefused,
    NotSent,
    OriginalPayment,
    PayoutInstruction,
    RefusedBecause,
    RejectedConfig,
    Unknown,
)
from kuaitui.channels.wechatpay import KeyMode
from kuaitui.channels.wechatpay.keys import KeyUnusable, WeChatKey, read_certificate
from kuaitui.kernel.money import Money
from tests.support.fake_wechatpay import (
    KEY_ID,
    NOW,
    Answer,
    answer,
    certificate,
    channel,
    private_key,
    refusal,
    sealed,
    signed,
    unsigned,
)

DEADLINE_S = 5.0
REFUND = PayoutInstruction(
    "KTR1", Money(500, "CNY"), OriginalPayment("4200001", Money(1000, "CNY"))
)
PROCESSING = {
    "refund_id": "50000001",
    "out_refund_no": "KTR1",
    "transaction_id": "4200001",
    "status": "PROCESSING",
    "amount": {"refund": 500, "total": 1000, "currency": "CNY"},
}
BODY = json.dumps(PROCESSING).encode()


def with_headers(body: bytes, **changes: str) -> Answer:
    headers = {**signed(body), **{f"Wechatpay-{name}": text for name, text in changes.items()}}
    return lambda request: httpx.Response(200, content=body, headers=headers)


def test_every_request_is_signed_and_carries_the_key_it_wants_the_answer_signed_with() -> None:
    adapter, fake = channel(answer(PROCESSING))

    adapter.submit(REFUND, deadline_s=DEADLINE_S)

    (request,) = fake.requests
    assert re.fullmatch(
        r'WECHATPAY2-SHA256-RSA2048 mchid="1900000109",nonce_str="593BEC0C930BF1AFEB40B4A08C8FB242",'
        r'signature="[0-9A-Za-z+/]{342}==",timestamp="1772424306",'
        r'serial_no="5157F09EFDC096DE15EBE81A47057A7232F1B8E1"',
        request.headers["Authorization"],
    )
    assert request.headers["Wechatpay-Serial"] == KEY_ID
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (unsigned(BODY), "signature_missing"),
        (answer(PROCESSING, key="stranger"), "signature_wrong"),
        (answer(PROCESSING, serial="PUB_KEY_ID_9"), "signature_key_unknown"),
        (answer(PROCESSING, at=NOW - dt.timedelta(seconds=301)), "signature_stale"),
        (answer(PROCESSING, at=NOW + dt.timedelta(seconds=301)), "signature_stale"),
        (with_headers(BODY, Signature="WECHATPAY/SIGNTEST/AAAA"), "signature_probe"),
        (with_headers(BODY + b" "), None),
        (answer(b"not json"), "unreadable"),
        (answer(b"[]"), "unreadable"),
        (answer(b"\xff"), "unreadable"),
        (answer(b"[" * 60_000), "unreadable"),
        (answer(b'{"a":' + b"9" * 5000 + b"}"), "unreadable"),
        (answer(b" " * 70_000), "too_long"),
        (unsigned(b"<html>busy</html>", 502), "signature_missing"),
        (unsigned(b'{"code":"SIGN_ERROR"}', 400), "signature_missing"),
        (unsigned(b'{"code":"NO_AUTH"}', 401), "signature_missing"),
        (
            lambda _: httpx.Response(302, headers={"Location": "http://elsewhere"}),
            "signature_missing",
        ),
    ],
)
def test_an_answer_is_believed_only_with_its_own_fresh_signature(
    reply: Answer, cause: str | None
) -> None:
    adapter, fake = channel(reply)

    outcome = adapter.submit(REFUND, deadline_s=DEADLINE_S)

    expected = Unknown(cause) if cause else Accepted("50000001")
    assert outcome == expected
    assert len(fake.requests) == 1


def test_whose_signature_is_not_accepted_hears_so_unsigned_and_stops() -> None:
    """Of a request that it cannot verify WeChat Pay carries out nothing, and signs nothing."""
    adapter, _ = channel(unsigned(b'{"code":"SIGN_ERROR","message":"x"}', 401))

    assert adapter.submit(REFUND, deadline_s=DEADLINE_S) == RejectedConfig("SIGN_ERROR")


def test_a_transport_that_fails_is_unknown_once_the_request_may_have_left() -> None:
    def break_off(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError("broken")

    adapter, _ = channel(break_off)

    assert adapter.submit(REFUND, deadline_s=DEADLINE_S) == Unknown("read_error")


# Key rotation in public-key mode: the old and the new key are known at once.


def test_answers_under_the_old_and_the_new_key_are_both_believed() -> None:
    keys = {
        KEY_ID: WeChatKey(KEY_ID, private_key("wechat").public_key()),
        "PUB_KEY_ID_2": WeChatKey("PUB_KEY_ID_2", private_key("wechat2").public_key()),
    }
    adapter, _ = channel(
        answer(PROCESSING),
        answer(PROCESSING, key="wechat2", serial="PUB_KEY_ID_2"),
        answer(PROCESSING, key="wechat2"),
        wechatpay_keys=keys,
    )

    outcomes = [adapter.query(REFUND, deadline_s=DEADLINE_S) for _ in range(3)]

    assert outcomes == [Accepted("50000001"), Accepted("50000001"), Unknown("signature_wrong")]


def test_while_a_merchant_moves_to_a_public_key_its_certificates_are_still_believed() -> None:
    keys = {
        OLD: known(OLD, "wechat2"),
        KEY_ID: WeChatKey(KEY_ID, private_key("wechat").public_key()),
    }
    adapter, fake = channel(
        answer(PROCESSING, key="wechat2", serial=OLD), answer(PROCESSING), wechatpay_keys=keys
    )

    outcomes = [adapter.query(REFUND, deadline_s=DEADLINE_S) for _ in range(2)]

    assert outcomes == [Accepted("50000001")] * 2
    assert {request.headers["Wechatpay-Serial"] for request in fake.requests} == {KEY_ID}


# Certificate mode.

OLD, NEW = "1A2B", "3C4D"
OTHER_KEY = b"fedcba9876543210FEDCBA9876543210"


def known(serial: str, name: str) -> WeChatKey:
    return read_certificate(serial, certificate(name, serial=int(serial, 16)))


def certificates(
    *named: tuple[str, str], signer: str, serial: str, key: bytes | None = None
) -> Answer:
    entries = [
        {
            "serial_no": one,
            "encrypt_certificate": sealed(
                certificate(name, serial=int(one, 16)),
                about="certificate",
                **({"key": key} if key else {}),
            ),
        }
        for one, name in named
    ]
    return answer({"data": entries}, key=signer, serial=serial)


def in_certificate_mode(*answers: Answer):
    return channel(
        *answers, key_mode=KeyMode.CERTIFICATE, wechatpay_keys={OLD: known(OLD, "wechat")}
    )


def test_an_answer_under_a_new_certificate_makes_it_fetched_once_and_believed() -> None:
    adapter, fake = in_certificate_mode(
        answer(PROCESSING, key="wechat2", serial=NEW),
        certificates((OLD, "wechat"), (NEW, "wechat2"), signer="wechat2", serial=NEW),
        answer(PROCESSING, key="wechat2", serial=NEW),
        answer(PROCESSING, serial=OLD),
    )

    outcomes = [adapter.query(REFUND, deadline_s=DEADLINE_S) for _ in range(3)]

    assert outcomes == [Accepted("50000001")] * 3
    assert fake.paths.count("GET /v3/certificates") == 1


@pytest.mark.parametrize(
    "fetched",
    [
        certificates((NEW, "wechat2"), signer="stranger", serial=NEW),
        certificates((NEW, "wechat2"), signer="wechat2", serial=NEW, key=OTHER_KEY),
        answer({"data": [{"serial_no": NEW, "encrypt_certificate": sealed(b"no certificate")}]}),
        answer({"data": "none"}),
        answer({"code": "RESOURCE_NOT_EXISTS", "message": "无可用的平台证书"}, 404),
        unsigned(b"<html>"),
    ],
    ids=["not signed", "not sealed for us", "no certificate", "no list", "none here", "no answer"],
)  # fmt: skip
def test_a_certificate_that_is_not_proven_is_not_taken(fetched: Answer) -> None:
    adapter, fake = in_certificate_mode(
        answer(PROCESSING, key="wechat2", serial=NEW), fetched, answer(PROCESSING, serial=OLD)
    )

    doubted = adapter.query(REFUND, deadline_s=DEADLINE_S)
    believed = adapter.query(REFUND, deadline_s=DEADLINE_S)

    assert doubted == Unknown("signature_key_unknown")
    assert believed == Accepted("50000001")
    assert fake.paths.count("GET /v3/certificates") == 1


def test_a_certificate_of_another_serial_than_announced_is_not_taken() -> None:
    with pytest.raises(KeyUnusable):
        read_certificate("3C4D", certificate("wechat2", serial=0x1A2B))


def test_an_expired_certificate_proves_nothing() -> None:
    expired = read_certificate(
        OLD,
        certificate("wechat", serial=int(OLD, 16), valid_from=NOW - dt.timedelta(days=40), days=30),
    )
    adapter, _ = channel(
        answer(PROCESSING, serial=OLD),
        answer({"data": []}, serial=OLD),
        key_mode=KeyMode.CERTIFICATE,
        wechatpay_keys={OLD: expired},
    )

    assert adapter.query(REFUND, deadline_s=DEADLINE_S) == Unknown("signature_key_unknown")


def test_a_forged_notification_causes_no_traffic_in_either_mode() -> None:
    forged = signed(b"{}", key="stranger", serial="5E6F")

    for adapter, fake in (channel(), in_certificate_mode()):
        told = adapter.read_notification(forged, b"{}", now=NOW)

        assert told == NotificationRefused(RefusedBecause.FORGED)
        assert fake.requests == []


# Causes are recorded and shown: they carry a code, never what WeChat Pay wrote for people.


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("SYSTEM_ERROR", "http_500_SYSTEM_ERROR"),
        ("268498688", "http_500_268498688"),
        ("王小明", "http_500"),
        ("x" * 200, "http_500"),
        ("", "http_500"),
    ],
)
def test_a_cause_names_the_code_only_if_it_is_one(code: str, cause: str) -> None:
    adapter, _ = channel(refusal(500, code))

    assert adapter.submit(REFUND, deadline_s=DEADLINE_S) == Unknown(cause)


def test_nothing_of_keys_or_answers_is_shown() -> None:
    adapter, _ = channel()
    shown = repr(adapter._settings)

    assert "0123456789abcdef" not in shown
    assert "RSAPrivateKey" not in shown


def test_the_channel_declares_what_it_can() -> None:
    with_scene, _ = channel()
    without, _ = channel(transfer_scene=None)

    assert with_scene.capabilities.can_cancel
    assert not without.capabilities.can_cancel
    assert not without.capabilities.payee_kinds
    assert with_scene.capabilities.original_window == dt.timedelta(days=365)
    assert with_scene.capabilities.refunds_per_payment_max == 50
    assert with_scene.capabilities.refund_interval == dt.timedelta(minutes=1)
    assert with_scene.capabilities.limits_original == AmountLimits()
    assert with_scene.capabilities.limits_designated == AmountLimits(smallest=Money(10, "CNY"))
    assert with_scene.capabilities.resend_window < dt.timedelta(days=30)
    assert with_scene.acknowledgement.status == 204


def test_the_ceiling_of_the_merchants_console_is_declared_with_the_floor() -> None:
    told, _ = channel(transfer_max=Money(200_000, "CNY"))

    limits = told.capabilities.limits_designated

    assert limits == AmountLimits(Money(10, "CNY"), Money(200_000, "CNY"))


def test_a_number_that_could_leave_its_place_in_the_path_is_never_asked_about() -> None:
    adapter, fake = channel()
    odd = PayoutInstruction("../certificates", REFUND.amount, REFUND.target)

    assert adapter.query(odd, deadline_s=DEADLINE_S) == Unknown("number_unfit")
    assert fake.requests == []


def test_not_found_is_an_answer_to_a_question_only() -> None:
    adapter, _ = channel(*(refusal(404, "RESOURCE_NOT_EXISTS") for _ in range(3)))

    assert adapter.query(REFUND, deadline_s=DEADLINE_S) == NotFound()
    assert not isinstance(adapter.submit(REFUND, deadline_s=DEADLINE_S), NotFound | NotSent)
