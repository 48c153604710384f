"""An application against a model of a dozen fields, over any history hypothesis can think of.

The model knows the policy's two limits and the table of who may do what; it knows no lots, hashes,
versions or legs. After every act the state and every sum must be what the model says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run

from kuaitui.channels.port import Unknown
from kuaitui.deposits.queries import differences
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money
from kuaitui.payouts.queries import payout_of_application
from kuaitui.refunds import operations
from kuaitui.refunds.states import OPEN, State
from kuaitui.refunds.types import AmountChoice
from tests.support import given
from tests.support.refunds_given import World, world

Rule = Any
RULE_LIMIT = 500_000
TWO_PEOPLE_FROM = 5_000_000
DEPOSITS = [
    ("¥1,000",), ("¥5,000",), ("¥5,000.01",), ("¥10,000", "¥7"), ("¥49,999.99",), ("¥50,000",),
    ("¥30,000", "¥30,000"),
]  # fmt: skip
CARDS = [given.CARD, "6217 0000 0000 0010 003", "6225 8800 0000 0077 778"]
STAFF = [given.reviewer() for _ in range(3)]
BEFORE_PAYING = {
    State.SUBMITTED, State.IN_REVIEW, State.MORE_INFORMATION, State.AWAITING_SECOND_APPROVAL,
    State.APPEALED,
}  # fmt: skip
SWEEPS_MAX = 2
PATIENCE_MAX = 3
"""So often a history waits for the whole time to repair; open ways back stay open to its end."""
PAID_DAYS_AGO = {True: 20, False: 200}
"""By whether the money can go back the way it came, for a year."""
REPAIR_DAYS = 90
ALLOWED: dict[str, set[State]] = {
    "withdraw": BEFORE_PAYING | {State.PAYING, State.WITHDRAWN},
    "answer": {State.MORE_INFORMATION},
    "appeal": {State.REJECTED},
    "repair": {State.RETURNED, State.DESTINATION_REPAIRED},
    "approve": {State.IN_REVIEW, State.DESTINATION_REPAIRED},
    "confirm": {State.AWAITING_SECOND_APPROVAL},
    "send_back": {State.AWAITING_SECOND_APPROVAL},
    "ask": {State.IN_REVIEW},
    "reject": {State.IN_REVIEW},
    "decide_appeal": {State.APPEALED},
    "refuse_repair": {State.DESTINATION_REPAIRED},
    "propose_close_out": {State.RETURNED},
    "confirm_close_out": {State.RETURNED},
}


def when_allowed(act: str) -> Callable[[Rule], Rule]:
    """The rule runs in the states that allow its act; elsewhere it is tried in vain."""
    return precondition(lambda self: self.model.state in ALLOWED[act])


@dataclass
class Model:
    """What must be so."""

    available: int
    goes_back: bool
    state: State | None = None
    amount: int = 0
    frozen: int = 0
    in_transit: int = 0
    refunded: int = 0
    deducted: int = 0
    owed: int = 0
    maker: Actor | None = None
    rejecter: Actor | None = None
    can_appeal: bool = False
    repairs: int = 0
    card: str = ""
    refused_card: str = ""
    came_back_at: dt.datetime | None = None
    proposer: Actor | None = None
    lots_moved: bool = False
    """Whether lots changed since the first approval: the same amount may have to go in other parts."""

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def free(self) -> None:
        """What was set aside is free; what is owed is settled from it first."""
        self.available += self.frozen
        self.frozen = 0
        settled = min(self.owed, self.available)
        self.available -= settled
        self.owed -= settled
        self.deducted += settled

    def review_state(self) -> State:
        return State.DESTINATION_REPAIRED if self.repairs else State.IN_REVIEW


class Applications(RuleBasedStateMachine):
    """One shop, one deposit, the people around it."""

    def __init__(self) -> None:
        super().__init__()
        self.history = transaction.atomic()
        self.history._from_testcase = True
        self.history.__enter__()
        self.sweeps = 0
        self.waits = 0
        self.pay_ins = 0

    def teardown(self) -> None:
        connection.check_constraints()
        transaction.set_rollback(True)
        self.history.__exit__(None, None, None)

    @initialize(deposit=st.sampled_from(DEPOSITS), goes_back=st.booleans())
    def begin(self, deposit: tuple[str, ...], goes_back: bool) -> None:
        self.made: World = world(
            deposit, required="¥0", route_open=goes_back, paid_days_ago=PAID_DAYS_AGO[goes_back]
        )
        total = sum(given.yuan(part).minor for part in deposit)
        self.model = Model(available=total, goes_back=goes_back)
        given.destination(self.made.shop)

    # The seller

    @precondition(lambda self: not self.model.is_open)
    @rule(share=st.integers(1, 4))
    def submit(self, share: int) -> None:
        model = self.model
        amount = model.available if share == 4 else model.available * share // 4
        destination = given.destination(self.made.shop).destination_id
        is_legal = not model.is_open and amount > 0 and model.owed == 0

        def act() -> None:
            self.made.submit(
                choice=AmountChoice.WHOLE if share == 4 else AmountChoice.PART,
                amount=Money(amount, "CNY"),
                destination_id=destination,
            )

        if not self.does(act, is_legal, State.SUBMITTED):
            return
        model.amount = model.frozen = amount
        model.available -= amount
        model.maker = model.rejecter = None
        model.can_appeal, model.repairs, model.refused_card = True, 0, ""
        model.card = "" if model.goes_back else given.CARD

    @when_allowed("withdraw")
    @rule()
    def withdraw(self) -> None:
        model = self.model
        if model.state is State.WITHDRAWN:
            self.made.withdraw()
            return
        is_legal = model.state in BEFORE_PAYING | {State.PAYING} and not model.repairs
        if self.does(self.made.withdraw, is_legal and not model.in_transit, State.WITHDRAWN):
            model.free()

    @when_allowed("answer")
    @rule()
    def answer(self) -> None:
        self.does(self.made.answer, self.model.state is State.MORE_INFORMATION, State.IN_REVIEW)

    @when_allowed("appeal")
    @rule()
    def appeal(self) -> None:
        model = self.model
        is_legal = (
            model.state is State.REJECTED and model.can_appeal and model.available >= model.amount
        )
        if self.does(self.made.appeal, is_legal, State.APPEALED):
            model.can_appeal = False
            model.available -= model.amount
            model.frozen = model.amount

    @when_allowed("repair")
    @rule(card=st.sampled_from(CARDS))
    def repair(self, card: str) -> None:
        model = self.model
        is_same = model.state is State.DESTINATION_REPAIRED and card == model.card
        is_legal = (
            model.state in {State.RETURNED, State.DESTINATION_REPAIRED}
            and card != model.refused_card
        )
        if self.does(lambda: self.made.repair(card), is_legal, State.DESTINATION_REPAIRED):
            model.card = card
            model.repairs += not is_same
            model.proposer = None

    # Staff

    @when_allowed("approve")
    @rule(actor=st.sampled_from(STAFF))
    def approve(self, actor: Actor) -> None:
        model = self.model
        is_legal = model.state in {State.IN_REVIEW, State.DESTINATION_REPAIRED}
        needs_two = model.amount >= TWO_PEOPLE_FROM or model.repairs > 0
        target = State.AWAITING_SECOND_APPROVAL if needs_two else State.PAYING
        act = self.with_hash(operations.approve_application, actor, note="")
        if self.does(act, is_legal, target):
            model.maker, model.lots_moved = actor, False

    @when_allowed("confirm")
    @rule(actor=st.sampled_from(STAFF))
    def confirm(self, actor: Actor) -> None:
        model = self.model
        is_legal = model.state is State.AWAITING_SECOND_APPROVAL and actor is not model.maker
        if model.lots_moved:
            # A deduction of what is free takes from the oldest lots, of which the parts were to go.
            is_legal &= self.made.case.approval_obstacle != "refund.approval_outdated"
        act = self.with_hash(operations.confirm_approval, actor, amount_retyped=None)
        self.does(act, is_legal, State.PAYING)

    @when_allowed("send_back")
    @rule(actor=st.sampled_from(STAFF))
    def send_back(self, actor: Actor) -> None:
        is_legal = self.model.state is State.AWAITING_SECOND_APPROVAL
        self.does(lambda: self.made.send_back(actor=actor), is_legal, self.model.review_state())

    @when_allowed("ask")
    @rule(actor=st.sampled_from(STAFF))
    def ask(self, actor: Actor) -> None:
        is_legal = self.model.state is State.IN_REVIEW
        self.does(lambda: self.made.ask(actor=actor), is_legal, State.MORE_INFORMATION)

    @when_allowed("reject")
    @rule(actor=st.sampled_from(STAFF))
    def reject(self, actor: Actor) -> None:
        is_legal = self.model.state is State.IN_REVIEW
        if self.does(lambda: self.made.reject(actor=actor), is_legal, State.REJECTED):
            self.model.rejecter = actor
            self.model.free()

    @when_allowed("decide_appeal")
    @rule(actor=st.sampled_from(STAFF), granted=st.booleans())
    def decide_appeal(self, actor: Actor, granted: bool) -> None:
        model = self.model
        is_legal = model.state is State.APPEALED and actor is not model.rejecter
        target = State.IN_REVIEW if granted else State.REJECTED
        act = lambda: self.made.decide_appeal(granted=granted, actor=actor)  # noqa: E731
        if self.does(act, is_legal, target) and not granted:
            model.free()

    @when_allowed("refuse_repair")
    @rule()
    def refuse_repair(self) -> None:
        is_legal = self.model.state is State.DESTINATION_REPAIRED
        if self.does(self.made.refuse_repair, is_legal, State.RETURNED):
            self.model.came_back_at = self.made.now

    @when_allowed("propose_close_out")
    @rule(actor=st.sampled_from(STAFF), is_patient=st.booleans())
    def propose_close_out(self, actor: Actor, is_patient: bool) -> None:
        model = self.model
        if is_patient and model.state is State.RETURNED and self.waits < PATIENCE_MAX:
            self.waits += 1
            self.made.now += (REPAIR_DAYS + 1) * given.DAY
        is_over = model.came_back_at is not None and (
            self.made.now.date() - model.came_back_at.date()
        ) > dt.timedelta(REPAIR_DAYS)
        is_legal = model.state is State.RETURNED and is_over
        act = lambda: self.made.propose_close_out(actor=actor)  # noqa: E731
        if self.does(act, is_legal, State.RETURNED):
            model.proposer = actor

    @when_allowed("confirm_close_out")
    @rule(actor=st.sampled_from(STAFF))
    def confirm_close_out(self, actor: Actor) -> None:
        model = self.model
        is_legal = model.state is State.RETURNED and model.proposer not in (None, actor)
        act = lambda: self.made.confirm_close_out(actor=actor)  # noqa: E731
        if self.does(act, is_legal, State.CLOSED_OUT):
            model.proposer = None
            model.free()

    @precondition(lambda self: self.model.state)
    @rule(act=st.sampled_from(sorted(ALLOWED)), actor=st.sampled_from(STAFF))
    def try_what_the_state_forbids(self, act: str, actor: Actor) -> None:
        if self.model.state in ALLOWED[act]:
            return
        made = self.made
        acts: dict[str, Callable[[], object]] = {
            "withdraw": made.withdraw,
            "answer": made.answer,
            "appeal": made.appeal,
            "repair": lambda: made.repair(CARDS[2]),
            "approve": self.with_hash(operations.approve_application, actor, note=""),
            "confirm": self.with_hash(operations.confirm_approval, actor, amount_retyped=None),
            "send_back": lambda: made.send_back(actor=actor),
            "ask": lambda: made.ask(actor=actor),
            "reject": lambda: made.reject(actor=actor),
            "decide_appeal": lambda: made.decide_appeal(granted=True, actor=actor),
            "refuse_repair": made.refuse_repair,
            "propose_close_out": lambda: made.propose_close_out(actor=actor),
            "confirm_close_out": lambda: made.confirm_close_out(actor=actor),
        }
        with pytest.raises(Refusal):
            acts[act]()

    # Machines and the world

    @precondition(lambda self: self.model.state)
    @rule()
    def deliver(self) -> None:
        model = self.model
        self.made.deliver()
        if model.state is State.SUBMITTED:
            by_rule = model.goes_back and model.amount <= RULE_LIMIT
            model.state = State.PAYING if by_rule else State.IN_REVIEW

    @precondition(lambda self: self.model.state is State.PAYING)
    @rule()
    def channel_loses_the_answer(self) -> None:
        self.made.now += dt.timedelta(hours=1)
        self.made.channel_answers(Unknown("timeout"))
        self.model.in_transit += self.model.frozen
        self.model.frozen = 0

    @precondition(lambda self: self.model.state is State.PAYING)
    @rule()
    def channel_pays(self) -> None:
        self.made.now += dt.timedelta(hours=1)
        self.made.channel_pays()
        model = self.model
        model.state = State.PAID
        model.refunded += model.frozen + model.in_transit
        model.frozen = model.in_transit = 0

    @precondition(lambda self: self.model.state is State.PAYING)
    @rule()
    def channel_fails(self) -> None:
        self.made.now += dt.timedelta(hours=1)
        self.made.channel_fails()
        model = self.model
        model.state = State.RETURNED
        model.frozen += model.in_transit
        model.in_transit = 0
        model.refused_card = model.card
        model.came_back_at, model.proposer = self.made.now, None

    @precondition(lambda self: self.model.state is State.PAID)
    @rule()
    def bank_returns(self) -> None:
        payout = payout_of_application(self.made.application_id)
        if payout.paid_at is None or self.made.now > payout.paid_at + 20 * given.DAY:
            return
        self.made.bank_returns()
        model = self.model
        model.state = State.RETURNED
        model.refunded -= model.amount
        model.frozen += model.amount
        model.refused_card = model.card
        model.came_back_at, model.proposer = self.made.now, None

    @rule(minor=st.integers(1, 2_000_000))
    def deduct(self, minor: int) -> None:
        model = self.model
        model.lots_moved = True
        self.made.deduct(f"{minor / 100:.2f}")
        if model.state is State.SUBMITTED:
            # The check comes with the news, before that of the deduction.
            is_whole = minor <= model.available
            by_rule = model.goes_back and model.amount <= RULE_LIMIT and is_whole
            model.state = State.PAYING if by_rule else State.IN_REVIEW
            unsent = model.frozen
        else:
            unsent = model.frozen if model.state in BEFORE_PAYING and not model.repairs else 0
        self.made.deliver()
        from_available = min(minor, model.available)
        from_frozen = min(minor - from_available, unsent)
        model.available -= from_available
        model.frozen -= from_frozen
        model.deducted += from_available + from_frozen
        model.owed += minor - from_available - from_frozen
        if from_frozen:
            self.reduce()

    def reduce(self) -> None:
        model = self.model
        if model.frozen == 0:
            model.state, model.rejecter = State.REJECTED, None
            return
        model.amount = model.frozen
        if model.state is State.AWAITING_SECOND_APPROVAL:
            model.state = State.IN_REVIEW

    @rule(minor=st.integers(1, 1_000_000))
    def pay_in(self, minor: int) -> None:
        model = self.model
        model.lots_moved |= model.owed > 0
        self.pay_ins += 1
        given.pay_in(
            self.made.shop.account_id,
            f"{minor / 100:.2f}",
            # Later than all before: of two at one moment chance would say which goes back first.
            paid_at=self.made.now
            - (PAID_DAYS_AGO[model.goes_back] - 10) * given.DAY
            + self.pay_ins * dt.timedelta(seconds=1),
            route_open=model.goes_back,
            now=self.made.now,
        )
        settled = min(model.owed, minor + model.available)
        model.available += minor - settled
        model.owed -= settled
        model.deducted += settled

    @precondition(lambda self: self.sweeps < SWEEPS_MAX)
    @rule()
    def a_month_passes(self) -> None:
        self.sweeps += 1
        self.made.now += 30 * given.DAY
        operations.sweep_due(now=self.made.now)
        model = self.model
        if model.state is State.MORE_INFORMATION:
            model.state = State.EXPIRED
            model.free()
        if model.state is State.REJECTED:
            model.can_appeal = False

    # Left to chance alone, few histories would get far.

    @rule(times=st.integers(1, 3))
    def things_take_their_usual_course(self, times: int) -> None:
        for _ in range(times):
            self.go_on()

    def go_on(self) -> None:
        model = self.model
        others = [actor for actor in STAFF if actor not in (model.maker, model.rejecter)]
        match model.state:
            case State.SUBMITTED:
                self.deliver()
            case State.IN_REVIEW | State.DESTINATION_REPAIRED:
                self.approve(others[0])
            case State.AWAITING_SECOND_APPROVAL:
                self.confirm(others[0])
            case State.MORE_INFORMATION:
                self.answer()
            case State.PAYING:
                self.channel_pays()
            case State.PAID:
                self.bank_returns()
            case State.RETURNED:
                self.repair(next(card for card in CARDS if card != model.refused_card))
            case State.REJECTED:
                self.appeal()
            case State.APPEALED:
                self.decide_appeal(others[0], granted=True)
            case _:
                self.submit(share=4)

    # What must be so

    @invariant()
    def the_state_is_the_models(self) -> None:
        if getattr(self, "model", None) is not None and self.model.state is not None:
            assert self.made.state is self.model.state

    @invariant()
    def every_sum_is_the_models(self) -> None:
        if getattr(self, "model", None) is None:
            return
        found, model = self.made.deposit, self.model
        sums = ("available", "frozen", "in_transit", "refunded", "deducted", "owed")
        assert {name: getattr(found, name).minor for name in sums} == {
            name: getattr(model, name) for name in sums
        }
        left = found.paid_in - found.deducted - found.refunded
        assert left == found.available + found.frozen + found.in_transit
        if model.is_open and not model.repairs:
            assert found.frozen + found.in_transit == self.made.view.amount
        assert differences() == []

    def does(self, act: Callable[[], object], is_legal: bool, target: State) -> bool:
        """Perform what the model allows, and see what it does not allow refused."""
        if is_legal:
            act()
            self.model.state = target
            return True
        with pytest.raises(Refusal):
            act()
        return False

    def with_hash(
        self, operation: Callable[..., object], actor: Actor, **more: object
    ) -> Callable[[], object]:
        """A decision about what the case page shows now."""
        preview = self.made.case.approval
        shown = preview.approval_hash if preview else "0" * 64
        return lambda: operation(
            application_id=self.made.application_id,
            version=self.made.view.version,
            approval_hash=shown,
            actor=actor,
            now=self.made.now,
            **more,
        )


@pytest.mark.django_db
@pytest.mark.slow
def test_an_application_behaves_as_its_model_over_any_history() -> None:
    run(
        Applications,
        settings=settings(
            max_examples=20,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
