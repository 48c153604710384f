"""The staff's pages for payments that a channel holds: two people, the account shown, nothing sent here."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from kuaitui.accounts.types import Role
from kuaitui.channels.port import NeededAction, NeedsAction
from kuaitui.payouts.queries import openings
from kuaitui.refunds.states import State
from tests.support import given, refunds_given
from tests.support import payouts_given as pg
from tests.support.clock import standing_at
from tests.support.console_given import desk
from tests.support.given import NOW

pytestmark = pytest.mark.django_db
TABLES = ("payouts_leg", "payouts_attempt", "payouts_intervention")
STUCK = NeedsAction(NeededAction.ABNORMAL_REFUND, "REFUND0001")
REASON = "The card it came from is closed."


@pytest.fixture(autouse=True)
def channel(settings: object) -> Iterator[None]:
    with pg.confirming_channel(settings), standing_at(NOW):
        yield


def held(outcome: NeedsAction = STUCK) -> refunds_given.World:
    made = refunds_given.application(State.PAYING)
    made.channel_answers(outcome)
    return made


def address(made: refunds_given.World) -> str:
    return f"/console/payouts/{leg_id(made)}"


def leg_id(made: refunds_given.World) -> str:
    assert made.view.payout is not None
    return made.view.payout.legs[0].leg_id


def proposal(made: refunds_given.World) -> dict[str, str]:
    account = given.destination(made.shop).destination_id
    return {"destination": account, "reason": REASON}


def test_one_proposes_and_another_confirms_the_account_that_is_shown() -> None:
    made = held()
    typed = proposal(made)
    first, second = desk(Role.REVIEWER), desk(Role.APPROVER)

    form = first.get(f"{address(made)}/hand-over").text
    assert "•••• 4562" in form
    assert first.post(f"{address(made)}/hand-over", typed).status_code == 302
    page = second.get(f"{address(made)}/hand-over/confirm").text
    assert "•••• 4562" in page
    assert REASON in page
    shown = re.findall(r'name="destination" value="([^"]+)"', page)
    assert shown == [typed["destination"]]
    done = second.post(f"{address(made)}/hand-over/confirm", {"destination": shown[0]})

    assert done.status_code == 302
    decided = openings(leg_id(made), now=given.NOW).intervention
    assert decided is not None
    assert not decided.waits_for_a_second_person


def test_the_proposer_is_not_offered_to_confirm_and_is_refused() -> None:
    made = held()
    typed = proposal(made)
    proposer = desk(Role.APPROVER)
    proposer.post(f"{address(made)}/hand-over", typed)

    assert "Confirm the account" not in proposer.get(address(made)).text
    assert "Confirm the account" in desk(Role.APPROVER).get(address(made)).text
    with given.nothing_moves_but_audit(*TABLES):
        answer = proposer.post(f"{address(made)}/hand-over/confirm", typed)
    assert answer.status_code == 403
    assert "handed over by two people" in answer.text


@pytest.mark.parametrize("missing", ["reason", "destination"])
def test_a_proposal_without_reason_or_account_is_asked_for(missing: str) -> None:
    made = held()
    typed = proposal(made) | {missing: ""}

    with given.nothing_moves_but_audit(*TABLES):
        answer = desk(Role.REVIEWER).post(f"{address(made)}/hand-over", typed)

    assert answer.status_code == 422


def test_without_an_account_the_page_says_what_to_do() -> None:
    page = desk(Role.REVIEWER).get(f"{address(held())}/hand-over").text

    assert "no checked bank account" in page


def test_what_is_decided_can_be_taken_back() -> None:
    made = held()
    client = desk(Role.REVIEWER)
    client.post(f"{address(made)}/hand-over", proposal(made))

    client.post(f"{address(made)}/take-back")

    assert openings(leg_id(made), now=given.NOW).intervention is None


def test_what_waits_for_the_payee_is_called_back() -> None:
    made = held(pg.to_confirm())
    client = desk(Role.REVIEWER)
    assert "Call it back" in client.get(address(made)).text

    answer = client.post(f"{address(made)}/call-back", {"reason": "The phone is lost."})

    assert answer.status_code == 302
    assert "The channel is told, and asked what came of it." in client.get(address(made)).text


def test_what_a_payee_confirms_with_is_not_shown_to_the_staff() -> None:
    made = held(pg.to_confirm("package-of-the-payee"))

    assert "package-of-the-payee" not in desk(Role.APPROVER).get(address(made)).text


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_page_is_drawn(language: str) -> None:
    made = held()
    client = desk(Role.APPROVER, language=language)
    desk(Role.REVIEWER).post(f"{address(made)}/hand-over", proposal(made))

    for page in ("", "/hand-over", "/hand-over/confirm", "/call-back"):
        answer = client.get(address(made) + page)
        assert answer.status_code == 200, page
        assert "<c-" not in answer.text
        assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", answer.text)


def test_an_auditor_looks_and_decides_nothing() -> None:
    page = desk(Role.AUDITOR).get(address(held())).text

    assert "The refund is stuck at the channel" in page
    assert "Send it to a bank account" not in page
