"""What a model channel tells us unasked: twice, late, out of order, wrong, or in its name by others."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kuaitui.channels.port import NotificationSubject
from kuaitui.simulation.faults import Fault
from kuaitui.simulation.surroundings import Surroundings

TWICE_WITHIN_S: Final = 3 * 86400
LATE_WITHIN_S: Final = 60 * 86400


@dataclass(frozen=True, slots=True)
class Told:
    """A notification under way to us."""

    deliver_at: dt.datetime
    channel: str
    number: str
    event: str
    """The same for every repetition."""
    subject: NotificationSubject = NotificationSubject.PAYOUT
    is_forged: bool = False
    """By somebody who has not the channel's key."""

    @property
    def body(self) -> bytes:
        """What comes over the wire."""
        return f"{self.event} {self.subject.value} {self.number}".encode()

    @property
    def headers(self) -> Mapping[str, str]:
        """Its proof of origin. Real signatures are tested with real adapters."""
        key = "somebody" if self.is_forged else self.channel
        return {"Signature": signature_of(key, self.body)}


def signature_of(key: str, body: bytes) -> str:
    """What only a channel itself can add to a body."""
    return hashlib.sha256(key.encode() + body).hexdigest()


def delays_of_telling(around: Surroundings) -> list[float]:
    """After how many seconds each telling of one event is delivered."""
    delays = [around.chance.uniform(0, 90)]
    while around.strikes(Fault.TOLD_TWICE):
        delays.append(around.chance.uniform(0, TWICE_WITHIN_S))
    if around.strikes(Fault.TOLD_LATE):
        delays[0] += around.chance.uniform(0, LATE_WITHIN_S)
    return delays


def wrong_number(number: str, around: Surroundings) -> str:
    """A number that is too early to be spoken of, or nobody's."""
    return number if around.chance.random() < 0.5 else number[::-1]
