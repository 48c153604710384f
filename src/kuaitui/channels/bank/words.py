"""What a bank's messages say, as values."""

from __future__ import annotations

import datetime as dt
import enum
import re
from dataclasses import dataclass, field
from typing import Final

from kuaitui.channels.port import PayoutInstruction
from kuaitui.kernel.money import Money

RELEASES_MAX: Final = 99
_INSTRUCTION_ID = re.compile(r"([0-9A-Za-z]{1,33})([0-9]{2})")


class BankStatus(enum.StrEnum):
    """What a bank says of one payment, in the order in which one overrules another."""

    SUBMITTED = "submitted"
    """The bank has it."""
    ACCEPTED = "accepted"
    """The bank will execute it."""
    REJECTED = "rejected"
    """The bank did not execute it and will not."""
    BOOKED = "booked"
    """The money has left our account."""
    RETURNED = "returned"
    """The money came back (退票)."""


class MessageKind(enum.StrEnum):
    """Which sort of message it is."""

    PAIN_002 = "pain.002"
    CAMT_053 = "camt.053"
    CAMT_054 = "camt.054"
    PACS_004 = "pacs.004"
    RESULTS_CSV = "results.csv"


@dataclass(frozen=True, slots=True)
class BankWord:
    """What one message says of one payment.

    `instruction_id` names the release it speaks of, and is empty where the bank did not say.
    """

    number: str
    status: BankStatus
    occurred_at: dt.datetime
    amount: Money | None = None
    code: str = ""
    reference: str = ""
    instruction_id: str = ""
    file_id: str = ""


@dataclass(frozen=True, slots=True)
class FileWord:
    """What a message says of a whole file of ours: accepted, or refused with everything in it."""

    file_id: str
    status: BankStatus
    occurred_at: dt.datetime
    code: str = ""


@dataclass(frozen=True, slots=True)
class BankMessage:
    """A message, read. `statement_days` are the days whose every movement it lists."""

    kind: MessageKind
    message_id: str
    words: tuple[BankWord, ...] = field(default=(), repr=False)
    file_words: tuple[FileWord, ...] = ()
    statement_days: tuple[dt.date, ...] = ()


class MessageRefused(Exception):  # noqa: N818 - an answer, like a refusal
    """A message is not taken: unreadable, of somebody else, or at odds with itself.

    `where` names the line and element. The reason is a word of ours and never quotes the message.
    """

    def __init__(self, reason: str, *, where: str = "") -> None:
        super().__init__(f"{where}: {reason}" if where else reason)
        self.reason = reason
        self.where = where


def instruction_id(instruction: PayoutInstruction) -> str:
    """The number with the count of its releases: what one file or line is known by at the bank."""
    return f"{instruction.number}{instruction.release_no:02d}"


def split_instruction_id(text: str) -> tuple[str, int] | None:
    """The number and the release that an instruction id is made of, if it is one."""
    match = _INSTRUCTION_ID.fullmatch(text)
    return (match[1], int(match[2])) if match else None
