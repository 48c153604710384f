"""What falls due by the clock alone, one table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from django.conf import settings
from django.utils.timezone import get_default_timezone

from kuaitui.deductions.operations import sweep_due as sweep_due_deductions
from kuaitui.kernel.clock import read_clock
from kuaitui.kit import inbox
from kuaitui.notifications.operations import remind_due
from kuaitui.payouts.operations import trip_on_rates
from kuaitui.payouts.types import TripRates
from kuaitui.refunds.operations import sweep_due


def _remind(now: dt.datetime) -> int:
    return remind_due(today=now.astimezone(get_default_timezone()).date(), now=now)


def _applications(now: dt.datetime) -> int:
    return sweep_due(now=now)


def _deductions(now: dt.datetime) -> int:
    return sweep_due_deductions(now=now)


def _notifications(now: dt.datetime) -> int:
    return inbox.forget_old(now=now)


def _trips(now: dt.datetime) -> int:
    trip = settings.KUAITUI_PAYOUT_TRIP
    rates = TripRates(
        sends_min=trip["sends_min"],
        unknown_percent=trip["unknown_percent"],
        failed_percent=trip["failed_percent"],
    )
    return len(trip_on_rates(rates=rates, now=now))


SWEEPS: Mapping[str, Callable[[dt.datetime], int]] = {
    "applications": _applications,
    "deductions": _deductions,
    "payout_trips": _trips,
    "reminders": _remind,
    "notifications": _notifications,
}


def sweep() -> bool:
    """Do everything that has fallen due; whether anything had. One failing sweep stops no other.

    Raises:
        ExceptionGroup: what failed, after all had their turn.
    """
    now = read_clock()
    moved, failures = 0, []
    for name, step in SWEEPS.items():
        try:
            moved += step(now)
        except Exception as failure:  # noqa: BLE001 - raised below with the others
            failure.add_note(f"sweep {name}")
            failures.append(failure)
    if failures:
        raise ExceptionGroup("sweeps failed", failures)
    return moved > 0
