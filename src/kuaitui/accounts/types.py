"""Roles, viewers and what a one-time link is for."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from kuaitui.kernel.actor import Actor, ActorKind


class Role(enum.StrEnum):
    """What a user is. One user has one role."""

    SELLER = "seller"
    REVIEWER = "reviewer"
    APPROVER = "approver"
    AUDITOR = "auditor"


class LinkPurpose(enum.StrEnum):
    """What a one-time link does."""

    LOG_IN = "log_in"


@dataclass(frozen=True, slots=True)
class UserSummary:
    """Somebody who can log in, as a list shows them."""

    username: str
    display_name: str
    role: Role
    is_active: bool
    shops_count: int


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person behind a request, with everything a decision about access needs."""

    key: int
    public_id: str
    name: str
    role: Role
    shop_keys: frozenset[int] = frozenset()

    @property
    def is_staff(self) -> bool:
        """Works for the marketplace."""
        return self.role is not Role.SELLER

    @property
    def actor(self) -> Actor:
        """The same person as events and decisions record one."""
        return Actor(ActorKind.STAFF if self.is_staff else ActorKind.SELLER, self.public_id)
