"""Who a payee is, as the channel itself says it: nobody knows their openid by heart."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class NotIdentifiedBecause(enum.StrEnum):
    """Why a channel did not say who somebody is."""

    EXPIRED = "expired"
    """The code was used before, or is too old: whoever it is begins again."""
    GUEST = "guest"
    """A stand-in for somebody who only looks; nothing can be paid to it."""
    UNREACHABLE = "unreachable"
    """No answer that can be used. The code may be spent all the same."""
    REFUSES_US = "refuses_us"
    """The channel does not know this installation: its settings are wrong."""


@dataclass(frozen=True, slots=True)
class PayeeIdentified:
    """The payee, by the number that a payout to them carries."""

    account_number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PayeeNotIdentified:
    """Nobody was named. `cause` is for the log: the channel's own code, or what the line did."""

    because: NotIdentifiedBecause
    cause: str


IdentificationOutcome = PayeeIdentified | PayeeNotIdentified
