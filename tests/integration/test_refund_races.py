"""Many at once do the same: one wins, the others hear so, and the money moves once."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from kuaitui.channels.port import FailedDefinite, Returned, Succeeded
from kuaitui.deposits import operations as deposits
from kuaitui.deposits.queries import differences
from kuaitui.deposits.types import DepositKind
from kuaitui.kernel.errors import Refusal
from kuaitui.payouts import operations as payouts
from kuaitui.payouts.queries import payout_of_application
from kuaitui.refunds.states import State
from tests.support import given, payouts_given
from tests.support.given import DAY, NOW, yuan
from tests.support.refunds_given import MIDDLE, OTHER_CARD, World, application, large, world

pytestmark = pytest.mark.django_db(transaction=True)

AT_ONCE = 6


def race(*acts: Callable[[], object]) -> Counter[str]:
    """Run all at the same moment on connections of their own; what came of each."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> str:
        connection.ensure_connection()
        start.wait()
        try:
            act()
        except Refusal as refusal:
            return refusal.code
        else:
            return "done"
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return Counter(pool.map(run, acts))


def test_a_form_sent_many_times_makes_one_application() -> None:
    made = world(MIDDLE)
    entries = {**made.entries(), "request_key": "the form"}
    found: list[str] = []

    def submit() -> None:
        found.append(World(made.shop).submit(**entries).application_id)

    assert race(*[submit] * AT_ONCE) == {"done": AT_ONCE}
    assert len(set(found)) == 1
    assert made.deposit.frozen == yuan(MIDDLE)


def test_of_many_applications_for_one_deposit_one_is_taken() -> None:
    made = world(MIDDLE)

    came = race(*[lambda: World(made.shop).submit()] * AT_ONCE)

    assert came == {"done": 1, "refund.application_already_open": AT_ONCE - 1}
    assert made.deposit.frozen == yuan(MIDDLE)


def test_of_many_approvals_one_counts() -> None:
    made = application(State.IN_REVIEW)
    shown = made.approval
    people = [given.reviewer() for _ in range(AT_ONCE)]

    came = race(
        *(
            lambda person=person: made.approve(
                actor=person, version=shown.version, approval_hash=shown.approval_hash
            )
            for person in people
        )
    )

    assert came == {"done": 1, "refund.stale_version": AT_ONCE - 1}
    assert len(made.case.decisions) == 1


def test_of_many_second_approvals_one_counts_and_one_payout_begins() -> None:
    made = large(State.AWAITING_SECOND_APPROVAL)
    shown = made.approval
    people = [given.approver() for _ in range(AT_ONCE)]

    came = race(
        *(
            lambda person=person: made.confirm(
                actor=person, version=shown.version, approval_hash=shown.approval_hash
            )
            for person in people
        )
    )

    assert came == {"done": 1, "refund.stale_version": AT_ONCE - 1}
    assert made.state is State.PAYING
    assert made.view.payout is not None
    assert len(made.view.payout.legs) == 1


def test_an_approval_and_a_withdrawal_at_once_do_not_both_win() -> None:
    made = application(State.IN_REVIEW)
    shown = made.approval

    came = race(
        lambda: made.approve(version=shown.version, approval_hash=shown.approval_hash),
        made.withdraw,
    )

    # The seller may withdraw after the approval, too, while nothing was sent.
    assert made.state is State.WITHDRAWN
    assert came["done"] in {1, 2}
    assert made.deposit.available == yuan(MIDDLE)


def test_a_payment_told_many_times_is_counted_once() -> None:
    made = world(MIDDLE)

    def pay() -> None:
        given.pay_in(made.shop.account_id, "¥5", reference="the payment")

    assert race(*[pay] * AT_ONCE) == {"done": AT_ONCE}
    assert made.deposit.paid_in == yuan("10,005")


def test_the_same_payment_for_two_deposits_opens_one_lot() -> None:
    first, second = world(MIDDLE), world(MIDDLE)

    came = race(
        *(
            lambda made=made: given.pay_in(made.shop.account_id, "¥5", reference="the payment")
            for made in (first, second)
        )
    )

    assert came == {"done": 1, "deposit.pay_in_reference_reused": 1}
    assert first.deposit.paid_in + second.deposit.paid_in == yuan("20,005")


