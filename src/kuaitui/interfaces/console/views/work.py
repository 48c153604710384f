"""The work list: what waits for this person, the one due first on top."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kuaitui.accounts.types import Role, Viewer
from kuaitui.deductions.queries import case_counts
from kuaitui.deposits.queries import (
    pay_ins_of_another_amount,
    suspense_counts,
)
from kuaitui.interfaces.console import words
from kuaitui.interfaces.console.asides import asides
from kuaitui.interfaces.console.clocks import spell
from kuaitui.interfaces.console.requests import StaffRequest
from kuaitui.interfaces.console.rows import lines
from kuaitui.interfaces.console.tables import Tile
from kuaitui.kernel.clock import read_clock
from kuaitui.kit.web import permission
from kuaitui.payouts.queries import overview
from kuaitui.reconciliation.queries import bills_overview
from kuaitui.refunds.queries import QueueCount, QueueFilters, QueueRow, queue, work_list
from kuaitui.refunds.states import State


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of one sort wait for a person, and since when."""

    count: int
    oldest_since: dt.datetime | None


NEXT_ROWS: Final = 12
ODD_ORDERS_LOOK_BACK: Final = dt.timedelta(days=7)
UNKNOWN_FOR_LONG: Final = dt.timedelta(hours=2)
TO_DECIDE: Final = frozenset({State.IN_REVIEW, State.APPEALED, State.DESTINATION_REPAIRED})
TILES: Final = (
    State.IN_REVIEW,
    State.AWAITING_SECOND_APPROVAL,
    State.APPEALED,
    State.DESTINATION_REPAIRED,
    State.MORE_INFORMATION,
    State.PAYING,
    State.RETURNED,
)


@permission("case.view")
@require_safe
def work(request: StaffRequest) -> HttpResponse:
    """Alerts, counts with clocks, and the next cases for this person's role."""
    now = read_clock()
    payouts = overview(now=now)
    found = work_list(viewer_id=request.viewer.public_id, now=now)
    filters, title, address = _next_for(request.viewer)
    oldest = payouts.oldest_unknown_since
    context = {
        "section": "work",
        "now": now,
        "overview": payouts,
        "is_unknown_old": oldest is not None and now - oldest > UNKNOWN_FOR_LONG,
        "tiles": [_tile(count, now) for count in found.counts if count.state in TILES],
        "late_count": found.late_count,
        "bills": bills_overview(),
        "suspense": suspense_counts(),
        "deductions": case_counts(now=now),
        "set_aside": _waiting([one.since for one in asides()]),
        "odd_orders": _odd_orders(now),
        "next_title": title,
        "next_href": address,
        "rows": lines(_next_rows(filters, now)),
    }
    return render(request, "console/work.html", context)


def _next_rows(filters: QueueFilters, now: dt.datetime) -> list[QueueRow]:
    """The first of the queue; what can go back the way it came for a short time only goes before."""
    closing = queue(filters=replace(filters, way_back_closes=True), limit=NEXT_ROWS, now=now).rows
    others = queue(filters=filters, limit=NEXT_ROWS, now=now).rows
    in_order = [*sorted(closing, key=_act_by), *(row for row in others if row not in closing)]
    return in_order[:NEXT_ROWS]


def _act_by(row: QueueRow) -> dt.datetime:
    return row.act_by or row.submitted_at


def _odd_orders(now: dt.datetime) -> Waiting:
    found = pay_ins_of_another_amount(since=now - ODD_ORDERS_LOOK_BACK)
    return _waiting([one.since for one in found])


def _waiting(since: list[dt.datetime]) -> Waiting:
    return Waiting(len(since), min(since, default=None))


def _next_for(viewer: Viewer) -> tuple[QueueFilters, str, str]:
    address = reverse("console:queue")
    match viewer.role:
        case Role.APPROVER:
            return (
                QueueFilters(confirmable_by=viewer.public_id),
                _("Waiting for your second approval"),
                f"{address}?state=second",
            )
        case Role.REVIEWER:
            return (
                QueueFilters(states=TO_DECIDE),
                _("Waiting for review"),
                f"{address}?state=review",
            )
        case _:
            return QueueFilters(is_late=True), _("Late"), f"{address}?age=late"


def _tile(count: QueueCount, now: dt.datetime) -> Tile:
    note = ""
    if count.late_count:
        note = _("%(count)d late") % {"count": count.late_count}
    elif count.oldest_since:
        note = _("oldest %(age)s") % {"age": spell(now - count.oldest_since)}
    return Tile(
        label=str(words.STATES[count.state]),
        count=count.count,
        href=f"{reverse('console:queue')}?state={count.state}",
        tone="bad" if count.late_count else "",
        note=note,
    )
