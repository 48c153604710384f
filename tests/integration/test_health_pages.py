"""Addresses for those who watch whether the system is up."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from kuaitui.channels.port import Unknown
from kuaitui.deposits.operations import set_pay_in_aside
from kuaitui.kernel.clock import read_clock
from kuaitui.kit import health
from kuaitui.kit.models import OutboxRow
from kuaitui.payouts import operations
from tests.support import given
from tests.support import pay_ins_given as pig
from tests.support import payouts_given as pg
from tests.support import send_backs_given as sbg
from tests.support.given import NOW

MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    monkeypatch.setattr(health, "_SCHEMA", health._Schema())


def test_the_process_answers_without_a_database(client):
    assert client.get("/livez").json() == {"status": "ok"}  # no django_db mark: a query would fail


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["/readyz", "/healthz"])
def test_a_complete_system_is_ready(client, page):
    response = client.get(page)

    assert response.status_code == 200
    assert response.json()["status"] == "ready"


@pytest.mark.django_db
def test_what_waits_for_people_is_counted_and_nothing_more_is_said(client):
    assert client.get("/healthz").json()["payouts"] == {
        "on_hold": False, "stopped": [], "overdue": 0, "set_aside": 0,
    }  # fmt: skip
    world = pg.payout()
    pg.attempt(world, Unknown("deadline"))
    late = NOW + pg.PACE.alarm_after
    pg.attempt(world, Unknown("deadline"), now=late)
    pg.stop("*")
    operations.hold_sending(reason="a drill", actor=given.reviewer(), now=late)

    assert client.get("/healthz").json()["payouts"] == {
        "on_hold": True, "stopped": ["*"], "overdue": 1, "set_aside": 0,
    }  # fmt: skip


@pytest.mark.django_db
def test_how_far_the_worker_is_behind_is_told_by_the_oldest_of_what_it_should_have_done(client):
    assert client.get("/healthz").json()["worker"] == {"behind_s": 0}

    now = read_clock()
    OutboxRow.objects.create(
        event="test.Event", payload={}, published_at=now - MINUTE, deliver_after=now
    )
    assert 60 <= client.get("/healthz").json()["worker"]["behind_s"] < 120

    pg.payout(now=now - 5 * MINUTE)
    OutboxRow.objects.all().delete()
    assert 300 <= client.get("/healthz").json()["worker"]["behind_s"] < 360


@pytest.mark.django_db
def test_payments_that_wait_for_people_are_counted_too(client):
    order, back = pig.waiting(), sbg.ordered()
    set_pay_in_aside(order_id=order.order_id, reason="DataError", now=order.now)
    operations.set_send_back_aside(send_back_id=back.send_back_id, reason="x", now=back.now)

    found = client.get("/healthz").json()

    assert found["pay_ins"] == {"in_suspense": 1, "set_aside": 1}
    assert found["payouts"]["set_aside"] == 1


@pytest.mark.django_db
def test_a_missing_migration_is_not_ready(client):
    MigrationRecorder.Migration.objects.filter(app="accounts").delete()

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json() == {"status": "migrations_pending"}


@pytest.mark.django_db(transaction=True)
def test_an_unreachable_database_is_not_ready_and_says_nothing_more(client, monkeypatch):
    connection.close()
    monkeypatch.setitem(connection.settings_dict, "NAME", "no_such_database")
    try:
        response = client.get("/readyz")
        again = client.get("/livez")
    finally:
        connection.close()

    assert response.status_code == 503
    assert response.json() == {"status": "database_unreachable"}
    assert again.status_code == 200
