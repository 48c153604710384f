"""A channel's own bills: what it says happened on one day, as bytes and as lines."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass, field
from typing import TypeAlias

from kuaitui.channels.port.outcomes import NotSent, RejectedConfig, Unknown
from kuaitui.kernel.money import Money


class StatementKind(enum.StrEnum):
    """What a bill proves."""

    TRADES = "trades"
    """The business events: orders paid, refunds, payouts."""
    FUNDS = "funds"
    """The cash: every movement of the account."""


class LineKind(enum.StrEnum):
    """What one line of a bill is about."""

    PAY_IN = "pay_in"
    REFUND = "refund"
    """Back along the original payment."""
    REFUND_BEGUN = "begun"
    """Such a refund that had not come to its end when the bill was made."""
    REFUND_FAILED = "failed"
    """Such a refund that came to nothing."""
    PAYOUT = "payout"
    """To a designated account."""
    RETURN = "return"
    """Money of a payout that came back (退票)."""
    FEE = "fee"
    FEE_RETURN = "fee_return"
    """A fee that the channel gave back, with the refund of its payment for instance."""
    TRANSFER = "transfer"
    """Between the merchant's own accounts: top-up, withdrawal, settlement."""
    OTHER = "other"
    """Money that came in, of a sort that nobody mapped."""
    STRANGE = "strange"
    """Money that went out, or an event undone, of a sort that nobody mapped. It is never a payment."""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line. `amount` is always positive; its kind says which way it went.

    `line_no` is the row's number in the file. A row may tell of several things, each of another
    kind.

    `number` is ours where the bill carries it, `reference` the channel's own; either may be empty.
    """

    line_no: int
    kind: LineKind
    number: str
    reference: str
    amount: Money
    occurred_at: dt.datetime
    state: str = ""
    """The channel's own word, for people to read."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One day's bill, read. The totals are the bill's own, checked against its lines."""

    account: str
    """The merchant or account it is of, as the bill says."""
    day: dt.date
    lines: tuple[StatementLine, ...] = field(repr=False)
    closing_balance: Money | None = None
    """What lay on the account when the day was over, where the bill says it beyond doubt."""


class StatementRefused(Exception):  # noqa: N818 - an answer, like a refusal
    """A bill cannot be read, or is not what it says it is. `line_no` is 0 for the whole."""

    def __init__(self, reason: str, *, line_no: int = 0) -> None:
        super().__init__(f"line {line_no}: {reason}" if line_no else reason)
        self.reason = reason
        self.line_no = line_no


@dataclass(frozen=True, slots=True)
class StatementFetched:
    """The bill's bytes, exactly as the channel sent them and with the hash it announced checked."""

    content: bytes = field(repr=False)
    file_name: str


@dataclass(frozen=True, slots=True)
class StatementEmpty:
    """The channel says that nothing happened on that day."""


@dataclass(frozen=True, slots=True)
class StatementNotReady:
    """The channel makes this bill later."""


@dataclass(frozen=True, slots=True)
class StatementAbsent:
    """There is no such bill: nothing happened on that day, or it is made later.

    Alipay has one word for both, so our books and the hour must say which it is.
    """


StatementOutcome: TypeAlias = (
    StatementFetched
    | StatementEmpty
    | StatementNotReady
    | StatementAbsent
    | RejectedConfig
    | NotSent
    | Unknown
)
