"""Pay-ins for tests: an order, and a till that answers what the test says."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from itertools import count

from kuaitui.channels.port import (
    PayInMethod,
    PayInOpened,
    PayInOrder,
    PayInOutcome,
    PayInPaid,
    PayInWaiting,
)
from kuaitui.channels.registry import Channels
from kuaitui.channels.simulator.client import SimulatorChannel, SimulatorSettings
from kuaitui.deposits import operations, queries
from kuaitui.deposits.models import PayInAttempt
from kuaitui.deposits.operations import PayerDetails, PayInClaim
from kuaitui.deposits.queries import PayInOrderView
from kuaitui.deposits.states import PayInState
from kuaitui.deposits.types import PayInCall, PayInChoice, PayInPace
from kuaitui.kernel.money import Money
from tests.support import given
from tests.support.given import NOW, yuan

MINUTE = dt.timedelta(minutes=1)
PACE = PayInPace()
TABLES = (
    "deposits_pay_in_order", "deposits_pay_in_attempt", "deposits_suspense",
    "deposits_stray_number", "deposits_channel_payment",
)  # fmt: skip
# It declares what the simulated channel can do, and is never called.
CHANNELS = Channels(
    {given.CHANNEL: SimulatorChannel(SimulatorSettings("http://127.0.0.1:9", b"key"))}
)
CAPABILITIES = CHANNELS.get(given.CHANNEL).capabilities
_numbers = count(1)


@dataclass
class World:
    """A shop whose deposit lacks something, and one order to pay it."""

    shop: given.Shop
    order_id: str = ""
    now: dt.datetime = NOW
    calls: list[PayInCall] = field(default_factory=list)

    @property
    def order(self) -> PayInOrderView:
        return queries.pay_in_order(order_id=self.order_id, shop_key=self.shop.shop_key)

    @property
    def state(self) -> PayInState:
        return self.order.state

    @property
    def paid_in(self) -> Money:
        return queries.deposit(self.shop.account_id).paid_in

    def start(self, **changes: object) -> str:
        request: dict[str, object] = {
            "account_id": self.shop.account_id,
            "shop_key": self.shop.shop_key,
            "choice": PayInChoice.MISSING,
            "amount": None,
            "channel": given.CHANNEL,
            "method": PayInMethod.QR_CODE,
            "request_key": f"request-{next(_numbers)}",
            "payer": PayerDetails(ip="192.0.2.7", return_to="https://desk.example/pay-ins/"),
            "channels": CHANNELS,
            "pace": PACE,
            "actor": self.shop.seller,
            "now": self.now,
        }
        self.order_id = operations.start_pay_in(**{**request, **changes})
        return self.order_id

    def claim(self) -> PayInClaim | None:
        claim = operations.claim_pay_in(order_id=self.order_id, pace=PACE, now=self.now)
        if claim is not None:
            self.calls.append(claim.call)
        return claim

    def record(self, claim: PayInClaim, outcome: PayInOutcome) -> PayInState | None:
        return operations.record_pay_in_outcome(
            claim=claim, outcome=outcome, capabilities=CAPABILITIES, pace=PACE, now=self.now
        )

    def channel_says(self, outcome: PayInOutcome) -> PayInState:
        """The next call is made, when it is due, and gets this answer."""
        self.wait()
        claim = self.claim()
        assert claim is not None, "no call is due"
        self.record(claim, outcome)
        return self.state

    def wait(self) -> None:
        """Until the next call is due."""
        due = next_check_at(self.order_id)
        if due is not None:
            self.now = max(self.now, due)

    def hint(self) -> bool:
        return operations.note_pay_in_hint(
            channel=given.CHANNEL, number=self.order.number, now=self.now
        )

    def opened(self) -> PayInOpened:
        return PayInOpened("weixin://pay/code", self.order.expires_at)

    def payment(self, amount: Money | None = None, *, reference: str = "") -> PayInPaid:
        return PayInPaid(
            reference or f"CHANNEL{next(_numbers)}", amount or self.order.amount, self.now
        )


def world(deposit: str = "¥200", *, required: str = "¥500") -> World:
    """A shop that has paid less than is required."""
    return World(given.shop(deposit, required=required))


def waiting(deposit: str = "¥200", **changes: object) -> World:
    """An order that the channel waits for."""
    made = world(deposit)
    made.start(**changes)
    assert made.channel_says(made.opened()) is PayInState.WAITING
    return made


def paid() -> World:
    """An order that was paid."""
    made = waiting()
    assert made.channel_says(made.payment()) is PayInState.PAID
    return made


def expired() -> World:
    """An order that nobody paid in time."""
    from kuaitui.channels.port import PayInClosed

    made = waiting()
    made.now += PACE.valid_for
    assert made.channel_says(PayInClosed()) is PayInState.EXPIRED
    return made


def next_check_at(order_id: str) -> dt.datetime | None:
    from kuaitui.deposits.models import PayInOrderRow

    return PayInOrderRow.objects.values_list("next_check_at", flat=True).get(public_id=order_id)


def attempts(order_id: str) -> list[tuple[str, str | None]]:
    rows = PayInAttempt.objects.filter(order__public_id=order_id).order_by("attempt_no")
    return list(rows.values_list("kind", "outcome"))


class PortTill:
    """A till that keeps its word: for properties and races, spoken to through the port."""

    def __init__(self) -> None:
        self.orders: dict[str, PayInOrder] = {}
        self.closed: set[str] = set()
        self.payments: dict[str, list[PayInPaid]] = {}

    def open_pay_in(self, order: PayInOrder) -> PayInOutcome:
        self.orders.setdefault(order.number, order)
        known = self.state(order.number)
        if isinstance(known, PayInWaiting):
            return PayInOpened(f"sim://{order.number}", order.expires_at)
        return known

    def state(self, number: str) -> PayInOutcome:
        from kuaitui.channels.port import NotFound, PayInClosed

        if self.payments.get(number):
            return self.payments[number][-1]
        if number not in self.orders:
            return NotFound()
        return PayInClosed() if number in self.closed else PayInWaiting()

    def close_pay_in(self, number: str) -> PayInOutcome:
        if number in self.orders and not self.payments.get(number):
            self.closed.add(number)
        return self.state(number)

    def pay(self, number: str, amount: Money, at: dt.datetime) -> PayInPaid:
        """Somebody pays, whatever the order says."""
        payment = PayInPaid(f"PORT{next(_numbers)}", amount, at)
        self.payments.setdefault(number, []).append(payment)
        return payment


def missing(made: World) -> Money:
    return yuan("¥300")
