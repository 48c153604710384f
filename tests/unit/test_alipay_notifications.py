"""Which notifications are taken, and what is read of them: a number, and nothing else."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kuaitui.channels.alipay.keys import read_public_key
from kuaitui.channels.alipay.notifications import read_notification
from kuaitui.channels.port import (
    Notification,
    NotificationRefused,
    NotificationSubject,
    RefusedBecause,
)
from tests.support import alipay_golden as golden
from tests.support.alipay import NOW, StandIn, kept, message, notification, settings

CHANNEL = StandIn().channel()


def read(body: bytes, *, now: dt.datetime = NOW) -> Notification | NotificationRefused:
    return CHANNEL.read_notification({}, body, now=now)


def refused(reason: RefusedBecause) -> NotificationRefused:
    return NotificationRefused(reason)


def test_a_payment_is_spoken_of_by_its_number() -> None:
    assert read(notification()) == Notification(
        "2026112500222150000001", NotificationSubject.PAY_IN, "payin_1"
    )


def test_a_refund_is_spoken_of_by_its_own_number() -> None:
    told = read(notification(out_biz_no="pay_1_a", refund_fee="1.00"))

    assert told == Notification("2026112500222150000001", NotificationSubject.PAYOUT, "pay_1_a")


def test_a_transfer_is_spoken_of_in_a_message_to_the_application() -> None:
    assert read(message()) == Notification(
        "2026112500222150000001", NotificationSubject.PAYOUT, "leg1"
    )


def test_a_message_of_another_sort_is_not_for_us() -> None:
    other = message(msg_method="alipay.open.auth.appauth.cancelled", biz_content="{}")

    assert read(other) == refused(RefusedBecause.NOT_FOR_US)


def test_one_that_alipay_really_sent_is_taken(tmp_path: Path) -> None:
    key = read_public_key(Path(kept(tmp_path, "key", golden.NOTIFICATION_KEY)))
    theirs = settings(
        with_certificates=False,
        app_id=golden.NOTIFICATION["app_id"],
        seller_id=golden.NOTIFICATION["seller_id"],
        alipay_keys=(key,),
    )
    then = dt.datetime(2019, 8, 15, 7, 56, 30, tzinfo=dt.UTC)

    told = read_notification(urlencode(golden.NOTIFICATION).encode(), theirs, now=then)

    assert told == Notification(
        "2019081500222155624068450559358070",
        NotificationSubject.PAY_IN,
        "20190815155618536-564-57",
    )


WHY_NOT: list[tuple[str, bytes, RefusedBecause]] = [
    ("a stranger signed it", notification(signer="a stranger"), RefusedBecause.FORGED),
    ("it was changed", notification().replace(b"1000.00", b"9000.00"), RefusedBecause.FORGED),
    ("a weaker signature", notification(sign_type="RSA"), RefusedBecause.FORGED),
    ("no kind", notification().replace(b"sign_type=RSA2&", b""), RefusedBecause.FORGED),
    ("not signed", b"out_trade_no=payin_1", RefusedBecause.FORGED),
    ("empty", b"", RefusedBecause.FORGED),
    ("other app", notification(app_id="2021000000000009"), RefusedBecause.ANOTHER_MERCHANT),
    ("other seller", notification(seller_id="2088000000000009"), RefusedBecause.ANOTHER_MERCHANT),
    ("no seller", notification(seller_id=""), RefusedBecause.ANOTHER_MERCHANT),
    ("too old", notification(notify_time="2026-11-24 17:59:59"), RefusedBecause.STALE),
    ("not yet", notification(notify_time="2026-11-25 21:00:01"), RefusedBecause.STALE),
    ("no time", notification(notify_time=""), RefusedBecause.UNREADABLE),
    ("a strange time", notification(notify_time="now"), RefusedBecause.UNREADABLE),
    ("no event", notification(notify_id=""), RefusedBecause.UNREADABLE),
    ("no number", notification(out_trade_no=""), RefusedBecause.UNREADABLE),
    ("a message of a stranger", message(signer="a stranger"), RefusedBecause.FORGED),
    ("of another app", message(app_id="2021000000000009"), RefusedBecause.ANOTHER_MERCHANT),
    ("an old message", message(utc_timestamp="1766600000000"), RefusedBecause.STALE),
    ("a message without a time", message(utc_timestamp=""), RefusedBecause.UNREADABLE),
    ("a time in seconds", message(utc_timestamp="1766600000"), RefusedBecause.UNREADABLE),
    ("a message without content", message(biz_content=""), RefusedBecause.UNREADABLE),
    ("content that is no object", message(biz_content="[1]"), RefusedBecause.UNREADABLE),
    ("of no transfer", message(biz_content='{"status": "SUCCESS"}'), RefusedBecause.UNREADABLE),
    ("of a number", message(biz_content='{"out_biz_no": 7}'), RefusedBecause.UNREADABLE),
    ("a message without an event", message(notify_id=""), RefusedBecause.UNREADABLE),
    ("not text", b"\xff\xfe", RefusedBecause.UNREADABLE),
    ("no form", b"no form", RefusedBecause.UNREADABLE),
    ("JSON", b'{"json": true}', RefusedBecause.UNREADABLE),
    ("a field twice", notification() + b"&out_trade_no=payin_2", RefusedBecause.UNREADABLE),
    (
        "too many fields",
        b"&".join(b"f%d=1" % number for number in range(101)),
        RefusedBecause.UNREADABLE,
    ),
]


@pytest.mark.parametrize(
    ("body", "reason"),
    [case[1:] for case in WHY_NOT],
    ids=[case[0] for case in WHY_NOT],
)
def test_why_a_notification_is_not_taken(body: bytes, reason: RefusedBecause) -> None:
    assert read(body) == refused(reason)


def test_a_repeat_within_25_hours_is_taken_and_carries_the_same_event() -> None:
    first = read(notification())
    repeated = read(notification(), now=NOW + dt.timedelta(hours=25))

    assert isinstance(first, Notification)
    assert repeated == first


@hypothesis_settings(max_examples=200)
@given(body=st.binary(max_size=300))
def test_no_body_makes_it_stumble(body: bytes) -> None:
    assert isinstance(read(body), NotificationRefused)


def test_the_answer_is_exactly_success() -> None:
    answer = CHANNEL.acknowledgement

    assert (answer.status, answer.body) == (200, b"success")
