"""The payouts monitor: it asks, stops and releases; it never sends."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from kuaitui.accounts.types import Role
from kuaitui.audit.queries import events_of
from kuaitui.channels.bank import reasons
from kuaitui.channels.port import Accepted, FailedDefinite, Unknown
from kuaitui.interfaces.console.bank_words import BANK_REASONS
from kuaitui.interfaces.console.calls import runs_of
from kuaitui.kit.channel_names import name_of_channel
from kuaitui.payouts.operations import set_leg_aside
from kuaitui.payouts.queries import attempts, kill_switches, leg
from kuaitui.refunds.states import State
from tests.support import given, payouts_given
from tests.support.clock import standing_at
from tests.support.console_given import desk
from tests.support.given import NOW
from tests.support.refunds_given import TABLES, application

HOUR = given.DAY / 24

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now():
    with standing_at(NOW):
        yield


@pytest.fixture
def unknown():
    made = application(State.PAYING)
    made.channel_answers(Unknown("timeout"))
    return made.view.payout.legs[0].leg_id


def shown(response):
    return re.findall(r'href="/console/payouts/(leg_\w+)"', response.text)


def test_the_monitor_sorts_legs_by_what_they_wait_for(unknown):
    ready = application(State.PAYING).view.payout.legs[0].leg_id
    failed = application(State.PAYING)
    failed.channel_answers(FailedDefinite("ACCOUNT_CLOSED"))
    failed_leg = failed.view.payout.legs[0].leg_id
    paid = application(State.PAID).view.payout.legs[0].leg_id
    client = desk(Role.AUDITOR)

    def found(state):
        return shown(client.get(f"/console/payouts?state={state}"))

    assert found("unknown") == [unknown]
    assert found("waiting") == [ready]
    assert found("back") == [failed_leg]
    assert found("paid") == [paid]
    assert found("people") == found("nonsense") == [failed_leg]


def test_the_oldest_unknown_has_its_age(unknown):
    with standing_at(NOW + 5 * HOUR):
        assert "oldest 5 hours" in desk(Role.AUDITOR).get("/console/payouts").text


def test_a_leg_shows_every_call_and_its_one_number(unknown):
    page = desk(Role.AUDITOR).get(f"/console/payouts/{unknown}").text

    assert leg(unknown).channel_number in page
    assert "No answer" in page
    assert "timeout" in page


def test_what_a_channel_wants_again_says_so_until_it_goes_on():
    made = application(State.PAYING)
    leg_id = made.view.payout.legs[0].leg_id
    page, wanted = f"/console/payouts/{leg_id}", "The channel wants the same order again"
    made.channel_answers(Accepted("SIM0001", wants_again=True))
    before = desk(Role.AUDITOR).get(page).text

    with standing_at(NOW + HOUR):
        made.now = NOW + HOUR
        made.channel_answers(Accepted("SIM0001"))

    assert wanted in before
    assert "Wants it sent again" in before
    assert wanted not in desk(Role.AUDITOR).get(page).text


def test_questions_that_came_to_the_same_are_one_row_and_the_answer_stands_out():
    world = payouts_given.payout()
    for day in range(4):
        payouts_given.attempt(world, Unknown("deadline"), now=NOW + day * given.DAY)
    payouts_given.attempt(world, payouts_given.succeeded(NOW), now=NOW + 4 * given.DAY)
    client = desk(Role.AUDITOR)

    page = client.get(f"/console/payouts/{world.leg_id}").text

    assert re.findall(r'role="rowheader">([^<]*)<', page) == [
        "1 · Send",
        "2–4 · Query × 3",
        "5 · Query",
    ]
    calls = attempts(world.leg_id)
    assert [run.count for run in runs_of(calls)] == [1, 3, 1]
    assert [run.first for run in runs_of(calls)] == [calls[0], calls[1], calls[4]]


def test_of_very_many_calls_the_last_are_shown_and_the_page_says_so(monkeypatch):
    world = payouts_given.payout()
    for day in range(3):
        payouts_given.attempt(world, Unknown("deadline"), now=NOW + day * given.DAY)
    address, left_out = f"/console/payouts/{world.leg_id}", "Earlier calls are left out here."
    assert left_out not in desk(Role.AUDITOR).get(address).text

    monkeypatch.setattr("kuaitui.payouts.queries.calls.CALLS_MAX", 2)

    assert [one.attempt_no for one in attempts(world.leg_id)] == [2, 3]
    assert left_out in desk(Role.AUDITOR).get(address).text


def test_no_page_of_the_monitor_offers_to_send_again(unknown):
    client = desk(Role.APPROVER)

    for address in ["/console/payouts?state=unknown", f"/console/payouts/{unknown}"]:
        actions = re.findall(r'action="([^"]+)"', client.get(address).text)
        assert set(actions) <= {f"/console/payouts/{unknown}/ask", "/language", "/logout"}


def test_asking_now_moves_the_question_forward_and_nothing_else(unknown):
    assert leg(unknown).next_check_at > NOW
    before = leg(unknown)

    response = desk(Role.REVIEWER).post(f"/console/payouts/{unknown}/ask")

    assert response.status_code == 302
    assert leg(unknown) == replace(before, next_check_at=NOW)
    (asked,) = events_of(unknown)
    assert asked.action == "payout.query_requested"


def test_asking_about_a_leg_that_was_never_sent_does_nothing():
    ready = application(State.PAYING).view.payout.legs[0].leg_id

    client = desk(Role.REVIEWER)
    with given.nothing_moves(*TABLES):
        response = client.post(f"/console/payouts/{ready}/ask", follow=True)

    assert "nothing to ask" in response.text


@pytest.mark.parametrize("address", ["/console/payouts/leg_x", "/console/payouts/%00"])
def test_an_unknown_leg_is_not_found(address):
    client = desk(Role.REVIEWER)

    assert client.get(address).status_code == 404
    assert client.post(f"{address}/ask").status_code == 404


@pytest.mark.parametrize("channel", ["*", "simulator"])
def test_sending_is_stopped_and_released_with_a_reason_after_a_look(channel):
    client = desk(Role.APPROVER)
    with given.nothing_moves("payouts_channel_switch"):
        look = client.get(f"/console/payouts/stop?channel={channel}")
    assert "No new money leaves" in look.text

    client.post("/console/payouts/stop", {"channel": channel, "reason": "Bank holiday"})

    stopped = kill_switches()[0]
    assert (stopped.channel, stopped.is_stopped, stopped.reason) == (channel, True, "Bank holiday")
    assert "Bank holiday" in client.get("/console/payouts").text
    look = client.get(f"/console/payouts/resume?channel={channel}")
    assert "until a second person confirms" in look.text
    client.post(
        "/console/payouts/resume", {"channel": channel, "reason": "Over", "step": "propose"}
    )
    assert kill_switches()[0].is_stopped

    with given.nothing_moves("payouts_channel_switch"):
        confirm = {"channel": channel, "step": "confirm"}
        assert client.post("/console/payouts/resume", confirm).status_code == 403
    second = desk(Role.APPROVER)
    assert "Over" in second.get(f"/console/payouts/resume?channel={channel}").text
    second.post("/console/payouts/resume", confirm)
    assert not kill_switches()[0].is_stopped


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201])
def test_a_switch_without_a_reason_is_not_turned(reason):
    client = desk(Role.APPROVER)
    with given.nothing_moves("payouts_channel_switch"):
        response = client.post("/console/payouts/stop", {"channel": "*", "reason": reason})

    assert response.status_code == 422


@pytest.mark.parametrize("channel", ["nobody", "", "x" * 500, "\0"])
def test_a_switch_of_an_unknown_channel_is_not_found(channel):
    client = desk(Role.APPROVER)
    with given.nothing_moves("payouts_channel_switch"):
        response = client.post("/console/payouts/stop", {"channel": channel, "reason": "x"})

    assert response.status_code == 404


def test_staff_read_the_names_of_channels_and_no_codes(unknown):
    client = desk(Role.APPROVER)

    for address in ("/console/payouts?state=unknown", f"/console/payouts/{unknown}"):
        page = client.get(address).text
        assert "Simulated bank" in page
        assert not re.search(r">\s*simulator\b", page)
    assert [str(name_of_channel(code)) for code in ("wechatpay", "stripe", "another")] == [
        "WeChat Pay",
        "Stripe",
        "another",
    ]


def test_every_reason_of_a_bank_has_words_for_staff():
    known = {*reasons.PAYEE, *reasons.PASSING, *reasons.OURS, *reasons.SEEN_BEFORE}

    assert set(BANK_REASONS) == known


def test_a_banks_reason_is_told_in_words_with_its_code():
    made = application(State.PAYING)
    made.channel_answers(FailedDefinite("AC04"))
    leg_id = made.view.payout.legs[0].leg_id
    client = desk(Role.AUDITOR)

    for address in ("/console/payouts?state=back", f"/console/payouts/{leg_id}"):
        assert "The account is closed (AC04)" in client.get(address).text
    assert (
        "账户已销户（AC04）"
        in desk(Role.AUDITOR, language="zh-hans").get(f"/console/payouts/{leg_id}").text
    )


def test_a_leg_to_an_account_shows_the_end_of_its_number_and_one_that_goes_back_none():
    named = application(State.PAYING, route_open=False).view.payout.legs[0]
    back = application(State.PAYING).view.payout.legs[0]
    client = desk(Role.AUDITOR)

    assert f"•••• {named.tail}" in client.get(f"/console/payouts/{named.leg_id}").text
    assert "••••" not in client.get(f"/console/payouts/{back.leg_id}").text


def test_the_cause_of_a_call_is_told_in_words_with_its_code():
    made = application(State.PAYING)
    made.channel_answers(Unknown("no_word_yet"))
    leg_id = made.view.payout.legs[0].leg_id

    page = desk(Role.AUDITOR).get(f"/console/payouts/{leg_id}").text
    in_chinese = desk(Role.AUDITOR, language="zh-hans").get(f"/console/payouts/{leg_id}").text

    assert "The bank has said nothing of it yet (no_word_yet)" in page
    assert "银行尚未提到这一笔（no_word_yet）" in in_chinese


def test_a_part_set_aside_is_asked_again_by_nobody_before_a_person_lets_it_go_on(unknown):
    client = desk(Role.AUDITOR)
    addresses = ("/console/payouts?state=unknown", f"/console/payouts/{unknown}")
    words = "not before a person lets it go on"
    assert not any(words in client.get(address).text for address in addresses)

    set_leg_aside(leg_id=unknown, reason="SealBroken", now=NOW)

    assert all(words in client.get(address).text for address in addresses)
