"""Whatever workers, channel and clock do, in whatever order, a payout is paid once.

The model is a channel that pays every SEND that reaches it, the second one too. It keeps the port's
promises only: what reached it is known to queries before the floor, and it does not lie.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from itertools import count

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NotFound,
    NotSent,
    Outcome,
    Returned,
    Succeeded,
    Unknown,
)
from kuaitui.kernel.errors import Refusal
from kuaitui.ledger.types import Account
from kuaitui.payouts import operations, queries
from kuaitui.payouts.operations import Claim
from kuaitui.payouts.states import REPAIRABLE, LegState, PayoutState
from kuaitui.payouts.types import AttemptKind
from tests.support import given
from tests.support import payouts_given as pg

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

AMOUNT = "¥1,000"
REFERENCE = "SIM1"
_applications = count(1)


@dataclass
class Number:
    """What the channel knows of one number."""

    known_from: dt.datetime
    state: str = "processing"
    times_paid: int = 0
    settled_at: dt.datetime | None = None


@dataclass
class ModelChannel:
    """A channel in a few lines: the second, simpler model."""

    numbers: dict[str, Number] = field(default_factory=dict)
    refuses: bool = False

    def take(self, number: str, *, now: dt.datetime, known_after: dt.timedelta) -> None:
        known = self.numbers.get(number)
        if known is None:
            self.numbers[number] = Number(now + known_after)
        elif known.state in {"paid", "processing"}:
            known.times_paid += 1  # forgets numbers: pays again

    def work(self, number: str, state: str, now: dt.datetime) -> None:
        known = self.numbers[number]
        known.state = state
        if state == "paid":
            known.times_paid += 1
            known.settled_at = now

    def answer(self, number: str, *, now: dt.datetime) -> Outcome:
        known = self.numbers.get(number)
        if known is None or known.known_from > now:
            return NotFound()
        match known.state:
            case "processing":
                return Accepted(REFERENCE)
            case "failed":
                return FailedDefinite("ACCOUNT_CLOSED")
            case "returned":
                return Returned(REFERENCE, "ACCOUNT_CLOSED", now)
        assert known.settled_at is not None
        return Succeeded(REFERENCE, known.settled_at)


class PayoutProtocol(RuleBasedStateMachine):
    """Workers that claim, call, record or die; a channel that works; a clock that runs."""

    @initialize()
    def begin(self) -> None:
        self.now = given.NOW
        self.channel = ModelChannel()
        self.is_stopped = False
        self.called: list[tuple[Claim, Outcome]] = []
        self.claimed: list[Claim] = []
        self.world = pg.payout(
            AMOUNT, deposit_=AMOUNT, application_id=f"rfa_model_{next(_applications)}"
        )

    # -- time and people

    @rule(minutes=st.sampled_from([1, 2, 9, 11, 60]))
    def let_time_pass(self, minutes: int) -> None:
        self.now += minutes * pg.MINUTE

    @rule()
    def turn_the_kill_switch(self) -> None:
        self.is_stopped = not self.is_stopped
        turn = pg.stop if self.is_stopped else pg.resume
        turn("*", now=self.now)

    @rule()
    def ask_now(self) -> None:
        operations.request_query_now(leg_id=self.world.leg_id, actor=given.clerk(), now=self.now)

    @rule()
    def repair(self) -> None:
        leg = self.world.legs[-1]
        there = given.destination(self.world.shop, now=self.now).destination_id
        repair = {"leg_id": leg.leg_id, "destination_id": there, "approval_hash": "two others"}
        if leg.state in REPAIRABLE:
            operations.repair_leg(**repair, now=self.now)
        else:
            with pytest.raises(Refusal), transaction.atomic():
                operations.repair_leg(**repair, now=self.now)

    # -- workers

    @rule()
    def claim(self) -> None:
        taken = operations.claim_leg(leg_id=self.world.leg_id, pace=pg.PACE, now=self.now)
        if taken is not None:
            assert not (taken.kind is AttemptKind.SEND and self.is_stopped)
            self.claimed.append(taken)

    def _next_claim(self) -> Claim | None:
        """The claim whose worker acts; workers that slept into the end of their lease do not."""
        claim = self.claimed.pop(0)
        return None if self.now + pg.PACE.call_deadline >= claim.lease_until else claim

    @precondition(lambda self: self.claimed)
    @rule(
        reaches=st.booleans(),
        is_answered=st.booleans(),
        known_after=st.sampled_from([0, 1, 9]),
    )
    def call(self, reaches: bool, is_answered: bool, known_after: int) -> None:
        claim = self._next_claim()
        if claim is None:
            return
        number = claim.instruction.number
        if claim.kind is AttemptKind.SEND:
            if reaches:
                self.channel.take(number, now=self.now, known_after=known_after * pg.MINUTE)
            answer: Outcome = Accepted(REFERENCE) if reaches else NotSent("connect_error")
        else:
            answer = self.channel.answer(number, now=self.now)
        self.called.append((claim, answer if is_answered else Unknown("deadline")))

    @precondition(lambda self: self.claimed)
    @rule(is_passing=st.booleans())
    def call_is_refused(self, is_passing: bool) -> None:
        """The channel refuses a SEND at its door, whatever it knows of the number."""
        claim = self._next_claim()
        if claim is None or claim.kind is not AttemptKind.SEND:
            return
        self.called.append((claim, FailedDefinite("REFUSED", same_key_retry_ok=is_passing)))

    @precondition(lambda self: self.called)
    @rule()
    def record(self) -> None:
        claim, outcome = self.called.pop(0)
        pg.record(claim, outcome, now=self.now)

    @precondition(lambda self: self.called or self.claimed)
    @rule()
    def die(self) -> None:
        self.called.clear()
        self.claimed.clear()

    # -- the channel

    def _known(self, *states: str) -> list[str]:
        return [n for n, known in self.channel.numbers.items() if known.state in states]

    @precondition(lambda self: self._known("processing"))
    @rule(state=st.sampled_from(["paid", "paid", "failed"]))
    def channel_works(self, state: str) -> None:
        self.channel.work(self._known("processing")[0], state, self.now)

    @precondition(lambda self: self._known("paid"))
    @rule()
    def money_comes_back(self) -> None:
        self.channel.work(self._known("paid")[-1], "returned", self.now)

    # -- what must be true at every moment

    @invariant()
    def every_number_is_paid_once_at_most(self) -> None:
        if hasattr(self, "channel"):
            assert all(known.times_paid <= 1 for known in self.channel.numbers.values())

    @invariant()
    def one_number_at_most_is_with_the_payee_or_on_its_way(self) -> None:
        if hasattr(self, "channel"):
            assert len(self._known("paid", "processing")) <= 1

    @invariant()
    def states_rest_on_facts(self) -> None:
        if not hasattr(self, "world"):
            return
        for leg in self.world.legs:
            known = self.channel.numbers.get(leg.leg_id.replace("_", ""))
            if leg.state is LegState.PAID:
                assert known is not None
                assert known.state in {"paid", "returned"}
            if leg.state is LegState.FAILED:
                assert known is None or known.state == "failed"

    @invariant()
    def books_and_legs_agree(self) -> None:
        if hasattr(self, "world"):
            assert queries.differences() == []
            held = self.world.held()
            assert len([account for account in held if account is not Account.AT_CHANNEL]) <= 1

    def teardown(self) -> None:
        """When faults stop, everything comes to its end."""
        if not hasattr(self, "world"):
            return
        self.die()
        if self.is_stopped:
            self.turn_the_kill_switch()
        for _ in range(60):
            if queries.payout_of_application(self.world.application_id).state is PayoutState.PAID:
                break
            self._one_honest_turn()
        assert self.world.state is LegState.PAID
        assert self.world.held() == {}
        self.every_number_is_paid_once_at_most()
        with_payee = [known for known in self.channel.numbers.values() if known.state == "paid"]
        assert len(with_payee) == 1

    def _one_honest_turn(self) -> None:
        self.now += 31 * pg.MINUTE
        for number in self._known("processing"):
            self.channel.work(number, "paid", self.now)
        if self.world.state in REPAIRABLE:
            self.repair()
        taken = operations.claim_leg(leg_id=self.world.leg_id, pace=pg.PACE, now=self.now)
        if taken is None:
            return
        number = taken.instruction.number
        if taken.kind is AttemptKind.SEND:
            self.channel.take(number, now=self.now, known_after=dt.timedelta(0))
            pg.record(taken, Accepted(REFERENCE), now=self.now)
        else:
            pg.record(taken, self.channel.answer(number, now=self.now), now=self.now)


class InItsOwnTransaction(PayoutProtocol):
    """Each history begins with an empty marketplace."""

    def __init__(self) -> None:
        super().__init__()
        self._block = transaction.atomic()
        self._block._from_testcase = True  # as of Django's own test cases: durable blocks may nest
        self._block.__enter__()

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            transaction.set_rollback(True)
            self._block.__exit__(None, None, None)


def test_a_payout_is_paid_once_whatever_happens() -> None:
    run_state_machine_as_test(
        InItsOwnTransaction,
        settings=settings(
            max_examples=40,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
