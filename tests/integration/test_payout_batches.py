"""Batches: gathered by one person, released by another, and sent by the protocol as ever."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import transaction

from kuaitui.audit.models import Event
from kuaitui.channels.bank import BatchFormat
from kuaitui.channels.port import NotSent, Unknown
from kuaitui.kernel.actor import Actor, ActorKind
from kuaitui.ledger.types import Account
from kuaitui.payouts import operations, queries
from kuaitui.payouts.errors import (
    BatchChanged,
    BatchFileHeldBack,
    BatchFileMayBeTaken,
    BatchNotOpen,
    BatchNotReady,
    BatchUnknown,
    ConfirmedByItsBringer,
    LegNotWaiting,
    MessageEmpty,
    MessageSettled,
    MessageUnknown,
    NothingToGather,
    ReleasedByAnApprover,
    ReleasedByItsBuilder,
)
from kuaitui.payouts.models import BankMessage, PayoutAttempt, PayoutLeg
from kuaitui.payouts.states import BatchState, LegState
from kuaitui.payouts.types import AttemptKind, LimitScope
from kuaitui.refunds.models import Decision
from kuaitui.refunds.states import State
from tests.support import batches_given as bg
from tests.support import given, refunds_given
from tests.support import payouts_given as pg
from tests.support.given import NOW

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
TABLES = (
    "payouts_payout", "payouts_leg", "payouts_attempt", "payouts_batch", "payouts_batch_leg",
    "payouts_bank_message", "payouts_bank_word", "payouts_bank_statement_day",
)  # fmt: skip


@pytest.fixture(autouse=True)
def bank(settings):
    bg.bank_in_settings(settings)
    return bg.bank(settings)


def release(bank, batch_id, actor, *, seen=None, now=NOW):
    return operations.release_batch(
        channel=bank,
        batch_id=batch_id,
        content_hash=queries.batch(batch_id).content_hash if seen is None else seen,
        actor=actor,
        now=now,
    )


def test_a_leg_of_a_batched_channel_waits_until_its_batch_is_released(bank, settings):
    world = bg.waiting()
    assert queries.due_legs(now=NOW) == []
    assert bg.carry_out(settings, world) is None

    batch_id = operations.build_batch(channel=bank, actor=given.reviewer(), now=NOW)
    assert queries.due_legs(now=NOW) == []
    assert bg.carry_out(settings, world) is None
    assert PayoutAttempt.objects.count() == 0

    assert release(bank, batch_id, given.approver()) == dt.date(2026, 11, 23)

    assert queries.due_legs(now=NOW) == [world.leg_id]
    assert bg.carry_out(settings, world) is LegState.ACCEPTED
    assert world.held() == {Account.IN_TRANSIT: "10,000", Account.AT_CHANNEL: "10,000"}


def test_a_batch_holds_everything_that_waits_or_what_was_chosen(bank):
    first, second, third = bg.waiting(), bg.waiting("¥5,000"), bg.waiting("¥3,000")
    waiting = queries.waiting_legs(channel=bank.name, currency="CNY")
    assert [leg.leg_id for leg in waiting] == [first.leg_id, second.leg_id, third.leg_id]

    chosen = operations.build_batch(
        channel=bank, leg_ids=[second.leg_id], actor=given.reviewer(), now=NOW
    )
    rest = operations.build_batch(channel=bank, actor=given.reviewer(), now=NOW)

    assert (queries.batch(chosen).legs_count, str(queries.batch(chosen).total)) == (
        1,
        "CNY 5,000.00",
    )
    assert {leg.leg_id for leg in queries.legs_of_batch(rest)} == {first.leg_id, third.leg_id}
    with given.nothing_moves(*TABLES), pytest.raises(NothingToGather):
        operations.build_batch(channel=bank, actor=given.reviewer(), now=NOW)
    with given.nothing_moves(*TABLES), pytest.raises(LegNotWaiting):
        operations.build_batch(
            channel=bank, leg_ids=[second.leg_id], actor=given.reviewer(), now=NOW
        )


def test_whoever_built_a_batch_does_not_release_it(bank):
    bg.waiting()
    builder = given.approver()
    batch_id = operations.build_batch(channel=bank, actor=builder, now=NOW)

    with given.nothing_moves(*TABLES), pytest.raises(ReleasedByItsBuilder):
        release(bank, batch_id, builder)


def test_whoever_approved_a_payout_in_it_does_not_release_it(bank):
    approver = given.approver()
    bg.waiting(approved_by=(approver.id,))
    batch_id = operations.build_batch(channel=bank, actor=given.reviewer(), now=NOW)
    assert queries.approvers_in_batch(batch_id) == {approver.id}

    with given.nothing_moves(*TABLES), pytest.raises(ReleasedByAnApprover):
        release(bank, batch_id, approver)


def test_what_is_released_is_what_was_seen(bank):
    withdrawn = bg.waiting()
    bg.waiting()
    batch_id = operations.build_batch(channel=bank, actor=given.reviewer(), now=NOW)

    with given.nothing_moves(*TABLES), pytest.raises(BatchChanged):
        release(bank, batch_id, given.approver(), seen="another")

    with transaction.atomic():
        operations.cancel_payout(application_id=withdrawn.application_id, now=NOW)
    with given.nothing_moves(*TABLES), pytest.raises(BatchChanged):
        release(bank, batch_id, given.approver())


def test_a_batch_is_decided_once(bank):
    bg.waiting()
    batch_id = bg.released(bank)

    with given.nothing_moves(*TABLES), pytest.raises(BatchNotOpen):
        release(bank, batch_id, given.approver())
    with given.nothing_moves(*TABLES), pytest.raises(BatchNotOpen):
        operations.cancel_batch(batch_id=batch_id, actor=given.reviewer(), now=NOW)
    with pytest.raises(BatchUnknown):
        operations.cancel_batch(batch_id="bat_x", actor=given.reviewer(), now=NOW)


def test_a_batch_called_off_gives_its_legs_to_the_next(bank, settings):
    world = bg.waiting()
    batch_id = operations.build_batch(channel=bank, actor=given.reviewer(), now=NOW)

    operations.cancel_batch(batch_id=batch_id, actor=given.reviewer(), now=NOW)

    assert queries.batch(batch_id).state is BatchState.CANCELLED
    assert [leg.leg_id for leg in queries.waiting_legs(channel=bank.name, currency="CNY")] == [
        world.leg_id
    ]
    bg.released(bank)
    assert bg.carry_out(settings, world) is LegState.ACCEPTED


def test_after_the_cut_off_the_bank_executes_on_its_next_business_day(bank):
    bg.waiting()
    friday_evening = dt.datetime(2026, 9, 30, 8, 0, tzinfo=dt.UTC)
    batch_id = operations.build_batch(channel=bank, actor=given.reviewer(), now=NOW)

    on = release(bank, batch_id, given.approver(), now=friday_evening)

    assert on == dt.date(2026, 10, 8), "the first week of October is free"


def test_the_file_is_made_when_everything_is_booked_as_sent_and_is_the_same_every_time(
    bank, settings
):
    first, second = bg.waiting(), bg.waiting("¥5,000")
    batch_id = bg.released(bank)
    bg.carry_out(settings, first)
    with pytest.raises(BatchNotReady):
        bg.file_of(settings, batch_id)

    bg.carry_out(settings, second)

    for form in BatchFormat:
        assert bg.file_of(settings, batch_id, form) == bg.file_of(settings, batch_id, form)
    table = bg.file_of(settings, batch_id).decode("utf-8-sig")
    assert [line.split(",")[1] for line in table.splitlines()[1:]] == [
        f"{queries.leg(world.leg_id).channel_number}01" for world in (first, second)
    ]
    bg.bring(settings, bg.result(first, "REJECTED", reason="AM04"))
    bg.carry_out(settings, first)
    assert bg.file_of(settings, batch_id).decode("utf-8-sig") == table


def test_a_withdrawn_leg_of_a_released_batch_is_not_in_the_file(bank, settings):
    sent, withdrawn = bg.waiting(), bg.waiting("¥5,000")
    batch_id = bg.released(bank)
    bg.carry_out(settings, sent)
    with transaction.atomic():
        operations.cancel_payout(application_id=withdrawn.application_id, now=NOW)

    assert (
        queries.leg(withdrawn.leg_id).channel_number not in bg.file_of(settings, batch_id).decode()
    )


def test_a_leg_that_is_set_aside_does_not_keep_its_released_batch(bank, settings):
    sent, stuck = bg.waiting(), bg.waiting("¥5,000")
    batch_id = bg.released(bank)
    bg.carry_out(settings, sent)
    number = queries.leg(stuck.leg_id).channel_number

    operations.set_leg_aside(leg_id=stuck.leg_id, reason="SealBroken", now=NOW)

    table = bg.file_of(settings, batch_id).decode("utf-8-sig")
    assert number not in table
    operations.release_leg(leg_id=stuck.leg_id, actor=given.approver(), reason="mended", now=NOW)
    assert bg.carry_out(settings, stuck) is None, "it waits for another batch"
    another = bg.released(bank)
    bg.carry_out(settings, stuck)
    assert number in bg.file_of(settings, another).decode("utf-8-sig")
    assert bg.file_of(settings, batch_id).decode("utf-8-sig") == table


def test_a_leg_that_waits_for_another_day_by_a_limit_does_not_keep_its_released_batch(
    bank, settings
):
    first, second = bg.waiting(), bg.waiting("¥5,000")
    batch_id = bg.released(bank)
    pg.limit(LimitScope.CHANNEL_DAY, "12,000", channel="bank")
    bg.carry_out(settings, first)

    assert bg.carry_out(settings, second) is None

    assert queries.leg(second.leg_id).waits_for
    assert queries.leg(second.leg_id).channel_number not in bg.file_of(settings, batch_id).decode()
    next_day = NOW + 2 * DAY
    another = bg.released(bank, now=next_day)
    assert bg.carry_out(settings, second, now=next_day) is LegState.ACCEPTED
    assert queries.batch(another).unsent_count == 0


def test_a_leg_that_failed_unsent_after_a_restore_does_not_keep_its_released_batch(bank, settings):
    sent, refused = bg.waiting(), bg.waiting("¥5,000")
    batch_id = bg.released(bank)
    bg.carry_out(settings, sent)
    held_at = NOW + pg.SECOND
    operations.hold_sending(reason="Restored.", actor=given.reviewer(), now=held_at)
    bg.carry_out(settings, sent, now=held_at)
    bg.bring(settings, bg.result(refused, "REJECTED", reason="AC04"), now=held_at)
    assert bg.carry_out(settings, refused, now=held_at) is LegState.FAILED
    operations.propose_release(finding="All answered.", actor=given.reviewer(), now=held_at)
    operations.confirm_release(actor=given.approver(), now=held_at)

    table = bg.file_of(settings, batch_id, finding="Not there.").decode()

    assert queries.leg(sent.leg_id).channel_number in table
    assert queries.leg(refused.leg_id).channel_number not in table


@pytest.mark.parametrize(
    ("status", "reason", "state", "held"),
    [
        ("SUBMITTED", "", LegState.ACCEPTED, {Account.IN_TRANSIT: "10,000", Account.AT_CHANNEL: "10,000"}),
        ("ACCEPTED", "", LegState.ACCEPTED, {Account.IN_TRANSIT: "10,000", Account.AT_CHANNEL: "10,000"}),
        ("BOOKED", "", LegState.PAID, {}),
        ("REJECTED", "AC04", LegState.FAILED, {Account.FROZEN: "10,000", Account.AT_CHANNEL: "10,000"}),
        ("REJECTED", "ZZ99", LegState.ACCEPTED, {Account.IN_TRANSIT: "10,000", Account.AT_CHANNEL: "10,000"}),
        ("RETURNED", "AC04", LegState.RETURNED, {Account.FROZEN: "10,000", Account.AT_CHANNEL: "10,000"}),
    ],
)  # fmt: skip
def test_what_the_bank_says_moves_the_leg(bank, settings, status, reason, state, held):
    world = bg.waiting()
    bg.released(bank)
    bg.carry_out(settings, world)

    bg.bring(settings, bg.result(world, status, reason=reason))

    assert queries.due_legs(now=NOW) == [world.leg_id], "a message is a hint to ask"
    bg.carry_out(settings, world)
    assert world.state is state
    assert world.held() == held


def test_what_was_refused_for_now_goes_out_once_more_in_another_batch(bank, settings):
    world = bg.waiting()
    bg.released(bank)
    bg.carry_out(settings, world)
    bg.bring(settings, bg.result(world, "REJECTED", reason="AM04"))
    assert bg.carry_out(settings, world) is LegState.READY
    assert queries.due_legs(now=NOW + DAY) == [], "it waits for another batch"

    later = NOW + DAY
    bg.released(bank, now=later)
    assert bg.carry_out(settings, world, now=later) is LegState.ACCEPTED
    assert bg.carry_out(settings, world, now=later + DAY) is LegState.ACCEPTED, (
        "old words are history"
    )

    bg.bring(settings, bg.result(world, "BOOKED", release_no=2), now=later + DAY)
    assert bg.carry_out(settings, world, now=later + DAY) is LegState.PAID
    kinds = [attempt.kind for attempt in queries.attempts(world.leg_id)]
    assert kinds.count(AttemptKind.SEND) == 2


@pytest.mark.parametrize("waited", [DAY, 30 * DAY], ids=["at once", "past the resend window"])
@pytest.mark.parametrize("restored", [False, True], ids=["", "after a restore"])
def test_what_was_refused_for_now_is_in_the_file_of_its_next_batch_however_long_it_waited(
    bank, settings, waited, restored
):
    world = bg.waiting()
    bg.released(bank)
    bg.carry_out(settings, world)
    bg.bring(settings, bg.result(world, "REJECTED", reason="AM04"))
    assert bg.carry_out(settings, world, now=NOW + pg.MINUTE) is LegState.READY
    later = NOW + waited
    another = bg.released(bank, now=later)
    if restored:
        operations.hold_sending(reason="Restored.", actor=given.reviewer(), now=later + pg.SECOND)
        bg.carry_out(settings, world, now=later + pg.MINUTE)
        operations.propose_release(finding="All.", actor=given.reviewer(), now=later + pg.MINUTE)
        operations.confirm_release(actor=given.approver(), now=later + pg.MINUTE)
    else:
        bg.carry_out(settings, world, now=later + pg.MINUTE)

    assert queries.leg(world.leg_id).state is LegState.ACCEPTED
    number = queries.leg(world.leg_id).channel_number
    assert f"{number}02" in bg.file_of(settings, another, finding="Not there.").decode("utf-8-sig")


def test_a_payment_with_another_amount_is_no_answer(bank, settings):
    world = bg.waiting()
    bg.released(bank)
    bg.carry_out(settings, world)

    bg.bring(settings, bg.result(world, "BOOKED").replace("10000.00", "10000.01"))

    assert bg.carry_out(settings, world) is LegState.ACCEPTED
    assert queries.attempts(world.leg_id)[-1].cause == "amount_differs"


def test_a_brought_file_counts_when_a_second_person_confirms_it(bank, settings):
    world = bg.waiting()
    bg.released(bank)
    bg.carry_out(settings, world)
    taken = bg.bring(settings, bg.result(world, "BOOKED"), confirm=False)
    bringer = Actor(ActorKind.STAFF, queries.bank_message(taken.message_no).source)

    assert queries.due_legs(now=NOW) == []
    with given.nothing_moves(*TABLES), pytest.raises(ConfirmedByItsBringer):
        operations.confirm_message(message_no=taken.message_no, actor=bringer, now=NOW)
    later = NOW + pg.MINUTE
    assert bg.carry_out(settings, world, now=later) is LegState.ACCEPTED, "not yet believed"

    operations.confirm_message(message_no=taken.message_no, actor=given.approver(), now=later)

    assert bg.carry_out(settings, world, now=later) is LegState.PAID
    with given.nothing_moves(*TABLES), pytest.raises(MessageSettled):
        operations.confirm_message(message_no=taken.message_no, actor=given.approver(), now=NOW)
    with pytest.raises(MessageUnknown):
        operations.confirm_message(message_no=0, actor=given.approver(), now=NOW)


def test_the_same_file_twice_is_recorded_once_and_moves_nothing(bank, settings):
    world = bg.waiting()
    bg.released(bank)
    bg.carry_out(settings, world)
    first = bg.bring(settings, bg.result(world, "BOOKED"))
    bg.carry_out(settings, world)

    with given.nothing_moves(*TABLES):
        again = bg.bring(settings, bg.result(world, "BOOKED"), confirm=False)

    assert (first.is_new, again.is_new, again.message_no) == (True, False, first.message_no)


def test_a_refused_file_is_kept_with_its_reason_and_moves_nothing(bank, settings):
    world = bg.waiting()
    bg.released(bank)
    bg.carry_out(settings, world)
    held = world.held()

    bg.bring(settings, bg.result(world, "BOOKED").replace("10000.00", "10000.001"))

    assert (world.state, world.held()) == (LegState.ACCEPTED, held)
    assert queries.due_legs(now=NOW) == []
    kept = BankMessage.objects.get()
    assert kept.words.count() == 0
    assert (kept.refused_because, kept.refused_where) == ("amount_unreadable", "line 2 金额")
    with pytest.raises(MessageSettled):
        operations.confirm_message(message_no=kept.pk, actor=given.approver(), now=NOW)
    with given.nothing_moves(*TABLES), pytest.raises(MessageEmpty):
        operations.bring_message(channel=bank, content=b"", actor=given.reviewer(), now=NOW)


def test_a_status_of_a_whole_file_is_of_every_leg_in_it(bank, settings):
    first, second = bg.waiting(), bg.waiting("¥5,000")
    batch_id = bg.released(bank)
    for world in (first, second):
        bg.carry_out(settings, world)
    report = (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
        "<GrpHdr><MsgId>P1</MsgId><CreDtTm>2026-11-23T02:00:00</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{queries.file_id(batch_id)}</OrgnlMsgId>"
        "<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>FF01</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts>"
        "</CstmrPmtStsRpt></Document>"
    )

    operations.take_in_from_mailbox(channel=bank, content=report.encode(), now=NOW)

    assert [bg.carry_out(settings, world) for world in (first, second)] == [LegState.READY] * 2
    assert len(queries.waiting_legs(channel=bank.name, currency="CNY")) == 2


def test_a_send_without_effect_stays_in_its_batch_and_goes_out_the_same(bank, settings):
    world = bg.waiting()
    bg.released(bank)

    def attempt(answer, now):
        channel = pg.ScriptedChannel(lambda kind, instruction: answer)
        seen = operations.claim_leg(leg_id=world.leg_id, pace=pg.PACE, now=now)
        assert seen is not None
        pg.record(seen, channel.answer(seen.kind, seen.instruction), now=now)
        return seen

    first = attempt(NotSent("connect_error"), NOW)
    later = NOW + 10 * pg.MINUTE
    second = attempt(Unknown("deadline"), later)

    assert (first.kind, second.kind) == (AttemptKind.SEND, AttemptKind.SEND)
    assert first.instruction == second.instruction
    assert first.instruction.execute_on == dt.date(2026, 11, 23)
    asked = attempt(Unknown("no_word_yet"), later + pg.MINUTE)
    assert (asked.kind, asked.instruction) == (AttemptKind.QUERY, first.instruction)


def test_after_a_restore_a_leg_that_waits_for_a_batch_is_asked_about_not_sent(bank, settings):
    """It may have left with a batch that the restored books have forgotten."""
    world = bg.waiting()
    held_at = NOW + pg.MINUTE
    operations.hold_sending(reason="Restored.", actor=given.reviewer(), now=held_at)
    later = held_at + pg.MINUTE
    assert queries.due_legs(now=later) == [world.leg_id]
    assert bg.carry_out(settings, world, now=later) in {LegState.READY, LegState.UNKNOWN}
    assert [attempt.kind for attempt in queries.attempts(world.leg_id)] == [AttemptKind.QUERY]

    bg.bring(settings, bg.result(world, "BOOKED"), now=later)

    assert bg.carry_out(settings, world, now=later + DAY) is LegState.PAID
    assert world.held() == {}


def span_asked_about(world: pg.World, now: dt.datetime) -> tuple[dt.date | None, dt.date | None]:
    claim = operations.claim_leg(leg_id=world.leg_id, pace=pg.PACE, now=now)
    assert claim is not None
    return claim.instruction.execute_on, claim.instruction.executed_until


def test_what_a_restore_may_have_forgotten_is_looked_for_from_the_last_call_that_is_known_on(
    bank, settings
):
    """Also of a leg made anew after it: in the lost window it may have been sent under its number."""
    earlier, waiting = pg.payout(application_id="rfa_0"), bg.waiting()
    known, held_at = NOW + 3 * DAY, NOW + 5 * DAY
    pg.attempt(earlier, Unknown("deadline"), now=known)
    # What people bring between the restore and the hold says nothing of the window.
    bg.bring(settings, bg.result(waiting, "ACCEPTED"), now=held_at - pg.SECOND)
    operations.hold_sending(reason="Restored.", actor=given.reviewer(), now=held_at)

    assert span_asked_about(waiting, held_at) == (known.date(), held_at.date())
    later = held_at + DAY
    made_anew = pg.payout(
        "¥5,000", deposit_="¥5,000", application_id="rfa_9", route_open=False, now=NOW
    )
    assert span_asked_about(made_anew, later) == (known.date(), held_at.date())


def test_where_no_call_is_known_a_forgotten_release_is_looked_for_since_its_payment_came_in(bank):
    waiting = bg.waiting()
    held_at = NOW + 5 * DAY
    operations.hold_sending(reason="Restored.", actor=given.reviewer(), now=held_at)

    assert span_asked_about(waiting, held_at) == ((NOW - 200 * DAY).date(), held_at.date())


def test_a_refused_leg_whose_next_release_a_restore_forgot_waits_for_statements(bank, settings):
    world = bg.waiting()
    bg.released(bank)
    bg.carry_out(settings, world)
    bg.bring(settings, bg.result(world, "REJECTED", reason="AM04"))
    assert bg.carry_out(settings, world, now=NOW + pg.MINUTE) is LegState.READY
    held_at = NOW + DAY
    operations.hold_sending(reason="Restored.", actor=given.reviewer(), now=held_at)

    assert bg.carry_out(settings, world, now=held_at) is LegState.READY
    assert queries.attempts(world.leg_id)[-1].cause == "no_word_yet", "the refusal is of the first"
    assert queries.current_hold().unasked_count == 1


def test_the_file_of_a_batch_older_than_a_restore_is_taken_with_a_word_of_what_the_bank_has(
    bank, settings
):
    world = bg.waiting()
    batch_id = bg.released(bank)
    bg.carry_out(settings, world)
    before = bg.file_of(settings, batch_id)
    assert not queries.batch(batch_id).is_older_than_a_restore
    held_at = NOW + pg.SECOND
    operations.hold_sending(reason="Restored.", actor=given.reviewer(), now=held_at)
    bg.carry_out(settings, world, now=held_at)

    with given.nothing_moves("audit_event"), pytest.raises(BatchFileHeldBack):
        bg.file_of(settings, batch_id, finding="It is not there.")
    operations.propose_release(finding="All answered.", actor=given.reviewer(), now=held_at)
    operations.confirm_release(actor=given.approver(), now=held_at)
    for nothing in ("", "  "):
        with given.nothing_moves("audit_event"), pytest.raises(BatchFileMayBeTaken):
            bg.file_of(settings, batch_id, finding=nothing)
    assert queries.batch(batch_id).is_older_than_a_restore

    assert bg.file_of(settings, batch_id, finding="The bank has no such file.") == before
    (taken,) = Event.objects.filter(action="payout.batch_taken").order_by("-event_no")[:1]
    assert "The bank has no such file." in taken.content


def test_a_leg_knows_the_people_whose_approval_it_rests_on():
    made = refunds_given.application(State.PAYING, refunds_given.LARGE)
    leg_id = made.view.payout.legs[0].leg_id

    approved_by = PayoutLeg.objects.get(public_id=leg_id).approved_by

    decided = Decision.objects.filter(application__public_id=made.application_id)
    people = decided.filter(kind__in=["approve", "confirm"]).values_list("actor_id", flat=True)
    assert len(approved_by) == 2
    assert set(approved_by) == set(people)
