"""States of a pay-in order and of money in suspense, and the only ways between them."""

from __future__ import annotations

import enum
from typing import Final


class PayInState(enum.StrEnum):
    """Where one order stands."""

    CREATED = "created"
    """Numbered and stored. The channel does not have it, or certainly did not take it."""
    OPENING = "opening"
    """A worker was told to open it. Whether the channel did, only its record can say."""
    UNKNOWN = "unknown"
    """Nobody can say whether the channel has it. It is asked, not opened."""
    WAITING = "waiting"
    """The channel waits for the payer."""
    PAID = "paid"
    """Paid, and a lot of the deposit."""
    PAID_OTHER_AMOUNT = "paid_other_amount"
    """Paid with another amount than asked. What arrived is a lot; a person looks at it."""
    IN_SUSPENSE = "in_suspense"
    """Paid when it could no longer be: the money waits in suspense for two people."""
    CLOSED = "closed"
    """Not paid, and called off by us or by the channel."""
    EXPIRED = "expired"
    """Not paid in time, and can no longer be."""
    FAILED = "failed"
    """The channel refused it for good."""


class SuspenseState(enum.StrEnum):
    """Where money without a place stands."""

    OPEN = "open"
    PROPOSED = "proposed"
    """One person has said what should become of it."""
    ATTRIBUTED = "attributed"
    """A lot of a deposit."""
    TO_SEND_BACK = "to_send_back"
    """Two people have ordered that it goes back the way it came. The machine sends it."""
    SENT_BACK = "sent_back"
    """The channel has sent it back, by its own word or as two people noted. What it sent back by
    our order may still be given back to it for weeks."""


_ANSWERS: Final = frozenset(PayInState) - {PayInState.OPENING}
_LATE: Final = frozenset({PayInState.IN_SUSPENSE})
TRANSITIONS: Final = {
    PayInState.CREATED: frozenset({PayInState.OPENING, PayInState.CLOSED, PayInState.EXPIRED}),
    PayInState.OPENING: _ANSWERS,
    PayInState.UNKNOWN: _ANSWERS - {PayInState.UNKNOWN},
    PayInState.WAITING: (_ANSWERS | {PayInState.OPENING}) - {PayInState.WAITING},
    PayInState.PAID: frozenset[PayInState](),
    PayInState.PAID_OTHER_AMOUNT: frozenset[PayInState](),
    PayInState.IN_SUSPENSE: frozenset[PayInState](),
    PayInState.CLOSED: _LATE,
    PayInState.EXPIRED: _LATE,
    PayInState.FAILED: _LATE,
}
# Somebody may still pay these.
OPEN: Final = frozenset(
    {PayInState.CREATED, PayInState.OPENING, PayInState.UNKNOWN, PayInState.WAITING}
)
PAID: Final = frozenset({PayInState.PAID, PayInState.PAID_OTHER_AMOUNT, PayInState.IN_SUSPENSE})
ENDED_UNPAID: Final = frozenset({PayInState.CLOSED, PayInState.EXPIRED, PayInState.FAILED})

SUSPENSE_TRANSITIONS: Final = {
    SuspenseState.OPEN: frozenset({SuspenseState.PROPOSED}),
    SuspenseState.PROPOSED: frozenset(
        {
            SuspenseState.OPEN,
            SuspenseState.ATTRIBUTED,
            SuspenseState.TO_SEND_BACK,
            SuspenseState.SENT_BACK,
        }
    ),
    # Open again: the channel refused for good, and people decide anew.
    SuspenseState.TO_SEND_BACK: frozenset({SuspenseState.SENT_BACK, SuspenseState.OPEN}),
    SuspenseState.ATTRIBUTED: frozenset[SuspenseState](),
    # Open again: it came back (退票).
    SuspenseState.SENT_BACK: frozenset({SuspenseState.OPEN}),
}
# Money of these lies in a suspense book.
UNRESOLVED: Final = frozenset(
    {SuspenseState.OPEN, SuspenseState.PROPOSED, SuspenseState.TO_SEND_BACK}
)


def may_move(source: PayInState, target: PayInState) -> bool:
    """Whether an order may go from one state to another, or stay."""
    return source is target or target in TRANSITIONS[source]
