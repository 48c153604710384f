"""Bills on paper for tests: the simulated channel's form, written by hand, and what differs by them."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from kuaitui.channels.port import Statement, StatementKind, StatementOutcome
from kuaitui.channels.simulator.statements import digest_of, read_bill
from kuaitui.reconciliation import operations, queries
from kuaitui.reconciliation.queries import BreakRecord, FileRecord
from kuaitui.reconciliation.types import Brought, Matching, Source
from tests.support import given
from tests.support.given import CHANNEL, NOW, yuan

ZONE = dt.timezone(dt.timedelta(hours=8))
TODAY = NOW.astimezone(ZONE).date()
DAY = TODAY - dt.timedelta(days=1)
ONE_DAY = dt.timedelta(days=1)
FUNDS, TRADES = StatementKind.FUNDS, StatementKind.TRADES
TABLES = (
    "reconciliation_file", "reconciliation_reading", "reconciliation_line", "reconciliation_break",
    "reconciliation_file_decision", "reconciliation_break_step", "payouts_leg",
    "payouts_channel_switch",
)  # fmt: skip


def at(hour: int, minute: int = 0, *, day: dt.date = DAY) -> dt.datetime:
    """A moment of a channel's day."""
    return dt.datetime.combine(day, dt.time(hour, minute), ZONE).astimezone(dt.UTC)


def line(kind: str, key: str, amount: str, /, **changes: object) -> dict[str, Any]:
    """One line. Of a payment `key` is the channel's number, of all else ours.

    A line of kind `other` is matched like a payment, and stays a break: nobody knows what it is.
    """
    comes_in = kind in {"pay_in", "other"}
    number, reference = (f"order-{key}", key) if comes_in else (key, f"R-{key}")
    return {
        "kind": kind, "number": number, "reference": reference, "currency": "CNY", "state": "",
        "amount": f"{yuan(amount).to_decimal():f}", "at": at(12).isoformat(), **changes,
    }  # fmt: skip


def bill(
    *lines: dict[str, Any], day: dt.date = DAY, kind: StatementKind = FUNDS, **changes: object
) -> bytes:
    """A whole, sound bill, unless `changes` make it something else."""
    numbered = [{"line_no": number, **one} for number, one in enumerate(lines, start=1)]
    document = {
        "account": "simulator", "day": day.isoformat(), "kind": kind, "lines": numbered,
        "lines_count": len(numbered), "lines_sha256": digest_of(numbered), **changes,
    }  # fmt: skip
    return json.dumps(document).encode()


@dataclass
class Paper:
    """A channel that gives the bills it is handed, and reads them as the simulated channel does."""

    outcome: StatementOutcome | None = None
    name: str = CHANNEL

    def fetch_statement(
        self, kind: StatementKind, day: dt.date, *, deadline_s: float
    ) -> StatementOutcome:
        assert self.outcome is not None
        return self.outcome

    def read_statement(self, kind: StatementKind, content: bytes) -> Statement:
        return read_bill(kind, content, account="simulator")


def bring(
    content: bytes, *, day: dt.date = DAY, kind: StatementKind = FUNDS, now: dt.datetime = NOW
) -> Brought:
    return operations.bring_file(
        channel=CHANNEL,
        reader=Paper(),
        bill=kind,
        day=day,
        content=content,
        file_name="paper.json",
        source=Source.IMPORTED,
        actor=given.clerk(),
        now=now,
    )


def compare(*, day: dt.date = DAY, kind: StatementKind = FUNDS, now: dt.datetime = NOW) -> Matching:
    today = now.astimezone(ZONE).date()
    return operations.compare_bill(
        channel=CHANNEL, bill=kind, day=day, zone=ZONE, today=today, now=now
    )


def compare_with(*lines: dict[str, Any], day: dt.date = DAY, now: dt.datetime = NOW) -> Matching:
    """Bring a fund bill with these lines and compare it."""
    brought = bring(bill(*lines, day=day), day=day, now=now)
    assert brought.is_taken, brought
    return compare(day=day, now=now)


def the_break() -> BreakRecord:
    """The only open break there is."""
    (found,) = queries.open_breaks()
    return found


def the_file() -> FileRecord:
    """The only file of the day."""
    (found,) = queries.files_of_day(channel=CHANNEL, day=DAY)
    return found


def breaks() -> dict[str, str]:
    """The kinds of open breaks by number."""
    return {found.key: found.kind.value for found in queries.open_breaks()}
