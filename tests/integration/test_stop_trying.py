"""What its channel refuses again and again: it is tried until a person says that it is not paid so."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from kuaitui.accounts.types import Role
from kuaitui.audit.queries import events_of
from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NotFound,
    NotSent,
    Outcome,
    RejectedConfig,
    Unknown,
)
from kuaitui.deposits.queries import differences as deposits_apart
from kuaitui.kernel.errors import Refusal
from kuaitui.kit.models import OutboxRow
from kuaitui.ledger.types import Account
from kuaitui.payouts import operations, queries
from kuaitui.payouts.errors import (
    LegNotRefused,
    LegUnknown,
    PayoutBeingAskedBack,
    ReasonMissing,
)
from kuaitui.payouts.models import BatchLeg
from kuaitui.payouts.states import LegState, PayoutState
from tests.support import batches_given as bg
from tests.support import given
from tests.support import payouts_given as pg
from tests.support.clock import standing_at
from tests.support.console_given import desk
from tests.support.given import NOW
from tests.support.payouts_given import FLOOR, MINUTE, PACE, World, attempt, payout

pytestmark = pytest.mark.django_db
TABLES = ("payouts_payout", "payouts_leg", "payouts_attempt", "ledger_journal")
REFUSED = FailedDefinite("PARAM_ERROR", same_key_retry_ok=True)
LATE = NOW + PACE.alarm_after
REASON = "WeChat Pay does not know this openid."


def refused_for_hours() -> World:
    """A part that its channel has refused twice, hours apart; people were called."""
    world = payout()
    assert attempt(world, REFUSED) is LegState.READY
    assert attempt(world, REFUSED, now=LATE) is LegState.READY
    return world


def stop(world: World, **changes: object) -> None:
    word = {"leg_id": world.leg_id, "reason": REASON, "actor": given.reviewer()}
    operations.stop_trying(**{**word, "now": LATE + MINUTE, **changes})


def may_be_stopped(world: World) -> bool:
    return queries.openings(world.leg_id, now=LATE + MINUTE).can_stop_trying


def is_not_stopped(world: World, refusal: type[Refusal] = LegNotRefused, **changes: object) -> None:
    with given.nothing_moves(*TABLES), pytest.raises(refusal):
        stop(world, **changes)


def test_a_person_ends_it_and_the_money_is_set_aside_again() -> None:
    world = refused_for_hours()
    assert may_be_stopped(world)
    assert world.held() == {Account.AT_CHANNEL: "10,000", Account.IN_TRANSIT: "10,000"}

    stop(world)

    assert (world.state, world.legs[0].code) == (LegState.FAILED, "PARAM_ERROR")
    assert world.held() == {Account.AT_CHANNEL: "10,000", Account.FROZEN: "10,000"}
    assert queries.payout_of_application(world.application_id).state is PayoutState.NEEDS_REPAIR
    (news,) = OutboxRow.objects.filter(event="payouts.LegFailed")
    assert news.payload["code"] == "PARAM_ERROR"
    last = events_of(world.leg_id)[-1]
    assert (last.action, last.details["reason"]) == ("payout.stopped_trying", REASON)
    assert queries.differences() == []
    assert deposits_apart() == []
    is_not_stopped(world)


def test_it_is_never_sent_again_under_its_number() -> None:
    world = refused_for_hours()
    stop(world)

    later = LATE + given.DAY
    assert operations.claim_leg(leg_id=world.leg_id, pace=PACE, now=later) is None
    operations.repair_leg(
        leg_id=world.leg_id,
        destination_id=given.destination(world.shop).destination_id,
        approval_hash="two others",
        now=later,
    )
    old, new = queries.payout_of_application(world.application_id).legs
    assert queries.leg(old.leg_id).channel_number != queries.leg(new.leg_id).channel_number
    assert attempt(world, pg.succeeded(later), now=later) is LegState.PAID
    assert world.held() == {}


def test_it_is_not_ended_before_people_were_called() -> None:
    world = payout()
    attempt(world, REFUSED)

    is_not_stopped(world, now=NOW + MINUTE)


@pytest.mark.parametrize(
    "last",
    [
        Accepted("1"), Unknown("deadline"), pg.succeeded(LATE), NotSent("no connection"),
        RejectedConfig("NO_AUTH"),
    ],
    ids=["accepted", "unknown", "paid", "not sent", "refused as a whole"],
)  # fmt: skip
def test_only_what_was_refused_by_the_last_word_is_ended(last: Outcome) -> None:
    world = payout()
    attempt(world, REFUSED)
    attempt(world, last, now=LATE)

    is_not_stopped(world)


def test_what_is_being_sent_is_not_ended() -> None:
    world = refused_for_hours()
    claimed = pg.claim(world, now=LATE + FLOOR)

    is_not_stopped(world)
    assert pg.record(claimed, pg.succeeded(LATE), now=LATE + FLOOR) is LegState.PAID


def test_a_send_without_an_answer_before_it_keeps_it_from_being_ended() -> None:
    """It was not found and sent again; that this was refused does not say that the first was not."""
    world = payout()
    attempt(world, Unknown("deadline"))
    attempt(world, NotFound(), now=NOW + FLOOR)
    attempt(world, REFUSED, now=LATE)

    assert world.state is LegState.UNKNOWN
    is_not_stopped(world)


def refused_in_doubt() -> tuple[World, dt.datetime]:
    """The same, when later its channel does not know the number, asked after its floor."""
    world = payout()
    attempt(world, Unknown("deadline"))
    attempt(world, NotFound(), now=NOW + FLOOR)
    attempt(world, REFUSED, now=LATE)
    asked_at = LATE + FLOOR
    assert attempt(world, NotFound(), now=asked_at) is LegState.READY
    return world, asked_at


def test_once_its_channel_does_not_know_the_number_it_can_be_ended() -> None:
    world, asked_at = refused_in_doubt()
    assert pg.next_check_at(world) - asked_at >= PACE.check_delays[0]

    stop(world, now=asked_at)

    assert (world.state, world.legs[0].code) == (LegState.FAILED, "PARAM_ERROR")
    assert world.held() == {Account.AT_CHANNEL: "10,000", Account.FROZEN: "10,000"}
    assert queries.differences() == []


def test_what_its_channel_may_have_forgotten_is_not_ended_by_one_person() -> None:
    world, _ = refused_in_doubt()

    is_not_stopped(world, now=NOW + pg.CAPABILITIES.resend_window)


def test_after_a_restore_it_is_asked_about_first() -> None:
    world = refused_for_hours()
    held_at = LATE + MINUTE
    operations.hold_sending(reason="The disk is new.", actor=given.approver(), now=held_at)
    is_not_stopped(world, PayoutBeingAskedBack, now=held_at)

    assert attempt(world, Unknown("deadline"), now=held_at + MINUTE) is LegState.READY
    is_not_stopped(world, PayoutBeingAskedBack, now=held_at + MINUTE)
    assert not may_be_stopped(world)


def test_what_was_set_aside_over_a_restore_is_asked_about_before_it_is_ended() -> None:
    """The hold is over, for what is set aside keeps nobody waiting; nobody has asked about it yet."""
    world = refused_for_hours()
    operations.set_leg_aside(leg_id=world.leg_id, reason="drill", now=LATE)
    operations.hold_sending(reason="The disk is new.", actor=given.approver(), now=LATE)
    operations.propose_release(finding="All asked.", actor=given.reviewer(), now=LATE + MINUTE)
    operations.confirm_release(actor=given.approver(), now=LATE + MINUTE)
    operations.release_leg(
        leg_id=world.leg_id, actor=given.approver(), reason="Over.", now=LATE + MINUTE
    )

    is_not_stopped(world)


def test_it_leaves_the_batch_that_it_was_gathered_for_again(settings: Any) -> None:
    """Or nobody could release that batch: one of its parts could not be sent any more."""
    bg.bank_in_settings(settings)
    bank, world = bg.bank(settings), bg.waiting()
    for now in (NOW, LATE):
        bg.released(bank, now=now)
        assert attempt(world, REFUSED, now=now) is LegState.READY
    batch_id = operations.build_batch(channel=bank, actor=given.reviewer(), now=LATE)
    assert [leg.leg_id for leg in queries.legs_of_batch(batch_id)] == [world.leg_id]

    stop(world)

    assert not BatchLeg.objects.filter(leg__public_id=world.leg_id, left_at=None).exists()
    assert queries.differences() == []


def test_somebody_says_why() -> None:
    world = refused_for_hours()

    is_not_stopped(world, ReasonMissing, reason=" ")
    is_not_stopped(world, LegUnknown, leg_id="leg_0")


def test_what_was_set_aside_is_for_an_approver_first() -> None:
    world = refused_for_hours()
    operations.set_leg_aside(leg_id=world.leg_id, reason="drill", now=LATE)

    is_not_stopped(world)


def test_a_reviewer_ends_it_on_its_page() -> None:
    world = refused_for_hours()
    with standing_at(LATE + MINUTE):
        reviewer = desk(Role.REVIEWER)
        page = f"/console/payouts/{world.leg_id}"
        assert "Its channel refuses it for now" in reviewer.get(page).content.decode()

        empty = reviewer.post(f"{page}/stop-trying", {"reason": ""})
        assert empty.status_code == 422
        done = reviewer.post(f"{page}/stop-trying", {"reason": REASON}, follow=True)

    assert "It is not tried any more." in done.content.decode()
    assert world.state is LegState.FAILED


def test_an_auditor_reads_it_and_cannot_end_it() -> None:
    world = refused_for_hours()
    with standing_at(LATE + MINUTE):
        seen = desk(Role.AUDITOR).get(f"/console/payouts/{world.leg_id}").content.decode()

    assert "Its channel refuses it for now" in seen
    assert "Stop trying this way" not in seen
