"""Public ids: a prefix that tells the kind, then 26 characters that sort by time.

They name things; they are no secrets and open no doors.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
import secrets
from collections.abc import Callable

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PATTERN = re.compile(rf"[a-z]{{2,4}}_[{ALPHABET}]{{26}}")


class IdPrefix(enum.StrEnum):
    """What a public id names."""

    DEPOSIT_ACCOUNT = "dep"
    DEPOSIT_LOT = "lot"
    DEDUCTION = "ded"
    PAY_IN = "pin"
    SUSPENSE = "sus"
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


def new_id(
    prefix: IdPrefix, *, now: dt.datetime, entropy: Callable[[int], bytes] = secrets.token_bytes
) -> str:
    """Make a public id: 48 bits of milliseconds, then 80 random bits."""
    number = (int(now.timestamp() * 1000) << 80) | int.from_bytes(entropy(10), "big")
    letters = [ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(letters)}"


def is_id(text: str, prefix: IdPrefix) -> bool:
    """Whether `text` has the shape of an id of that kind."""
    return text.startswith(f"{prefix}_") and _PATTERN.fullmatch(text) is not None
