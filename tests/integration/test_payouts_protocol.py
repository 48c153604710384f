"""The payout protocol: intent first, ask before sending again, one number for ever."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable

import pytest
from django.db import transaction

from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NeededAction,
    NeedsAction,
    NotFound,
    NotSent,
    OriginalPayment,
    Outcome,
    PayeeAccount,
    RejectedConfig,
    Unknown,
)
from kuaitui.channels.registry import Channels
from kuaitui.deposits.queries import deposit
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.invariants import InvariantViolated
from kuaitui.kit.encryption import SealBroken
from kuaitui.kit.models import OutboxRow
from kuaitui.ledger.types import Account
from kuaitui.payouts import operations, queries
from kuaitui.payouts.errors import (
    ApprovalMissing,
    LegNotRepairable,
    LegReplaced,
    LegUnknown,
    LotUnderWay,
    PayoutChanged,
    PayoutUnderWay,
    PayoutUnknown,
    ReasonMissing,
)
from kuaitui.payouts.models import PayoutLeg
from kuaitui.payouts.states import LegState, PayoutState
from kuaitui.payouts.types import AttemptKind, AttemptOutcome
from tests.support import given
from tests.support import payouts_given as pg
from tests.support.given import NOW, yuan
from tests.support.payouts_given import (
    FLOOR,
    MINUTE,
    PACE,
    attempt,
    claim,
    payout,
    record,
)

pytestmark = pytest.mark.django_db
SEND, QUERY = AttemptKind.SEND, AttemptKind.QUERY
PAYOUT_TABLES = ("payouts_payout", "payouts_leg", "payouts_attempt")
LATER = NOW + MINUTE
HOUR = 60 * MINUTE


def events(name: str) -> list[dict[str, object]]:
    return [row.payload for row in OutboxRow.objects.filter(event=f"payouts.{name}").order_by("id")]


def ask(world: pg.World, outcome: Outcome, *, now: dt.datetime) -> LegState | None:
    """An attempt that must be a query."""
    taken = claim(world, now=now)
    assert taken.kind is QUERY
    return record(taken, outcome, now=now)


def tamper(raw_sql, statement: str, parameters: tuple[str, ...] = ()) -> None:
    """Somebody with a superuser's console, past all triggers."""
    raw_sql("SET CONSTRAINTS ALL IMMEDIATE")
    raw_sql("SET LOCAL session_replication_role = replica")
    raw_sql(statement, parameters)
    raw_sql("SET LOCAL session_replication_role = origin")


# ---------------------------------------------------------------- begin


def test_a_payout_begins_with_a_leg_for_each_lot_and_nothing_sent() -> None:
    world = payout("¥12,000", deposit_=("¥10,000", "¥5,000"))

    assert [(leg.amount, leg.state) for leg in world.legs] == [
        (yuan("10,000"), LegState.READY),
        (yuan("2,000"), LegState.READY),
    ]
    assert world.held() == {
        Account.AT_CHANNEL: "15,000",
        Account.AVAILABLE: "3,000",
        Account.FROZEN: "12,000",
    }
    assert not queries.payout_of_application(world.application_id).is_sent


def test_a_payout_is_begun_once_for_an_application() -> None:
    world = payout()
    summary = deposit(world.shop.account_id)

    def again(**changes: str) -> str:
        plan = pg.plan_route(
            pg.deposit(world.shop.account_id).lots,
            amount=yuan("0.01"),
            destination_id="",
            parts={},
            now=NOW,
        )
        with transaction.atomic():
            return operations.begin_payout(
                application_id=world.application_id,
                account_id=world.shop.account_id,
                plan=plan,
                approval_hash=changes.get("approval_hash", pg.APPROVAL),
                now=NOW,
            )

    assert summary.frozen == yuan("10,000")
    with pytest.raises(Refusal):
        again()
    with given.nothing_moves(*PAYOUT_TABLES), pytest.raises(Refusal):
        again(approval_hash="")


def test_beginning_again_with_the_same_content_returns_the_same_payout() -> None:
    shop = given.shop("¥10,000")
    with transaction.atomic():
        pg.deposits.freeze_deposit(
            account_id=shop.account_id, amount=yuan("6,000"), reference="rfa_1", now=NOW
        )
    plan = pg.plan_route(
        pg.deposit(shop.account_id).lots,
        amount=yuan("6,000"),
        destination_id="",
        parts={},
        now=NOW,
    )
    begin = {
        "application_id": "rfa_1",
        "account_id": shop.account_id,
        "plan": plan,
        "approval_hash": pg.APPROVAL,
        "now": NOW,
    }

    first = operations.begin_payout(**begin)
    with given.nothing_moves(*PAYOUT_TABLES):
        assert operations.begin_payout(**begin) == first
        with pytest.raises(PayoutChanged):
            operations.begin_payout(**{**begin, "approval_hash": "another"})
        with pytest.raises(ApprovalMissing):
            operations.begin_payout(**{**begin, "approval_hash": ""})


