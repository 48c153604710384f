"""The till of a model channel: orders that wait for a payer, and the payments made there."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Final

from kuaitui.channels.port import (
    FailedDefinite,
    NotFound,
    NotificationSubject,
    NotSent,
    PayInClosed,
    PayInOpened,
    PayInOrder,
    PayInOutcome,
    PayInPaid,
    PayInWaiting,
    RejectedConfig,
    Unknown,
)
from kuaitui.kernel.money import Money
from kuaitui.simulation.channel_book import ChannelBook, PaymentIn
from kuaitui.simulation.faults import Fault
from kuaitui.simulation.surroundings import Surroundings
from kuaitui.simulation.telling import Told, delays_of_telling, wrong_number

FLOOR: Final = dt.timedelta(minutes=10)
"""How long what the channel does not know may still arrive there."""


@dataclass(slots=True)
class TillOrder:
    """One order as the channel has it."""

    order: PayInOrder
    arrives_at: dt.datetime
    seen_from: dt.datetime
    """From when on a query finds it."""
    is_closed: bool = False
    payments: list[PaymentIn] = field(default_factory=list)

    def is_over(self, at: dt.datetime) -> bool:
        """Whether nobody may pay it any more."""
        return self.is_closed or self.order.expires_at <= at


class Till:
    """All orders of one channel."""

    def __init__(
        self,
        name: str,
        book: ChannelBook,
        told: list[Told],
        *,
        original_window: dt.timedelta,
        around: Surroundings,
    ) -> None:
        self._name = name
        self._book = book
        self._told = told
        self._window = original_window
        self._around = around
        self._orders: dict[str, TillOrder] = {}

    def open(self, order: PayInOrder) -> PayInOutcome:
        """Take an order, or find it: the number decides."""
        return self._noted(order, "open", self._open(order))

    def query(self, order: PayInOrder) -> PayInOutcome:
        """How it stands; of several payments the last is told."""
        return self._noted(order, "query", self._query(order))

    def close(self, order: PayInOrder) -> PayInOutcome:
        """Let nobody pay it any more; paid it stays."""
        return self._noted(order, "close", self._close(order))

    def pay(self, number: str, *, shop: int, minor: int, anyhow: bool = False) -> bool:
        """Somebody pays an order; `anyhow` also one that is paid or over. Whether it was taken."""
        known = self._orders.get(number)
        if known is None or known.arrives_at > self._around.now:
            return False
        if not anyhow and (known.payments or known.is_over(self._around.now)):
            return False
        payment = PaymentIn(
            reference=f"{self._name}-till-{shop}-{len(self._book.payments)}",
            shop=shop,
            minor=minor,
            currency=known.order.amount.currency,
            paid_at=self._around.now,
            refundable_until=self._around.now + self._window,
            order=number,
        )
        self._book.payments[payment.reference] = payment
        known.payments.append(payment)
        self._tell(payment)
        return True

    def _open(self, order: PayInOrder) -> PayInOutcome:
        around = self._around
        if around.strikes(Fault.NOT_SENT):
            return NotSent("connect")
        around.during_a_call()
        if around.strikes(Fault.LOST_REQUEST):
            return Unknown("timeout")
        if around.strikes(Fault.REFUSES_US):
            return RejectedConfig("NO_PERMISSION")
        if around.strikes(Fault.LATE_REQUEST):
            self._receive(order, around.now + FLOOR * around.chance.uniform(0.05, 0.9))
            return Unknown("timeout")
        known = self._receive(order, around.now)
        if known is None:
            return FailedDefinite("PARAM_ERROR")
        if around.strikes(Fault.LOST_ANSWER):
            return Unknown("timeout")
        if around.strikes(Fault.ERROR_AFTER_TAKING):
            return Unknown("http_500")
        found = self._found(known)
        if isinstance(found, PayInWaiting):
            return PayInOpened(f"https://{self._name}.example/{order.number}", order.expires_at)
        return found

    def _receive(self, order: PayInOrder, at: dt.datetime) -> TillOrder | None:
        known = self._orders.get(order.number)
        if known is None:
            known = self._orders[order.number] = TillOrder(order, at, at)
            if self._around.strikes(Fault.HIDDEN):
                hidden_for = FLOOR * self._around.chance.uniform(0.1, 0.9)
                known.seen_from = max(at, self._around.now + hidden_for)
        elif (known.order.amount, known.order.expires_at) != (order.amount, order.expires_at):
            self._book.misuses.append(f"{order.number} came again with another content")
            return None
        known.arrives_at = min(known.arrives_at, at)
        return known

    def _query(self, order: PayInOrder) -> PayInOutcome:
        around = self._around
        around.during_a_call()
        if around.strikes(Fault.QUERY_FAILS):
            return NotSent("connect") if around.chance.random() < 0.5 else Unknown("http_502")
        known = self._orders.get(order.number)
        if known is None or around.now < max(known.arrives_at, known.seen_from):
            return NotFound()
        return self._found(known)

    def _close(self, order: PayInOrder) -> PayInOutcome:
        around = self._around
        if around.strikes(Fault.NOT_SENT):
            return NotSent("connect")
        around.during_a_call()
        if around.strikes(Fault.LOST_REQUEST):
            return Unknown("timeout")
        known = self._orders.get(order.number)
        if known is None or around.now < known.arrives_at:
            return NotFound()
        known.is_closed = known.is_closed or not known.payments
        if around.strikes(Fault.LOST_ANSWER):
            return Unknown("timeout")
        return self._found(known)

    def _found(self, known: TillOrder) -> PayInOutcome:
        if known.payments:
            last = known.payments[-1]
            return PayInPaid(last.reference, Money(last.minor, last.currency), last.paid_at)
        return PayInClosed() if known.is_over(self._around.now) else PayInWaiting()

    def _noted(self, order: PayInOrder, call: str, answer: PayInOutcome) -> PayInOutcome:
        name = type(answer).__name__
        self._book.answers.add((order.number, call, name))
        return answer

    def _tell(self, payment: PaymentIn) -> None:
        """Put the notifications of a payment on their way. A second payment is an event of its own."""
        events = [
            (payment.order, f"in/{payment.reference}", delay_s)
            for delay_s in delays_of_telling(self._around)
        ]
        if self._around.strikes(Fault.TOLD_WRONG):
            wrong = wrong_number(payment.order, self._around)
            events.append((wrong, f"in/{payment.reference}/wrong", 1.0))
        for number, event, delay_s in events:
            deliver_at = payment.paid_at + dt.timedelta(seconds=delay_s)
            self._told.append(
                Told(deliver_at, self._name, number, event, NotificationSubject.PAY_IN)
            )
