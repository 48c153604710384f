"""Which of Stripe's events are taken, and what is read of them."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaitui.channels.port import (
    Notification,
    NotificationRefused,
    NotificationSubject,
    RefusedBecause,
)
from kuaitui.channels.stripe.webhooks import HEADER, read_webhook
from tests.support.stripe import SECRET, signature

NOW = dt.datetime(2026, 11, 25, 12, 0, 0, tzinfo=dt.UTC)
NOW_S = int(NOW.timestamp())


def event(kind: str = "refund", number: object = "pay_1_a", **changes: object) -> bytes:
    subject = {"object": kind, "metadata": {"kuaitui_number": number}}
    return json.dumps({"id": "evt_1", "data": {"object": subject}, **changes}).encode()


def read(
    body: bytes, header: str | None = None, *, secrets: tuple[bytes, ...] = (SECRET,)
) -> Notification | NotificationRefused:
    headers = {HEADER: signature(body, NOW_S) if header is None else header}
    return read_webhook(headers, body, secrets=secrets, now=NOW)


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("refund", NotificationSubject.PAYOUT),
        ("checkout.session", NotificationSubject.PAY_IN),
        ("payment_intent", NotificationSubject.PAY_IN),
    ],
)
def test_an_event_speaks_of_the_number_in_its_metadata(
    kind: str, subject: NotificationSubject
) -> None:
    assert read(event(kind)) == Notification("evt_1", subject, "pay_1_a")


def test_old_and_new_secret_hold_side_by_side() -> None:
    body = event()
    by_new = signature(body, NOW_S, secret=b"new")

    assert isinstance(read(body, by_new, secrets=(SECRET, b"new")), Notification)
    assert read(body, by_new) == NotificationRefused(RefusedBecause.FORGED)


def test_one_good_signature_among_several_is_enough() -> None:
    body = event()
    header = f"{signature(body, NOW_S)},v1={'0' * 64},v0=abc"

    assert isinstance(read(body, header), Notification)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=,v1=",
        "v1=abc",
        f"t={NOW_S}",
        f"t={NOW_S},v1=",
        f"t={NOW_S},v1=é",
        f"t={NOW_S},t={NOW_S},v1=abc",
        "t=99999999999999999999,v1=abc",
        signature(event(), NOW_S, secret=b"another"),
        signature(event(), NOW_S, scheme="v0"),
        signature(event(number="pay_2_a"), NOW_S),
        signature(event(), NOW_S).replace(f"t={NOW_S}", f"t={NOW_S + 1}"),
    ],
)
def test_what_was_not_signed_with_our_secret_is_forged(header: str) -> None:
    assert read(event(), header) == NotificationRefused(RefusedBecause.FORGED)


@pytest.mark.parametrize(
    ("age_s", "is_taken"), [(300, True), (301, False), (-300, True), (-301, False)]
)
def test_an_event_is_fresh_for_five_minutes(age_s: int, is_taken: bool) -> None:
    told = read(event(), signature(event(), NOW_S - age_s))

    assert (told == NotificationRefused(RefusedBecause.STALE)) is not is_taken


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"\xff",
        b"{}",
        event(number=""),
        event(number=7),
        event(id=7),
        event(data=None),
        b"[" * 100_000,
    ],
    ids=range(9),
)
def test_a_genuine_event_of_no_form_we_know_is_unreadable(body: bytes) -> None:
    assert read(body) == NotificationRefused(RefusedBecause.UNREADABLE)


@pytest.mark.parametrize("body", [event("customer"), event(number=None)], ids=["sort", "number"])
def test_an_event_of_another_sort_or_of_nothing_we_made_is_not_for_us(body: bytes) -> None:
    assert read(body) == NotificationRefused(RefusedBecause.NOT_FOR_US)


@given(header=st.text(max_size=100), body=st.binary(max_size=100))
def test_no_event_makes_it_stumble(header: str, body: bytes) -> None:
    assert isinstance(read(body, header), NotificationRefused)
