"""Addresses for those who watch whether the system is up. They say nothing about anybody."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from kuaitui import __version__
from kuaitui.deposits.queries import pay_ins_set_aside, suspense_counts
from kuaitui.kernel.clock import read_clock
from kuaitui.kit.health import Readiness, readiness
from kuaitui.kit.outbox import oldest_undelivered_at
from kuaitui.kit.web import probe
from kuaitui.payouts.queries import overview
from kuaitui.reconciliation.queries import bills_overview


@probe
@require_safe
def livez(_request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@probe
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """The process can do its work: the database answers and its schema is complete."""
    found = readiness()
    return JsonResponse({"status": found}, status=200 if found is Readiness.READY else 503)


@probe
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """The same with the version, and how much waits for people."""
    found = readiness()
    content: dict[str, object] = {"status": found, "version": __version__}
    if found is not Readiness.READY:
        return JsonResponse(content, status=503)
    now = read_clock()
    payouts = overview(now=now)
    content["worker"] = {"behind_s": _behind_s(payouts.due_since, oldest_undelivered_at(), now=now)}
    content["payouts"] = {
        "on_hold": payouts.hold is not None,
        "stopped": [switch.channel for switch in payouts.switches if switch.is_stopped],
        "overdue": payouts.overdue_count,
        "set_aside": payouts.set_aside_count,
    }
    content["pay_ins"] = {
        "in_suspense": suspense_counts().waiting_count,
        "set_aside": len(pay_ins_set_aside()),
    }
    bills = bills_overview()
    content["bills"] = {
        "open": bills.open_count,
        "dangerous": bills.dangerous_count,
        "late": bills.late_count,
        "refused": bills.refused_count,
        "waiting": bills.waiting_count,
        "damaged": bills.damaged_count,
    }
    return JsonResponse(content)


def _behind_s(*moments: dt.datetime | None, now: dt.datetime) -> int:
    """For how long the oldest of what a worker should have done by now has waited."""
    waited = [(now - moment).total_seconds() for moment in moments if moment is not None]
    return max([0, *map(int, waited)])
