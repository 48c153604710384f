"""What channels tell us: taken in once, refused with a reason and a count, never believed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, connection
from django.test import Client

from kuaitui.channels.simulator.signing import NONCE_HEADER, SIGNATURE_HEADER, shared_key, sign
from kuaitui.channels.simulator.till import PAY_IN_PAID
from kuaitui.deposits import queries as deposits
from kuaitui.interfaces.callbacks import views
from kuaitui.kernel.clock import read_clock, read_stopwatch_s
from kuaitui.kit import inbox
from kuaitui.kit.models import NotificationRow, RefusedNotifications
from kuaitui.payouts import queries as payouts
from tests.support import given
from tests.support import pay_ins_given as pig
from tests.support import payouts_given as pg
from tests.support.raw_sql import refuse
from tests.support.worker import database_url

pytestmark = pytest.mark.django_db
ADDRESS = f"/callbacks/{given.CHANNEL}"
TABLES = (*pig.TABLES, "payouts_leg", "payouts_attempt")


def key() -> bytes:
    return shared_key(settings.KUAITUI_CHANNELS[given.CHANNEL]["key_file"])


def tell(
    number: str, *, event: str = "e1", state: str = PAY_IN_PAID, with_key: bytes = b"", **more: str
) -> int:
    body = json.dumps({"id": event, "number": number, "state": state, **more}).encode()
    return post(body, with_key=with_key)


def post(body: bytes, *, with_key: bytes = b"", **environment: str) -> int:
    headers = {NONCE_HEADER: "n", SIGNATURE_HEADER: sign(with_key or key(), b"n", body)}
    client = Client(enforce_csrf_checks=True, headers=headers)
    return client.post(
        ADDRESS, data=body, content_type="application/json", **environment
    ).status_code


def waiting() -> pig.World:
    made = pig.world()
    made.now = read_clock()
    made.start()
    made.channel_says(made.opened())
    return made


def test_a_notification_of_a_payment_makes_us_ask_and_moves_no_money() -> None:
    made = waiting()
    made.now -= dt.timedelta(days=1)

    assert tell(made.order.number) == 204

    assert deposits.due_pay_ins(now=read_clock()) == [made.order_id]
    assert deposits.deposit(made.shop.account_id).paid_in == given.yuan("¥200")
    row = NotificationRow.objects.get()
    assert (row.event, row.subject, row.number) == ("e1", "pay_in", made.order.number)
    assert row.taken_at is not None


def test_a_notification_of_a_payout_goes_to_the_payouts() -> None:
    from kuaitui.channels.port import Accepted

    world = pg.payout(now=read_clock())
    pg.attempt(world, Accepted("SIM1"), now=read_clock())

    assert tell(payouts.leg(world.leg_id).channel_number, state="PAID") == 204

    assert payouts.due_legs(now=read_clock()) == [world.leg_id]
    assert NotificationRow.objects.get().subject == "payout"


def test_a_replayed_notification_is_answered_and_asks_nothing() -> None:
    made = waiting()
    tell(made.order.number)
    due = pig.next_check_at(made.order_id)

    with given.nothing_moves(*TABLES):
        assert [tell(made.order.number) for _ in range(3)] == [204] * 3

    assert pig.next_check_at(made.order_id) == due
    assert NotificationRow.objects.get().repeats_count == 3


def test_a_notification_that_was_written_down_and_not_acted_on_is_acted_on() -> None:
    made = waiting()
    body = json.dumps({"id": "e1", "number": made.order.number, "state": PAY_IN_PAID}).encode()
    inbox.receive(
        channel=given.CHANNEL, event_id="e1", subject="pay_in", number=made.order.number,
        body=body, now=read_clock(),
    )  # fmt: skip

    assert post(body) == 204

    assert NotificationRow.objects.get().taken_at is not None
    assert deposits.due_pay_ins(now=read_clock()) == [made.order_id]


def test_a_number_that_is_not_ours_is_remembered_and_answered_the_same() -> None:
    assert tell("nobodys1") == 204

    assert deposits.due_strays(now=read_clock()) == [(given.CHANNEL, "nobodys1")]


def forged() -> int:
    return tell("x1", with_key=b"not the key")


def unreadable() -> int:
    return post(b"\xff\xfe")


def oversized() -> int:
    return post(b"x" * 70_000)


def truncated() -> int:
    return post(b'{"id"', CONTENT_LENGTH="4")


def without_a_length() -> int:
    return post(b"{}", CONTENT_LENGTH="four")


@pytest.mark.parametrize(
    ("send", "status", "reason"),
    [
        (forged, 401, "forged"),
        (unreadable, 401, "unreadable"),
        (oversized, 413, "oversized"),
        (truncated, 401, "forged"),
        (without_a_length, 400, "truncated"),
    ],
)
def test_what_is_not_taken_is_refused_counted_and_moves_nothing(
    send: Callable[[], int], status: int, reason: str
) -> None:
    waiting()

    with given.nothing_moves(*TABLES, "kit_notification"):
        assert send() == status

    assert inbox.refused_counts(channel=given.CHANNEL) == {reason: 1}


def test_a_flood_of_forgeries_fills_one_row() -> None:
    for number in range(50):
        tell(f"forged{number}", with_key=b"not the key")

    assert RefusedNotifications.objects.count() <= 2  # an hour may end meanwhile
    assert inbox.refused_counts(channel=given.CHANNEL) == {"forged": 50}


def test_a_body_is_kept_sealed_and_opens_byte_for_byte() -> None:
    body = json.dumps({"id": "e1", "number": "x1", "payer": "王小明"}).encode()
    post(body)

    row = NotificationRow.objects.get()
    assert "王小明".encode() not in bytes(row.body_sealed)
    assert inbox.body_of(channel=given.CHANNEL, event_id="e1") == body


def test_a_very_long_event_id_is_kept_once_too() -> None:
    for _ in range(2):
        tell("x1", event="e" * 5000)

    assert NotificationRow.objects.get().repeats_count == 1


@pytest.mark.django_db(transaction=True)
def test_a_channel_is_answered_in_time_when_the_database_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(views, "DATABASE_WITHIN_S", 1)
    with psycopg.connect(database_url()) as somebody_else:
        somebody_else.execute("LOCK TABLE kit_notification IN ACCESS EXCLUSIVE MODE")
        before = read_stopwatch_s()

        assert tell("x1") == 503

        assert read_stopwatch_s() - before < 5
    assert tell("x1") == 204
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_old_notifications_are_forgotten_and_new_ones_are_not() -> None:
    tell("x1", event="old")
    forged()
    now = read_clock()

    assert inbox.forget_old(now=now) == 0
    assert inbox.forget_old(now=now + inbox.KEPT_FOR + dt.timedelta(hours=2)) == 2
    assert NotificationRow.objects.count() == 0


@pytest.mark.parametrize(
    "change", ["number = 'x'", "body_sha256 = ''", "taken_at = now()", "repeats_count = -1"]
)
def test_a_notification_stays_as_it_came(raw_sql, change: str) -> None:
    tell("x1")

    refuse(
        raw_sql,
        ("kit_notification",),
        f"UPDATE kit_notification SET {change}",
        breaks="a_notification_stays_as_it_came|stays as it came",
    )


def test_a_channels_event_is_kept_once(raw_sql) -> None:
    tell("x1")

    with pytest.raises(DatabaseError, match="a_channels_event_is_kept_once"):
        raw_sql(
            "INSERT INTO kit_notification (channel, event, subject, number, body_sealed,"
            " body_key_id, body_sha256, received_at, repeats_count) SELECT channel, event, subject,"
            " number, body_sealed, body_key_id, body_sha256, received_at, 0 FROM kit_notification"
        )
