"""An application from wish to money, and along every side road."""

from __future__ import annotations

import pytest

from kuaitui.refunds import operations
from kuaitui.refunds.states import State
from tests.support.given import yuan
from tests.support.refunds_given import LARGE, MIDDLE, SMALL, application, world

pytestmark = pytest.mark.django_db


def test_a_small_refund_along_the_original_route_is_approved_by_rule_and_paid() -> None:
    made = world(SMALL)
    made.submit()
    assert made.state is State.SUBMITTED
    assert made.deposit.frozen == yuan(SMALL)

    made.deliver()
    assert made.state is State.PAYING
    made.channel_pays()

    assert made.state is State.PAID
    assert made.deposit.refunded == yuan(SMALL)
    assert made.deposit.held == yuan("0")
    assert made.codes == [
        "submitted", "checking", "approved_by_rule", "payout_begun", "leg_sent", "paid",
    ]  # fmt: skip


def test_a_middle_refund_needs_one_person() -> None:
    made = world(MIDDLE)
    made.submit()
    made.deliver()
    assert made.state is State.IN_REVIEW

    made.approve()
    made.channel_pays()

    assert made.state is State.PAID


def test_a_large_refund_needs_two_people() -> None:
    made = world(LARGE)
    made.submit()
    made.deliver()

    made.approve()
    assert made.state is State.AWAITING_SECOND_APPROVAL
    made.confirm()
    made.channel_pays()

    assert made.state is State.PAID


def test_money_that_came_back_goes_to_another_account_after_two_approvals() -> None:
    made = application(State.RETURNED, route_open=False)
    assert made.deposit.frozen == yuan(MIDDLE)

    made.repair()
    made.approve()
    assert made.state is State.AWAITING_SECOND_APPROVAL
    made.confirm()
    assert made.state is State.PAYING
    made.channel_pays()

    assert made.state is State.PAID
    assert made.deposit.refunded == yuan(MIDDLE)
    assert made.deposit.held == yuan("0")


@pytest.mark.parametrize(
    "state", [s for s in State if s not in {State.DRAFT, State.CHECKING, State.APPROVED}]
)
def test_every_state_is_reached_by_what_people_do(state: State) -> None:
    deposit = LARGE if state is State.AWAITING_SECOND_APPROVAL else MIDDLE

    assert application(state, deposit).state is state


def test_the_sweep_leaves_alone_what_is_not_due() -> None:
    made = application(State.MORE_INFORMATION)

    assert operations.sweep_due(now=made.now) == 0
    assert made.state is State.MORE_INFORMATION