def test_a_deduction_and_an_application_at_once_lose_no_fen() -> None:
    made = world(MIDDLE)

    race(lambda: made.deduct("¥6,000"), made.submit)
    made.deliver()

    summary = made.deposit
    assert summary.deducted == yuan("6,000")
    assert summary.available + summary.frozen == yuan("4,000")
    assert differences() == []


def test_opening_the_same_deposit_at_once_opens_one() -> None:
    made = world(MIDDLE)
    opened: list[str] = []

    def open_one() -> None:
        opened.append(
            deposits.open_deposit_account(
                shop_key=made.shop.shop_key, kind=DepositKind.PROMOTION, required=yuan("1"),
                actor=given.clerk(), now=NOW,
            )
        )  # fmt: skip

    assert race(*[open_one] * AT_ONCE) == {"done": AT_ONCE}
    assert len(set(opened)) == 1


def test_exactly_the_parts_that_were_approved_are_sent_again() -> None:
    """Another part comes back at the very moment in which the second person confirms."""
    shop = given.shop(("¥5,000", "¥4,000"), route_open=False)
    made = World(shop)
    account = given.destination(shop)
    made.submit(destination_id=account.destination_id)
    made.deliver()
    made.approve()
    made.deliver()
    first, second = (leg.leg_id for leg in payout_of_application(made.application_id).legs)
    made.channel_answers(Succeeded("S1", NOW), leg_id=first)
    made.channel_answers(FailedDefinite("ACCOUNT_CLOSED"), leg_id=second)
    made.repair()
    made.approve()
    shown = made.approval
    made.now += 2 * DAY
    taken = payouts.claim_leg(leg_id=first, pace=payouts_given.PACE, now=made.now)
    assert taken is not None

    race(
        lambda: made.confirm(version=shown.version, approval_hash=shown.approval_hash),
        lambda: payouts_given.record(
            taken, Returned("S1", "ACCOUNT_CLOSED", made.now), now=made.now
        ),
    )

    legs = payout_of_application(made.application_id).legs
    sent_again = [leg for leg in legs if leg.leg_id not in (first, second)]
    # Confirmed before it came back: the one part that both saw. After it: nothing, look again.
    assert [leg.amount for leg in sent_again] in ([legs[1].amount], [])
    assert not next(leg for leg in legs if leg.leg_id == first).is_replaced
    made.deliver()
    assert made.state is not State.PAID
    assert differences() == []


@pytest.mark.parametrize("_again", range(3))
def test_of_a_repair_and_a_close_out_at_once_one_wins(_again: int) -> None:
    made = application(State.RETURNED)
    made.let_repair_time_pass()
    made.propose_close_out()
    chosen = given.destination(made.shop, number=OTHER_CARD, now=made.now)
    shown = made.view.version

    came = race(
        lambda: made.confirm_close_out(version=shown),
        lambda: made.repair(destination_id=chosen.destination_id),
    )

    assert came["done"] == 1
    is_closed = made.state is State.CLOSED_OUT
    assert is_closed == ("refund.state_does_not_allow" in came)
    assert is_closed != (made.state is State.DESTINATION_REPAIRED)
    assert made.deposit.frozen == yuan("0" if is_closed else MIDDLE)
    assert made.deposit.available == yuan(MIDDLE if is_closed else "0")
    assert differences() == []


def test_of_many_who_confirm_a_close_out_one_does() -> None:
    made = application(State.RETURNED)
    made.let_repair_time_pass()
    made.propose_close_out()
    shown = made.view.version
    people = [given.approver() for _ in range(AT_ONCE)]

    came = race(
        *(lambda who=who: made.confirm_close_out(actor=who, version=shown) for who in people)
    )

    assert came == {"done": 1, "refund.stale_version": AT_ONCE - 1}
    assert made.deposit.available == yuan(MIDDLE)
