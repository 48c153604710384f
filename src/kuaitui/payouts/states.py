"""States of a payout leg and of a payout, and the only ways between them."""

from __future__ import annotations

import enum
from typing import Final


class LegState(enum.StrEnum):
    """Where one leg stands."""

    READY = "ready"
    """To be sent: never was, or every send of it is known not to have taken effect."""
    SENDING = "sending"
    """A worker was told to send. Whether it did, only its record or the channel can say."""
    UNKNOWN = "unknown"
    """Sent, and nobody can say with what result. It is asked, never sent."""
    ACCEPTED = "accepted"
    """The channel works on it."""
    NEEDS_ACTION = "needs_action"
    """The channel waits for a person."""
    PAID = "paid"
    """Settled. The bank may still give it back for weeks."""
    RETURNED = "returned"
    """Paid and given back (退票)."""
    FAILED = "failed"
    """Certainly not paid."""
    CANCELLED = "cancelled"
    """Called off before it was ever sent."""


class PayoutState(enum.StrEnum):
    """Where a payout stands, which follows from its legs."""

    PAYING = "paying"
    NEEDS_REPAIR = "needs_repair"
    PAID = "paid"
    CANCELLED = "cancelled"
    CLOSED_OUT = "closed_out"
    """All of it came back or failed, and nothing of it is sent again."""


class BatchState(enum.StrEnum):
    """Where a batch stands."""

    OPEN = "open"
    """Built by one person; a second one must release it."""
    RELEASED = "released"
    CANCELLED = "cancelled"
    """Called off before it was released; its legs wait for another."""


# What a channel can still answer about a leg that was sent.
_ANSWERS: Final = frozenset(
    {
        LegState.READY,
        LegState.UNKNOWN,
        LegState.ACCEPTED,
        LegState.NEEDS_ACTION,
        LegState.PAID,
        LegState.RETURNED,
        LegState.FAILED,
    }
)
TRANSITIONS: Final = {
    # Sent, failed or called off; or the channel knew its number already, though we did not send it
    # in any history that we remember (after a restore from backup).
    LegState.READY: frozenset(
        {
            LegState.SENDING,
            LegState.FAILED,
            LegState.CANCELLED,
            LegState.ACCEPTED,
            LegState.NEEDS_ACTION,
            LegState.PAID,
            LegState.RETURNED,
        }
    ),
    LegState.SENDING: _ANSWERS,
    LegState.UNKNOWN: _ANSWERS - {LegState.UNKNOWN},
    LegState.ACCEPTED: _ANSWERS - {LegState.ACCEPTED},
    LegState.NEEDS_ACTION: _ANSWERS - {LegState.NEEDS_ACTION},
    LegState.PAID: frozenset({LegState.RETURNED}),
    LegState.RETURNED: frozenset[LegState](),
    LegState.FAILED: frozenset[LegState](),
    LegState.CANCELLED: frozenset[LegState](),
}
# Money of these legs is neither with the payee nor back with us.
LIVE: Final = frozenset(
    {
        LegState.READY,
        LegState.SENDING,
        LegState.UNKNOWN,
        LegState.ACCEPTED,
        LegState.NEEDS_ACTION,
    }
)
# A question about these may have an answer that we do not know yet.
ASKABLE: Final = LIVE - {LegState.READY} | {LegState.PAID}
# Where a payment in suspense can stand on its way back. Given back by the payer's bank before it was
# called paid is failed: the money lies where it lay.
SEND_BACK_STATES: Final = LIVE | {LegState.PAID, LegState.RETURNED, LegState.FAILED}
# A new leg may take the place of these.
REPAIRABLE: Final = frozenset({LegState.FAILED, LegState.RETURNED})


def may_move(source: LegState, target: LegState) -> bool:
    """Whether a leg may go from one state to another, or stay."""
    return source is target or target in TRANSITIONS[source]
