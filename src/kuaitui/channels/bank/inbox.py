"""What the adapter reads of the messages that came in. Who keeps them is not its business."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kuaitui.channels.bank.words import BankWord


class Inbox(Protocol):
    """The bank's messages that were taken in, by what they speak of."""

    def words(self, *, channel: str, number: str) -> Sequence[BankWord]:
        """Everything ever said of a number."""

    def statement_days(
        self, *, channel: str, first_on: dt.date, last_on: dt.date
    ) -> frozenset[dt.date]:
        """Days of that span, both ends included, of which a whole statement was taken in."""


@dataclass(frozen=True, slots=True)
class MailboxRead:
    """What lies in the bank's mailbox, as bytes, the oldest first."""

    contents: tuple[bytes, ...]
