"""Several workers and people at the same moment: exactly one wins, and nothing is done twice."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import connections, transaction

from kuaitui.kit.models import OutboxRow
from kuaitui.ledger.types import Account
from kuaitui.payouts import operations, queries
from kuaitui.payouts.errors import PayoutUnderWay
from kuaitui.payouts.models import PayoutAttempt
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind
from tests.support import payouts_given as pg
from tests.support.given import NOW
from tests.support.payouts_given import PACE, claim, payout, record

pytestmark = pytest.mark.django_db(transaction=True)
Result = TypeVar("Result")


def at_once(tasks: Sequence[Callable[[], Result]]) -> list[Result]:
    """Run all tasks at the same moment, each on a connection of its own."""
    gate = threading.Barrier(len(tasks))

    def run(task: Callable[[], Result]) -> Result:
        try:
            gate.wait(30)
            return task()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(tasks)) as threads:
        return list(threads.map(run, tasks))


@pytest.mark.parametrize("again", range(3))
def test_one_of_many_workers_gets_the_leg(again: int) -> None:
    leg_id = payout().leg_id

    taken = at_once(
        [lambda: operations.claim_leg(leg_id=leg_id, pace=PACE, now=NOW) for _ in range(8)]
    )

    assert len([one for one in taken if one is not None]) == 1
    assert PayoutAttempt.objects.count() == 1


def test_an_answer_recorded_by_many_counts_once() -> None:
    world = payout()
    taken = claim(world)

    states = at_once([lambda: record(taken, pg.succeeded()) for _ in range(6)])

    assert sorted(str(state) for state in states) == ["None"] * 5 + ["paid"]
    assert world.held() == {}


@pytest.mark.parametrize("again", range(3))
def test_two_legs_that_end_at_once_pay_the_payout_once(again: int) -> None:
    world = payout("¥15,000", deposit_=("¥10,000", "¥5,000"))
    claims = [claim(world, leg_id=leg.leg_id) for leg in world.legs]

    at_once([lambda one=one: record(one, pg.succeeded()) for one in claims])  # type: ignore[misc]

    assert OutboxRow.objects.filter(event="payouts.PayoutPaid").count() == 1
    assert world.held() == {}


@pytest.mark.parametrize("again", range(3))
def test_a_withdrawal_and_a_worker_cannot_both_win(again: int) -> None:
    world = payout()
    leg_id = world.leg_id

    def withdraw() -> bool:
        try:
            with transaction.atomic():
                operations.cancel_payout(application_id=world.application_id, now=NOW)
        except PayoutUnderWay:
            return False
        return True

    def send() -> bool:
        return operations.claim_leg(leg_id=leg_id, pace=PACE, now=NOW) is not None

    is_withdrawn, is_sent = at_once([withdraw, send])

    assert is_withdrawn != is_sent
    assert world.state is (LegState.CANCELLED if is_withdrawn else LegState.SENDING)
    held = Account.FROZEN if is_withdrawn else Account.IN_TRANSIT
    assert held in world.held()


def test_no_send_begins_once_the_switch_has_turned() -> None:
    """Claims that began before may end; the turn waits for them."""
    worlds = [payout(application_id=f"rfa_{number}") for number in range(12)]
    turned = threading.Event()
    begun_after: list[str] = []

    def work(mine: Sequence[pg.World]) -> None:
        for world in mine:
            has_turned = turned.is_set()
            taken = operations.claim_leg(leg_id=world.leg_id, pace=PACE, now=NOW)
            if has_turned and taken is not None:
                begun_after.append(world.leg_id)

    def turn() -> None:
        pg.stop("*")
        turned.set()
        sends = PayoutAttempt.objects.filter(kind=AttemptKind.SEND).count()
        for world in worlds:
            operations.claim_leg(leg_id=world.leg_id, pace=PACE, now=NOW)
        assert PayoutAttempt.objects.filter(kind=AttemptKind.SEND).count() == sends

    at_once([turn, *(lambda n=n: work(worlds[n::3]) for n in range(3))])  # type: ignore[misc]

    assert begun_after == []
    assert queries.due_legs(now=NOW) == []


def test_workers_that_look_at_one_list_share_it() -> None:
    worlds = [payout(application_id=f"rfa_{number}") for number in range(12)]
    leg_ids = [world.leg_id for world in worlds]

    def take() -> list[str]:
        claimed = operations.claim_legs(
            leg_ids=leg_ids, pace=PACE, now=NOW, interval_of=lambda _: dt.timedelta(0), room=4
        )
        return [one.leg_id for one in claimed.claims]

    taken = [leg_id for share in at_once([take] * 3) for leg_id in share]

    assert len(taken) == len(set(taken))
    assert PayoutAttempt.objects.count() == len(taken)


@pytest.mark.parametrize("again", range(3))
def test_records_of_many_payouts_at_once_do_not_wait_for_each_other(again: int) -> None:
    """Each of two payouts has a leg in each record: only one order of locks lets both end."""
    worlds = [
        payout("¥15,000", deposit_=("¥10,000", "¥5,000"), application_id=f"rfa_{number}")
        for number in range(6)
    ]
    claims = [[claim(world, leg_id=leg.leg_id) for leg in world.legs] for world in worlds]
    shares = [[two[0] for two in claims], [two[1] for two in reversed(claims)]]

    at_once(
        [
            lambda mine=mine: operations.record_outcomes(  # type: ignore[misc]
                recordings=[
                    operations.Recording(one, pg.succeeded(), pg.CAPABILITIES) for one in mine
                ],
                pace=PACE,
                now=NOW,
            )
            for mine in shares
        ]
    )

    assert [world.held() for world in worlds] == [{}] * len(worlds)
    assert OutboxRow.objects.filter(event="payouts.PayoutPaid").count() == len(worlds)
