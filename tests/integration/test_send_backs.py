"""A payment in suspense goes back once: under one number, asked about before it is sent again."""

from __future__ import annotations

import datetime as dt

import pytest

from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NeededAction,
    NeedsAction,
    NotFound,
    NotSent,
    OriginalPayment,
    Returned,
    Succeeded,
    Unknown,
)
from kuaitui.deposits import queries
from kuaitui.deposits.states import SuspenseState
from kuaitui.kernel.errors import Refusal
from kuaitui.kit import outbox
from kuaitui.ledger import queries as ledger
from kuaitui.payouts import operations
from kuaitui.payouts.errors import ReasonMissing, SendBackUnknown
from kuaitui.payouts.queries import due_send_backs, send_backs_of, send_backs_set_aside
from kuaitui.payouts.queries.limits import balance_left
from kuaitui.payouts.rules import send_back_number
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind, BalanceSource, LimitScope
from tests.support import given
from tests.support import pay_ins_given as pig
from tests.support import payouts_given as pg
from tests.support import send_backs_given as sbg
from tests.support.given import nothing_moves

pytestmark = pytest.mark.django_db
FLOOR = pig.CAPABILITIES.not_found_floor
SET_ASIDE, GONE = (30_000, 30_000), (0, 0)


@pytest.fixture
def made() -> sbg.World:
    return sbg.ordered()


def nothing_differs() -> bool:
    return not (ledger.differences() or queries.differences() or queries.suspense_differences())


def test_the_news_of_the_order_sets_it_on_its_way_once() -> None:
    made = pig.paid()
    made.hint()
    made.channel_says(made.payment(reference="SECOND"))
    (case,) = queries.suspense_cases()

    sbg.order_back(case.suspense_id, now=made.now)
    while outbox.deliver_due(now=made.now):
        pass
    assert operations.begin_send_back(suspense_id=case.suspense_id, now=made.now) is None

    (back,) = send_backs_of(case.suspense_id)
    assert (back.amount, back.state) == (case.amount, LegState.READY)
    assert due_send_backs(now=made.now) == [back.send_back_id]


def test_nothing_is_begun_that_two_people_did_not_order() -> None:
    made = pig.paid()
    made.hint()
    made.channel_says(made.payment(reference="SECOND"))
    (case,) = queries.suspense_cases()

    with nothing_moves(*sbg.TABLES):
        assert operations.begin_send_back(suspense_id=case.suspense_id, now=made.now) is None


def test_the_whole_payment_goes_back_along_itself_under_a_number_that_follows_from_it(
    made: sbg.World,
) -> None:
    taken = sbg.claim(made.send_back_id, now=made.now)

    assert taken is not None
    amount, reference = made.case.amount, made.case.reference
    assert taken.instruction.target == OriginalPayment(reference, amount)
    assert taken.instruction.amount == amount
    assert taken.instruction.number == send_back_number(made.case.channel, reference, nth=1)
    assert taken.instruction.number.isalnum()
    assert len(taken.instruction.number) <= 32


def test_paid_closes_the_case_and_its_book_comes_back_to_zero(made: sbg.World) -> None:
    assert made.book == SET_ASIDE

    assert made.channel_says(Accepted("R")) is LegState.ACCEPTED
    assert made.book == SET_ASIDE, "accepted is not arrived"
    assert made.channel_says(Succeeded("R", made.now)) is LegState.PAID

    assert made.case.state is SuspenseState.SENT_BACK
    assert made.case.refund_reference == made.view.number
    assert made.book == GONE
    assert nothing_differs()


def test_an_answer_that_was_lost_is_asked_for_and_nothing_is_sent_twice(made: sbg.World) -> None:
    made.channel_says(Unknown("deadline"))
    made.channel_says(Unknown("deadline"))
    made.channel_says(Succeeded("R", made.now))

    assert made.kinds() == ["send", "query", "query"]
    assert made.book == GONE


