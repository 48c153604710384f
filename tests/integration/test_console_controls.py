"""The page of hold, limits and balances: what one person proposes, another confirms."""

from __future__ import annotations

import re

import pytest

from kuaitui.accounts.types import Role
from kuaitui.channels.port import NotFound
from kuaitui.payouts import operations
from kuaitui.payouts.queries import balances, current_hold, leg, limits
from kuaitui.payouts.types import LimitScope
from tests.support import given
from tests.support import payouts_given as pg
from tests.support.clock import standing_at
from tests.support.console_given import desk
from tests.support.given import NOW, yuan

PAGE = "/console/payouts/controls"
TABLES = ("payouts_limit", "payouts_hold", "payouts_balance", "payouts_leg")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now():
    with standing_at(NOW):
        yield


def limit_form(**changes):
    return {
        "scope": "channel_day", "channel": "simulator", "currency": "CNY", "amount": "5,000",
        **changes,
    }  # fmt: skip


def test_a_limit_is_proposed_by_one_and_confirmed_by_another_as_it_was_shown():
    first, second = desk(Role.APPROVER), desk(Role.APPROVER)

    first.post(f"{PAGE}/limits", limit_form())

    assert "Awaits a second person" in first.get(PAGE).text
    page = second.get(PAGE).text
    address = re.search(rf'action="({PAGE}/limits/\d+)"', page)[1]
    shown = {
        name: re.search(rf'name="{name}" value="([^"]*)"', page)[1]
        for name in ("amount", "currency")
    }
    with given.nothing_moves(*TABLES):
        assert first.post(address, shown).status_code == 403
        assert second.post(address, {**shown, "amount": "50000"}).status_code == 409
    assert second.post(address, shown).status_code == 302

    (limit,) = limits()
    assert (limit.scope, limit.amount, limit.is_in_force) == (
        LimitScope.CHANNEL_DAY, yuan("5,000"), True,
    )  # fmt: skip


def test_channels_to_choose_from_are_called_by_their_names():
    page = desk(Role.APPROVER).get(PAGE).text

    assert re.search(r'<option value="simulator"[^>]*>Simulated bank</option>', page)


@pytest.mark.parametrize(
    "wrong", [{"amount": "0"}, {"amount": "x"}, {"scope": "whim"}, {"channel": "nobody"}]
)
def test_a_limit_that_is_none_is_not_proposed(wrong):
    client = desk(Role.APPROVER)

    with given.nothing_moves(*TABLES):
        response = client.post(f"{PAGE}/limits", limit_form(**wrong))

    assert response.status_code == 422


def test_a_balance_is_noted():
    form = {"channel": "simulator", "currency": "CNY", "balance": "12,345.67"}

    desk(Role.APPROVER).post(f"{PAGE}/balance", form)

    (known,) = balances()
    assert known.left == yuan("12,345.67")
    assert "12,345.67" in desk(Role.AUDITOR).get(PAGE).text


def test_a_hold_is_begun_by_one_and_released_by_two_once_all_was_asked():
    world = pg.payout(now=NOW - pg.SECOND)
    first, second = desk(Role.APPROVER), desk(Role.APPROVER)
    first.post(f"{PAGE}/hold", {"reason": "Restored a backup"})
    assert current_hold().unasked_count == 1
    assert "Payouts are on hold" in first.get("/console/payouts").text
    assert "Restored a backup" in first.get("/console/").text
    with given.nothing_moves(*TABLES):
        early = first.post(f"{PAGE}/propose-release", {"reason": "All fine"})
    assert early.status_code == 409

    with standing_at(NOW + pg.FLOOR):
        pg.record(pg.claim(world, now=NOW + pg.FLOOR), NotFound(), now=NOW + pg.FLOOR)
        first.post(f"{PAGE}/propose-release", {"reason": "All fine"})
        with given.nothing_moves(*TABLES):
            assert first.post(f"{PAGE}/confirm-release").status_code == 403
        assert "All fine" in second.get(PAGE).text
        second.post(f"{PAGE}/confirm-release")

    assert current_hold() is None


def test_a_hold_without_a_reason_is_not_begun():
    client = desk(Role.APPROVER)

    with given.nothing_moves(*TABLES):
        assert client.post(f"{PAGE}/hold", {"reason": " "}).status_code == 422


def test_a_part_that_was_set_aside_is_put_back_with_a_finding():
    world = pg.payout()
    operations.set_leg_aside(leg_id=world.leg_id, reason="SealBroken", now=NOW)
    client = desk(Role.APPROVER)
    address = f"/console/payouts/{world.leg_id}/put-back"
    assert address in client.get(f"/console/payouts/{world.leg_id}").text
    with given.nothing_moves(*TABLES):
        assert "not what was approved" in client.get(address).text
        assert client.post(address, {"reason": ""}).status_code == 422

    client.post(address, {"reason": "The key is back."})

    assert leg(world.leg_id).set_aside_reason == ""


def test_what_a_part_waits_for_is_said_in_the_monitor_and_on_its_page():
    world = pg.payout()
    pg.claim(pg.payout("¥1", application_id="rfa_2"))
    pg.limit(LimitScope.CHANNEL_DAY, "10,000")
    operations.claim_leg(leg_id=world.leg_id, pace=pg.PACE, now=NOW)
    client = desk(Role.AUDITOR)

    for address in ("/console/payouts?state=waiting", f"/console/payouts/{world.leg_id}"):
        assert "limit of 24 hours is used up" in client.get(address).text.replace("&#x27;", "'")
