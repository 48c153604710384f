"""What is told of a number while a call about it is under way is not forgotten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from kuaitui.audit.queries import events_of
from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NotFound,
    NotSent,
    Outcome,
    PayoutInstruction,
    RejectedConfig,
    Succeeded,
    Unknown,
)
from kuaitui.channels.registry import Channels
from kuaitui.ledger.types import Account
from kuaitui.payouts import operations, queries
from kuaitui.payouts.errors import SendBackUnknown
from kuaitui.payouts.models import PayoutLeg
from kuaitui.payouts.operations import Recording
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind
from tests.integration.test_payouts_many import claim_all, worlds
from tests.support import given
from tests.support import payouts_given as pg
from tests.support import send_backs_given as sbg
from tests.support.given import NOW
from tests.support.payouts_given import CAPABILITIES, MINUTE, PACE, attempt, claim, payout, record

committed = pytest.mark.django_db(transaction=True)
uncommitted = pytest.mark.django_db
SEND, QUERY = AttemptKind.SEND, AttemptKind.QUERY
SOON = NOW + dt.timedelta(seconds=1)
Point = Callable[[pg.World], bool]


def by_the_channel(world: pg.World) -> bool:
    """A notification about the leg arrives."""
    number = PayoutLeg.objects.get(public_id=world.leg_id).channel_number
    return operations.note_hint(channel=given.CHANNEL, number=number, now=NOW)


def by_a_person(world: pg.World) -> bool:
    """A person asks for it."""
    return operations.request_query_now(leg_id=world.leg_id, actor=given.reviewer(), now=NOW)


def due(now: dt.datetime = NOW) -> list[str]:
    return queries.due_legs(now=now)


@committed
@pytest.mark.parametrize("point", [by_the_channel, by_a_person])
def test_an_answer_that_a_word_overtakes_is_asked_after_at_once(point: Point) -> None:
    world = payout()

    def answer(kind: AttemptKind, _: PayoutInstruction) -> Outcome:
        if kind is QUERY:
            return Succeeded("SIM0001", NOW)
        assert world.state is LegState.SENDING, "the claim is committed"
        assert point(world)
        return Accepted("SIM0001")

    channel = pg.ScriptedChannel(answer)
    work = {"leg_id": world.leg_id, "channels": Channels({given.CHANNEL: channel}), "pace": PACE}

    assert operations.carry_out_leg(**work, clock=lambda: NOW) is LegState.ACCEPTED
    assert due() == [world.leg_id]
    assert operations.carry_out_leg(**work, clock=lambda: NOW) is LegState.PAID

    assert [kind for kind, _ in channel.calls] == [SEND, QUERY]
    assert world.held() == {}


@committed
def test_a_word_before_the_claim_is_answered_by_the_call() -> None:
    world = payout()
    attempt(world, Accepted("SIM0001"))
    by_the_channel(world)

    assert record(claim(world), Accepted("SIM0001")) is LegState.ACCEPTED

    assert due() == []


@committed
def test_a_word_after_the_record_brings_the_next_question_forward() -> None:
    world = payout()
    attempt(world, Accepted("SIM0001"))
    assert due() == []

    assert by_the_channel(world)

    assert due() == [world.leg_id]


@uncommitted
def test_one_word_is_asked_after_once() -> None:
    world = payout()
    taken = claim(world)
    by_the_channel(world)
    by_the_channel(world)
    record(taken, Accepted("SIM0001"))

    attempt(world, Accepted("SIM0001"))

    assert due() == []
    assert due(NOW + MINUTE) == [world.leg_id]


@uncommitted
def test_a_word_during_a_call_breaks_no_lease() -> None:
    world = payout()
    claim(world)

    assert by_the_channel(world)

    assert due(SOON) == []
    assert operations.claim_leg(leg_id=world.leg_id, pace=PACE, now=SOON) is None
    assert due(NOW + PACE.lease) == [world.leg_id], "the call was lost, and the word was not"


@uncommitted
@pytest.mark.parametrize("outcome", [pg.succeeded(), FailedDefinite("CLOSED"), pg.returned()])
def test_a_word_about_a_leg_whose_answer_ends_it_changes_nothing(outcome: Outcome) -> None:
    told, untold = payout(), payout(application_id="rfa_untold")
    claims = claim(told), claim(untold)
    by_the_channel(told)

    states = {record(taken, outcome) for taken in claims}

    assert states == {told.state}
    assert moves(told) == moves(untold)
    assert due() == []


@uncommitted
@pytest.mark.parametrize(
    "outcome",
    [
        NotSent("connect_error"),
        RejectedConfig("NO_AUTH"),
        FailedDefinite("NOT_ENOUGH", same_key_retry_ok=True),
    ],
)
def test_a_word_never_sends_anything_sooner(outcome: Outcome) -> None:
    world = payout()
    taken = claim(world)
    by_the_channel(world)

    assert record(taken, outcome) is LegState.READY

    assert due() == []
    assert pg.next_check_at(world) > NOW


@uncommitted
def test_a_paid_leg_of_which_something_is_told_while_it_is_looked_at_is_asked_again() -> None:
    world = payout()
    attempt(world, pg.succeeded())
    tomorrow = NOW + given.DAY
    taken = claim(world, now=tomorrow)
    number = PayoutLeg.objects.get(public_id=world.leg_id).channel_number
    operations.note_hint(channel=given.CHANNEL, number=number, now=tomorrow)
    assert record(taken, pg.succeeded(), now=tomorrow) is LegState.PAID

    assert attempt(world, pg.returned(tomorrow), now=tomorrow) is LegState.RETURNED

    assert world.held() == {Account.AT_CHANNEL: "10,000", Account.FROZEN: "10,000"}


@uncommitted
def test_of_many_only_those_that_were_told_of_are_asked_again() -> None:
    told, untold = worlds(2)
    claims = claim_all([told, untold]).claims
    by_the_channel(told)

    operations.record_outcomes(
        recordings=[Recording(one, Unknown("deadline"), CAPABILITIES) for one in claims],
        pace=PACE,
        now=NOW,
    )

    assert due() == [told.leg_id]


@uncommitted
def test_what_people_decide_during_a_call_is_told_at_once_after_it(settings) -> None:
    with pg.confirming_channel(settings):
        world = payout()
        attempt(world, pg.to_confirm())
        taken = claim(world, now=NOW + MINUTE)
        operations.call_back(
            leg_id=world.leg_id, reason="Wrong shop.", actor=given.reviewer(), now=NOW + MINUTE
        )

        record(taken, pg.to_confirm(""), now=NOW + MINUTE)

        assert claim(world, now=NOW + MINUTE).kind is AttemptKind.CANCEL


@uncommitted
def test_a_send_back_told_of_during_a_call_is_asked_about_at_once() -> None:
    made = sbg.ordered()
    taken = sbg.claim(made.send_back_id, now=made.now)
    about = {"channel": given.CHANNEL, "number": made.view.number, "now": made.now}

    assert operations.note_hint(**about)
    assert sbg.record(taken, Accepted("R"), now=made.now) is LegState.ACCEPTED

    assert queries.due_send_backs(now=made.now) == [made.send_back_id]


@uncommitted
def test_a_person_has_the_channel_asked_about_a_send_back_and_leaves_a_line() -> None:
    made = sbg.ordered()
    about = {"send_back_id": made.send_back_id, "actor": given.reviewer(), "now": made.now}
    with given.nothing_moves(*sbg.TABLES):
        assert not operations.request_send_back_query_now(**about), "it never left"
        with pytest.raises(SendBackUnknown):
            operations.request_send_back_query_now(**about | {"send_back_id": "sbk_nobody"})
    made.channel_says(Accepted("R"))

    assert operations.request_send_back_query_now(**about)

    assert queries.due_send_backs(now=made.now) == [made.send_back_id]
    asked = [one for one in events_of(made.suspense_id) if one.action == "payout.query_requested"]
    assert [one.details["send_back"] for one in asked] == [made.send_back_id]


@uncommitted
def test_a_hint_about_a_send_back_that_waits_sends_nothing_sooner() -> None:
    made = sbg.ordered()
    made.channel_says(NotSent("connect_error"))
    about = {"channel": given.CHANNEL, "number": made.view.number, "now": made.now}

    with given.nothing_moves(*sbg.TABLES):
        assert not operations.note_hint(**about)

    assert queries.due_send_backs(now=made.now) == []


@uncommitted
def test_a_word_about_a_number_that_the_channel_does_not_know_yet_is_no_reason_to_send() -> None:
    world = payout()
    attempt(world, Unknown("deadline"))
    taken = claim(world, now=NOW + MINUTE)
    by_the_channel(world)

    assert record(taken, NotFound(), now=NOW + MINUTE) is LegState.UNKNOWN

    assert claim(world, now=NOW + MINUTE).kind is QUERY


def moves(world: pg.World) -> dict[str, object]:
    """What moves of a leg."""
    names = ("state", "next_check_at", "lease_until", "checks", "sends", "code", "fence")
    return PayoutLeg.objects.values(*names).get(public_id=world.leg_id)
