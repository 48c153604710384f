"""Fetching bills: one on demand, or what is due by the clock, with retries, until it is here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction
from django.db.models import F, Min

from kuaitui.audit.operations import record
from kuaitui.channels.port import (
    NotSent,
    RejectedConfig,
    StatementAbsent,
    StatementEmpty,
    StatementFetched,
    StatementKind,
    StatementNotReady,
    Unknown,
)
from kuaitui.channels.registry import Channels
from kuaitui.kernel.actor import Actor
from kuaitui.kit.outbox import publish
from kuaitui.reconciliation.errors import BillDayNotOver, BillKindNotGiven, TooManyDifferences
from kuaitui.reconciliation.events import BillLate
from kuaitui.reconciliation.models import BillDay
from kuaitui.reconciliation.operations.bring import bring_empty, bring_file
from kuaitui.reconciliation.operations.compare import compare_bill
from kuaitui.reconciliation.operations.stop import stop_for_breaks
from kuaitui.reconciliation.queries.items import BillOfDay, differing
from kuaitui.reconciliation.rules import day_of
from kuaitui.reconciliation.types import Brought, Source

FETCHER: Final = Actor.system("reconciliation.fetch")
ONE_DAY: Final = dt.timedelta(days=1)
TRIES_AT_ONCE_MAX: Final = 20
LAST_CALL: Final = dt.timedelta(hours=1)
"""So long before a bill is late, one that its channel does not have is taken for none."""
_NO_READING: Final = 0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Plan:
    """When bills are fetched. Times of day are in `zone`, the channels' own."""

    zone: dt.tzinfo
    fetch_from: dt.time = dt.time(10)
    """WeChat Pay makes its bills from 9:00 and says to fetch after 10:00."""
    late_from: dt.time = dt.time(14)
    """From here on a bill that is not here is a person's business."""
    retry_every: dt.timedelta = dt.timedelta(minutes=20)
    compare_every: dt.timedelta = dt.timedelta(hours=1)
    """Recent days are compared again, since postings go on."""
    days_back: int = 7
    deadline_s: float = 120.0

    @classmethod
    def parse(cls, document: Mapping[str, str]) -> Plan:
        """Read the settings: a time zone, and two times of day.

        Raises:
            ValueError: one of them is none.
        """
        return cls(
            zone=ZoneInfo(document["zone"]),
            fetch_from=dt.time.fromisoformat(document["fetch_from"]),
            late_from=dt.time.fromisoformat(document["late_from"]),
        )


@dataclass(frozen=True, slots=True)
class Fetched:
    """What asking for one bill came to: a file, or the problem in one word."""

    brought: Brought | None
    problem: str = ""


def fetch_bill(
    *,
    channel: str,
    channels: Channels,
    bill: StatementKind,
    day: dt.date,
    plan: Plan,
    now: dt.datetime,
) -> Fetched:
    """Ask a channel for one bill and keep what it gives. Runs in no transaction. Repeating is safe.

    Raises:
        ChannelUnknown, ChannelCannot: there is no such channel, or it gives no bills.
        BillKindNotGiven: it gives no bill of this kind.
        BillDayNotOver: the day is not over.
    """
    reader = channels.stating(channel)
    if bill not in channels.get(channel).capabilities.statement_kinds:
        raise BillKindNotGiven(channel=channel, bill=bill)
    if day >= day_of(now, plan.zone):
        raise BillDayNotOver(day=day.isoformat())
    outcome = reader.fetch_statement(bill, day, deadline_s=plan.deadline_s)
    match outcome:
        case StatementFetched():
            return Fetched(
                bring_file(
                    channel=channel,
                    reader=reader,
                    bill=bill,
                    day=day,
                    content=outcome.content,
                    file_name=outcome.file_name,
                    source=Source.FETCHED,
                    actor=FETCHER,
                    now=now,
                )
            )
        case StatementAbsent() if not _was_quiet(channel, bill, day, plan, now):
            problem = "not_ready"
        case StatementEmpty() | StatementAbsent():
            return Fetched(bring_empty(channel=channel, bill=bill, day=day, actor=FETCHER, now=now))
        case StatementNotReady():
            problem = "not_ready"
        case RejectedConfig():
            problem = f"refused:{outcome.code}"
        case NotSent() | Unknown():
            problem = f"no_answer:{outcome.cause}"
    BillDay.objects.filter(channel=channel, bill=bill, day=day).update(problem=problem[:120])
    log.warning("reconciliation.bill.not_fetched", channel=channel, bill=bill, problem=problem)
    return Fetched(None, problem)


def _was_quiet(
    channel: str, bill: StatementKind, day: dt.date, plan: Plan, now: dt.datetime
) -> bool:
    """Whether a bill that is not there is none: it should be by now, and we know of nothing on it."""
    late_at = dt.datetime.combine(day + ONE_DAY, plan.late_from, plan.zone)
    if now < late_at - LAST_CALL:
        return False
    return not differing(BillOfDay(channel, bill, day, _NO_READING), plan.zone, limit=1)


