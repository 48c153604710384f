"""The staff's pages about payments without a place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kuaitui.accounts.types import Role
from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NeededAction,
    NeedsAction,
    Outcome,
    Returned,
    Succeeded,
)
from kuaitui.deposits import queries
from kuaitui.deposits.states import SuspenseState
from kuaitui.payouts.operations import begin_send_back, set_send_back_aside
from kuaitui.payouts.queries import due_send_backs, send_backs_of, send_backs_set_aside
from tests.support import console_given, given
from tests.support import pay_ins_given as pig
from tests.support import send_backs_given as sbg
from tests.support.clock import standing_at
from tests.support.given import nothing_moves, yuan

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with standing_at(given.NOW + given.DAY):
        yield


@pytest.fixture
def made() -> pig.World:
    world = pig.paid()
    world.hint()
    world.channel_says(world.payment(reference="SECOND"))
    return world


def case() -> queries.SuspenseCase:
    (found,) = queries.suspense_cases(states=frozenset(SuspenseState))
    return found


def address(act: str = "") -> str:
    return f"/console/suspense/{case().suspense_id}{act}"


def proposal(made: pig.World, **changes: str) -> dict[str, str]:
    typed = {
        "version": str(case().version),
        "resolution": "attribute",
        "account_id": made.shop.account_id,
        "refund_reference": "",
        "reason": "The same seller, twice.",
    }
    return {**typed, **changes}


def test_the_work_list_calls_people_and_the_list_shows_why(made: pig.World) -> None:
    client = console_given.desk(Role.REVIEWER)

    assert "Payments wait in suspense" in client.get("/console/").text
    page = client.get("/console/suspense").text

    assert case().suspense_id in page
    assert "Paid twice" in page
    assert "¥300.00" in page


def test_who_cannot_propose_is_told_who_does(made: pig.World) -> None:
    assert "Propose what to do" in console_given.desk(Role.REVIEWER).get(address()).text
    page = console_given.desk(Role.APPROVER).get(address()).text

    assert "Propose what to do" not in page
    assert "A reviewer proposes what becomes of it" in page


def test_another_amount_is_shown_to_people_too() -> None:
    made = pig.waiting()
    made.channel_says(made.payment(yuan("¥1")))
    client = console_given.desk(Role.REVIEWER)

    assert "Payments to be looked at" in client.get("/console/").text
    assert made.order_id in client.get("/console/suspense").text


def test_an_empty_list_says_that_all_is_well() -> None:
    page = console_given.desk(Role.AUDITOR).get("/console/suspense").text

    assert "Every payment has its place" in page


def test_two_people_put_a_payment_into_a_deposit(made: pig.World) -> None:
    maker, checker = console_given.desk(Role.REVIEWER), console_given.desk(Role.APPROVER)
    assert made.shop.account_id in maker.get(address("/propose")).text

    maker.post(address("/propose"), proposal(made))
    shown = checker.get(address("/decide")).text
    assert "The same seller, twice." in shown
    decision = {"version": str(case().version), "decision": "confirm"}
    checker.post(address("/decide"), decision)

    assert case().state is SuspenseState.ATTRIBUTED
    assert made.paid_in == yuan("¥800")
    assert case().lot_id in checker.get(address()).text


def test_two_people_send_a_payment_back(made: pig.World) -> None:
    maker, checker = console_given.desk(Role.REVIEWER), console_given.desk(Role.APPROVER)

    maker.post(address("/propose"), proposal(made, resolution="send_back", account_id=""))
    checker.post(address("/decide"), {"version": str(case().version), "decision": "confirm"})
    assert "It is about to go back" in checker.get(address()).text
    send_back_id = begin_send_back(suspense_id=case().suspense_id, now=made.now)
    (back,) = send_backs_of(case().suspense_id)
    assert back.number in checker.get(address()).text
    taken = sbg.claim(send_back_id, now=made.now)
    sbg.record(taken, Succeeded("CHANNEL-R", made.now), now=made.now)

    assert case().state is SuspenseState.SENT_BACK
    page = checker.get(address()).text
    assert back.number in page
    assert "CHANNEL-R" in page
    assert "Gone back" in page


def test_two_people_note_what_has_gone_back_by_hand(made: pig.World) -> None:
    maker, checker = console_given.desk(Role.REVIEWER), console_given.desk(Role.APPROVER)
    typed = proposal(made, resolution="by_hand", account_id="")
    with nothing_moves(*pig.TABLES):
        assert 'id="id_refund_reference_error"' in maker.post(address("/propose"), typed).text

    maker.post(address("/propose"), typed | {"refund_reference": "R-1"})
    assert "R-1" in checker.get(address("/decide")).text
    checker.post(address("/decide"), {"version": str(case().version), "decision": "confirm"})

    assert case().state is SuspenseState.SENT_BACK
    assert "R-1" in checker.get(address()).text


def test_what_certainly_did_not_go_back_is_said_and_decided_anew(made: pig.World) -> None:
    maker, checker = console_given.desk(Role.REVIEWER), console_given.desk(Role.APPROVER)
    maker.post(address("/propose"), proposal(made, resolution="send_back", account_id=""))
    checker.post(address("/decide"), {"version": str(case().version), "decision": "confirm"})
    send_back_id = begin_send_back(suspense_id=case().suspense_id, now=made.now)
    taken = sbg.claim(send_back_id, now=made.now)
    sbg.record(taken, FailedDefinite("NO_AUTH"), now=made.now)

    page = maker.get(address()).text

    assert "It certainly did not go back" in page
    assert "NO_AUTH" in page
    assert f'href="{address("/propose")}"' in page


def test_what_came_back_is_said_and_decided_anew(made: pig.World) -> None:
    maker, checker = console_given.desk(Role.REVIEWER), console_given.desk(Role.APPROVER)
    maker.post(address("/propose"), proposal(made, resolution="send_back", account_id=""))
    checker.post(address("/decide"), {"version": str(case().version), "decision": "confirm"})
    send_back_id = begin_send_back(suspense_id=case().suspense_id, now=made.now)
    sbg.record(sbg.claim(send_back_id, now=made.now), Succeeded("R", made.now), now=made.now)
    later = made.now + given.DAY
    came_back = Returned("R", "ACCOUNT_CLOSED", later)
    sbg.record(sbg.claim(send_back_id, now=later), came_back, now=later)

    page = maker.get(address()).text

    assert "the payer’s bank gave it back" in page
    assert "ACCOUNT_CLOSED" in page
    assert f'href="{address("/propose")}"' in page


def sent_back_once(made: pig.World, outcome: Outcome) -> str:
    """Two people ordered it back, and that was the channel's answer; the send-back's id."""
    sbg.order_back(case().suspense_id, now=made.now)
    send_back_id = begin_send_back(suspense_id=case().suspense_id, now=made.now)
    assert send_back_id is not None
    sbg.record(sbg.claim(send_back_id, now=made.now), outcome, now=made.now)
    return send_back_id


def test_of_a_refund_that_is_stuck_it_is_said_what_to_do_at_the_channel(made: pig.World) -> None:
    sent_back_once(made, NeedsAction(NeededAction.ABNORMAL_REFUND, "CHANNEL-R"))
    (back,) = send_backs_of(case().suspense_id)

    page = console_given.desk(Role.REVIEWER).get(address()).text

    assert "The refund is stuck at the channel" in page
    assert "Make no second refund" in page
    assert back.number in page
    assert "CHANNEL-R" in page


def test_of_very_many_calls_about_a_payment_the_last_are_shown(
    made: pig.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    send_back_id = sent_back_once(made, Accepted("R"))
    for day in (1, 2):
        at = made.now + day * given.DAY
        sbg.record(sbg.claim(send_back_id, now=at), Accepted("R"), now=at)
    left_out = "Earlier calls are left out here."
    assert left_out not in console_given.desk(Role.AUDITOR).get(address()).text

    monkeypatch.setattr("kuaitui.payouts.queries.calls.CALLS_MAX", 2)

    (back,) = send_backs_of(case().suspense_id)
    assert [call.attempt_no for call in back.attempts] == [2, 3]
    assert left_out in console_given.desk(Role.AUDITOR).get(address()).text


def test_what_people_settled_at_the_channel_is_asked_for_at_once(made: pig.World) -> None:
    send_back_id = sent_back_once(made, NeedsAction(NeededAction.ABNORMAL_REFUND, "R"))
    client = console_given.desk(Role.REVIEWER)
    asked = made.now + pig.MINUTE / 2
    assert due_send_backs(now=asked) == []

    with standing_at(asked):
        answer = client.post(address("/ask"), follow=True)

    assert "The channel will be asked now" in answer.text
    assert due_send_backs(now=asked) == [send_back_id]
    sbg.record(sbg.claim(send_back_id, now=asked), Succeeded("R", asked), now=asked)
    assert case().state is SuspenseState.SENT_BACK


def test_what_is_not_under_way_is_not_asked_about(made: pig.World) -> None:
    client = console_given.desk(Role.REVIEWER)
    assert "Ask the channel now" not in client.get(address()).text

    with nothing_moves(*sbg.TABLES):
        answer = client.post(address("/ask"), follow=True)

    assert "There is nothing to ask about this payment." in answer.text


def test_who_may_only_look_is_not_offered_to_ask(made: pig.World) -> None:
    sent_back_once(made, Accepted("R"))

    assert "Ask the channel now" in console_given.desk(Role.APPROVER).get(address()).text
    auditor = console_given.desk(Role.AUDITOR)
    assert "Ask the channel now" not in auditor.get(address()).text
    with nothing_moves(*sbg.TABLES):
        assert auditor.post(address("/ask")).status_code == 403


def test_a_send_back_set_aside_is_let_go_on_with_a_finding(made: pig.World) -> None:
    maker, checker = console_given.desk(Role.REVIEWER), console_given.desk(Role.APPROVER)
    maker.post(address("/propose"), proposal(made, resolution="send_back", account_id=""))
    checker.post(address("/decide"), {"version": str(case().version), "decision": "confirm"})
    send_back_id = begin_send_back(suspense_id=case().suspense_id, now=made.now)
    set_send_back_aside(send_back_id=send_back_id, reason="ChannelUnknown", now=made.now)
    assert case().suspense_id in checker.get("/console/payouts/set-aside").text
    assert "The settings name no such channel" in checker.get(address("/let-go-on")).text
    with nothing_moves("payouts_send_back"):
        assert checker.post(address("/let-go-on"), {"reason": " "}).status_code == 422

    checker.post(address("/let-go-on"), {"reason": "It is back."})

    assert send_backs_set_aside() == ()
    assert "Nothing holds it" in checker.get(address("/let-go-on")).text


def test_a_second_person_may_not_agree(made: pig.World) -> None:
    maker, checker = console_given.desk(Role.REVIEWER), console_given.desk(Role.APPROVER)
    maker.post(address("/propose"), proposal(made))

    checker.post(address("/decide"), {"version": str(case().version), "decision": "refuse"})

    assert case().state is SuspenseState.OPEN
    assert made.paid_in == yuan("¥500")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": ""}, "reason"),
        ({"reason": "   "}, "reason"),
        ({"account_id": ""}, "account_id"),
        ({"account_id": "dep_nobody"}, "account_id"),
        ({"resolution": "keep"}, "resolution"),
    ],
)
def test_a_proposal_that_cannot_be_is_refused_beside_its_field(
    made: pig.World, changes: dict[str, str], field: str
) -> None:
    client = console_given.desk(Role.REVIEWER)
    typed = proposal(made, **changes)

    with nothing_moves(*pig.TABLES):
        page = client.post(address("/propose"), typed)

    assert page.status_code in {404, 422}
    assert f'id="id_{field}_error"' in page.text


def test_a_case_that_moved_on_is_not_decided_from_an_old_page(made: pig.World) -> None:
    maker, other = console_given.desk(Role.REVIEWER), console_given.desk(Role.REVIEWER)
    typed = proposal(made)
    maker.post(address("/propose"), typed)

    with nothing_moves(*pig.TABLES):
        page = other.post(address("/propose"), typed)

    assert page.status_code == 409
    assert "Somebody else was faster" in page.text


def test_a_case_nobody_has_is_not_found() -> None:
    assert console_given.desk(Role.REVIEWER).get("/console/suspense/sus_x").status_code == 404
