"""Model channels: in this process, behind the same port as real ones, with everything real ones do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from kuaitui.channels.port import (
    Accepted,
    Acknowledgement,
    ChannelCapabilities,
    FailedDefinite,
    NeededAction,
    NeedsAction,
    NotFound,
    Notification,
    NotificationRefused,
    NotificationSubject,
    NotSent,
    PayeeKind,
    PayInMethod,
    PayInOrder,
    PayInOutcome,
    PayoutInstruction,
    QueryOutcome,
    RefusedBecause,
    RejectedConfig,
    Returned,
    Route,
    SubmitOutcome,
    Succeeded,
    Unknown,
)
from kuaitui.simulation.channel_book import Booking, ChannelBook, target_of
from kuaitui.simulation.faults import Fault
from kuaitui.simulation.surroundings import Surroundings
from kuaitui.simulation.telling import Told, delays_of_telling, signature_of, wrong_number
from kuaitui.simulation.till import FLOOR, Till

DAY = dt.timedelta(days=1)
QUERIES_REACH_BACK = 90 * DAY
# A client's clock may be a little slow; what comes this late was not looked at at all.
LATENESS_FORGIVEN = dt.timedelta(hours=2)
OUTAGE_ENDS_AFTER = dt.timedelta(minutes=30)


class ModelChannel:
    """One channel. Its clock is a little off; its book is its own."""

    def __init__(
        self,
        name: str,
        *,
        original_window: dt.timedelta,
        resend_window: dt.timedelta,
        around: Surroundings,
    ) -> None:
        self.name = name
        self.book = ChannelBook()
        self.told: list[Told] = []
        self.capabilities = ChannelCapabilities(
            routes=frozenset(Route),
            not_found_floor=FLOOR,
            resend_window=resend_window,
            return_window=30 * DAY,
            payee_kinds=frozenset({PayeeKind.BANK_ACCOUNT}),
            original_window=original_window,
            pay_in_methods=frozenset({PayInMethod.QR_CODE}),
        )
        self.till = Till(name, self.book, self.told, original_window=original_window, around=around)
        self.is_stopped_by_us = False
        """Set while our kill switch is on: no send may begin."""
        self.forgotten_by_us: set[str] = set()
        """Numbers that a restore may have taken from us: to be asked about before they come again."""
        self._around = around

    @property
    def now(self) -> dt.datetime:
        """The channel's own time."""
        return self._around.now

    @property
    def acknowledgement(self) -> Acknowledgement:
        """What it wants to hear."""
        return Acknowledgement()

    def read_notification(
        self, headers: Mapping[str, str], body: bytes, *, now: dt.datetime
    ) -> Notification | NotificationRefused:
        """Read what came, if it is the channel's."""
        del now
        if headers["Signature"] != signature_of(self.name, body):
            return NotificationRefused(RefusedBecause.FORGED)
        event, subject, number = body.decode().split(" ")
        return Notification(event_id=event, subject=NotificationSubject(subject), number=number)

    def open_pay_in(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Let a payer pay an order, or not, and say so, or not."""
        del deadline_s
        return self.till.open(order)

    def query_pay_in(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Say how an order stands."""
        del deadline_s
        return self.till.query(order)

    def close_pay_in(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Let nobody pay an order any more."""
        del deadline_s
        return self.till.close(order)

    def submit(self, instruction: PayoutInstruction, *, deadline_s: float) -> SubmitOutcome:
        """Take an instruction, or not, and say so, or not."""
        del deadline_s
        answer = self._submit(instruction)
        self.book.answers.add((instruction.number, "send", _name_of(answer)))
        return answer

    def query(self, instruction: PayoutInstruction, *, deadline_s: float) -> QueryOutcome:
        """Say how a number stands."""
        del deadline_s
        answer = self._query(instruction)
        self.book.answers.add((instruction.number, "query", _name_of(answer)))
        return answer

    def _submit(self, instruction: PayoutInstruction) -> SubmitOutcome:
        if self.is_stopped_by_us:
            self.book.misuses.append(f"{instruction.number} was sent while sending was stopped")
        if instruction.number in self.forgotten_by_us:
            self.book.misuses.append(
                f"{instruction.number} was sent after a restore, and not asked about"
            )
        if self._around.strikes(Fault.NOT_SENT):
            return NotSent("connect")
        self._around.during_a_call()
        if self._around.strikes(Fault.LOST_REQUEST):
            return Unknown("timeout")
        if self._around.strikes(Fault.REFUSES_US):
            return RejectedConfig("NO_PERMISSION")
        if self._around.strikes(Fault.LATE_REQUEST):
            self._receive(instruction, self.now + FLOOR * self._around.chance.uniform(0.05, 0.9))
            return Unknown("timeout")
        received = self._receive(instruction, self.now)
        if isinstance(received, FailedDefinite):
            return received
        if self._around.strikes(Fault.LOST_ANSWER):
            return Unknown("timeout")
        if self._around.strikes(Fault.ERROR_AFTER_TAKING):
            return Unknown("http_500")
        return self._outcome(received)

    def _receive(self, instruction: PayoutInstruction, at: dt.datetime) -> Booking | FailedDefinite:
        """What arrives at the channel: a number it knows, or one that it takes or refuses."""
        known = self.book.latest(instruction.number, self.now, self.capabilities.resend_window)
        known = known or self.book.overtake(instruction.number, self.now)
        if known is None:
            return self._refusal_of(instruction) or self._take(instruction, at)
        if not known.says_the_same(instruction):
            self.book.misuses.append(f"{instruction.number} came again with another content")
            return FailedDefinite("PARAM_ERROR")
        if known.go_on(self.now):
            self._tell(known)
        return known

    def _query(self, instruction: PayoutInstruction) -> QueryOutcome:
        self._around.during_a_call()
        if self._around.strikes(Fault.QUERY_FAILS):
            return NotSent("connect") if self._around.chance.random() < 0.5 else Unknown("http_502")
        self.forgotten_by_us.discard(instruction.number)
        known = self.book.findable(instruction.number, self.now, QUERIES_REACH_BACK)
        if known is None or self.now < known.seen_from:
            return NotFound()
        if not known.says_the_same(instruction):
            return Unknown("echo_mismatch")
        return self._outcome(known)

    def _refusal_of(self, instruction: PayoutInstruction) -> FailedDefinite | None:
        """Why an instruction is not taken at all."""
        payment, _ = target_of(instruction)
        if payment:
            paid = self.book.payments.get(payment)
            minor, currency = instruction.amount.minor, instruction.amount.currency
            if paid is None or paid.currency != currency:
                self.book.misuses.append(f"{instruction.number} names no payment of ours")
                return FailedDefinite("PAYMENT_UNKNOWN")
            if self.book.sent_back_along(payment, self.now) + minor > paid.minor:
                self.book.misuses.append(f"{instruction.number} is more than was paid")
                return FailedDefinite("MORE_THAN_PAID")
            if self.now >= paid.refundable_until:
                if self.now >= paid.refundable_until + LATENESS_FORGIVEN:
                    self.book.misuses.append(
                        f"{instruction.number} comes after the way back closed"
                    )
                return FailedDefinite("PAYMENT_TOO_OLD")
        if self._around.strikes(Fault.NO_BALANCE):
            return FailedDefinite("NOT_ENOUGH", same_key_retry_ok=True)
        return None

    def _take(self, instruction: PayoutInstruction, at: dt.datetime) -> Booking:
        payment, account = target_of(instruction)
        booking = Booking(
            number=instruction.number,
            minor=instruction.amount.minor,
            currency=instruction.amount.currency,
            payment=payment,
            account=account,
            taken_at=at,
            seen_from=at,
            ends_at=at + dt.timedelta(seconds=self._around.chance.choice([0, 0, 5, 90])),
        )
        if self._around.strikes(Fault.HIDDEN):
            # Counted from the send: younger than its floor it may hide, as it declares, not older.
            booking.seen_from = max(at, self.now + FLOOR * self._around.chance.uniform(0.1, 0.9))
        if self._around.strikes(Fault.SLOW):
            booking.ends_at = at + dt.timedelta(hours=self._around.chance.choice([1, 9, 50, 120]))
        if account and self._around.strikes(Fault.WANTS_AGAIN):
            hours = self._around.chance.choice([0, 0, 6, 40])
            booking.has_money_from = at + dt.timedelta(hours=hours)
        if self._around.strikes(Fault.NEEDS_ACTION):
            booking.waits_for_a_person = True
            booking.ends_at = at + dt.timedelta(hours=self._around.chance.choice([2, 30, 80]))
        if self._around.strikes(Fault.REFUSED):
            booking.failure = "ACCOUNT_CLOSED" if account else "ORIGINAL_PAYMENT_FROZEN"
        elif self._around.strikes(Fault.RETURNED):
            after = self._around.chance.choice([0.2, 2, 5, 9, 24]) * DAY
            booking.returned_at = booking.ends_at + after
            booking.return_is_called_failure = self._around.chance.random() < 0.2
        self.book.take(booking)
        self._tell(booking)
        return booking

    def _outcome(self, booking: Booking) -> SubmitOutcome:
        reference = f"{self.name}-{booking.number[-8:]}"
        if booking.wants_again:
            return Accepted(reference, wants_again=True)
        if self.now < booking.ends_at:
            if booking.waits_for_a_person:
                return NeedsAction(NeededAction.USER_CONFIRM, reference)
            return Accepted(reference)
        if booking.failure:
            return FailedDefinite(booking.failure)
        if booking.returned_at is not None and booking.came_back(self.now):
            if booking.return_is_called_failure:
                # Some channels show a payout as paid first and call it failed later (Stripe).
                return FailedDefinite("PAYOUT_FAILED")
            return Returned(reference, "ACCOUNT_CLOSED", booking.returned_at)
        return Succeeded(reference, booking.ends_at)

    def _tell(self, booking: Booking) -> None:
        """Put the notifications of a booking on their way: twice, late, out of order, wrong."""
        news = [booking.ends_at]
        if booking.returned_at is not None:
            news.append(booking.returned_at)
        for at in news:
            event = f"{booking.number}/{booking.taken_at:%Y%m%d%H%M%S}/{at:%Y%m%d%H%M%S}"
            for delay_s in delays_of_telling(self._around):
                deliver_at = at + dt.timedelta(seconds=delay_s)
                self.told.append(Told(deliver_at, self.name, booking.number, event))
        if self._around.strikes(Fault.TOLD_WRONG):
            early = booking.taken_at + dt.timedelta(seconds=self._around.chance.uniform(0, 30))
            number = wrong_number(booking.number, self._around)
            event = f"{booking.number}/{booking.taken_at:%Y%m%d%H%M%S}/wrong"
            self.told.append(Told(early, self.name, number, event))


def _name_of(answer: QueryOutcome) -> str:
    if isinstance(answer, FailedDefinite) and answer.same_key_retry_ok:
        return "FailedRetryable"
    if isinstance(answer, Accepted) and answer.wants_again:
        return "AcceptedWantsAgain"
    return type(answer).__name__
