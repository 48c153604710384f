"""Many legs in one transaction: each fares as it would alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NotSent,
    Outcome,
    Unknown,
)
from kuaitui.deposits.errors import ShareUnknown
from kuaitui.kit.encryption import SealBroken
from kuaitui.kit.models import OutboxRow
from kuaitui.ledger.types import Account
from kuaitui.payouts import operations
from kuaitui.payouts.models import PayoutAttempt, PayoutLeg
from kuaitui.payouts.models.legs import MOVES
from kuaitui.payouts.operations import Claim, Claimed, Recording
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import LimitScope
from tests.support import given
from tests.support import payouts_given as pg
from tests.support.given import NOW
from tests.support.payouts_given import CAPABILITIES, PACE, payout

pytestmark = pytest.mark.django_db
NO_INTERVAL = dt.timedelta(0)


def worlds(count: int, **kwargs: object) -> list[pg.World]:
    return [payout(application_id=f"rfa_{number}", **kwargs) for number in range(count)]  # type: ignore[arg-type]


def claim_all(
    given_worlds: Sequence[pg.World], *, room: int = 100, now: dt.datetime = NOW
) -> Claimed:
    return claim_ids([world.leg_id for world in given_worlds], room=room, now=now)


def claim_ids(leg_ids: Sequence[str], *, room: int = 100, now: dt.datetime = NOW) -> Claimed:
    return operations.claim_legs(
        leg_ids=leg_ids, pace=PACE, now=now, interval_of=lambda _: NO_INTERVAL, room=room
    )


def record_all(
    claims: Sequence[Claim], outcomes: Sequence[Outcome], *, now: dt.datetime = NOW
) -> list[LegState | None]:
    pairs = zip(claims, outcomes, strict=True)
    recordings = [Recording(claim, outcome, CAPABILITIES) for claim, outcome in pairs]
    return operations.record_outcomes(recordings=recordings, pace=PACE, now=now)


def statements(count: int) -> tuple[int, int]:
    """How many statements it takes to claim so many legs, and to record that they were paid."""
    ready = [payout(application_id=f"rfa_{count}_{number}") for number in range(count)]
    leg_ids = [world.leg_id for world in ready]
    with CaptureQueriesContext(connection) as claiming:
        claims = claim_ids(leg_ids).claims
    with CaptureQueriesContext(connection) as recording:
        record_all(claims, [pg.succeeded()] * count)
    assert all(world.state is LegState.PAID for world in ready)
    return len(claiming), len(recording)


def test_many_legs_cost_as_many_statements_as_two() -> None:
    assert statements(12) == statements(2)


def test_every_leg_of_many_is_claimed_as_it_would_be_alone() -> None:
    ready = worlds(3)

    claims = claim_all(ready).claims

    assert [one.leg_id for one in claims] == [world.leg_id for world in ready]
    assert {(one.attempt_no, one.fence) for one in claims} == {(1, 1)}
    assert [PayoutAttempt.objects.get(id=one.attempt_id).leg.public_id for one in claims] == [
        one.leg_id for one in claims
    ]
    for world, one in zip(ready, claims, strict=True):
        assert world.state is LegState.SENDING
        assert world.held() == {Account.AT_CHANNEL: "10,000", Account.IN_TRANSIT: "10,000"}
        assert one.instruction.number == PayoutLeg.objects.get(public_id=one.leg_id).channel_number


def test_no_more_are_claimed_than_there_is_room_for_and_the_longest_waiting_first() -> None:
    newer, older = worlds(2)
    PayoutLeg.objects.filter(public_id=older.leg_id).update(next_check_at=NOW - pg.MINUTE)

    claims = claim_all([newer, older], room=1).claims

    assert [one.leg_id for one in claims] == [older.leg_id]
    assert newer.state is LegState.READY


def test_one_broken_seal_takes_nothing_of_the_others() -> None:
    sound, broken = worlds(2)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE payouts_leg SET request_sealed = 'nonsense' WHERE public_id = %s",
            [broken.leg_id],
        )
        cursor.execute("SET session_replication_role = origin")

    with given.nothing_moves(), pytest.raises(SealBroken):
        claim_all([sound, broken])

    assert [one.leg_id for one in claim_all([sound]).claims] == [sound.leg_id]


def test_legs_under_a_limit_are_claimed_alone_since_each_takes_from_the_next() -> None:
    ready = worlds(2)
    pg.limit(LimitScope.CHANNEL_DAY, "¥15,000")

    with given.nothing_moves():
        claimed = claim_all(ready)
    assert claimed == ([], [world.leg_id for world in ready])

    taken = [
        operations.claim_leg(leg_id=leg_id, pace=PACE, now=NOW) is not None
        for leg_id in claimed.alone
    ]
    assert taken == [True, False]


def test_a_leg_whose_route_closed_fails_alone() -> None:
    late = NOW + 400 * given.DAY
    (closed,) = worlds(1)
    ready = payout(application_id="rfa_to_an_account", route_open=False)

    claimed = claim_all([closed, ready], now=late)

    assert [one.leg_id for one in claimed.claims] == [ready.leg_id]
    assert claimed.alone == [closed.leg_id]
    assert closed.state is LegState.READY
    assert operations.claim_leg(leg_id=closed.leg_id, pace=PACE, now=late) is None
    assert closed.state is LegState.FAILED


ANSWERS: list[tuple[Outcome, LegState]] = [
    (pg.succeeded(), LegState.PAID),
    (Accepted("SIM0001"), LegState.ACCEPTED),
    (Unknown("deadline"), LegState.UNKNOWN),
    (NotSent("connect_error"), LegState.READY),
    (FailedDefinite("ACCOUNT_CLOSED"), LegState.FAILED),
    (FailedDefinite("NOT_ENOUGH", same_key_retry_ok=True), LegState.READY),
    (pg.returned(), LegState.RETURNED),
    (pg.to_confirm(""), LegState.NEEDS_ACTION),
]


def test_every_answer_of_many_is_recorded_as_it_would_be_alone() -> None:
    together, alone = (
        [payout(application_id=f"rfa_{side}_{number}") for number in range(len(ANSWERS))]
        for side in ("together", "alone")
    )
    claims = claim_all(together).claims
    singly = [pg.claim(world) for world in alone]

    states = record_all(claims, [outcome for outcome, _ in ANSWERS])
    for one, (outcome, _) in zip(singly, ANSWERS, strict=True):
        pg.record(one, outcome)

    assert states == [state for _, state in ANSWERS]
    for first, second, (_, state) in zip(together, alone, ANSWERS, strict=True):
        assert first.state is second.state is state
        assert first.held() == second.held()
        assert _row(first) == _row(second)


def test_who_lost_its_lease_is_passed_over_and_the_others_are_recorded() -> None:
    lost, kept = worlds(2)
    claims = claim_all([lost, kept]).claims
    later = NOW + 2 * PACE.lease
    again = pg.claim(lost, now=later)

    states = record_all(claims, [pg.succeeded(), pg.succeeded()], now=later)

    assert states == [None, LegState.PAID]
    assert lost.state is LegState.UNKNOWN
    assert pg.record(again, Unknown("deadline"), now=later) is LegState.UNKNOWN


def test_an_answer_that_comes_twice_in_one_go_counts_once() -> None:
    (world,) = worlds(1)
    (claim,) = claim_all([world]).claims

    states = record_all([claim, claim], [pg.succeeded(), pg.succeeded()])

    assert states == [LegState.PAID, None]
    assert world.held() == {}


def test_two_legs_of_one_payout_recorded_together_pay_it_once() -> None:
    world = payout("¥15,000", deposit_=("¥10,000", "¥5,000"))
    claims = claim_ids([leg.leg_id for leg in world.legs]).claims

    record_all(claims, [pg.succeeded(), pg.succeeded()])

    assert OutboxRow.objects.filter(event="payouts.PayoutPaid").count() == 1
    assert world.held() == {}


def test_where_one_cannot_be_recorded_none_of_them_is() -> None:
    first, second = worlds(2)
    claims = claim_all([first, second]).claims
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM deposits_lot_share WHERE leg_id = %s", [second.leg_id])
        cursor.execute("SET session_replication_role = origin")

    with given.nothing_moves(), pytest.raises(ShareUnknown):
        record_all(claims, [pg.succeeded(), pg.succeeded()])

    assert record_all(claims[:1], [pg.succeeded()]) == [LegState.PAID]


def _row(world: pg.World) -> dict[str, object]:
    """All that moves of a leg, but for its seals."""
    names = [name for name in MOVES if name not in {"hand_over_sealed", "hand_over_key_id"}]
    return PayoutLeg.objects.values(*names).get(public_id=world.leg_id)
