"""A bank as a channel: payment files out, the bank's messages in, nothing believed but those.

Words: a *word* is what one message of the bank says of one number of ours; the *inbox* holds the
messages; an *instruction id* is a number with the count of its releases, so that what the bank said
of an earlier release is never taken for the present one.

Invariants: the same instruction makes the same bytes; a message of another account, with wrong
totals or unreadable anywhere is refused as a whole; a rejection whose code is not in the table
is Unknown.
"""

from kuaitui.channels.bank.adapter import BankChannel, BankSettings, Transport
from kuaitui.channels.bank.files import BatchFile, BatchFormat
from kuaitui.channels.bank.inbox import Inbox, MailboxRead
from kuaitui.channels.bank.words import (
    BankMessage,
    BankStatus,
    BankWord,
    FileWord,
    MessageKind,
    MessageRefused,
    instruction_id,
    split_instruction_id,
)

__all__ = [
    "BankChannel",
    "BankMessage",
    "BankSettings",
    "BankStatus",
    "BankWord",
    "BatchFile",
    "BatchFormat",
    "FileWord",
    "Inbox",
    "MailboxRead",
    "MessageKind",
    "MessageRefused",
    "Transport",
    "instruction_id",
    "split_instruction_id",
]
