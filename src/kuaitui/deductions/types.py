"""The words of deduction cases as values."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from kuaitui.deposits.types import DeductionItem


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


@dataclass(frozen=True, slots=True)
class CaseItem:
    """One line of what was announced, and what became of it."""

    number: int
    item: DeductionItem
    is_taken: bool
    is_given_back: bool
