"""Applications for tests: one in each state, told as the people who bring it there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from kuaitui.channels.port import FailedDefinite, Outcome, Returned, Succeeded
from kuaitui.deposits import operations as deposits
from kuaitui.deposits.queries import deposit, destinations
from kuaitui.deposits.types import DeductionItem, DeductionPurpose, DepositSummary
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.money import Money
from kuaitui.kit.outbox import deliver_due, undelivered_count
from kuaitui.payouts import operations as payouts
from kuaitui.payouts.queries import payout_of_application
from kuaitui.refunds import operations, queries
from kuaitui.refunds.queries import ApplicationView, ApprovalPreview, Case
from kuaitui.refunds.states import State
from kuaitui.refunds.types import AmountChoice, Reason, RejectReason, Submitted
from tests.support import given, payouts_given
from tests.support.given import DAY, NOW, yuan

TABLES = (
    "refunds_application", "refunds_event", "refunds_decision", "refunds_snapshot",
    "payouts_payout", "payouts_leg", "payouts_close_out",
    "deposits_channel_payment", "deposits_deduction_line",
)  # fmt: skip
LARGE = "¥60,000"
"""An amount that two people must approve."""
MIDDLE = "¥10,000"
"""An amount that one person must approve."""
SMALL = "¥1,000"
"""An amount that the rule may approve."""
OTHER_CARD = "6217 0000 0000 0010 003"

_numbers = count(1)


@dataclass
class World:
    """A shop with one application, and the people around it."""

    shop: given.Shop
    application_id: str = ""
    now: dt.datetime = NOW
    reviewer: Actor = field(default_factory=given.reviewer)
    approver: Actor = field(default_factory=given.approver)

    @property
    def seller(self) -> Actor:
        return self.shop.seller

    @property
    def view(self) -> ApplicationView:
        return queries.application(
            application_id=self.application_id, shop_key=self.shop.shop_key, now=self.now
        )

    @property
    def state(self) -> State:
        return self.view.state

    @property
    def case(self) -> Case:
        return queries.case(application_id=self.application_id, now=self.now)

    @property
    def approval(self) -> ApprovalPreview:
        preview = self.case.approval
        assert preview is not None
        return preview

    @property
    def deposit(self) -> DepositSummary:
        return deposit(self.shop.account_id)

    @property
    def codes(self) -> list[str]:
        return [event.code for event in self.view.timeline]

    # What people do

    def submit(self, **changes: object) -> Submitted:
        submitted = operations.submit_application(**{**self.entries(), **changes})
        self.application_id = submitted.application_id
        return submitted

    def entries(self) -> dict[str, object]:
        return {
            "account_id": self.shop.account_id,
            "shop_key": self.shop.shop_key,
            "choice": AmountChoice.WHOLE,
            "amount": None,
            "reason": Reason.CLOSING_SHOP,
            "note": "We are closing.",
            "destination_id": "",
            "request_key": f"key-{next(_numbers)}",
            "actor": self.seller,
            "now": self.now,
        }

    def approve(self, **changes: object) -> State:
        decision = {"note": "", "actor": self.reviewer, **self._shown(changes), **changes}
        return operations.approve_application(**decision)

    def confirm(self, **changes: object) -> State:
        shown = self.case.approval
        amount = shown.amount if shown else self.view.amount
        decision = {"actor": self.approver, "amount_retyped": amount}
        return operations.confirm_approval(**{**decision, **self._shown(changes), **changes})

    def approve_whole(self) -> None:
        """By as many people as it takes, or by none where the rule has approved it."""
        if self.state is State.IN_REVIEW:
            self.approve()
        if self.state is State.AWAITING_SECOND_APPROVAL:
            self.confirm()

    def pay_to_newest_account(self) -> None:
        """What was entered last is vouched for, asked for and approved, by the clock on the wall."""
        newest = destinations(shop_key=self.shop.shop_key)[0].destination_id
        self.now = read_clock()
        deposits.verify_destination(destination_id=newest, actor=given.reviewer(), now=self.now)
        self.submit(destination_id=newest)
        self.now = read_clock()
        self.check()
        self.approve_whole()
        self.deliver()

    def _shown(self, changes: dict[str, object]) -> dict[str, object]:
        """What the case page shows, unless the test has an older page."""
        about = {"application_id": self.application_id, "now": self.now}
        if {"version", "approval_hash"} <= changes.keys():
            return about
        preview = self.approval
        return {**about, "version": preview.version, "approval_hash": preview.approval_hash}

    def send_back(self, **changes: object) -> None:
        self._decide(operations.send_back, self.approver, {"text": "Look at O-7 again."}, changes)

    def reject(self, **changes: object) -> None:
        told = {"reasons": (RejectReason.TRADE_NOT_COMPLETE,), "text": "Order O-7 is open."}
        self._decide(operations.reject_application, self.reviewer, told, changes)

    def ask(self, **changes: object) -> None:
        question = {"question": "Who owns this account?"}
        self._decide(operations.request_information, self.reviewer, question, changes)

    def decide_appeal(self, *, granted: bool, **changes: object) -> None:
        told = {"granted": granted, "text": "O-7 was a test order."}
        self._decide(operations.decide_appeal, self.approver, told, changes)

    def refuse_repair(self, **changes: object) -> None:
        told = {"text": "Not the same person."}
        self._decide(operations.refuse_repair, self.reviewer, told, changes)

    def propose_close_out(self, **changes: object) -> None:
        told = {"text": "No other account was named in time."}
        self._decide(operations.propose_close_out, self.reviewer, told, changes)

    def confirm_close_out(self, **changes: object) -> None:
        self._decide(operations.confirm_close_out, self.approver, {}, changes)

    def answer(self, **changes: object) -> None:
        self._act(operations.provide_information, {"text": "My company does."}, changes)

    def appeal(self, **changes: object) -> None:
        self._act(operations.appeal_rejection, {"text": "O-7 was a test order."}, changes)

    def withdraw(self, **changes: object) -> None:
        self._act(operations.withdraw_application, {}, changes)

    def repair(self, number: str = OTHER_CARD, **changes: object) -> None:
        if "destination_id" not in changes:
            chosen = given.destination(self.shop, number=number, now=self.now)
            changes = {**changes, "destination_id": chosen.destination_id}
        self._act(operations.repair_destination, {}, changes)

    def check(self) -> None:
        operations.check_application(application_id=self.application_id, now=self.now)

    def deduct(self, amount: str) -> None:
        deposits.decide_deduction(
            account_id=self.shop.account_id,
            items=(DeductionItem("late delivery", 1, yuan(amount), ("O1",)),),
            purpose=DeductionPurpose.COMPENSATION,
            reason="Orders were sent late.",
            clause="Delivery rule 3.2",
            reference=f"deduction-{next(_numbers)}",
            actor=given.reviewer(),
            now=self.now,
        )

    # What the worker and the channel do

    def deliver(self) -> None:
        """Everything told is heard."""
        while undelivered_count():
            assert deliver_due(now=self.now) > 0, "a handler failed"

    def channel_answers(self, outcome: Outcome, *, leg_id: str = "") -> None:
        """The channel's answer about one leg, or about all that wait for one."""
        for leg in payout_of_application(self.application_id).legs:
            if leg_id in ("", leg.leg_id) and not leg.is_replaced:
                taken = payouts.claim_leg(leg_id=leg.leg_id, pace=payouts_given.PACE, now=self.now)
                if taken is not None:
                    payouts_given.record(taken, outcome, now=self.now)
        self.deliver()

    def channel_pays(self) -> None:
        self.channel_answers(Succeeded("SIM0001", self.now))

    def channel_fails(self) -> None:
        self.channel_answers(FailedDefinite("ACCOUNT_CLOSED"))

    def bank_returns(self) -> None:
        self.now += 2 * DAY
        self.channel_answers(Returned("SIM0001", "ACCOUNT_CLOSED", self.now))

    def let_repair_time_pass(self) -> None:
        """The seller names no other account until the time for it is over."""
        until = self.view.may_be_closed_out_from
        assert until is not None
        self.now = until

    def _decide(
        self,
        operation: Callable[..., object],
        actor: Actor,
        content: dict[str, object],
        changes: dict[str, object],
    ) -> None:
        decision = {
            "application_id": self.application_id,
            "version": self.view.version,
            "actor": actor,
            "now": self.now,
        }
        operation(**{**decision, **content, **changes})

    def _act(
        self,
        operation: Callable[..., object],
        content: dict[str, object],
        changes: dict[str, object],
    ) -> None:
        act = {
            "application_id": self.application_id,
            "shop_key": self.shop.shop_key,
            "actor": self.seller,
            "now": self.now,
        }
        operation(**{**act, **content, **changes})