def test_the_instruction_is_what_was_approved_for_either_route() -> None:
    back = payout("¥1,000")
    there = payout("¥1,000", route_open=False, application_id="rfa_2")

    assert isinstance(claim(back).instruction.target, OriginalPayment)
    instruction = claim(there).instruction
    assert instruction.target == PayeeAccount(given.OWNER, given.BANK, given.CARD.replace(" ", ""))
    assert instruction.amount == yuan("1,000")
    assert instruction.number.isalnum()
    assert len(instruction.number) <= 32


# ---------------------------------------------------------------- claim


def test_the_intent_to_send_is_written_before_the_call() -> None:
    world = payout()

    taken = claim(world)

    assert taken.kind is SEND
    assert world.state is LegState.SENDING
    assert world.held() == {Account.AT_CHANNEL: "10,000", Account.IN_TRANSIT: "10,000"}
    (open_attempt,) = queries.attempts(world.leg_id)
    assert (open_attempt.kind, open_attempt.outcome) == (SEND, None)
    assert len(events("LegSent")) == 1


def test_a_leg_is_taken_by_one_worker_at_a_time() -> None:
    world = payout()
    claim(world)

    with given.nothing_moves(*PAYOUT_TABLES):
        assert operations.claim_leg(leg_id=world.leg_id, pace=PACE, now=NOW) is None


def test_a_leg_of_a_dead_worker_is_asked_about_not_sent() -> None:
    world = payout()
    lost = claim(world)
    after_the_lease = NOW + PACE.lease

    taken = claim(world, now=after_the_lease)

    assert taken.kind is QUERY
    assert taken.fence == lost.fence + 1
    assert taken.instruction == lost.instruction
    assert world.state is LegState.UNKNOWN
    assert [a.outcome for a in queries.attempts(world.leg_id)] == [AttemptOutcome.UNKNOWN, None]
    assert world.held() == {Account.AT_CHANNEL: "10,000", Account.IN_TRANSIT: "10,000"}


def test_a_worker_that_lost_its_lease_cannot_record() -> None:
    world = payout()
    lost = claim(world)
    claim(world, now=NOW + PACE.lease)

    with given.nothing_moves(*PAYOUT_TABLES):
        assert record(lost, pg.succeeded(), now=NOW + PACE.lease) is None


def test_recording_twice_changes_nothing() -> None:
    world = payout()
    taken = claim(world)
    record(taken, pg.succeeded())

    with given.nothing_moves(*PAYOUT_TABLES):
        assert record(taken, FailedDefinite("ACCOUNT_CLOSED")) is None


def test_a_tampered_request_is_not_sent(raw_sql) -> None:
    world = payout()
    other = payout(application_id="rfa_2")
    tamper(
        raw_sql,
        "UPDATE payouts_leg SET request_sealed = (SELECT request_sealed FROM payouts_leg"
        " WHERE public_id = %s) WHERE public_id = %s",
        (other.leg_id, world.leg_id),
    )

    with given.nothing_moves(*PAYOUT_TABLES), pytest.raises(SealBroken):
        claim(world)


def test_another_approval_does_not_open_the_request(raw_sql) -> None:
    world = payout()
    tamper(raw_sql, "UPDATE payouts_leg SET approval_hash = 'forged'")

    with given.nothing_moves(*PAYOUT_TABLES), pytest.raises(SealBroken):
        claim(world)


def test_another_amount_in_the_row_is_not_sent(raw_sql) -> None:
    world = payout()
    tamper(raw_sql, "UPDATE payouts_leg SET amount_minor = amount_minor - 1")

    with given.nothing_moves(*PAYOUT_TABLES), pytest.raises(InvariantViolated):
        claim(world)


def given_up_as_unknown() -> tuple[pg.World, dt.datetime]:
    """A leg that waits to be sent again, and when its way back closes."""
    world = payout()
    attempt(world, Unknown("timeout"))
    ask(world, NotFound(), now=NOW + FLOOR)
    assert world.state is LegState.READY
    closes = PayoutLeg.objects.get(public_id=world.leg_id).route_open_until
    assert closes is not None
    return world, closes


def test_what_was_sent_is_asked_about_once_more_when_its_way_back_closes() -> None:
    world, closes = given_up_as_unknown()

    assert ask(world, Unknown("timeout"), now=closes) is LegState.READY
    assert ask(world, NotFound(), now=closes + HOUR) is LegState.READY

    later = closes + 2 * HOUR
    assert operations.claim_leg(leg_id=world.leg_id, pace=PACE, now=later) is None
    assert (world.state, world.legs[0].code) == (LegState.FAILED, "ROUTE_CLOSED")
    assert world.held() == {Account.AT_CHANNEL: "10,000", Account.FROZEN: "10,000"}
    assert [one.kind for one in queries.attempts(world.leg_id)].count(SEND) == 1


def test_a_send_just_before_the_way_back_closes_is_not_believed_unknown_before_the_floor() -> None:
    world, closes = given_up_as_unknown()
    sent_at = closes - MINUTE
    ask(world, NotFound(), now=sent_at - MINUTE)
    attempt(world, RejectedConfig("NO_PERMISSION"), now=sent_at)
    assert world.kinds()[-1] is SEND

    assert ask(world, NotFound(), now=closes + 2 * MINUTE) is LegState.READY

    believed = sent_at + FLOOR
    assert pg.next_check_at(world) == believed
    assert ask(world, pg.succeeded(), now=believed) is LegState.PAID


