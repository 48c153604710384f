"""Whatever sellers, payers, workers and the channel do in any order: money is conserved.

The channel is a model that speaks through the port. Every payment it ever took is a lot of a deposit
or lies in suspense, exactly once, with its amount; nothing else is either.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kuaitui.channels.port import NotSent, PayInOutcome, PayInPaid, Unknown
from kuaitui.deposits import operations, queries
from kuaitui.deposits.errors import DepositAccountClosed, PayInAlreadyOpen, PayInEnded
from kuaitui.deposits.models import ChannelPayment, DepositAccount, DepositLot, SuspenseRow
from kuaitui.deposits.operations import PayInClaim
from kuaitui.deposits.types import FoundBy, PayInCall, PayInChoice
from kuaitui.kernel.money import Money
from kuaitui.ledger import queries as ledger
from kuaitui.ledger.types import Account
from tests.support import given
from tests.support import pay_ins_given as pig

AMOUNTS = st.integers(1, 100_000).map(lambda minor: Money(minor, "CNY"))
LOST = st.sampled_from(["heard", "heard", "heard", "lost", "not_sent", "dies"])


class PayIns(RuleBasedStateMachine):
    """One deposit, many orders, a payer who pays whatever a number can be paid by."""

    def __init__(self) -> None:
        super().__init__()
        self.world = pig.World(given.shop("¥200", required="¥500"))
        self.till = pig.PortTill()
        self.order_ids: list[str] = []
        self.at_first = self.total_at_channel()

    def total_at_channel(self) -> int:
        return sum(total.of(Account.AT_CHANNEL).minor for total in ledger.totals())

    @rule(amount=AMOUNTS)
    def a_seller_starts(self, amount: Money) -> None:
        try:
            self.world.start(choice=PayInChoice.OTHER, amount=amount)
        except (PayInAlreadyOpen, DepositAccountClosed):
            return
        self.order_ids.append(self.world.order_id)

    @rule(minutes=st.sampled_from([0, 1, 40, 2000]))
    def time_passes(self, minutes: int) -> None:
        self.world.now += dt.timedelta(minutes=minutes, seconds=5)

    @precondition(lambda self: self.order_ids)
    @rule(fate=LOST, data=st.data())
    def a_worker_calls(self, fate: str, data: st.DataObject) -> None:
        due = queries.due_pay_ins(now=self.world.now)
        if not due:
            return
        self.world.order_id = data.draw(st.sampled_from(due))
        claim = self.world.claim()
        if claim is None or fate == "dies":
            return
        if fate == "not_sent":
            self.world.record(claim, NotSent("connect_error"))
            return
        outcome = self.call(claim)
        self.world.record(claim, Unknown("deadline") if fate == "lost" else outcome)

    def call(self, claim: PayInClaim) -> PayInOutcome:
        number = claim.order.number
        match claim.call:
            case PayInCall.OPEN:
                return self.till.open_pay_in(claim.order)
            case PayInCall.QUERY:
                return self.till.state(number)
            case PayInCall.CLOSE:
                return self.till.close_pay_in(number)

    @precondition(lambda self: self.till.orders)
    @rule(data=st.data(), other=st.none() | AMOUNTS)
    def somebody_pays(self, data: st.DataObject, other: Money | None) -> None:
        number = data.draw(st.sampled_from(sorted(self.till.orders)))
        amount = other or self.till.orders[number].amount
        self.till.pay(number, amount, self.world.now)
        for _ in range(data.draw(st.integers(0, 2))):
            self.tell(number)

    @rule(amount=AMOUNTS)
    def somebody_pays_a_number_of_nobodys(self, amount: Money) -> None:
        number = f"stray{len(self.till.payments)}"
        self.till.pay(number, amount, self.world.now)
        self.tell(number)
        operations.record_stray(
            channel=given.CHANNEL,
            number=number,
            outcome=self.till.state(number),
            until=None,
            floor=pig.CAPABILITIES.not_found_floor,
            pace=pig.PACE,
            asked_at=self.world.now,
            now=self.world.now,
        )

    @precondition(lambda self: self.order_ids)
    @rule(data=st.data())
    def a_seller_calls_off(self, data: st.DataObject) -> None:
        try:
            operations.call_off_pay_in(
                order_id=data.draw(st.sampled_from(self.order_ids)),
                shop_key=self.world.shop.shop_key,
                actor=self.world.shop.seller,
                now=self.world.now,
            )
        except PayInEnded:
            return

    @rule()
    def the_shop_leaves_or_comes_back(self) -> None:
        account = DepositAccount.objects.get(public_id=self.world.shop.account_id)
        DepositAccount.objects.filter(pk=account.pk).update(is_open=not account.is_open)

    @rule()
    def the_bill_comes(self) -> None:
        """It names every payment; after it and the questions it brings, all have a place."""
        for number, payments in self.till.payments.items():
            for payment in payments:
                self.note_from_bill(number, payment)
        for _ in range(3 * len(self.order_ids) + 3):
            self.world.now += dt.timedelta(minutes=2)
            for order_id in queries.due_pay_ins(now=self.world.now):
                self.world.order_id = order_id
                claim = self.world.claim()
                if claim is not None:
                    self.world.record(claim, self.call(claim))
        for number, payments in self.till.payments.items():
            for payment in payments:
                self.note_from_bill(number, payment)
        placed = ChannelPayment.objects.filter(reference__startswith="PORT").count()
        assert placed + SuspenseRow.objects.count() == self.payments_count()
        assert self.total_at_channel() - self.at_first == sum(
            payment.amount.minor for paid in self.till.payments.values() for payment in paid
        )

    def note_from_bill(self, number: str, payment: PayInPaid) -> None:
        found = operations.FoundPayment(
            channel=given.CHANNEL,
            reference=payment.reference,
            number=number,
            amount=payment.amount,
            paid_at=payment.paid_at,
            refundable_until=None,
        )
        operations.note_found_payment(found=found, found_by=FoundBy.BILL, now=self.world.now)

    def tell(self, number: str) -> None:
        operations.note_pay_in_hint(channel=given.CHANNEL, number=number, now=self.world.now)

    def payments_count(self) -> int:
        return sum(map(len, self.till.payments.values()))

    @invariant()
    def every_place_holds_a_payment_of_the_channel_and_no_two_the_same(self) -> None:
        real = {
            payment.reference: payment.amount.minor
            for paid in self.till.payments.values()
            for payment in paid
        }
        lots = dict(
            DepositLot.objects.filter(channel_reference__startswith="PORT").values_list(
                "channel_reference", "amount_minor"
            )
        )
        suspense = dict(SuspenseRow.objects.values_list("reference", "amount_minor"))
        assert not lots.keys() & suspense.keys()
        assert (lots | suspense).items() <= real.items()
        assert self.total_at_channel() - self.at_first == sum((lots | suspense).values())

    @invariant()
    def the_books_are_true(self) -> None:
        assert [
            *ledger.differences(),
            *queries.differences(),
            *queries.suspense_differences(),
        ] == []


class InItsOwnTransaction(PayIns):
    """Every history begins with an empty database and leaves none."""

    def __init__(self) -> None:
        self._block = transaction.atomic()
        self._block._from_testcase = True  # as of Django's own test cases: durable blocks may nest
        self._block.__enter__()
        super().__init__()

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            transaction.set_rollback(True)
            self._block.__exit__(None, None, None)


@pytest.mark.django_db
def test_every_payment_has_one_place_whatever_happens() -> None:
    run_state_machine_as_test(
        InItsOwnTransaction,
        settings=settings(
            max_examples=10,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
