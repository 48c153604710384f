"""What a channel tells us unasked: a hint to ask, never an answer."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class NotificationSubject(enum.StrEnum):
    """What sort of number a notification speaks of."""

    PAYOUT = "payout"
    PAY_IN = "pay_in"


@dataclass(frozen=True, slots=True)
class Notification:
    """A genuine and fresh notification.

    `event_id` is the channel's own, the same whenever it repeats itself; `number` is ours.
    """

    event_id: str
    subject: NotificationSubject
    number: str


class RefusedBecause(enum.StrEnum):
    """Why a notification is not taken."""

    FORGED = "forged"
    """Its signature is not the channel's."""
    PROBE = "probe"
    """A wrong signature that the channel itself sends to test us (WeChat `WECHATPAY/SIGNTEST/`)."""
    STALE = "stale"
    """Signed longer ago than the channel's own repeats can be."""
    UNREADABLE = "unreadable"
    """Genuine, and not of a form that we know."""
    ANOTHER_MERCHANT = "another_merchant"
    """Genuine, and meant for somebody else."""
    NOT_FOR_US = "not_for_us"
    """Genuine, and of nothing that we asked for. It is acknowledged all the same: a channel repeats
    what is not, and in the end sends nothing more to an address that never takes it."""


@dataclass(frozen=True, slots=True)
class NotificationRefused:
    """A notification that is not taken, and why."""

    reason: RefusedBecause


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The answer that makes a channel stop repeating itself."""

    status: int = 204
    content_type: str = "application/json"
    body: bytes = b""
