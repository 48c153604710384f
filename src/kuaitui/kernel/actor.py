"""Who acts: a person, or the system by a named rule."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class ActorKind(enum.StrEnum):
    """What sort of actor did it."""

    SELLER = "seller"
    STAFF = "staff"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who acts, as every event and decision records it.

    `id` is a user's public id, or for the system the name of the rule or process.
    """

    kind: ActorKind
    id: str

    @classmethod
    def system(cls, name: str) -> Actor:
        """The system itself, acting by the named rule or process."""
        return cls(ActorKind.SYSTEM, name)