def world(deposit_: str | tuple[str, ...] = MIDDLE, **shop: object) -> World:
    """A shop that may apply for its deposit."""
    return World(given.shop(deposit_, **shop))


def application(
    state: State = State.SUBMITTED, deposit_: str | tuple[str, ...] = MIDDLE, **shop: object
) -> World:
    """An application brought to a state by the people and machines that do so."""
    made = world(deposit_, **shop)
    chosen = "" if shop.get("route_open", True) else given.destination(made.shop).destination_id
    made.submit(destination_id=chosen)
    if state is not State.SUBMITTED:
        _ROADS[state](made)
    assert made.state is state
    return made


def _to_review(made: World) -> None:
    made.check()


def _to_more_information(made: World) -> None:
    made.check()
    made.ask()


def _to_rejected(made: World) -> None:
    made.check()
    made.reject()


def _to_appealed(made: World) -> None:
    _to_rejected(made)
    made.appeal()


def _to_second(made: World) -> None:
    made.check()
    made.approve()


def _to_paying(made: World) -> None:
    made.check()
    made.approve_whole()


def _to_paid(made: World) -> None:
    _to_paying(made)
    made.channel_pays()


def _to_returned(made: World) -> None:
    _to_paid(made)
    made.bank_returns()


def _to_repaired(made: World) -> None:
    _to_returned(made)
    made.repair()


def _to_closed_out(made: World) -> None:
    _to_returned(made)
    made.let_repair_time_pass()
    made.propose_close_out()
    made.confirm_close_out()


def _to_withdrawn(made: World) -> None:
    made.withdraw()


def _to_expired(made: World) -> None:
    _to_more_information(made)
    made.now += 30 * DAY
    operations.sweep_due(now=made.now)


_ROADS: dict[State, Callable[[World], None]] = {
    State.IN_REVIEW: _to_review,
    State.MORE_INFORMATION: _to_more_information,
    State.REJECTED: _to_rejected,
    State.APPEALED: _to_appealed,
    State.AWAITING_SECOND_APPROVAL: _to_second,
    State.PAYING: _to_paying,
    State.PAID: _to_paid,
    State.RETURNED: _to_returned,
    State.DESTINATION_REPAIRED: _to_repaired,
    State.WITHDRAWN: _to_withdrawn,
    State.EXPIRED: _to_expired,
    State.CLOSED_OUT: _to_closed_out,
}


def large(state: State) -> World:
    """The same, of an amount that two people must approve."""
    return application(state, LARGE)


def money(minor: int) -> Money:
    return Money(minor, "CNY")