@pytest.mark.parametrize("answer", [pg.succeeded(), Accepted("SIM0001")])
def test_what_its_channel_took_after_all_is_not_failed_when_the_way_back_closes(
    answer: Outcome,
) -> None:
    world, closes = given_up_as_unknown()

    ask(world, answer, now=closes)
    if world.state is LegState.ACCEPTED:
        ask(world, pg.succeeded(), now=closes + MINUTE * 30)

    assert world.state is LegState.PAID
    assert events("LegFailed") == []
    assert Account.FROZEN not in world.held()


def test_while_the_way_back_is_open_what_was_given_up_is_sent_again() -> None:
    world, closes = given_up_as_unknown()
    ask(world, NotFound(), now=closes - 2 * MINUTE)

    assert claim(world, now=closes - MINUTE).kind is SEND


def test_the_way_back_can_close_while_a_leg_waits() -> None:
    world = payout()
    closed = NOW + 400 * given.DAY

    assert operations.claim_leg(leg_id=world.leg_id, pace=PACE, now=closed) is None

    assert world.state is LegState.FAILED
    assert world.legs[0].code == "ROUTE_CLOSED"
    assert world.held() == {Account.AT_CHANNEL: "10,000", Account.FROZEN: "10,000"}
    assert queries.attempts(world.leg_id) == ()
    assert len(events("LegFailed")) == 1


# ---------------------------------------------------------------- kill switch


@pytest.mark.parametrize("channel", [given.CHANNEL, "*"])
def test_the_kill_switch_stops_sending(channel: str) -> None:
    world = payout()
    pg.stop(channel=channel)

    with given.nothing_moves(*PAYOUT_TABLES):
        assert operations.claim_leg(leg_id=world.leg_id, pace=PACE, now=NOW) is None
        assert queries.due_legs(now=NOW) == []
    pg.resume(channel=channel)
    assert queries.due_legs(now=NOW) == [world.leg_id]
    assert claim(world).kind is SEND


@pytest.mark.parametrize("channel", [given.CHANNEL, "*"])
def test_the_kill_switch_never_stops_asking(channel: str) -> None:
    world = payout()
    attempt(world, Unknown("deadline"))
    pg.stop(channel=channel)

    assert queries.due_legs(now=LATER) == [world.leg_id]
    assert ask(world, pg.succeeded(), now=LATER) is LegState.PAID


def test_the_kill_switch_of_another_channel_stops_nothing_here() -> None:
    world = payout()
    pg.stop(channel="wechatpay")

    assert queries.due_legs(now=NOW) == [world.leg_id]
    assert claim(world).kind is SEND


def test_a_switch_is_not_turned_without_saying_why() -> None:
    with given.nothing_moves("payouts_channel_switch"), pytest.raises(ReasonMissing):
        operations.stop_sending(channel="*", reason=" ", actor=given.reviewer(), now=NOW)


# ---------------------------------------------------------------- outcomes


def test_a_paid_leg_is_settled_in_the_books_and_the_lot() -> None:
    world = payout("¥6,000")
    settled_at = NOW - MINUTE

    attempt(world, pg.succeeded(settled_at))

    progress = queries.payout_of_application(world.application_id)
    assert progress.state is PayoutState.PAID
    assert progress.legs[0].settled_at == settled_at
    assert progress.legs[0].bank_reference == "SIM0001"
    assert world.held() == {Account.AT_CHANNEL: "4,000", Account.AVAILABLE: "4,000"}
    assert deposit(world.shop.account_id).lots[0].refunded == yuan("6,000")
    assert len(events("LegPaid")) == len(events("PayoutPaid")) == 1


def test_a_payout_is_paid_when_its_last_leg_is() -> None:
    world = payout("¥15,000", deposit_=("¥10,000", "¥5,000"))
    first, second = (leg.leg_id for leg in world.legs)

    record(claim(world, leg_id=first), pg.succeeded())
    assert events("PayoutPaid") == []
    record(claim(world, leg_id=second), pg.succeeded())

    assert len(events("PayoutPaid")) == 1
    assert world.held() == {}


def test_accepted_is_not_done() -> None:
    world = payout()

    assert attempt(world, Accepted("SIM0001")) is LegState.ACCEPTED
    assert world.held() == {Account.AT_CHANNEL: "10,000", Account.IN_TRANSIT: "10,000"}
    assert world.legs[0].bank_reference == "SIM0001"
    assert ask(world, Unknown("deadline"), now=LATER) is LegState.ACCEPTED
    assert ask(world, pg.succeeded(), now=LATER + MINUTE) is LegState.PAID


def test_a_channel_that_waits_for_a_person_is_asked_on() -> None:
    world = payout()

    outcome = NeedsAction(NeededAction.USER_CONFIRM, "SIM0001")
    assert attempt(world, outcome) is LegState.NEEDS_ACTION
    assert [leg.leg_id for leg in queries.legs_in_monitor(only_needing_people=True)] == [
        world.leg_id
    ]
    assert ask(world, pg.succeeded(), now=LATER) is LegState.PAID


