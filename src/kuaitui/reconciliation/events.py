"""News of reconciliation.

Staff need no copy of it: what waits is counted where it lies (`queries.bills_overview`), for the work
list, `kuaitui doctor`, `kuaitui reconcile --report` and `/healthz`. Whoever builds on kuaitui may
subscribe.
"""

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
