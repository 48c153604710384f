"""Notifications: whose they are, how old, and of which number they speak."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from kuaitui.channels.port import (
    Notification,
    NotificationRefused,
    NotificationSubject,
    RefusedBecause,
)
from tests.support.fake_wechatpay import MCHID, NOW, channel, sealed, signed

FORGED = NotificationRefused(RefusedBecause.FORGED)
UNREADABLE = NotificationRefused(RefusedBecause.UNREADABLE)
EVENT_ID = "EV-2018022511223320873"


def body(event_type: str = "REFUND.SUCCESS", resource: Any = None, **changes: Any) -> bytes:
    content = {"mchid": MCHID, "out_refund_no": "KTR1"} if resource is None else resource
    document = {
        "id": EVENT_ID,
        "create_time": "2026-03-02T12:05:00+08:00",
        "resource_type": "encrypt-resource",
        "event_type": event_type,
        "summary": "退款成功",
        "resource": sealed(json.dumps(content).encode()),
    }
    return json.dumps(document | changes, ensure_ascii=False).encode()


def told(
    content: bytes, headers: dict[str, str] | None = None, *, now: dt.datetime = NOW
) -> Notification | NotificationRefused:
    adapter, fake = channel()
    answer = adapter.read_notification(headers or signed(content), content, now=now)
    assert fake.requests == []
    return answer


@pytest.mark.parametrize(
    ("event_type", "resource", "subject", "number"),
    [
        (
            "TRANSACTION.SUCCESS",
            {"mchid": MCHID, "out_trade_no": "KTP1", "trade_state": "SUCCESS"},
            NotificationSubject.PAY_IN,
            "KTP1",
        ),
        ("REFUND.SUCCESS", {"mchid": MCHID, "out_refund_no": "KTR1"}, NotificationSubject.PAYOUT, "KTR1"),
        ("REFUND.ABNORMAL", {"mchid": MCHID, "out_refund_no": "KTR2"}, NotificationSubject.PAYOUT, "KTR2"),
        ("REFUND.CLOSED", {"mchid": MCHID, "out_refund_no": "KTR3"}, NotificationSubject.PAYOUT, "KTR3"),
        (
            "MCHTRANSFER.BILL.FINISHED",
            {"mch_id": MCHID, "out_bill_no": "KTT1", "state": "SUCCESS"},
            NotificationSubject.PAYOUT,
            "KTT1",
        ),
    ],
)  # fmt: skip
def test_a_genuine_notification_names_its_number(
    event_type: str, resource: dict[str, str], subject: NotificationSubject, number: str
) -> None:
    assert told(body(event_type, resource)) == Notification(EVENT_ID, subject, number)


def test_headers_may_be_written_in_any_case() -> None:
    content = body()
    headers = {name.upper(): value for name, value in signed(content).items()}

    assert isinstance(told(content, headers), Notification)


def test_headers_are_read_as_the_web_hands_them_over() -> None:
    content = body()
    request = RequestFactory().post(
        "/callbacks/wechatpay", content, content_type="application/json", headers=signed(content)
    )
    adapter, _ = channel()

    answer = adapter.read_notification(request.headers, request.body, now=NOW)

    assert isinstance(answer, Notification)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json"},
        signed(body(), key="stranger"),
        signed(body(), serial="PUB_KEY_ID_9"),
        signed(body() + b" "),
        signed(body()) | {"Wechatpay-Signature": "AAAA"},
        signed(body()) | {"Wechatpay-Nonce": ""},
        signed(body()) | {"Wechatpay-Timestamp": "1772424307"},
    ],
    ids=["unsigned", "stranger", "key unknown", "other body", "no signature", "no nonce", "moved"],
)
def test_whatever_wechat_pay_did_not_sign_is_forged(headers: dict[str, str]) -> None:
    assert told(body(), headers) == FORGED


def test_a_probe_is_told_from_a_forgery() -> None:
    headers = signed(body()) | {"Wechatpay-Signature": "WECHATPAY/SIGNTEST/AAAA"}

    assert told(body(), headers) == NotificationRefused(RefusedBecause.PROBE)


@pytest.mark.parametrize("age_s", [301, -301, 25 * 3600])
def test_an_old_notification_repeated_by_somebody_is_stale(age_s: int) -> None:
    content = body()

    answer = told(content, now=NOW + dt.timedelta(seconds=age_s))

    assert answer == NotificationRefused(RefusedBecause.STALE)


def test_a_notification_of_another_merchant_is_not_ours() -> None:
    answer = told(body(resource={"mchid": "1900000110", "out_refund_no": "KTR1"}))

    assert answer == NotificationRefused(RefusedBecause.ANOTHER_MERCHANT)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b"[" * 60_000,
        body()[:-1],
        body(event_type=7),
        body(id=None),
        body(id="E" * 65),
        body(resource=[]),
        body(resource={}),
        body(resource={"mchid": MCHID}),
        body(resource={"out_refund_no": "KTR1"}),
        body(resource={"mchid": MCHID, "out_refund_no": 7}),
        body(resource={"mchid": MCHID, "out_refund_no": ["KTR1"]}),
        body(resource={"mchid": MCHID, "out_refund_no": "K" * 65}),
        json.dumps({"id": EVENT_ID, "event_type": "REFUND.SUCCESS", "resource": None}).encode(),
        json.dumps(
            {
                "id": EVENT_ID,
                "event_type": "REFUND.SUCCESS",
                "resource": sealed(b"{}", key=b"a key of another merchant, 32 ch"),
            }
        ).encode(),
    ],
)
def test_what_is_genuine_and_not_of_a_known_form_is_unreadable(content: bytes) -> None:
    assert told(content) == UNREADABLE


@pytest.mark.parametrize("event_type", ["PAYSCORE.USER_OPEN_SERVICE", "refund.success"])
def test_an_event_that_we_did_not_ask_for_is_not_for_us(event_type: str) -> None:
    assert told(body(event_type=event_type)) == NotificationRefused(RefusedBecause.NOT_FOR_US)


def test_an_oversized_notification_is_not_even_verified() -> None:
    content = body(summary="x" * 65_536)

    assert told(content) == UNREADABLE


@given(cut=st.integers(0, len(body()) - 1))
def test_a_truncated_notification_is_forged(cut: int) -> None:
    content = body()

    assert told(content[:cut], signed(content)) == FORGED


def test_a_repeat_has_the_same_event_id() -> None:
    first, second = told(body()), told(body(create_time="2026-03-02T12:05:15+08:00"))

    assert isinstance(first, Notification)
    assert first == second
