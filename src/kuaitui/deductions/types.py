"""The words of deduction cases as values."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from kuaitui.deposits.types import DeductionItem
from kuaitui.kernel.actor import Actor

SWEEP: Final = Actor.system("deductions.sweep_due")
"""Who ends what nobody decided or answered in time."""


class Reply(enum.StrEnum):
    """What a seller says to an announcement."""

    ACCEPTS = "accepts"
    OBJECTS = "objects"


class CaseCode(enum.StrEnum):
    """What happened to a case, in news and in the trail."""

    ANNOUNCED = "announced"
    REPLIED = "replied"
    REPLY_REMINDED = "reply_reminded"
    TAKEN = "taken"
    DROPPED = "dropped"
    LAPSED = "lapsed"
    APPEALED = "appealed"
    GIVEN_BACK = "given_back"
    UPHELD = "upheld"
    APPEAL_LAPSED = "appeal_lapsed"
    """Nobody answered it in time: all of it was given back."""


@dataclass(frozen=True, slots=True)
class CaseItem:
    """One line of what was announced, and what became of it."""

    number: int
    item: DeductionItem
    is_taken: bool
    is_given_back: bool
