"""The port, spoken to Alipay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

import httpx

from kuaitui.channels.alipay.answers import Answer
from kuaitui.channels.alipay.bill_lines import read_bill
from kuaitui.channels.alipay.bills import fetch_bill
from kuaitui.channels.alipay.formats import CURRENCY
from kuaitui.channels.alipay.gateway import Clock, Gateway
from kuaitui.channels.alipay.notifications import read_notification
from kuaitui.channels.alipay.pay_ins import PayIns
from kuaitui.channels.alipay.refunds import (
    REFUND_METHOD,
    REFUND_QUERY_METHOD,
    read_refund,
    read_refund_query,
    refund_content,
    refund_query_content,
)
from kuaitui.channels.alipay.settings import AlipaySettings
from kuaitui.channels.alipay.transfers import (
    PRODUCTS,
    TRANSFER_METHOD,
    TRANSFER_QUERY_METHOD,
    read_transfer,
    read_transfer_query,
    transfer_content,
    transfer_query_content,
    why_not_payable,
)
from kuaitui.channels.port import (
    Acknowledgement,
    ChannelCapabilities,
    FailedDefinite,
    NotFound,
    Notification,
    NotificationRefused,
    OriginalPayment,
    PayeeAccount,
    PayInMethod,
    PayInOrder,
    PayInOutcome,
    PayoutInstruction,
    QueryOutcome,
    RejectedConfig,
    Route,
    Statement,
    StatementKind,
    StatementOutcome,
    SubmitOutcome,
    Unknown,
)

REFUND_INTERVAL: Final = dt.timedelta(seconds=3)


class AlipayChannel:
    """Alipay: money out, money in, and its bills. To accounts it pays only where there are certificates."""

    def __init__(
        self,
        settings: AlipaySettings,
        *,
        clock: Clock,
        name: str = "alipay",
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = name
        self.capabilities = capabilities_of(settings)
        self._settings = settings
        self._clock = clock
        self._gateway = Gateway(settings, clock=clock, transport=transport)
        self._pay_ins = PayIns(self._gateway, clock=clock)

    def submit(self, instruction: PayoutInstruction, *, deadline_s: float) -> SubmitOutcome:
        """Hand the instruction over. What can be known to be impossible is not sent."""
        if instruction.amount.currency != CURRENCY:
            return FailedDefinite("currency_not_offered")
        if isinstance(instruction.target, OriginalPayment):
            outcome = self._refund(instruction, instruction.target, deadline_s)
        else:
            outcome = self._transfer(instruction, instruction.target, deadline_s)
        return Unknown("not_found_after_submit") if isinstance(outcome, NotFound) else outcome

    def query(self, instruction: PayoutInstruction, *, deadline_s: float) -> QueryOutcome:
        """Ask what became of it."""
        target = instruction.target
        if isinstance(target, OriginalPayment):
            content = refund_query_content(instruction, target)
            answer = self._gateway.ask(REFUND_QUERY_METHOD, content, deadline_s=deadline_s)
            if not isinstance(answer, Answer):
                return answer
            return read_refund_query(answer, instruction, target, now=self._clock())
        if target.kind not in PRODUCTS:
            return NotFound()
        content = transfer_query_content(instruction, target)
        answer = self._gateway.ask(TRANSFER_QUERY_METHOD, content, deadline_s=deadline_s)
        if not isinstance(answer, Answer):
            return answer
        return read_transfer_query(answer, instruction, now=self._clock())

    def open_pay_in(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Let Alipay wait for the payer."""
        return self._pay_ins.open(order, deadline_s=deadline_s)

    def query_pay_in(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Ask whether it was paid."""
        return self._pay_ins.query(order, deadline_s=deadline_s)

    def close_pay_in(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Let nobody pay it any more; `PayInPaid` when somebody was faster."""
        return self._pay_ins.close(order, deadline_s=deadline_s)

    def fetch_statement(
        self, kind: StatementKind, day: dt.date, *, deadline_s: float
    ) -> StatementOutcome:
        """One day's bill as the ZIP that Alipay sent."""
        return fetch_bill(self._gateway, kind, day, deadline_s=deadline_s)

    def read_statement(self, kind: StatementKind, content: bytes) -> Statement:
        """Read a bill's bytes.

        Raises:
            StatementRefused: it is not a whole, sound bill of this merchant.
        """
        return read_bill(kind, content, seller_id=self._settings.seller_id)

    acknowledgement = Acknowledgement(status=200, content_type="text/plain", body=b"success")

    def read_notification(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 - Alipay signs the form
        body: bytes,
        *,
        now: dt.datetime,
    ) -> Notification | NotificationRefused:
        """The number a genuine and fresh notification speaks of."""
        return read_notification(body, self._settings, now=now)

    def _refund(
        self, instruction: PayoutInstruction, target: OriginalPayment, deadline_s: float
    ) -> QueryOutcome:
        content = refund_content(instruction, target)
        answer = self._gateway.ask(REFUND_METHOD, content, deadline_s=deadline_s)
        if not isinstance(answer, Answer):
            return answer
        return read_refund(answer, instruction, target, now=self._clock())

    def _transfer(
        self, instruction: PayoutInstruction, payee: PayeeAccount, deadline_s: float
    ) -> QueryOutcome:
        if self._settings.certificates is None:
            return RejectedConfig("certificate_mode_required")
        if impossible := why_not_payable(payee):
            return FailedDefinite(impossible)
        content = transfer_content(instruction, payee, self._settings)
        answer = self._gateway.ask(TRANSFER_METHOD, content, deadline_s=deadline_s)
        if not isinstance(answer, Answer):
            return answer
        return read_transfer(answer, instruction, now=self._clock())


def capabilities_of(settings: AlipaySettings) -> ChannelCapabilities:
    """What these settings let Alipay do. The refund window is in the contract, so it may be unset."""
    days = settings.refund_window_days
    has_certificates = settings.certificates is not None
    return ChannelCapabilities(
        routes=frozenset(Route) if has_certificates else frozenset({Route.ORIGINAL}),
        not_found_floor=dt.timedelta(seconds=settings.not_found_floor_s),
        resend_window=dt.timedelta(seconds=settings.resend_window_s),
        return_window=dt.timedelta(seconds=settings.return_window_s),
        payee_kinds=frozenset(PRODUCTS) if has_certificates else frozenset(),
        original_window=None if days is None else dt.timedelta(days=days),
        refund_interval=REFUND_INTERVAL,
        pay_in_methods=frozenset(PayInMethod),
        statement_kinds=frozenset(StatementKind),
    )
