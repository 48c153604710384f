"""What refunds tell the contexts above."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApplicationSubmitted:
    """An application waits for its check."""

    application_id: str


@dataclass(frozen=True, slots=True)
class ApplicationMoved:
    """A line was added to an application's timeline."""

    application_id: str
    shop_key: int
    number: int
    code: str
    state: str
    occurred_at: dt.datetime
    amount_minor: int | None = None
    """What is asked back as the line was written.

    None once another account was named, since what follows is about that part. News of before it
    was told have none.
    """
    currency: str = ""
