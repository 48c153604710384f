"""Money that came back and that nobody repairs: a reminder, a date, and two people who end it."""

from __future__ import annotations

import datetime as dt

import pytest

from kuaitui.channels.port import FailedDefinite, Returned, Succeeded, Unknown
from kuaitui.deposits.queries import differences as deposits_apart
from kuaitui.notifications.queries import notices_of
from kuaitui.payouts import operations as payouts
from kuaitui.payouts.errors import MoreCameBack, PayoutBeingAskedBack, PayoutMayStillPay
from kuaitui.payouts.queries import payout_of_application
from kuaitui.payouts.states import PayoutState
from kuaitui.refunds import operations, queries
from kuaitui.refunds.errors import (
    CloseOutNeedsAnother,
    CloseOutNotProposed,
    CloseOutTooEarly,
    StaleVersion,
    StateDoesNotAllow,
    TextMissing,
)
from kuaitui.refunds.states import State
from tests.support import given, payouts_given
from tests.support.given import DAY, yuan
from tests.support.policy_documents import pack_text
from tests.support.refunds_given import LARGE, MIDDLE, TABLES, World, application

pytestmark = pytest.mark.django_db

REMINDED_AFTER, CLOSABLE_AFTER = 14 * DAY, 90 * DAY
A_MOMENT = dt.timedelta(microseconds=1)


def closable(deposit: str | tuple[str, ...] = MIDDLE, **shop: object) -> World:
    """Money that came back, after the seller's time for another account."""
    made = application(State.RETURNED, deposit, **shop)
    made.let_repair_time_pass()
    return made


def in_two_parts(*outcomes: object, deposit: tuple[str, str] = ("¥2,000", "¥3,000")) -> World:
    """A payout of two parts, and what became of each."""
    made = application(State.PAYING, deposit)
    legs = payout_of_application(made.application_id).legs
    for leg, outcome in zip(legs, outcomes, strict=True):
        made.channel_answers(outcome, leg_id=leg.leg_id)
    return made


def everything_agrees() -> bool:
    return queries.differences() == [] and deposits_apart() == []


# Until when, and the reminder


def test_money_that_came_back_says_until_when_another_account_is_awaited() -> None:
    made = application(State.RETURNED)

    assert made.view.due_at is not None
    assert CLOSABLE_AFTER <= made.view.due_at - made.now <= CLOSABLE_AFTER + DAY
    assert made.view.may_be_closed_out_from == made.view.due_at
    made.let_repair_time_pass()
    assert not made.view.is_late, "it is the seller's turn, whose money it is"


def test_the_seller_is_reminded_once() -> None:
    made = application(State.RETURNED)
    due_at = made.view.due_at
    operations.sweep_due(now=made.now + REMINDED_AFTER - DAY)
    assert "repair_reminded" not in made.codes

    made.now += REMINDED_AFTER + DAY
    for _ in range(2):
        operations.sweep_due(now=made.now)
    made.deliver()

    assert made.codes.count("repair_reminded") == 1
    codes = [notice.code for notice in notices_of(shop_key=made.shop.shop_key)]
    assert codes.count("application.repair_reminded") == 1
    assert (made.state, made.view.due_at) == (State.RETURNED, due_at)


def test_whoever_names_another_account_is_not_reminded() -> None:
    made = application(State.DESTINATION_REPAIRED)

    operations.sweep_due(now=made.now + REMINDED_AFTER + DAY)

    assert "repair_reminded" not in made.codes


def test_the_time_begins_anew_when_an_account_is_refused() -> None:
    made = application(State.RETURNED)
    first = made.view.due_at
    made.now += 30 * DAY
    made.repair()

    made.refuse_repair()

    assert made.view.due_at == first + 30 * DAY


# Closing out


@pytest.mark.parametrize("deposit", [MIDDLE, LARGE])
def test_two_people_give_back_to_the_deposit_what_nobody_repaired(deposit: str) -> None:
    made = closable(deposit)
    before = made.deposit

    made.propose_close_out()
    assert (made.state, made.deposit) == (State.RETURNED, before)
    made.confirm_close_out()

    assert made.state is State.CLOSED_OUT
    assert (made.deposit.available, made.deposit.frozen) == (yuan(deposit), yuan("0"))
    assert made.view.close_out.text == "No other account was named in time."
    assert made.view.close_out.is_done
    payout = payout_of_application(made.application_id)
    assert payout.state is PayoutState.CLOSED_OUT
    assert [leg.is_closed_out for leg in payout.legs] == [True]
    assert everything_agrees()


