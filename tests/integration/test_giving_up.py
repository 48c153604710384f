"""A number that its channel does not know and that may not be sent again: two people end it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest

from kuaitui.accounts.types import Role
from kuaitui.audit.queries import events_of
from kuaitui.channels.port import Accepted, NeededAction, NeedsAction, NotFound, Outcome, Unknown
from kuaitui.deposits.queries import differences as deposits_apart
from kuaitui.kernel.errors import Refusal
from kuaitui.kit.models import OutboxRow
from kuaitui.ledger.types import Account
from kuaitui.payouts import operations, queries
from kuaitui.payouts.errors import (
    GiveUpNeedsAnother,
    InterventionMissing,
    InterventionOpen,
    LegNotLost,
    LegUnknown,
    PayoutBeingAskedBack,
    ReasonMissing,
)
from kuaitui.payouts.states import LegState, PayoutState
from kuaitui.payouts.types import GIVEN_UP
from kuaitui.refunds.states import State
from tests.support import given, portal_given
from tests.support import payouts_given as pg
from tests.support.clock import standing_at
from tests.support.console_given import desk
from tests.support.given import DAY, NOW
from tests.support.payouts_given import CAPABILITIES, FLOOR, PACE, World, attempt, payout
from tests.support.raw_sql import refuse
from tests.support.refunds_given import World as Application
from tests.support.refunds_given import application

pytestmark = pytest.mark.django_db
RawSql = Callable[..., None]
TABLES = ("payouts_payout", "payouts_leg", "payouts_attempt", "payouts_intervention")
FORGOTTEN = NOW + CAPABILITIES.resend_window + DAY
REASON = "Their people say that it never came in."
UNCLEAR = Unknown("deadline")


def ask(world: World, outcome: Outcome, now: dt.datetime) -> LegState | None:
    return attempt(world, outcome, now=now)


def overdue(first: Outcome = UNCLEAR) -> World:
    """A leg of which nobody knows whether it was paid, and people were called."""
    world = payout()
    attempt(world, first)
    ask(world, first, NOW + PACE.processing_alarm_after)
    return world


def lost(first: Outcome = UNCLEAR) -> World:
    """The same, after the time in which its channel remembers numbers: it does not know it."""
    world = overdue(first)
    ask(world, NotFound(), FORGOTTEN)
    assert world.state in {LegState.UNKNOWN, LegState.ACCEPTED}
    return world


def propose(world: World, **changes: object) -> None:
    proposal = {"leg_id": world.leg_id, "reason": REASON, "actor": given.reviewer()}
    operations.propose_give_up(**{**proposal, "now": FORGOTTEN, **changes})


def confirm(world: World, **changes: object) -> None:
    word = {"leg_id": world.leg_id, "actor": given.approver(), "now": FORGOTTEN}
    operations.confirm_give_up(**{**word, **changes})


def refused(refusal: type[Refusal], act: Callable[[], None]) -> None:
    with given.nothing_moves(*TABLES, "ledger_journal"), pytest.raises(refusal):
        act()


def may_be_given_up(world: World, now: dt.datetime = FORGOTTEN) -> bool:
    return queries.openings(world.leg_id, now=now).can_give_up


@pytest.mark.parametrize("first", [Unknown("deadline"), Accepted("")], ids=["unknown", "accepted"])
def test_two_people_say_that_it_was_never_paid_and_the_money_is_set_aside_again(
    first: Outcome,
) -> None:
    world = lost(first)
    assert may_be_given_up(world)

    propose(world)
    assert world.held() == {Account.AT_CHANNEL: "10,000", Account.IN_TRANSIT: "10,000"}
    confirm(world)

    assert (world.state, world.legs[0].code) == (LegState.FAILED, GIVEN_UP)
    assert world.held() == {Account.AT_CHANNEL: "10,000", Account.FROZEN: "10,000"}
    assert queries.payout_of_application(world.application_id).state is PayoutState.NEEDS_REPAIR
    (news,) = OutboxRow.objects.filter(event="payouts.LegFailed")
    assert news.payload["code"] == GIVEN_UP
    assert queries.differences() == []
    assert [event.action for event in events_of(world.leg_id)][-2:] == [
        "payout.give_up_proposed",
        "payout.given_up",
    ]


def test_the_money_goes_out_under_a_new_number() -> None:
    world = lost()
    old = queries.leg(world.leg_id).channel_number
    propose(world)
    confirm(world)

    operations.repair_leg(
        leg_id=world.leg_id,
        destination_id=given.destination(world.shop).destination_id,
        approval_hash="two others",
        now=FORGOTTEN,
    )

    assert queries.leg(world.leg_id).channel_number != old
    assert attempt(world, pg.succeeded(FORGOTTEN), now=FORGOTTEN) is LegState.PAID
    assert world.held() == {}


def test_whoever_proposed_it_does_not_confirm_it(raw_sql: RawSql) -> None:
    world, person = lost(), given.approver()
    propose(world, actor=person)

    refused(GiveUpNeedsAnother, lambda: confirm(world, actor=person))
    alone = f"UPDATE payouts_intervention SET confirmed_by = '{person.id}', confirmed_at = now()"
    rule = "what_moves_money_is_confirmed_by_a_second_person"
    refuse(raw_sql, TABLES, alone, breaks=rule)


def test_what_was_sent_lately_is_sent_again_and_not_given_up() -> None:
    world = overdue()
    ask(world, NotFound(), NOW + PACE.processing_alarm_after + FLOOR)

    assert world.state is LegState.READY
    assert not may_be_given_up(world, NOW + PACE.processing_alarm_after + FLOOR)


@pytest.mark.parametrize("last", [Unknown("deadline"), Accepted("SIM0001")])
def test_what_may_have_been_paid_is_not_given_up(last: Outcome) -> None:
    world = overdue()
    ask(world, last, FORGOTTEN)

    assert not may_be_given_up(world)
    refused(LegNotLost, lambda: propose(world))


def test_a_decision_rests_on_an_answer_of_today() -> None:
    world = lost()
    late = FORGOTTEN + DAY + pg.SECOND

    assert may_be_given_up(world, FORGOTTEN + DAY)
    assert not may_be_given_up(world, late)
    propose(world)
    refused(LegNotLost, lambda: confirm(world, now=late))


def test_nothing_is_given_up_after_a_restore_before_all_were_asked() -> None:
    world = lost()
    propose(world)
    operations.hold_sending(reason="Restored.", actor=given.reviewer(), now=FORGOTTEN)

    refused(PayoutBeingAskedBack, lambda: confirm(world))


def test_a_reason_and_a_leg_are_needed_and_one_thing_is_decided_at_a_time() -> None:
    world = lost()

    refused(ReasonMissing, lambda: propose(world, reason=" "))
    refused(LegUnknown, lambda: propose(world, leg_id="leg_x"))
    refused(InterventionMissing, lambda: confirm(world))
    propose(world)
    refused(InterventionOpen, lambda: propose(world))


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (pg.succeeded(FORGOTTEN), LegState.PAID),
        (NeedsAction(NeededAction.ABNORMAL_REFUND, "R"), LegState.NEEDS_ACTION),
    ],
    ids=["paid", "stuck"],
)
def test_a_channel_that_knows_it_after_all_ends_the_proposal(
    answer: Outcome, state: LegState
) -> None:
    world = lost()
    propose(world)

    assert ask(world, answer, FORGOTTEN + 2 * FLOOR) is state

    refused(InterventionMissing, lambda: confirm(world, now=FORGOTTEN + 2 * FLOOR))
    assert queries.openings(world.leg_id, now=FORGOTTEN + 2 * FLOOR).intervention is None


def test_the_database_lets_no_leg_fail_on_fewer_words(raw_sql: RawSql) -> None:
    world = lost()
    fail = f"UPDATE payouts_leg SET state = 'failed' WHERE public_id = '{world.leg_id}'"
    refuse(raw_sql, TABLES, fail, breaks="a_leg_fails_on_the_channels_word")

    propose(world)

    refuse(raw_sql, TABLES, fail, breaks="a_leg_fails_on_the_channels_word")


@pytest.mark.parametrize("made", [payout, overdue], ids=["not sent", "never called unknown"])
def test_the_database_keeps_a_proposal_to_what_its_channel_does_not_know(
    raw_sql: RawSql, made: Callable[[], World]
) -> None:
    insert = (
        "INSERT INTO payouts_intervention (leg_id, kind, reason, destination_id,"
        " destination_added_by, payee_key_id, proposed_by, proposed_at, confirmed_by, ended_as)"
        f" SELECT id, 'give_up', 'x', '', '', '', 'usr_x', now(), '', '' FROM payouts_leg"
        f" WHERE public_id = '{made().leg_id}'"
    )

    refuse(raw_sql, TABLES, insert, breaks="people_give_up_what_its_channel_does_not_know")


# The pages


@pytest.fixture
def forgotten() -> Iterator[None]:
    with standing_at(FORGOTTEN):
        yield


def lost_application() -> Application:
    made = application(State.PAYING)
    made.channel_answers(Unknown("deadline"))
    made.now += PACE.processing_alarm_after
    made.channel_answers(Unknown("deadline"))
    made.now = FORGOTTEN
    made.channel_answers(NotFound())
    return made


@pytest.mark.usefixtures("forgotten")
def test_staff_give_it_up_and_the_seller_reads_that_it_never_arrived() -> None:
    made = lost_application()
    (leg,) = made.view.payout.legs
    address = f"/console/payouts/{leg.leg_id}"
    first, second = desk(Role.REVIEWER), desk(Role.APPROVER)
    assert "Say that it was never paid" in first.get(address).text
    assert first.post(f"{address}/give-up", {"reason": ""}).status_code == 422
    assert first.post(f"{address}/give-up", {"reason": REASON}).status_code == 302

    page = second.get(address).text
    assert REASON in page
    assert "Confirm that it was never paid" in page
    assert "Confirm that it was never paid" not in first.get(address).text
    assert second.post(f"{address}/give-up/confirm").status_code == 302
    assert "Two people said that it was never paid" in second.get(address).text

    made.deliver()
    assert made.state is State.RETURNED
    story = portal_given.browser(made.shop.shop_key)
    page = story.get(f"/shops/{made.shop.shop_id}/refunds/{made.application_id}").text
    assert "It never arrived, and nothing was paid." in page
    assert "can no longer take it" not in page
    made.repair()
    made.approve()
    made.confirm()
    made.channel_pays()
    assert made.state is State.PAID
    assert deposits_apart() == []


@pytest.mark.usefixtures("forgotten")
def test_a_leg_that_is_not_lost_is_not_offered_and_says_why() -> None:
    made = application(State.PAYING)
    made.channel_answers(Unknown("deadline"))
    (leg,) = made.view.payout.legs
    client = desk(Role.REVIEWER)

    assert "never paid" not in client.get(f"/console/payouts/{leg.leg_id}").text
    with given.nothing_moves_but_audit(*TABLES):
        answer = client.post(f"/console/payouts/{leg.leg_id}/give-up", {"reason": REASON})
    assert answer.status_code == 409
    assert "Ask the channel now, and look again." in answer.text
