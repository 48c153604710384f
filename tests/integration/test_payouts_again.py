"""A channel that has an order and wants it once more (WeChat Pay: 原单重试) gets it, and pays once."""

from __future__ import annotations

import itertools

import pytest
from django.db import IntegrityError, connection, transaction

from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NotFound,
    NotSent,
    RejectedConfig,
    Returned,
    Succeeded,
    Unknown,
)
from kuaitui.channels.registry import Channels
from kuaitui.kit.models import OutboxRow
from kuaitui.payouts import operations, queries
from kuaitui.payouts.models import PayoutAttempt, PayoutLeg
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind, AttemptOutcome, LimitScope
from tests.support import given
from tests.support import payouts_given as pg
from tests.support.given import NOW
from tests.support.payouts_given import MINUTE, PACE, attempt, claim, payout, record

pytestmark = pytest.mark.django_db
SEND, QUERY, AGAIN = AttemptKind.SEND, AttemptKind.QUERY, AttemptKind.SEND_AGAIN
WANTED = Accepted("SIM0001", wants_again=True)
LATER = NOW + MINUTE


@pytest.fixture
def wanted():
    """A leg that was sent, and that its channel wants again."""
    world = payout()
    assert attempt(world, WANTED) is LegState.ACCEPTED
    return world


def carry_out(world, channel, minutes, *, noted=None):
    """One whole attempt, so many minutes later."""
    return operations.carry_out_leg(
        leg_id=world.leg_id,
        channels=Channels({given.CHANNEL: channel}),
        pace=PACE,
        clock=lambda: NOW + minutes * MINUTE,
        note_send=[].append if noted is None else noted.append,
    )


def test_what_the_channel_wants_again_is_handed_over_again_until_it_is_paid(wanted) -> None:
    assert attempt(wanted, WANTED, now=LATER) is LegState.ACCEPTED
    assert attempt(wanted, pg.succeeded(), now=LATER + MINUTE) is LegState.PAID

    assert wanted.kinds() == [SEND, AGAIN, AGAIN]
    assert PayoutLeg.objects.get().sends == 1
    told = OutboxRow.objects.values_list("event", flat=True)
    assert list(told).count("payouts.LegSent") == 1


@pytest.mark.django_db(transaction=True)
def test_a_channel_is_called_with_the_very_same_instruction() -> None:
    world = payout()
    answers = itertools.chain([WANTED, WANTED], itertools.repeat(pg.succeeded()))
    channel = pg.ScriptedChannel(lambda *_: next(answers))

    for minutes in (0, 5, 10):
        carry_out(world, channel, minutes)

    kinds, instructions = zip(*channel.calls, strict=True)
    assert kinds == (SEND, SEND, SEND)
    assert len(set(instructions)) == 1
    assert world.state is LegState.PAID


def test_whoever_wants_it_again_no_more_is_asked(wanted) -> None:
    attempt(wanted, Accepted("SIM0001"), now=LATER)

    assert claim(wanted, now=LATER + MINUTE).kind is QUERY


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "answer",
    [Unknown("deadline"), NotSent("connect"), RejectedConfig("NO_AUTH"), FailedDefinite("PARAM")],
    ids=["unknown", "not sent", "refuses us", "refused"],
)
def test_without_a_word_of_how_it_stands_the_channel_is_asked_first(wanted, answer) -> None:
    channel = pg.ScriptedChannel(lambda *_: answer)

    assert carry_out(wanted, channel, 1) is LegState.ACCEPTED
    assert wanted.kinds() == [SEND, AGAIN]
    assert claim(wanted, now=LATER + 5 * MINUTE).kind is QUERY


@pytest.mark.django_db(transaction=True)
def test_a_refusal_of_the_repetition_ends_nothing_and_the_next_answer_does(wanted) -> None:
    channel = pg.ScriptedChannel(
        lambda kind, _: (
            FailedDefinite("NOT_ENOUGH", same_key_retry_ok=True) if kind is SEND else pg.succeeded()
        )
    )
    for minutes in (1, 5):
        carry_out(wanted, channel, minutes)

    assert wanted.kinds() == [SEND, AGAIN, QUERY]
    assert wanted.state is LegState.PAID


def test_a_worker_that_died_leaves_a_question(wanted) -> None:
    assert claim(wanted, now=LATER).kind is AGAIN

    taken = claim(wanted, now=LATER + PACE.lease)

    assert taken.kind is QUERY
    assert record(taken, WANTED, now=LATER + PACE.lease) is LegState.ACCEPTED
    assert claim(wanted, now=LATER + PACE.lease + 5 * MINUTE).kind is AGAIN


def test_the_kill_switch_lets_it_be_asked_about_only(wanted) -> None:
    pg.stop()

    taken = claim(wanted, now=LATER)
    assert taken.kind is QUERY
    record(taken, WANTED, now=LATER)

    pg.resume(now=LATER)
    assert claim(wanted, now=LATER + 5 * MINUTE).kind is AGAIN


def test_a_hold_lets_it_be_asked_about_only(wanted) -> None:
    operations.hold_sending(reason="A drill.", actor=given.reviewer(), now=LATER)

    for minutes in (1, 5, 10):
        taken = claim(wanted, now=LATER + minutes * MINUTE)
        assert taken.kind is QUERY
        record(taken, WANTED, now=LATER + minutes * MINUTE)


