"""Notices and reminders as values."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reminder:
    """A seller's wish to be told on a day. `remind_on` is in the marketplace's zone."""

    account_id: str
    remind_on: dt.date


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing a shop is told. `code` is stable; the pages have the words."""

    notice_id: str
    code: str
    object_id: str
    at: dt.datetime
    is_read: bool
