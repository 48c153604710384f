"""What a model channel remembers: who paid in, what it took, what it paid, what came back.

It shares no code with the ledger. It is what our books are compared with.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from kuaitui.channels.port import OriginalPayment, PayeeAccount, PayoutInstruction


@dataclass(frozen=True, slots=True)
class PaymentIn:
    """Somebody paid."""

    reference: str
    shop: int
    minor: int
    currency: str
    paid_at: dt.datetime
    refundable_until: dt.datetime
    order: str = ""
    """The number of the order that was paid, if it was one."""


@dataclass(slots=True)
class Booking:
    """One payout as the channel has it. What will become of it was drawn when it was taken."""

    number: str
    minor: int
    currency: str
    payment: str
    """The payment it goes back along, or nothing."""
    account: str
    """The account it goes to, or nothing."""
    taken_at: dt.datetime
    seen_from: dt.datetime
    ends_at: dt.datetime
    failure: str = ""
    waits_for_a_person: bool = False
    returned_at: dt.datetime | None = None
    return_is_called_failure: bool = False
    has_money_from: dt.datetime | None = None
    """From when on the same order once more makes it go on, if it waits for that."""
    went_on_at: dt.datetime | None = None
    """When it did: questions reach back to there."""

    @property
    def wants_again(self) -> bool:
        """Whether it waits, as long as it takes, for the same order once more."""
        return self.has_money_from is not None

    def was_paid(self, at: dt.datetime) -> bool:
        """Whether the money had left."""
        return not self.wants_again and not self.failure and self.ends_at <= at

    def came_back(self, at: dt.datetime) -> bool:
        """Whether it had come back."""
        came = self.returned_at is not None and self.returned_at <= at
        return came and not self.wants_again

    def is_final(self, at: dt.datetime) -> bool:
        """Whether nothing further will become of it."""
        ended = self.ends_at if self.returned_at is None else self.returned_at
        return not self.wants_again and ended <= at

    def go_on(self, at: dt.datetime) -> bool:
        """The same order came once more: it takes the time that was drawn for it; whether it does."""
        if self.has_money_from is None or at < self.has_money_from:
            return False
        waited = at - self.taken_at
        self.has_money_from, self.went_on_at = None, at
        self.ends_at += waited
        if self.returned_at is not None:
            self.returned_at += waited
        return True

    def says_the_same(self, instruction: PayoutInstruction) -> bool:
        """Whether this instruction is the one that was taken under the number."""
        payment, account = target_of(instruction)
        return (self.minor, self.currency, self.payment, self.account) == (
            instruction.amount.minor,
            instruction.amount.currency,
            payment,
            account,
        )


def target_of(instruction: PayoutInstruction) -> tuple[str, str]:
    """The payment or the account that an instruction names."""
    match instruction.target:
        case OriginalPayment(payment_reference=reference):
            return reference, ""
        case PayeeAccount(account_number=number):
            return "", number


@dataclass(slots=True)
class Heard:
    """What was delivered to us in the name of one channel."""

    genuine: int = 0
    """Deliveries, repetitions among them."""
    events: set[str] = field(default_factory=set)
    refused: int = 0


@dataclass(slots=True)
class ChannelBook:
    """Everything one channel ever took."""

    payments: dict[str, PaymentIn] = field(default_factory=dict)
    bookings: list[Booking] = field(default_factory=list)
    misuses: list[str] = field(default_factory=list)
    """What no sound client asks for. Any of these is a finding."""
    answers: set[tuple[str, str, str]] = field(default_factory=set)
    """Every answer ever given: number, submit or query, and the answer's name."""
    _latest: dict[str, Booking] = field(default_factory=dict)

    def latest(self, number: str, at: dt.datetime, memory: dt.timedelta) -> Booking | None:
        """What an order that comes meets under a number. What ended long ago is forgotten."""
        booking = self._known(number, at)
        if booking is None or (booking.is_final(at) and booking.taken_at + memory < at):
            return None
        return booking

    def findable(self, number: str, at: dt.datetime, reach: dt.timedelta) -> Booking | None:
        """What a question about a number finds: longer than an order, if that waited for another."""
        booking = self._known(number, at)
        if booking is None:
            return None
        since = booking.went_on_at or booking.taken_at
        return None if booking.is_final(at) and since + reach < at else booking

    def _known(self, number: str, at: dt.datetime) -> Booking | None:
        booking = self._latest.get(number)
        return None if booking is None or booking.taken_at > at else booking

    def overtake(self, number: str, at: dt.datetime) -> Booking | None:
        """The booking of a request that is still on its way: the second one is here first."""
        booking = self._latest.get(number)
        if booking is None or booking.taken_at <= at:
            return None
        booking.taken_at = booking.seen_from = at
        return booking

    def take(self, booking: Booking) -> None:
        """Take an instruction. A number that was forgotten is taken a second time."""
        self.bookings.append(booking)
        self._latest[booking.number] = booking

    def sent_back_along(self, reference: str, at: dt.datetime) -> int:
        """What goes back along a payment, in minor units."""
        return sum(
            booking.minor
            for booking in self.bookings
            if booking.payment == reference and not booking.failure and not booking.came_back(at)
        )

    def net_by_number(self, at: dt.datetime) -> Iterator[tuple[str, int, int, int]]:
        """Every number with how often it was paid, how often it came back, and what left."""
        sums: dict[str, list[int]] = {}
        for booking in self.bookings:
            paid, back = booking.was_paid(at), booking.came_back(at)
            line = sums.setdefault(booking.number, [0, 0, 0])
            line[0] += paid
            line[1] += back
            line[2] += (paid - back) * booking.minor
        for number, (times_paid, times_back, minor) in sums.items():
            yield number, times_paid, times_back, minor