def test_what_the_channel_does_not_know_is_sent_again_past_its_floor_under_the_same_number(
    made: sbg.World,
) -> None:
    number = made.view.number
    made.channel_says(Unknown("deadline"))
    assert made.channel_says(NotFound()) is LegState.UNKNOWN, "it may still arrive there"
    made.now += FLOOR

    assert made.channel_says(NotFound()) is LegState.READY
    made.channel_says(Succeeded("R", made.now))

    assert made.kinds() == ["send", "query", "query", "send"]
    assert made.view.number == number


def test_a_worker_that_died_is_asked_after_and_comes_back_too_late(made: sbg.World) -> None:
    dead = sbg.claim(made.send_back_id, now=made.now)
    assert sbg.claim(made.send_back_id, now=made.now) is None, "somebody has it"
    made.channel_says(Succeeded("R", made.now))

    with nothing_moves(*sbg.TABLES):
        assert sbg.record(dead, Succeeded("R", made.now), now=made.now) is None

    assert made.kinds() == ["send", "query"]
    assert made.book == GONE


@pytest.mark.parametrize(
    "answer",
    [FailedDefinite("NO_AUTH"), Returned("R", "CLOSED", pg.NOW)],
    ids=["refused for good", "given back by the payer's bank"],
)
def test_what_certainly_did_not_go_back_is_peoples_again(made: sbg.World, answer) -> None:
    made.channel_says(Accepted("R"))
    assert made.channel_says(answer) is LegState.FAILED

    assert made.case.state is SuspenseState.OPEN
    assert (made.case.resolution, made.case.decided_by) == (None, "")
    assert made.book == SET_ASIDE
    assert nothing_differs()
    _, reopened = outbox_events("PaymentInSuspense")
    assert reopened["suspense_id"] == made.suspense_id


def outbox_events(name: str) -> list[dict[str, object]]:
    rows = outbox.OutboxRow.objects.filter(event=f"deposits.{name}").order_by("id")
    return [row.payload for row in rows]


def test_after_a_definite_failure_two_people_may_order_it_again_under_another_number(
    made: sbg.World,
) -> None:
    first = made.view.number
    made.channel_says(FailedDefinite("NO_AUTH"))
    assert operations.begin_send_back(suspense_id=made.suspense_id, now=made.now) is None

    sbg.order_back(made.suspense_id, now=made.now)
    made.send_back_id = operations.begin_send_back(suspense_id=made.suspense_id, now=made.now) or ""
    made.channel_says(Succeeded("R", made.now))

    assert made.view.number != first
    assert made.case.state is SuspenseState.SENT_BACK
    assert made.book == GONE


@pytest.mark.parametrize("takes_back", [True, False])
def test_what_was_sent_and_cannot_go_any_more_is_asked_about_once_more(
    made: sbg.World, takes_back: bool
) -> None:
    """Its way back has closed, or its channel refunds no more."""
    made.now += pg.SECOND
    made.channel_says(Unknown("timeout"))
    while made.state is not LegState.READY:
        made.channel_says(NotFound())
    closes = made.case.refundable_until
    assert closes is not None

    now = closes if takes_back else closes - given.DAY
    asked = sbg.claim(made.send_back_id, now=now, takes_back=takes_back)

    assert asked is not None
    assert asked.kind is AttemptKind.QUERY
    sbg.record(asked, Succeeded("R", now), now=now)
    assert made.state is LegState.PAID
    assert made.case.state is SuspenseState.SENT_BACK


def test_what_was_sent_and_is_still_unknown_when_it_cannot_go_is_failed_and_open_again(
    made: sbg.World,
) -> None:
    made.now += pg.SECOND
    made.channel_says(Unknown("timeout"))
    while made.state is not LegState.READY:
        made.channel_says(NotFound())
    made.now = made.case.refundable_until or made.now

    assert made.channel_says(NotFound()) is LegState.READY
    made.wait()

    assert sbg.claim(made.send_back_id, now=made.now) is None
    assert (made.state, made.view.code) == (LegState.FAILED, "ROUTE_CLOSED")
    assert made.kinds().count("send") == 1
    assert made.case.state is SuspenseState.OPEN


