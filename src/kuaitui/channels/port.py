"""What every channel adapter promises: instructions in, exactly one of a few outcomes out.

Source: reference "One classification for all channels"; ADR-0006.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import Money


class Route(enum.StrEnum):
    """The way the money goes."""

    ORIGINAL = "original"
    """Back along the payment it came by."""
    DESIGNATED = "designated"
    """To a verified account of the same person or company."""


@dataclass(frozen=True, slots=True)
class OriginalPayment:
    """The payment to send money back along, by the channel's own reference."""

    payment_reference: str


@dataclass(frozen=True, slots=True, repr=False)
class PayeeAccount:
    """The account to pay to. Its `repr` shows the tail only: it may end up in a traceback."""

    holder_name: str
    bank_name: str
    account_number: str

    def __repr__(self) -> str:
        return f"PayeeAccount(…{self.account_number[-4:]})"


@dataclass(frozen=True, slots=True)
class PayoutInstruction:
    """What to pay, complete and unchanging: every resend is made from the same instruction.

    `number` is ours, chosen and stored before the first call; the channel pays it at most once.
    """

    number: str
    amount: Money
    target: OriginalPayment | PayeeAccount

    def __post_init__(self) -> None:
        ensure(self.number != "", "an instruction carries its number")
        ensure(self.amount.is_positive, "the amount of an instruction is positive")

    @property
    def route(self) -> Route:
        """The way this money goes."""
        return Route.ORIGINAL if isinstance(self.target, OriginalPayment) else Route.DESIGNATED


class NeededAction(enum.StrEnum):
    """What a person must do before the channel goes on."""

    USER_CONFIRM = "user_confirm"
    ABNORMAL_REFUND = "abnormal_refund"
    MISSING_BANK_DETAILS = "missing_bank_details"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The channel has the instruction and works on it. The money has not arrived."""

    reference: str


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The channel paid. `reference` is the number to show to a bank."""

    reference: str
    settled_at: dt.datetime


@dataclass(frozen=True, slots=True)
class FailedDefinite:
    """The channel did not pay this and never will by itself.

    With `same_key_retry_ok` the cause can pass (no balance): the same number may be sent again.
    """

    code: str
    same_key_retry_ok: bool = False


@dataclass(frozen=True, slots=True)
class RejectedConfig:
    """The channel refuses us, not this payout (credentials, permission): stop sending to it."""

    code: str


@dataclass(frozen=True, slots=True)
class NeedsAction:
    """The channel waits for a person."""

    action: NeededAction
    reference: str


@dataclass(frozen=True, slots=True)
class Returned:
    """Paid, and given back by the payee's bank (退票)."""

    reference: str
    code: str
    returned_at: dt.datetime


@dataclass(frozen=True, slots=True)
class NotFound:
    """The channel does not know the number. An answer to a query only, and not yet a failure."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """No byte of the request left us: sending it again is safe."""

    cause: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say what happened. Never success, never failure: it is asked again."""

    cause: str


SubmitOutcome: TypeAlias = (
    Accepted
    | Succeeded
    | FailedDefinite
    | RejectedConfig
    | NeedsAction
    | Returned
    | NotSent
    | Unknown
)
QueryOutcome: TypeAlias = SubmitOutcome | NotFound
Outcome: TypeAlias = QueryOutcome


@dataclass(frozen=True, slots=True)
class ChannelCapabilities:
    """What a channel can do, and how long its promises hold."""

    routes: frozenset[Route]
    not_found_floor: dt.timedelta
    """Younger than this, a send the channel does not know may still arrive there."""
    resend_window: dt.timedelta
    """How long the channel remembers a number. Later it is only asked, never sent again."""
    return_window: dt.timedelta
    """How long after payment money may still come back."""


class Channel(Protocol):
    """One payment channel.

    `deadline_s` bounds the whole call, from the first name look-up to the last byte. Neither call
    raises for anything the channel or the network does.
    """

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

    def read_notification(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """The number that a notification speaks of, or nothing when it is not the channel's own.

        A notification is a hint to ask; what it claims besides is not even read.
        """
