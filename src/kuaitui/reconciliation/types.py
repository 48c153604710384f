"""What a comparison finds."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

from kuaitui.channels.port import LineKind
from kuaitui.kernel.money import Money
from kuaitui.ledger.types import Account


class BreakKind(enum.StrEnum):
    """In which way the two do not agree."""

    MISSING_AT_CHANNEL = "missing_at_channel"
    """We say it was paid; the channel does not."""
    MISSING_IN_LEDGER = "missing_in_ledger"
    """The channel paid it; our ledger does not say so (yet, or at all)."""
    AMOUNT = "amount"
    PAID_TWICE = "paid_twice"


@dataclass(frozen=True, slots=True)
class WithPayee:
    """What one side says of one number: how often paid and returned, and what the payee has."""

    times_paid: int
    times_returned: int
    minor: int


@dataclass(frozen=True, slots=True)
class Break:
    """One number on which ledger and channel do not agree."""

    kind: BreakKind
    channel_number: str
    ours_minor: int
    theirs_minor: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result: how many numbers were compared, what payees hold, and every break."""

    numbers_count: int
    ours_minor: int
    theirs_minor: int
    breaks: tuple[Break, ...]

    @property
    def is_proven(self) -> bool:
        """Whether both sides agree on every number."""
        return not self.breaks


class Source(enum.StrEnum):
    """How a file came to us."""

    FETCHED = "fetched"
    IMPORTED = "imported"


class ReadingState(enum.StrEnum):
    """What came of reading a file."""

    READ = "read"
    EMPTY = "empty"
    """The channel says that nothing happened on that day."""
    REFUSED = "refused"

    @property
    def is_sound(self) -> bool:
        """Whether it can be compared with the books."""
        return self is not ReadingState.REFUSED


class Event(enum.StrEnum):
    """What a line of a bill and a journal of ours can both be about."""

    PAY_IN = "pay_in"
    OUT = "out"
    """A refund along the original payment, or a payout to an account."""
    RETURN = "return"
    """Money that came back after it was paid (退票)."""


class DifferenceKind(enum.StrEnum):
    """In which way a bill and our books differ."""

    MISSING_IN_LEDGER = "missing_in_ledger"
    """On the bill, and of nothing that we know."""
    MISSING_IN_BILL = "missing_in_bill"
    """In our books, on no bill."""
    AMOUNT = "amount"
    STATE = "state"
    """Known to both, but our record has not come to the same end."""
    DUPLICATE = "duplicate"
    """More than once on the bill: it may have been paid twice."""
    TIMING = "timing"
    """Near midnight: the neighbouring day's bill may have it, and is not here yet."""
    RETURN = "return"
    """The bill shows money that came back; our books do not."""


class BreakState(enum.StrEnum):
    """Where the closing of a break stands."""

    OPEN = "open"
    PROPOSED = "proposed"
    CLOSED = "closed"


class Closing(enum.StrEnum):
    """How a break was closed."""

    MATCHED_LATER = "matched_later"
    BY_TWO = "by_two"


class Remedy(enum.StrEnum):
    """What closing a break by two people does to the books."""

    EXPLAIN = "explain"
    """Nothing is posted: the reason says why."""
    BOOK_CHANNEL_COST = "book_channel_cost"
    """The channel kept more than we knew: the difference is our expense."""
    BOOK_SELLER_DEBT = "book_seller_debt"
    """The seller was paid twice: what came too much is owed back."""


class DayState(enum.StrEnum):
    """What can be said of one day of one channel."""

    PROVEN = "proven"
    OPEN_BREAKS = "open_breaks"
    TO_LOOK_AT = "to_look_at"
    """Another file for the day waits for a person."""
    REFUSED = "refused"
    NOT_HERE = "not_here"


@dataclass(frozen=True, slots=True)
class Ours:
    """What our side knows of one number: the channel's answer as we recorded it, and the journal.

    `line_kind` is what a bill calls it; `answered_at` is when the channel says it happened, None
    while it has not said so; `posted_minor` is what the ledger holds, None while nothing is posted.
    """

    object_id: str
    book_id: int
    line_kind: str
    currency: str
    answered_minor: int
    answered_at: dt.datetime | None
    posted_minor: int | None
    word: str
    reference: str = ""
    waited_for_payee: bool = False
    """Whether the channel took the money first and then waited for the payee to confirm."""


@dataclass(frozen=True, slots=True)
class Theirs:
    """One line of a bill."""

    day: dt.date
    line_no: int
    minor: int
    currency: str
    occurred_at: dt.datetime
    state: str
    file_id: str
    kind: LineKind


@dataclass(frozen=True, slots=True)
class Item:
    """One event under one number, with everything that either side says of it."""

    event: Event
    key: str
    ours: Ours | None
    lines: tuple[Theirs, ...]
    other_way_minor: int = 0
    """What the bills show under the same number the other way: come back, or gone out before."""


@dataclass(frozen=True, slots=True)
class Difference:
    """How one item differs, in minor units of one currency."""

    kind: DifferenceKind
    ours_minor: int
    theirs_minor: int
    currency: str
    day: dt.date


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of a file that somebody brought."""

    file_id: str
    is_new: bool
    state: ReadingState
    is_taken: bool
    """Whether it is the file that the day is compared by."""
    reason: str = ""
    line_no: int = 0
    lines_count: int = 0


@dataclass(frozen=True, slots=True)
class LineChange:
    """One line that is read otherwise, in words; empty where there was none, or is none any more."""

    line_no: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """What today's parser makes of a kept file, beside what was made of it before."""

    file_id: str
    is_changed: bool
    is_compared: bool
    """Whether it is the file that its day is compared by."""
    state: ReadingState
    reason: str
    line_no: int
    lines_before: int
    lines_count: int
    changes_count: int = 0
    changes: tuple[LineChange, ...] = ()
    """The first of them, in the order of the file."""


@dataclass(frozen=True, slots=True)
class Matching:
    """What one comparison of one bill with our books came to."""

    compared_count: int
    found: tuple[str, ...] = ()
    matched_later: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Correction:
    """A journal that the system proposes: the difference, from one account to another."""

    remedy: Remedy
    book_id: int
    debit: Account
    credit: Account
    amount: Money
