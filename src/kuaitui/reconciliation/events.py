"""News of reconciliation."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BreakFound:
    """A bill and our books differ."""

    break_id: str
    channel: str
    kind: str
    found_at: dt.datetime


@dataclass(frozen=True, slots=True)
class BillLate:
    """A channel's bill should be here and is not."""

    channel: str
    bill: str
    day: str
    late_at: dt.datetime


@dataclass(frozen=True, slots=True)
class BillDamaged:
    """The bytes of a kept bill are not those that came."""

    file_id: str
    channel: str
    bill: str
    day: str
    found_at: dt.datetime