def test_unknown_is_asked_and_never_sent_again() -> None:
    world = payout()
    attempt(world, Unknown("deadline"))
    moment = NOW

    for _ in range(12):
        moment = pg.next_check_at(world)
        ask(world, Unknown("deadline"), now=moment)

    assert world.kinds() == [SEND] + [QUERY] * 12
    assert ask(world, pg.succeeded(), now=pg.next_check_at(world)) is LegState.PAID
    assert world.held() == {}


def test_the_schedule_of_questions_slows_down() -> None:
    world = payout()
    attempt(world, Unknown("deadline"))
    moments = [NOW, pg.next_check_at(world)]
    for _ in range(9):
        ask(world, Unknown("deadline"), now=moments[-1])
        moments.append(pg.next_check_at(world))

    minutes = [(b - a) // MINUTE for a, b in itertools.pairwise(moments)]
    # 1 m × 5, 5, 10, 20, 30, then 50 minutes are left to the alarm at 2 h: 30 and 20.
    assert minutes[:10] == [1, 1, 1, 1, 1, 5, 10, 20, 30, 30]


def test_after_two_hours_of_unknown_people_are_called_once() -> None:
    world = payout()
    attempt(world, Unknown("deadline"))
    while (moment := pg.next_check_at(world)) < NOW + PACE.alarm_after:
        ask(world, Unknown("deadline"), now=moment)
    assert events("PayoutDelayed") == []

    assert moment == NOW + PACE.alarm_after, "the schedule looks exactly when people must know"
    ask(world, Unknown("deadline"), now=moment)
    ask(world, Unknown("deadline"), now=pg.next_check_at(world))

    (event,) = events("PayoutDelayed")
    assert event["leg_id"] == world.leg_id
    assert [leg.is_delayed for leg in queries.legs_in_monitor(only_needing_people=True)] == [True]


@pytest.mark.parametrize(
    "outcome",
    [FailedDefinite("NOT_ENOUGH", same_key_retry_ok=True), NotSent("connect_error")],
)
def test_what_a_channel_does_not_take_for_two_hours_calls_people_once(outcome: Outcome) -> None:
    world = payout()
    moments = [NOW]
    while moments[-1] < NOW + PACE.alarm_after:
        assert events("PayoutDelayed") == []
        attempt(world, outcome, now=moments[-1])
        moments.append(pg.next_check_at(world))
    assert len(moments) > 5, "it was sent again and again, each time anew"

    attempt(world, outcome, now=moments[-1])
    attempt(world, outcome, now=pg.next_check_at(world))

    (event,) = events("PayoutDelayed")
    assert (event["leg_id"], event["leg_state"]) == (world.leg_id, "ready")
    assert [leg.is_delayed for leg in queries.legs_in_monitor(only_needing_people=True)] == [True]
    assert queries.overview(now=NOW).overdue_count == 1


def test_not_found_right_after_a_send_stays_unknown() -> None:
    world = payout()
    attempt(world, Unknown("deadline"))

    assert ask(world, NotFound(), now=NOW + FLOOR - pg.SECOND) is LegState.UNKNOWN
    assert world.held() == {Account.AT_CHANNEL: "10,000", Account.IN_TRANSIT: "10,000"}


def test_not_found_past_the_floor_is_sent_again_under_the_same_number() -> None:
    world = payout()
    first = claim(world)
    record(first, Unknown("deadline"))

    assert ask(world, NotFound(), now=NOW + FLOOR) is LegState.READY
    again = claim(world, now=NOW + FLOOR)
    record(again, pg.succeeded(), now=NOW + FLOOR)

    assert again.kind is SEND
    assert again.instruction == first.instruction
    assert world.held() == {}
    assert len(events("LegSent")) == 1


def test_the_floor_counts_from_the_last_send() -> None:
    world = payout()
    attempt(world, Unknown("deadline"))
    ask(world, NotFound(), now=NOW + FLOOR)
    attempt(world, Unknown("deadline"), now=NOW + FLOOR)

    assert ask(world, NotFound(), now=NOW + FLOOR + MINUTE) is LegState.UNKNOWN


def test_what_was_accepted_is_not_sent_again_though_the_channel_forgets_it() -> None:
    world = payout()
    attempt(world, Accepted("SIM0001"))

    assert ask(world, NotFound(), now=NOW + FLOOR) is LegState.UNKNOWN
    assert ask(world, NotFound(), now=NOW + 3 * FLOOR) is LegState.UNKNOWN


def test_what_waited_until_its_channel_forgot_numbers_is_asked_about_before_it_is_sent_again() -> (
    None
):
    """Not found in time, and then stopped by people: an earlier send may have arrived after all."""
    world = payout()
    attempt(world, Unknown("deadline"))
    assert ask(world, NotFound(), now=NOW + FLOOR) is LegState.READY
    forgotten = NOW + pg.CAPABILITIES.resend_window

    assert ask(world, NotFound(), now=forgotten) is LegState.READY
    assert claim(world, now=forgotten).kind is SEND

    found = payout(application_id="rfa_2")
    attempt(found, FailedDefinite("NOT_ENOUGH", same_key_retry_ok=True))
    assert claim(found, now=forgotten - pg.SECOND).kind is SEND

    known = payout(application_id="rfa_3")
    attempt(known, Unknown("deadline"))
    ask(known, NotFound(), now=NOW + FLOOR)
    assert ask(known, pg.succeeded(NOW), now=forgotten) is LegState.PAID
    assert [kind for kind in known.kinds() if kind is SEND] == [SEND]


@pytest.mark.parametrize(
    "outcome", [FailedDefinite("NOT_ENOUGH", same_key_retry_ok=True), Unknown("deadline")]
)
def test_what_was_asked_about_after_its_channel_forgot_numbers_is_not_asked_about_for_ever(
    outcome: Outcome,
) -> None:
    """The long run, seed 4204: the first send had no effect, and the second one neither."""
    world = payout()
    attempt(world, Unknown("deadline"))
    ask(world, NotFound(), now=NOW + FLOOR)
    forgotten = NOW + pg.CAPABILITIES.resend_window
    ask(world, NotFound(), now=forgotten)
    assert attempt(world, outcome, now=forgotten) is LegState.UNKNOWN

    assert ask(world, NotFound(), now=forgotten + MINUTE) is LegState.UNKNOWN
    assert ask(world, NotFound(), now=forgotten + FLOOR) is LegState.READY

    assert attempt(world, pg.succeeded(), now=pg.next_check_at(world)) is LegState.PAID
    assert [kind for kind in world.kinds() if kind is SEND] == [SEND, SEND, SEND]


def test_a_doubt_of_after_the_channels_word_still_ends_when_it_forgets() -> None:
    """What was sent since the channel was asked, nobody has asked about in time."""
    world = payout()
    attempt(world, Unknown("deadline"))
    ask(world, NotFound(), now=NOW + FLOOR)
    forgotten = NOW + pg.CAPABILITIES.resend_window
    ask(world, NotFound(), now=forgotten)
    attempt(world, Unknown("deadline"), now=forgotten)

    again = forgotten + pg.CAPABILITIES.resend_window
    assert ask(world, NotFound(), now=again) is LegState.UNKNOWN


def test_a_hold_does_not_make_a_channel_remember_what_it_may_have_paid_and_forgotten() -> None:
    """Asked for the first time after it forgets: its word clears a restore, not the send itself."""
    world = payout()
    attempt(world, Unknown("deadline"))
    forgotten = NOW + pg.CAPABILITIES.resend_window
    operations.hold_sending(reason="A restore.", actor=given.reviewer(), now=forgotten)

    for times in (1, 2, 3):
        assert ask(world, NotFound(), now=forgotten + times * FLOOR) is LegState.UNKNOWN
    assert world.kinds().count(SEND) == 1


def test_a_number_is_not_sent_again_when_the_channel_has_forgotten_all_numbers() -> None:
    world = payout()
    attempt(world, Unknown("deadline"))
    later = NOW + pg.CAPABILITIES.resend_window

    assert ask(world, NotFound(), now=later) is LegState.UNKNOWN


def test_sends_that_had_no_effect_do_not_use_up_the_channels_memory() -> None:
    world = payout()
    attempt(world, RejectedConfig("NOT_PERMITTED"))
    later = NOW + pg.CAPABILITIES.resend_window
    attempt(world, Unknown("timeout"), now=later)

    state = attempt(world, NotFound(), now=later + FLOOR)

    assert state is LegState.READY
    assert claim(world, now=later + FLOOR).kind is SEND


def test_nothing_sent_is_sent_again_under_the_same_number() -> None:
    world = payout()
    first = claim(world)

    assert record(first, NotSent("connect_error")) is LegState.READY
    again = claim(world, now=LATER + MINUTE)
    record(again, pg.succeeded())

    assert (again.kind, again.instruction) == (SEND, first.instruction)
    assert world.held() == {}


def test_a_query_that_was_not_sent_says_nothing() -> None:
    world = payout()
    attempt(world, Unknown("deadline"))

    assert ask(world, NotSent("connect_error"), now=LATER) is LegState.UNKNOWN


def test_a_passing_refusal_is_sent_again_under_the_same_number() -> None:
    world = payout()
    first = claim(world)

    assert record(first, FailedDefinite("NOT_ENOUGH", same_key_retry_ok=True)) is LegState.READY
    assert world.held() == {Account.AT_CHANNEL: "10,000", Account.IN_TRANSIT: "10,000"}
    again = claim(world, now=LATER + MINUTE)
    assert (again.kind, again.instruction) == (SEND, first.instruction)


def test_a_definite_failure_freezes_the_money_again() -> None:
    world = payout()

    assert attempt(world, FailedDefinite("ACCOUNT_CLOSED")) is LegState.FAILED

    assert world.held() == {Account.AT_CHANNEL: "10,000", Account.FROZEN: "10,000"}
    assert queries.payout_of_application(world.application_id).state is PayoutState.NEEDS_REPAIR
    (event,) = events("LegFailed")
    assert event["code"] == "ACCOUNT_CLOSED"
    assert queries.due_legs(now=NOW + 100 * given.DAY) == []


def test_a_refused_resend_is_asked_about_since_the_first_may_have_arrived() -> None:
    world = payout()
    attempt(world, Unknown("deadline"))
    ask(world, NotFound(), now=NOW + FLOOR)

    refused_at = NOW + FLOOR
    assert attempt(world, FailedDefinite("ACCOUNT_CLOSED"), now=refused_at) is LegState.UNKNOWN
    assert ask(world, NotFound(), now=refused_at + MINUTE) is LegState.UNKNOWN
    assert ask(world, NotFound(), now=refused_at + FLOOR) is LegState.FAILED
    assert world.legs[0].code == "ACCOUNT_CLOSED"
    assert world.held() == {Account.AT_CHANNEL: "10,000", Account.FROZEN: "10,000"}


def test_a_refused_resend_whose_first_send_arrived_is_paid() -> None:
    world = payout()
    attempt(world, Unknown("deadline"))
    ask(world, NotFound(), now=NOW + FLOOR)
    attempt(world, FailedDefinite("ACCOUNT_CLOSED"), now=NOW + FLOOR)

    assert ask(world, pg.succeeded(), now=NOW + FLOOR + MINUTE) is LegState.PAID
    assert world.held() == {}


def test_money_that_comes_back_is_frozen_again() -> None:
    world = payout()
    attempt(world, pg.succeeded())
    weeks_later = NOW + 20 * given.DAY

    assert ask(world, pg.returned(weeks_later), now=weeks_later) is LegState.RETURNED

    assert world.held() == {Account.AT_CHANNEL: "10,000", Account.FROZEN: "10,000"}
    progress = queries.payout_of_application(world.application_id)
    assert progress.state is PayoutState.NEEDS_REPAIR
    assert progress.legs[0].returned_at == weeks_later
    assert deposit(world.shop.account_id).lots[0].reserved == yuan("10,000")
    assert len(events("LegReturned")) == 1


def test_paid_and_returned_seen_at_once_posts_both() -> None:
    world = payout()
    attempt(world, Unknown("deadline"))

    assert ask(world, pg.returned(), now=LATER) is LegState.RETURNED
    assert world.held() == {Account.AT_CHANNEL: "10,000", Account.FROZEN: "10,000"}


def test_a_channel_that_calls_a_return_a_failure_is_understood() -> None:
    world = payout()
    attempt(world, pg.succeeded())

    assert ask(world, FailedDefinite("BOUNCED"), now=NOW + given.DAY) is LegState.RETURNED


@pytest.mark.parametrize(
    "outcome", [NotFound(), Unknown("deadline"), Accepted("SIM0001"), NotSent("connect_error")]
)
def test_a_paid_leg_stays_paid_whatever_a_channel_mutters(outcome: Outcome) -> None:
    world = payout()
    attempt(world, pg.succeeded())

    assert ask(world, outcome, now=NOW + given.DAY) is LegState.PAID


def test_a_paid_leg_is_watched_until_nothing_can_come_back() -> None:
    world = payout()
    attempt(world, pg.succeeded())

    assert pg.next_check_at(world) == NOW + given.DAY
    end = NOW + pg.CAPABILITIES.return_window
    ask(world, pg.succeeded(), now=end)
    assert queries.leg(world.leg_id).next_check_at is None


@pytest.mark.parametrize(
    "outcome", [NotSent("connect_error"), Unknown("deadline"), RejectedConfig("SIGN_ERROR")]
)
def test_a_look_at_a_paid_leg_that_was_not_answered_is_made_again_soon(
    outcome: Outcome,
) -> None:
    world = payout()
    attempt(world, pg.succeeded())
    end = NOW + pg.CAPABILITIES.return_window

    assert ask(world, outcome, now=end) is LegState.PAID

    assert pg.next_check_at(world) == end + pg.PACE.check_delays[-1]


def test_watching_paid_legs_holds_up_nobody() -> None:
    paid = payout(application_id="rfa_1")
    attempt(paid, pg.succeeded())
    waiting = payout(application_id="rfa_2", now=NOW + 2 * given.DAY)
    later = NOW + 3 * given.DAY

    assert queries.due_legs(now=later) == [waiting.leg_id, paid.leg_id]
    assert queries.due_legs(now=later, limit=1) == [waiting.leg_id]


# ---------------------------------------------------------------- repair, cancel


def test_a_failed_leg_is_repaired_under_a_new_number() -> None:
    world = payout()
    old = claim(world)
    record(old, FailedDefinite("ACCOUNT_CLOSED"))
    there = given.destination(world.shop).destination_id
    repair = {
        "leg_id": old.leg_id,
        "destination_id": there,
        "approval_hash": "two others",
        "now": LATER,
    }

    newer = operations.repair_leg(**repair)
    assert operations.repair_leg(**repair) == newer
    taken = claim(world, now=LATER)
    record(taken, pg.succeeded(), now=LATER)

    assert taken.leg_id == newer
    assert taken.instruction.number != old.instruction.number
    assert isinstance(taken.instruction.target, PayeeAccount)
    assert world.held() == {}
    assert [leg.is_replaced for leg in world.legs] == [True, False]
    assert queries.payout_of_application(world.application_id).state is PayoutState.PAID


def test_a_returned_leg_is_repaired_too() -> None:
    world = payout(route_open=False)
    attempt(world, pg.succeeded())
    ask(world, pg.returned(NOW + given.DAY), now=NOW + given.DAY)
    there = given.destination(world.shop, number="11050163870000000123")

    with transaction.atomic():
        operations.repair_leg(
            leg_id=world.leg_id,
            destination_id=there.destination_id,
            approval_hash="two others",
            now=NOW + given.DAY,
        )
    attempt(world, pg.succeeded(), now=NOW + given.DAY)

    assert world.held() == {}
    assert len(events("PayoutPaid")) == 2


def test_a_leg_is_not_repaired_while_another_of_its_payment_is_under_way() -> None:
    world = payout("¥3,000")
    attempt(world, pg.succeeded())
    other = pg.payout_of(world.shop, "¥4,000", application_id="rfa_2", now=LATER)
    ask(world, pg.returned(NOW + given.DAY), now=NOW + given.DAY)
    repair = {
        "leg_id": world.leg_id,
        "destination_id": given.destination(world.shop).destination_id,
        "approval_hash": "two others",
        "now": NOW + given.DAY,
    }

    with given.nothing_moves(*PAYOUT_TABLES), pytest.raises(LotUnderWay), transaction.atomic():
        operations.repair_leg(**repair)

    attempt(other, pg.succeeded(), now=NOW + given.DAY)
    assert operations.repair_leg(**repair) != repair["leg_id"]


@pytest.mark.parametrize(
    "outcome",
    [Unknown("deadline"), Accepted("S"), pg.succeeded(), NotSent("connect_error"), None],
    ids=lambda outcome: type(outcome).__name__,
)
def test_a_leg_that_may_still_be_paid_is_not_repaired(outcome: Outcome | None) -> None:
    world = payout()
    if outcome is not None:
        attempt(world, outcome)
    there = given.destination(world.shop).destination_id

    with given.nothing_moves(*PAYOUT_TABLES), pytest.raises(LegNotRepairable):
        operations.repair_leg(
            leg_id=world.leg_id, destination_id=there, approval_hash="two others", now=NOW
        )


def test_a_repair_needs_its_approval_and_happens_once() -> None:
    world = payout()
    attempt(world, FailedDefinite("ACCOUNT_CLOSED"))
    there = given.destination(world.shop).destination_id
    repair = {"leg_id": world.leg_id, "destination_id": there, "now": NOW}

    with given.nothing_moves(*PAYOUT_TABLES), pytest.raises(ApprovalMissing):
        operations.repair_leg(**repair, approval_hash="")
    operations.repair_leg(**repair, approval_hash="two others")
    with given.nothing_moves(*PAYOUT_TABLES), pytest.raises(LegReplaced):
        operations.repair_leg(**repair, approval_hash="two more")
    with pytest.raises(LegUnknown):
        operations.repair_leg(**{**repair, "leg_id": "leg_x"}, approval_hash="two others")


def test_a_payout_is_called_off_while_nothing_was_sent() -> None:
    world = payout()

    operations.cancel_payout(application_id=world.application_id, now=NOW)
    operations.cancel_payout(application_id=world.application_id, now=NOW)

    assert world.state is LegState.CANCELLED
    assert queries.due_legs(now=NOW + given.DAY) == []
    assert deposit(world.shop.account_id).lots[0].reserved == yuan("0")
    with pytest.raises(PayoutUnknown):
        operations.cancel_payout(application_id="rfa_nobody", now=NOW)


@pytest.mark.parametrize("outcome", [None, NotSent("connect_error"), Unknown("deadline")])
def test_a_payout_that_was_sent_is_not_called_off(outcome: Outcome | None) -> None:
    world = payout()
    taken = claim(world)
    if outcome is not None:
        record(taken, outcome)

    with given.nothing_moves(*PAYOUT_TABLES), pytest.raises(PayoutUnderWay):
        operations.cancel_payout(application_id=world.application_id, now=NOW)


# ---------------------------------------------------------------- people and queries


def test_a_person_can_have_the_channel_asked_now_but_not_have_it_sent() -> None:
    waiting, sent = payout(), payout(application_id="rfa_2")
    attempt(sent, Unknown("deadline"))

    assert operations.request_query_now(leg_id=sent.leg_id, actor=given.reviewer(), now=NOW) is True
    assert (
        operations.request_query_now(leg_id=waiting.leg_id, actor=given.reviewer(), now=NOW)
        is False
    )
    assert claim(sent).kind is QUERY
    with pytest.raises(LegUnknown):
        operations.request_query_now(leg_id="leg_x", actor=given.reviewer(), now=NOW)


def test_asking_now_does_not_break_a_lease() -> None:
    world = payout()
    attempt(world, Unknown("deadline"))
    claim(world, now=LATER)

    operations.request_query_now(leg_id=world.leg_id, actor=given.reviewer(), now=LATER)

    assert queries.due_legs(now=LATER) == []
    assert operations.claim_leg(leg_id=world.leg_id, pace=PACE, now=LATER) is None


def test_a_leg_set_aside_rests_until_a_person_releases_it() -> None:
    world = payout()
    operations.set_leg_aside(leg_id=world.leg_id, reason="SealBroken", now=NOW)

    assert queries.due_legs(now=LATER) == []
    assert operations.claim_leg(leg_id=world.leg_id, pace=PACE, now=LATER) is None
    assert queries.overview(now=LATER).set_aside_count == 1
    (event,) = events("PayoutDelayed")
    assert event["reason"] == "set_aside"
    operations.release_leg(
        leg_id=world.leg_id, actor=given.reviewer(), reason="The row was mended.", now=LATER
    )
    assert claim(world, now=LATER).kind is SEND


def test_the_overview_counts_by_channel_and_state() -> None:
    unknown, waiting = payout("¥10,000"), payout("¥4,000", application_id="rfa_2")
    attempt(unknown, Unknown("deadline"))

    overview = queries.overview(now=NOW)

    counts = {(c.channel, c.state): (c.legs_count, c.amount) for c in overview.counts}
    assert counts == {
        (given.CHANNEL, LegState.UNKNOWN): (1, yuan("10,000")),
        (given.CHANNEL, LegState.READY): (1, yuan("4,000")),
    }
    assert overview.oldest_unknown_since == NOW
    assert (overview.due_count, overview.due_since) == (1, NOW)
    assert [leg.leg_id for leg in queries.legs_in_monitor(states=[LegState.READY])] == [
        waiting.leg_id
    ]


def test_legs_and_books_tell_the_same_story(raw_sql) -> None:
    world = payout()
    assert queries.differences() == []
    claim(world)
    assert queries.differences() == []

    tamper(raw_sql, "UPDATE payouts_leg SET state = 'paid', settled_at = now()")
    assert len(queries.differences()) == 1


# ---------------------------------------------------------------- the whole attempt


@pytest.mark.django_db(transaction=True)
def test_an_attempt_is_carried_out_from_claim_to_record() -> None:
    world = payout()
    channel = pg.ScriptedChannel(lambda kind, _: pg.succeeded() if kind is QUERY else Unknown("x"))
    carry_out = {
        "leg_id": world.leg_id,
        "channels": Channels({channel.name: channel}),
        "pace": PACE,
    }

    assert operations.carry_out_leg(**carry_out, clock=lambda: NOW) is LegState.UNKNOWN
    assert operations.carry_out_leg(**carry_out, clock=lambda: NOW) is None
    assert operations.carry_out_leg(**carry_out, clock=lambda: LATER) is LegState.PAID

    assert [kind for kind, _ in channel.calls] == [SEND, QUERY]
    assert len({instruction for _, instruction in channel.calls}) == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_slept_after_its_claim_does_not_send() -> None:
    world = payout()
    channel = pg.ScriptedChannel(lambda *_: pg.succeeded())
    moments = iter([NOW, NOW + PACE.lease - PACE.call_deadline, NOW + PACE.lease])

    state = operations.carry_out_leg(
        leg_id=world.leg_id,
        channels=Channels({channel.name: channel}),
        pace=PACE,
        clock=lambda: next(moments),
    )

    assert state is LegState.READY
    assert channel.calls == []


@pytest.mark.django_db(transaction=True)
def test_a_channel_that_refuses_us_is_stopped() -> None:
    world = payout()
    channel = pg.ScriptedChannel(lambda *_: RejectedConfig("NOT_PERMITTED"))

    state = operations.carry_out_leg(
        leg_id=world.leg_id,
        channels=Channels({channel.name: channel}),
        pace=PACE,
        clock=lambda: NOW,
    )

    assert state is LegState.READY
    (switch,) = queries.kill_switches()
    assert (switch.channel, switch.is_stopped) == (channel.name, True)
    assert switch.set_by == Actor.system("payouts.rejected_config").id
    assert queries.due_legs(now=NOW + given.DAY) == []
    assert len(events("SendingStopped")) == 1


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_channel_is_called() -> None:
    world = payout()
    channel = pg.ScriptedChannel(lambda *_: pg.succeeded())

    with transaction.atomic(), pytest.raises((InvariantViolated, RuntimeError)):
        operations.carry_out_leg(
            leg_id=world.leg_id,
            channels=Channels({channel.name: channel}),
            pace=PACE,
            clock=lambda: NOW,
        )
    assert channel.calls == []


def test_what_is_due_at_the_same_moment_is_due_in_the_order_in_which_it_was_made(
    raw_sql: Callable[..., None],
) -> None:
    """Wherever its rows lie: a simulated year must be the same beside a busy neighbour."""
    worlds = [payout(application_id=f"rfa_due_{number}") for number in range(3)]
    for moved in ("next_check_at + interval '1 day'", "next_check_at - interval '1 day'"):
        raw_sql(
            f"UPDATE payouts_leg SET next_check_at = {moved} WHERE public_id = %s",
            [worlds[0].leg_id],
        )

    raw_sql("SET LOCAL enable_indexscan = off")
    raw_sql("SET LOCAL enable_bitmapscan = off")

    assert queries.due_legs(now=NOW) == [world.leg_id for world in worlds]
    assert queries.due_legs(now=NOW, limit=1) == [worlds[0].leg_id]