def test_a_way_back_that_has_closed_fails_without_a_call_and_keeps_its_number(
    made: sbg.World,
) -> None:
    number = made.view.number
    assert made.case.refundable_until is not None
    late = made.case.refundable_until

    assert sbg.claim(made.send_back_id, now=late) is None

    assert (made.state, made.view.code, made.kinds()) == (LegState.FAILED, "ROUTE_CLOSED", [])
    assert made.case.state is SuspenseState.OPEN
    sbg.order_back(made.suspense_id, now=late)
    again = operations.begin_send_back(suspense_id=made.suspense_id, now=late)
    assert [row.number for row in sbg.rows() if row.public_id == again] == [number]


def test_a_channel_that_takes_no_payment_back_is_not_asked_to(made: sbg.World) -> None:
    assert sbg.claim(made.send_back_id, now=made.now, takes_back=False) is None

    assert (made.view.code, made.kinds()) == ("NO_WAY_BACK", [])
    assert made.case.state is SuspenseState.OPEN
    assert made.book == SET_ASIDE


def test_the_kill_switch_stops_sending_back_and_never_asking(made: sbg.World) -> None:
    pg.stop(now=made.now)
    with nothing_moves(*sbg.TABLES):
        assert sbg.claim(made.send_back_id, now=made.now) is None
    pg.resume(now=made.now)
    made.channel_says(Unknown("deadline"))
    pg.stop(now=made.now)

    assert made.channel_says(Succeeded("R", made.now)) is LegState.PAID


def test_after_a_restore_it_is_asked_about_before_it_is_sent(made: sbg.World) -> None:
    held = made.now + dt.timedelta(minutes=1)
    operations.hold_sending(reason="Restored.", actor=given.reviewer(), now=held)
    made.now = held

    assert made.channel_says(Succeeded("R", made.now)) is LegState.PAID

    assert made.kinds() == ["query"], "the channel knew a send that our books have forgotten"
    assert made.book == GONE


def test_after_a_restore_what_the_channel_does_not_know_waits_for_its_floor_and_goes(
    made: sbg.World,
) -> None:
    held = made.now + dt.timedelta(minutes=1)
    operations.hold_sending(reason="Restored.", actor=given.reviewer(), now=held)
    made.now = held
    assert made.channel_says(NotFound()) is LegState.READY
    assert made.view.next_check_at == held + FLOOR
    assert made.channel_says(NotFound()) is LegState.READY
    made.wait()
    assert sbg.claim(made.send_back_id, now=made.now) is None, "the hold stops sending"
    operations.propose_release(finding="All asked.", actor=given.reviewer(), now=made.now)
    operations.confirm_release(actor=given.approver(), now=made.now)

    made.channel_says(Succeeded("R", made.now))

    assert made.kinds() == ["query", "query", "send"]


def test_a_channel_that_waits_for_a_person_is_asked_on_and_people_are_called_in_time(
    made: sbg.World,
) -> None:
    made.channel_says(NeedsAction(NeededAction.ABNORMAL_REFUND, "R"))
    assert made.state is LegState.NEEDS_ACTION
    made.now += sbg.PACE.processing_alarm_after

    made.channel_says(NeedsAction(NeededAction.ABNORMAL_REFUND, "R"))

    assert made.view.is_delayed
    assert made.channel_says(Succeeded("R", made.now)) is LegState.PAID


def test_a_payment_that_cannot_be_sent_back_for_hours_calls_people(made: sbg.World) -> None:
    made.channel_says(NotSent("connect_error"))
    assert not made.view.is_delayed
    made.now += sbg.PACE.alarm_after

    made.channel_says(NotSent("connect_error"))

    assert (made.state, made.view.is_delayed) == (LegState.READY, True)


def test_what_waited_until_its_channel_forgot_numbers_is_asked_about_before_it_is_sent_again(
    made: sbg.World,
) -> None:
    made.now += dt.timedelta(seconds=1)
    made.channel_says(Unknown("deadline"))
    made.now += pig.CAPABILITIES.not_found_floor
    assert made.channel_says(NotFound()) is LegState.READY
    made.now += queries.ways_out().channels[given.CHANNEL].resend_window

    assert made.channel_says(NotFound()) is LegState.READY
    made.channel_says(Succeeded("R", made.now))

    assert made.kinds() == ["send", "query", "query", "send"]