def test_the_seller_may_apply_again_for_all_of_it() -> None:
    made = application(State.CLOSED_OUT)
    closed = made.application_id

    made.submit(destination_id=given.destination(made.shop).destination_id)
    made.check()
    made.approve()
    made.channel_pays()

    assert made.application_id != closed
    assert made.state is State.PAID
    assert made.deposit.refunded == yuan(MIDDLE)
    assert everything_agrees()


def test_what_is_owed_is_settled_from_what_is_given_back() -> None:
    made = closable()
    made.deduct("1,000")
    assert made.deposit.owed == yuan("1,000")

    made.propose_close_out()
    made.confirm_close_out()

    assert (made.deposit.owed, made.deposit.available) == (yuan("0"), yuan("9,000"))


def test_nothing_is_closed_out_while_the_seller_has_time() -> None:
    made = closable()

    with given.nothing_moves(*TABLES), pytest.raises(CloseOutTooEarly):
        made.propose_close_out(now=made.now - A_MOMENT)


def test_the_seller_is_told_why() -> None:
    made = closable()

    with given.nothing_moves(*TABLES), pytest.raises(TextMissing):
        made.propose_close_out(text="  ")


def test_nobody_confirms_what_was_not_proposed() -> None:
    made = closable()

    with given.nothing_moves(*TABLES), pytest.raises(CloseOutNotProposed):
        made.confirm_close_out()


def test_nobody_confirms_an_own_proposal() -> None:
    made = closable()
    made.propose_close_out()

    with given.nothing_moves(*TABLES), pytest.raises(CloseOutNeedsAnother):
        made.confirm_close_out(actor=made.reviewer)


def test_a_repair_ends_the_proposal() -> None:
    made = closable()
    made.propose_close_out()
    shown = made.view.version
    made.repair()

    with given.nothing_moves(*TABLES), pytest.raises(StaleVersion):
        made.confirm_close_out(version=shown)
    with given.nothing_moves(*TABLES), pytest.raises(StateDoesNotAllow):
        made.confirm_close_out()
    made.refuse_repair()
    with given.nothing_moves(*TABLES), pytest.raises(CloseOutNotProposed):
        made.confirm_close_out()


def test_after_the_close_out_nothing_is_repaired() -> None:
    made = application(State.CLOSED_OUT)
    chosen = given.destination(made.shop, number="6217 0000 0000 0010 003")

    with given.nothing_moves(*TABLES), pytest.raises(StateDoesNotAllow):
        made.repair(destination_id=chosen.destination_id)


# Parts


def test_a_part_that_may_still_be_paid_keeps_all_from_being_closed_out() -> None:
    made = in_two_parts(FailedDefinite("ACCOUNT_CLOSED"), Unknown("timeout"))
    made.let_repair_time_pass()
    made.propose_close_out()

    with given.nothing_moves(*TABLES), pytest.raises(PayoutMayStillPay):
        made.confirm_close_out()


def test_nothing_is_closed_out_while_sending_is_on_hold_after_a_restore() -> None:
    made = closable()
    made.propose_close_out()
    payouts.hold_sending(reason="restored", actor=given.approver(), now=made.now)

    with given.nothing_moves(*TABLES), pytest.raises(PayoutBeingAskedBack):
        made.confirm_close_out()


def test_what_was_paid_stays_paid_and_the_rest_is_given_back() -> None:
    made = in_two_parts(Succeeded("SIM1", given.NOW), FailedDefinite("ACCOUNT_CLOSED"))
    made.let_repair_time_pass()
    paid = [leg for leg in payout_of_application(made.application_id).legs if leg.settled_at]

    made.propose_close_out()
    made.confirm_close_out()

    assert made.deposit.refunded == paid[0].amount
    assert made.deposit.available == yuan("5,000") - paid[0].amount
    assert payout_of_application(made.application_id).state is PayoutState.PAID
    assert everything_agrees()


