"""Alipay's notifications at our door: a form in, the one word out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from kuaitui.channels.alipay.formats import write_moment
from kuaitui.interfaces.callbacks import views
from kuaitui.kernel.clock import read_clock
from kuaitui.kit import inbox
from tests.support import given
from tests.support.alipay import (
    APP_ID,
    SELLER_ID,
    kept,
    message,
    notification,
    pem,
    public_pem,
)

pytestmark = pytest.mark.django_db
ADDRESS = "/callbacks/alipay"
TABLES = ("payouts_payout", "payouts_leg", "payouts_attempt")


@pytest.fixture(autouse=True)
def alipay(settings, tmp_path: Path) -> Iterator[None]:
    settings.KUAITUI_CHANNELS = {
        "alipay": {
            "app_id": APP_ID,
            "seller_id": SELLER_ID,
            "private_key_file": kept(tmp_path, "app", pem("app")),
            "alipay_public_key_files": [kept(tmp_path, "alipay", public_pem("alipay"))],
        }
    }
    views._channels.cache_clear()
    yield
    views._channels.cache_clear()


def told(*, ago: dt.timedelta = dt.timedelta(0), **changes: str) -> bytes:
    return notification(notify_time=write_moment(read_clock() - ago), **changes)


def test_a_genuine_notification_is_answered_with_exactly_success() -> None:
    client = Client(enforce_csrf_checks=True)

    for body in (told(), told(out_biz_no="pay_1_a", notify_id="2")):
        response = client.post(ADDRESS, body, content_type="application/x-www-form-urlencoded")

        assert (response.status_code, response.content) == (200, b"success")


def test_what_is_not_for_us_is_counted_and_never_comes_again() -> None:
    now = read_clock()
    body = message(
        msg_method="alipay.open.auth.appauth.cancelled",
        utc_timestamp=f"{now.timestamp() * 1000:.0f}",
    )

    with given.nothing_moves(*TABLES):
        response = Client().post(ADDRESS, body, content_type="application/x-www-form-urlencoded")

    assert (response.status_code, response.content) == (200, b"success")
    assert inbox.refused_counts(channel="alipay") == {"not_for_us": 1}


def test_what_is_not_taken_is_not_answered_with_success() -> None:
    refused = [
        told(signer="a stranger"),
        told(app_id="2021000000000009"),
        told(ago=dt.timedelta(hours=27)),
        told() + b"&out_trade_no=payin_2",
        b"",
    ]

    with given.nothing_moves(*TABLES):
        for body in refused:
            response = Client().post(
                ADDRESS, body, content_type="application/x-www-form-urlencoded"
            )
            assert response.status_code == 401
            assert b"success" not in response.content