def test_nothing_that_never_left_us_is_asked_about(made: sbg.World) -> None:
    assert made.channel_says(NotSent("connect_error")) is LegState.READY
    made.channel_says(Succeeded("R", made.now))

    assert made.kinds() == ["send", "send"]


def test_a_hint_brings_the_question_forward(made: sbg.World) -> None:
    made.channel_says(Accepted("R"))
    number = made.view.number

    assert operations.note_hint(channel=given.CHANNEL, number=number, now=made.now)

    assert due_send_backs(now=made.now) == [made.send_back_id]


def test_one_set_aside_rests_until_a_person_lets_it_go_on(made: sbg.World) -> None:
    for _again in range(2):
        operations.set_send_back_aside(
            send_back_id=made.send_back_id, reason="ChannelUnknown", now=made.now
        )
    assert sbg.claim(made.send_back_id, now=made.now) is None
    assert [one.suspense_id for one in send_backs_set_aside()] == [made.suspense_id]

    for _again in range(2):
        operations.release_send_back(
            send_back_id=made.send_back_id, reason="Back.", actor=given.approver(), now=made.now
        )

    assert made.channel_says(Succeeded("R", made.now)) is LegState.PAID


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [({"reason": " "}, ReasonMissing), ({"send_back_id": "sbk_nobody"}, SendBackUnknown)],
)
def test_one_set_aside_goes_on_with_a_finding_only(
    made: sbg.World, changes: dict[str, str], refusal: type[Refusal]
) -> None:
    operations.set_send_back_aside(send_back_id=made.send_back_id, reason="x", now=made.now)
    about = {"send_back_id": made.send_back_id, "reason": "Mended.", **changes}

    with nothing_moves(*sbg.TABLES), pytest.raises(refusal):
        operations.release_send_back(**about, actor=given.approver(), now=made.now)


@pytest.mark.parametrize(
    ("scope", "reason"),
    [(LimitScope.CHANNEL_LEG, "leg_limit"), (LimitScope.CHANNEL_DAY, "above_day")],
)
def test_above_a_limit_of_the_channel_it_waits_for_people(
    made: sbg.World, scope: LimitScope, reason: str
) -> None:
    pg.limit(scope, "299.99")
    assert sbg.claim(made.send_back_id, now=made.now) is None
    assert [one.set_aside_reason for one in send_backs_set_aside()] == [reason]
    assert made.kinds() == []
    pg.limit(scope, "300")
    operations.release_send_back(
        send_back_id=made.send_back_id, reason="Raised.", actor=given.approver(), now=made.now
    )

    assert made.channel_says(Succeeded("R", made.now)) is LegState.PAID


def test_what_is_sent_back_and_what_is_paid_out_share_a_channels_day(made: sbg.World) -> None:
    pg.limit(LimitScope.CHANNEL_DAY, "500")
    payout = pg.payout("¥200.01")
    made.channel_says(Unknown("deadline"))
    assert operations.claim_leg(leg_id=payout.leg_id, pace=pg.PACE, now=made.now) is None
    other = pg.payout("¥200", application_id="rfa_2")
    assert operations.claim_leg(leg_id=other.leg_id, pace=pg.PACE, now=made.now) is not None
    second = sbg.ordered(now=made.now)

    assert sbg.claim(second.send_back_id, now=made.now) is None

    assert (second.view.code, second.view.set_aside_at) == ("day_limit", None)
    second.now = made.now + given.DAY + dt.timedelta(seconds=1)
    assert second.channel_says(Succeeded("R", second.now)) is LegState.PAID


def test_below_the_floor_of_the_channels_balance_it_waits_and_what_left_is_counted(
    made: sbg.World,
) -> None:
    pg.limit(LimitScope.CHANNEL_FLOOR, "100")
    assert sbg.claim(made.send_back_id, now=made.now) is None
    assert made.view.code == "balance_unknown"
    operations.note_balance(
        channel=given.CHANNEL, balance=given.yuan("400"), as_of=made.now,
        source=BalanceSource.PERSON, actor=given.approver(), now=made.now,
    )  # fmt: skip
    made.now += dt.timedelta(minutes=10)

    made.channel_says(Succeeded("R", made.now))

    assert balance_left(channel=given.CHANNEL, currency="CNY") == 100_00