@pytest.fixture
def hasty(settings, tmp_path) -> None:
    """A policy that gives a seller days, so that another part can come back after them."""
    source = (
        pack_text("reference")
        .replace("value = 90,", "value = 2,")
        .replace("value = 14,", "value = 1,")
    )
    path = tmp_path / "hasty.toml"
    path.write_text(source)
    settings.KUAITUI_POLICY_PACK = str(path)


@pytest.mark.usefixtures("hasty")
def test_a_part_that_comes_back_after_the_close_out_opens_the_application_again() -> None:
    made = in_two_parts(Succeeded("SIM1", given.NOW), FailedDefinite("ACCOUNT_CLOSED"))
    paid = next(leg for leg in payout_of_application(made.application_id).legs if leg.settled_at)
    made.let_repair_time_pass()
    made.propose_close_out()
    made.confirm_close_out()
    made.now += 2 * DAY

    made.channel_answers(Returned("SIM1", "ACCOUNT_CLOSED", made.now), leg_id=paid.leg_id)

    assert made.state is State.RETURNED
    assert made.deposit.frozen == paid.amount
    made.repair()
    made.approve()
    made.confirm()
    made.channel_pays()
    assert made.state is State.PAID
    assert made.deposit.refunded == paid.amount
    assert everything_agrees()


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("deposit", [("¥2,000", "¥2,000"), ("¥2,000", "¥3,000")])
def test_what_comes_back_after_a_close_out_can_be_closed_out_too(deposit: tuple[str, str]) -> None:
    made = in_two_parts(
        Succeeded("SIM1", given.NOW), FailedDefinite("ACCOUNT_CLOSED"), deposit=deposit
    )
    whole = made.deposit.held
    paid = next(leg for leg in payout_of_application(made.application_id).legs if leg.settled_at)
    made.let_repair_time_pass()
    made.propose_close_out()
    made.confirm_close_out()
    made.deduct("¥5,000")
    made.now += 2 * DAY
    made.channel_answers(Returned("SIM1", "ACCOUNT_CLOSED", made.now), leg_id=paid.leg_id)
    made.let_repair_time_pass()

    made.propose_close_out()
    made.confirm_close_out()

    after = made.deposit
    assert made.state is State.CLOSED_OUT
    assert (after.frozen, after.refunded) == (yuan("0"), yuan("0"))
    assert after.held == max(whole - yuan("5,000"), yuan("0")), "the debt is settled, once"
    assert everything_agrees()


@pytest.mark.usefixtures("hasty")
def test_a_part_of_whose_return_nobody_has_heard_is_not_given_up_with_the_others() -> None:
    made = in_two_parts(Succeeded("SIM1", given.NOW), FailedDefinite("ACCOUNT_CLOSED"))
    paid = next(leg for leg in payout_of_application(made.application_id).legs if leg.settled_at)
    made.let_repair_time_pass()
    made.propose_close_out()
    made.now += 2 * DAY
    claimed = payouts.claim_leg(leg_id=paid.leg_id, pace=payouts_given.PACE, now=made.now)
    assert claimed is not None
    payouts_given.record(claimed, Returned("SIM1", "ACCOUNT_CLOSED", made.now), now=made.now)

    with given.nothing_moves(*TABLES), pytest.raises(MoreCameBack):
        made.confirm_close_out()

    made.deliver()
    assert (made.state, made.deposit.frozen) == (State.RETURNED, yuan("5,000"))
    assert made.view.may_be_closed_out_from > made.now


@pytest.mark.usefixtures("hasty")
def test_another_part_that_comes_back_ends_the_proposal_and_begins_the_time_anew() -> None:
    made = in_two_parts(Succeeded("SIM1", given.NOW), FailedDefinite("ACCOUNT_CLOSED"))
    paid = next(leg for leg in payout_of_application(made.application_id).legs if leg.settled_at)
    first = made.view.due_at
    made.let_repair_time_pass()
    made.propose_close_out()
    made.now += 2 * DAY

    made.channel_answers(Returned("SIM1", "ACCOUNT_CLOSED", made.now), leg_id=paid.leg_id)

    assert made.view.due_at > made.now > first
    with given.nothing_moves(*TABLES), pytest.raises(CloseOutNotProposed):
        made.confirm_close_out()