def fetch_due(*, channels: Channels, plan: Plan, clock: Callable[[], dt.datetime]) -> int:
    """Fetch and compare what is due; returns how many bills were asked for or compared.

    Any number of workers may call it at once: a bill is asked for by one of them, and by the next
    when the retry is due. A bill that is late is told once.
    """
    now = clock()
    for channel, bill in _bills(channels):
        _expect(channel, bill, plan, now)
    done = 0
    for _ in range(TRIES_AT_ONCE_MAX):
        due = _claim(plan, now)
        if due is None:
            break
        if (due.channel, StatementKind(due.bill)) in _bills(channels):
            fetch_bill(
                channel=due.channel,
                channels=channels,
                bill=StatementKind(due.bill),
                day=due.day,
                plan=plan,
                now=now,
            )
        done += 1
    done += _compare_recent(plan, now)
    stop_for_breaks(now=now)
    _tell_late(plan, now)
    return done


def _bills(channels: Channels) -> list[tuple[str, StatementKind]]:
    return [
        (name, kind)
        for name in channels.names
        for kind in sorted(channels.get(name).capabilities.statement_kinds)
    ]


def _expect(channel: str, bill: StatementKind, plan: Plan, now: dt.datetime) -> None:
    """Write down which bills should be here by now: from the first day we ever asked for."""
    local = now.astimezone(plan.zone)
    last = local.date() - (ONE_DAY if local.time() >= plan.fetch_from else 2 * ONE_DAY)
    days = BillDay.objects.filter(channel=channel, bill=bill)
    first = days.aggregate(first=Min("day"))["first"] or last
    day = max(first, last - (plan.days_back - 1) * ONE_DAY)
    wanted = [day + number * ONE_DAY for number in range((last - day).days + 1)]
    BillDay.objects.bulk_create(
        [BillDay(channel=channel, bill=bill, day=day, next_try_at=now) for day in wanted],
        ignore_conflicts=True,
    )
    days.filter(day__in=wanted, reading=None, next_try_at=None).update(next_try_at=now)


@transaction.atomic(durable=True)
def _claim(plan: Plan, now: dt.datetime) -> BillDay | None:
    due = (
        BillDay.objects.select_for_update(skip_locked=True)
        .filter(reading=None, next_try_at__lte=now)
        .order_by("next_try_at", "id")
        .first()
    )
    if due is not None:
        due.next_try_at, due.tries = now + plan.retry_every, due.tries + 1
        due.save(update_fields=["next_try_at", "tries"])
    return due


def _compare_recent(plan: Plan, now: dt.datetime) -> int:
    """Compare what has not been compared, and the last days again: postings go on."""
    today = day_of(now, plan.zone)
    rows = BillDay.objects.filter(reading__isnull=False)
    fresh = rows.filter(compared_at=None, problem="")
    recent = rows.filter(
        day__gte=today - plan.days_back * ONE_DAY, compared_at__lte=now - plan.compare_every
    )
    compared = 0
    for row in (fresh | recent).order_by("day", "id")[:TRIES_AT_ONCE_MAX]:
        try:
            compare_bill(
                channel=row.channel,
                bill=StatementKind(row.bill),
                day=row.day,
                zone=plan.zone,
                today=today,
                now=now,
            )
        except TooManyDifferences as refusal:
            # Whoever looks at the day finds the reason there; the other days go on.
            BillDay.objects.filter(pk=row.pk).update(problem=refusal.code, compared_at=None)
            log.exception("reconciliation.bill.not_compared", channel=row.channel)
        compared += 1
    return compared


def _tell_late(plan: Plan, now: dt.datetime) -> None:
    local = now.astimezone(plan.zone)
    last = local.date() - (ONE_DAY if local.time() >= plan.late_from else 2 * ONE_DAY)
    late = BillDay.objects.filter(reading=None, late_at=None, day__lte=last, tries__gt=0)
    for row in late.order_by("day", "id")[:TRIES_AT_ONCE_MAX]:
        with transaction.atomic(durable=True):
            told = BillDay.objects.filter(pk=row.pk, late_at=None, reading=None)
            if not told.update(late_at=now, tries=F("tries")):
                continue
            day = row.day.isoformat()
            publish(BillLate(row.channel, row.bill, day, now), now=now)
            record(
                actor=FETCHER,
                action="reconciliation.bill_late",
                object_id=f"{row.channel}:{row.bill}:{day}",
                details={"tries": row.tries, "problem": row.problem},
                now=now,
            )
        log.error("reconciliation.bill.late", channel=row.channel, bill=row.bill, day=day)