@pytest.mark.django_db(transaction=True)
def test_what_is_handed_over_again_is_noted_like_a_send_and_a_question_is_not(wanted) -> None:
    """Or a restore of the same database under the same name forgets it, and nothing says so."""
    noted: list[queries.LastSend] = []
    channel = pg.ScriptedChannel(lambda *_: WANTED)

    carry_out(wanted, channel, 1, noted=noted)
    pg.stop()
    carry_out(wanted, channel, 5, noted=noted)

    assert wanted.kinds() == [SEND, AGAIN, QUERY]
    (again,) = PayoutAttempt.objects.filter(kind=AGAIN)
    assert [send.attempt_id for send in noted] == [again.id]


def test_a_database_that_forgot_what_was_handed_over_again_begins_a_hold(wanted) -> None:
    lost = queries.LastSend(PayoutAttempt.objects.get().id + 1, wanted.leg_id, LATER, None)

    assert operations.hold_if_restored(last_send=lost, now=LATER + MINUTE)

    assert claim(wanted, now=LATER + 2 * MINUTE).kind is QUERY


def test_what_a_restore_forgot_may_be_there_and_wanted_again() -> None:
    world = payout()
    operations.hold_sending(reason="A restore.", actor=given.reviewer(), now=NOW)

    taken = claim(world, now=LATER)
    assert taken.kind is QUERY
    assert record(taken, WANTED, now=LATER) is LegState.ACCEPTED


def test_a_limit_does_not_count_it_twice() -> None:
    pg.limit(LimitScope.CHANNEL_DAY, "¥10,000")
    world = payout()
    attempt(world, WANTED)

    assert claim(world, now=LATER).kind is AGAIN


def test_nobody_repeats_an_order_on_a_word_of_long_ago(wanted) -> None:
    late = NOW + given.DAY
    taken = claim(wanted, now=late)
    assert taken.kind is QUERY

    record(taken, WANTED, now=late)
    assert claim(wanted, now=late + 30 * MINUTE).kind is AGAIN


def test_it_is_repeated_less_and_less_often_and_when_people_must_hear_of_it(wanted) -> None:
    waits, now = [], LATER
    for _ in range(10):
        assert attempt(wanted, WANTED, now=now) is LegState.ACCEPTED
        due = pg.next_check_at(wanted)
        waits.append((due - now) // MINUTE)
        now = due

    assert waits == [1, 1, 1, 1, 5, 10, 20, 30, 30, 20]


def test_people_hear_of_it_after_two_hours_and_not_of_what_only_takes_long() -> None:
    worlds = [payout(application_id=name) for name in ("rfa_wanted", "rfa_slow")]
    answers = [WANTED, Accepted("SIM0002")]
    for world, answer in zip(worlds, answers, strict=True):
        attempt(world, answer)
        for hours in (1, 2):
            attempt(world, answer, now=NOW + hours * 60 * MINUTE)

    monitored = [queries.leg(world.leg_id) for world in worlds]
    assert [one.is_delayed for one in monitored] == [True, False]
    told = OutboxRow.objects.filter(event="payouts.PayoutDelayed")
    assert [row.payload["reason"] for row in told] == [AttemptOutcome.WANTS_AGAIN]


def test_it_can_come_back_failed_and_unknown_like_any_other(wanted) -> None:
    assert attempt(wanted, Returned("SIM0001", "CLOSED", NOW), now=LATER) is LegState.RETURNED


def test_an_order_that_is_gone_after_all_is_not_sent_again(wanted) -> None:
    attempt(wanted, Unknown("deadline"), now=LATER)
    assert attempt(wanted, NotFound(), now=LATER + 30 * MINUTE) is LegState.UNKNOWN

    assert claim(wanted, now=LATER + 90 * MINUTE).kind is QUERY


@pytest.mark.parametrize(
    "answers",
    [
        [Accepted("SIM0001")],
        [WANTED, Accepted("SIM0001")],
        [WANTED, Unknown("deadline")],
        [Unknown("deadline")],
        [pg.to_confirm()],
        [Succeeded("SIM0001", NOW)],
    ],
    ids=["accepted", "no more", "no answer", "unknown", "needs action", "paid"],
)
def test_the_database_refuses_to_repeat_what_its_channel_does_not_want(answers) -> None:
    world = payout()
    for minute, answer in enumerate(answers):
        attempt(world, answer, now=NOW + minute * 5 * MINUTE)

    with pytest.raises(IntegrityError, match="an_order_is_repeated_at_its_channels_word"):
        repeat(world)


def test_the_database_lets_go_what_its_channel_wants(wanted) -> None:
    repeat(wanted)


def repeat(world) -> None:
    leg = PayoutLeg.objects.get(public_id=world.leg_id)
    with transaction.atomic():
        leg.fence += 1
        leg.save(update_fields=["fence"])
        PayoutAttempt.objects.create(
            leg=leg,
            attempt_no=leg.attempts.count() + 1,
            kind=AGAIN,
            fence=leg.fence,
            started_at=NOW,
        )
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
