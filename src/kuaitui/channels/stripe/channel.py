"""The port, spoken to Stripe."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import httpx

from kuaitui.channels.port import (
    Acknowledgement,
    ChannelCapabilities,
    FailedDefinite,
    NotFound,
    Notification,
    NotificationRefused,
    OriginalPayment,
    PayInMethod,
    PayInOrder,
    PayInOutcome,
    PayoutInstruction,
    QueryOutcome,
    Route,
    SubmitOutcome,
)
from kuaitui.channels.stripe.line import Line
from kuaitui.channels.stripe.pay_ins import PayIns
from kuaitui.channels.stripe.refunds import query_refund, submit_refund
from kuaitui.channels.stripe.settings import StripeSettings
from kuaitui.channels.stripe.webhooks import read_webhook

Clock = Callable[[], dt.datetime]


class StripeChannel:
    """Stripe: a payment page in, refunds along the payment out."""

    def __init__(
        self,
        settings: StripeSettings,
        *,
        clock: Clock,
        name: str = "stripe",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = name
        self._settings = settings
        self._clock = clock
        self._line = Line(settings, transport=transport)
        self._pay_ins = PayIns(self._line, cancel_url=settings.cancel_url)
        self.capabilities = ChannelCapabilities(
            routes=frozenset({Route.ORIGINAL}),
            not_found_floor=dt.timedelta(seconds=settings.not_found_floor_s),
            resend_window=dt.timedelta(seconds=settings.resend_window_s),
            return_window=dt.timedelta(seconds=settings.return_window_s),
            pay_in_methods=frozenset({PayInMethod.LINK}),
        )

    def submit(self, instruction: PayoutInstruction, *, deadline_s: float) -> SubmitOutcome:
        """Hand the refund over. To an account of a seller's Stripe cannot pay."""
        target = instruction.target
        if not isinstance(target, OriginalPayment):
            return FailedDefinite("route_not_offered")
        return submit_refund(
            self._line, instruction, target, deadline_s=deadline_s, now=self._clock()
        )

    def query(self, instruction: PayoutInstruction, *, deadline_s: float) -> QueryOutcome:
        """Ask what became of it."""
        target = instruction.target
        if not isinstance(target, OriginalPayment):
            return NotFound()
        return query_refund(
            self._line, instruction, target, deadline_s=deadline_s, now=self._clock()
        )

    def open_pay_in(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Make a payment page."""
        return self._pay_ins.open(order, deadline_s=deadline_s)

    def query_pay_in(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Ask whether it was paid."""
        return self._pay_ins.query(order, deadline_s=deadline_s, now=self._clock())

    def close_pay_in(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Let nobody pay it any more; `PayInPaid` when somebody was faster."""
        return self._pay_ins.close(order, deadline_s=deadline_s, now=self._clock())

    acknowledgement = Acknowledgement(status=200)

    def read_notification(
        self, headers: Mapping[str, str], body: bytes, *, now: dt.datetime
    ) -> Notification | NotificationRefused:
        """The number a genuine and fresh event speaks of."""
        return read_webhook(headers, body, secrets=self._settings.webhook_secrets, now=now)
