"""Public ids: a prefix that tells the kind, then 26 characters that sort by time.

They name things; they are no secrets and open no doors.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
Entropy = Callable[[int], bytes]
_PATTERN = re.compile(rf"[a-z]{{2,4}}_[{ALPHABET}]{{26}}")


class IdPrefix(enum.StrEnum):
    """What a public id names."""

    DEPOSIT_ACCOUNT = "dep"
    DEPOSIT_LOT = "lot"
    DEDUCTION = "ded"
    DEDUCTION_CASE = "dcs"
    PAY_IN = "pin"
    SUSPENSE = "sus"
    SEND_BACK = "sbk"
    REFUND_APPLICATION = "rfa"
    DESTINATION = "dst"
    PAYOUT = "pay"
    PAYOUT_LEG = "leg"
    PAYOUT_BATCH = "bat"
    IMPORT_BATCH = "imp"
    USER = "usr"
    NOTICE = "ntc"
    REMINDER = "rmd"
    AUDIT_EVENT = "aud"
    STATEMENT_FILE = "bil"
    BREAK = "brk"


_entropy: Entropy = secrets.token_bytes


def new_id(prefix: IdPrefix, *, now: dt.datetime, entropy: Entropy | None = None) -> str:
    """Make a public id: 48 bits of milliseconds, then 80 random bits."""
    drawn = (entropy or _entropy)(10)
    number = (int(now.timestamp() * 1000) << 80) | int.from_bytes(drawn, "big")
    letters = [ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(letters)}"


@contextmanager
def ids_drawn_from(entropy: Entropy) -> Iterator[None]:
    """Draw all ids of this process from another source inside: a simulation repeats its history."""
    global _entropy  # noqa: PLW0603 - one source for the process is what is meant
    before, _entropy = _entropy, entropy
    try:
        yield
    finally:
        _entropy = before


def is_id(text: str, prefix: IdPrefix) -> bool:
    """Whether `text` has the shape of an id of that kind."""
    return text.startswith(f"{prefix}_") and _PATTERN.fullmatch(text) is not None
