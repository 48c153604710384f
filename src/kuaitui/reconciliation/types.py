"""What a comparison finds."""

from __future__ import annotations

import enum
from dataclasses import dataclass


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
