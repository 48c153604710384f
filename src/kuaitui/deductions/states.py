"""States of a deduction case, and the only ways between them."""

from __future__ import annotations

import enum
from typing import Final


class CaseState(enum.StrEnum):
    """Where a case stands."""

    ANNOUNCED = "announced"
    """The seller can reply, or has; nothing is decided. The money is set aside."""
    TAKEN = "taken"
    """At least one item was taken. The seller can appeal for a time."""
    DROPPED = "dropped"
    """The marketplace takes nothing."""
    LAPSED = "lapsed"
    """Nobody decided in time: nothing is taken."""
    APPEALED = "appealed"
    """Somebody else looks at it again."""
    GIVEN_BACK = "given_back"
    """The appeal brought back some of it, or all."""
    UPHELD = "upheld"
    """The appeal changed nothing."""


_NOWHERE: Final = frozenset[CaseState]()
TRANSITIONS: Final = {
    CaseState.ANNOUNCED: frozenset({CaseState.TAKEN, CaseState.DROPPED, CaseState.LAPSED}),
    CaseState.TAKEN: frozenset({CaseState.APPEALED}),
    CaseState.DROPPED: _NOWHERE,
    CaseState.LAPSED: _NOWHERE,
    CaseState.APPEALED: frozenset({CaseState.GIVEN_BACK, CaseState.UPHELD}),
    CaseState.GIVEN_BACK: _NOWHERE,
    CaseState.UPHELD: _NOWHERE,
}
OPEN: Final = frozenset({CaseState.ANNOUNCED, CaseState.APPEALED})
"""Somebody is still to do something."""


def may_move(source: CaseState, target: CaseState) -> bool:
    """Whether a case may go from one state to another, or stay: a reply leaves it where it is."""
    return source is target or target in TRANSITIONS[source]
