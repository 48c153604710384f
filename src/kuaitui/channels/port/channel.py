"""The borders themselves.

No call raises for anything the channel or the network does. `deadline_s` bounds a whole call, from
the first name look-up to the last byte. An adapter holds no clock of its own, no retries, no tables.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Protocol

from kuaitui.channels.port.capabilities import ChannelCapabilities
from kuaitui.channels.port.identification import IdentificationOutcome
from kuaitui.channels.port.instructions import PayeeAccount, PayoutInstruction
from kuaitui.channels.port.notifications import (
    Acknowledgement,
    Notification,
    NotificationRefused,
)
from kuaitui.channels.port.outcomes import QueryOutcome, SubmitOutcome
from kuaitui.channels.port.pay_ins import PayInOrder, PayInOutcome
from kuaitui.channels.port.statements import Statement, StatementKind, StatementOutcome


class Channel(Protocol):
    """One payment channel, for money out."""

    @property
    def name(self) -> str:
        """The channel's name in settings and rows."""

    @property
    def capabilities(self) -> ChannelCapabilities:
        """What it can do."""

    def submit(self, instruction: PayoutInstruction, *, deadline_s: float) -> SubmitOutcome:
        """Hand the instruction over. The same instruction always makes the same request."""

    def query(self, instruction: PayoutInstruction, *, deadline_s: float) -> QueryOutcome:
        """Ask what became of the instruction's number. Changes nothing at the channel.

        It takes the whole instruction since some channels ask by number and payment together
        (Alipay: out_request_no with out_trade_no), and since an echo with another amount is
        no answer to this instruction.
        """

    def read_notification(
        self, headers: Mapping[str, str], body: bytes, *, now: dt.datetime
    ) -> Notification | NotificationRefused:
        """Which number a notification speaks of, or why it is not taken.

        A notification is a hint to ask; what it claims besides is not even read.
        """

    @property
    def acknowledgement(self) -> Acknowledgement:
        """The answer after which the channel does not repeat a notification."""


class CancellingChannel(Protocol):
    """A channel that lets an accepted payout be called back while the payee has not confirmed."""

    def cancel(self, instruction: PayoutInstruction, *, deadline_s: float) -> QueryOutcome:
        """Ask for it to be called back, and return how the payout stands then.

        Only `FailedDefinite` says that it never pays. Repeating is safe.
        """


class HandOverChannel(Protocol):
    """A channel that holds a refund it cannot deliver (WeChat Pay ABNORMAL) until told where to."""

    def hand_over(
        self,
        instruction: PayoutInstruction,
        *,
        reference: str,
        payee: PayeeAccount,
        deadline_s: float,
    ) -> QueryOutcome:
        """Send the stuck refund to that bank card, under its old number. Repeating is safe.

        `reference` is the channel's own number of the refund, as `NeedsAction` told it.
        """


class IdentifyingChannel(Protocol):
    """A channel that says itself who a payee is, to whom its app has brought them."""

    def identification_page(self, *, state: str, return_to: str) -> str:
        """The address that the payee opens in the channel's app, and comes back from to
        `return_to`, with `state` and a code. `state` is of letters and digits only.
        """

    def identify(self, code: str, *, deadline_s: float) -> IdentificationOutcome:
        """Who came back with that code. A code is good for one question."""


class PayInChannel(Protocol):
    """A channel that collects money. All three calls may be repeated with the same order."""

    def open_pay_in(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Let the channel wait for the payer."""

    def query_pay_in(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Ask whether it was paid."""

    def close_pay_in(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Let nobody pay it any more; `PayInPaid` when somebody was faster."""


class StatementChannel(Protocol):
    """A channel that gives its own bills."""

    def fetch_statement(
        self, kind: StatementKind, day: dt.date, *, deadline_s: float
    ) -> StatementOutcome:
        """One day's bill as bytes, its announced hash checked."""

    def read_statement(self, kind: StatementKind, content: bytes) -> Statement:
        """Read a bill's bytes. Pure: the same bytes give the same lines on any day.

        Raises:
            StatementRefused: it is not a whole, sound bill of this account.
        """
