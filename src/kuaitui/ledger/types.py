"""The words of the ledger as values."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import Money


class Account(enum.IntEnum):
    """The accounts of every book. The number is what entries store and the place in `balances`."""

    AT_CHANNEL = 1
    """Asset: money lying with a payment channel."""
    RECEIVABLE = 2
    """Asset: owed by the seller after a deduction larger than the deposit."""
    CHANNEL_FEE = 3
    """Expense: what a channel kept."""
    AVAILABLE = 4
    """Liability to the seller: free to be refunded or deducted."""
    FROZEN = 5
    """Liability to the seller: set aside while an application is open."""
    IN_TRANSIT = 6
    """Liability to the seller: sent, not yet settled, like a cheque under way."""
    COMPENSATION_PAYABLE = 7
    """Liability to buyers."""
    PENALTY_INCOME = 8
    FEE_INCOME = 9

    @property
    def is_debit_normal(self) -> bool:
        """Whether a debit makes it grow: assets and expenses."""
        return self < Account.AVAILABLE


@dataclass(frozen=True, slots=True)
class Line:
    """One amount moved from the credited account's side to the debited account's side."""

    debit: Account
    credit: Account
    amount: Money

    def __post_init__(self) -> None:
        ensure(self.amount.is_positive, "the amount of a line is positive")
        ensure(self.debit != self.credit, "a line joins two different accounts")


@dataclass(frozen=True, slots=True)
class Journal:
    """One business event to post.

    `reference` names the event in the caller's words and is unique per book and kind for ever:
    posting it again is a no-op. `occurred_at` is when it happened in the world.
    """

    book_id: int
    kind: str
    reference: str
    occurred_at: dt.datetime
    lines: tuple[Line, ...]

    def __post_init__(self) -> None:
        ensure(len(self.lines) > 0, "a journal has at least one line")
        ensure(self.occurred_at.tzinfo is not None, "occurred_at knows its time zone")


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a journal stands. `is_new` is false when the reference had been posted before."""

    book_id: int
    journal_no: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class Balances:
    """What every account of a book holds, each on its normal side, at one moment."""

    currency: str
    journals_count: int
    minor: tuple[int, ...]

    def of(self, account: Account) -> Money:
        """The balance of one account."""
        return Money(self.minor[ACCOUNTS.index(account)], self.currency)


@dataclass(frozen=True, slots=True)
class Entry:
    """One posted line, with the journal it belongs to."""

    book_id: int
    journal_no: int
    entry_no: int
    kind: str
    reference: str
    occurred_at: dt.datetime
    recorded_at: dt.datetime
    debit: Account
    credit: Account
    amount: Money

    def change_of(self, account: Account) -> Money:
        """By how much this entry changes one account, on its normal side."""
        sign = (self.debit == account) - (self.credit == account)
        if not account.is_debit_normal:
            sign = -sign
        return Money(sign * self.amount.minor, self.amount.currency)


ACCOUNTS = tuple(Account)
