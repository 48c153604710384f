"""Checks of bills: what differs, is late or damaged, and since when no day is proven."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.conf import settings

from kuaitui.channels.registry import build_channels
from kuaitui.interfaces.cli.diagnosis.finding import Finding, fail, ok, warn
from kuaitui.interfaces.cli.what_waits import WAITS
from kuaitui.kernel.clock import read_clock
from kuaitui.reconciliation.operations import Plan
from kuaitui.reconciliation.queries import bills_given, bills_overview, last_proven_days

# Yesterday's bill comes in the course of today.
PROVEN_DAYS_GOOD = 2
# What waits: how bad it is, and what to do.
REMEDIES: Final = {
    "dangerous": (fail, "Sending stopped. See the staff's pages before it is let go on."),
    "open": (warn, "Close them on the staff's pages: docs/how-to/close-a-difference.md."),
    "late": (
        warn,
        "They are asked for again. Ask the channel, or import them by `kuaitui reconcile`.",
    ),
    "refused": (warn, "The day's page says line and reason. Import a sound bill."),
    "waiting": (warn, "Look at both on the day's page, and decide which is right."),
    "damaged": (fail, "Only a backup has them still; until then nothing proves their days."),
}


def bills(now: dt.datetime) -> list[Finding]:
    """What waits for people, and the last day that books and bills prove, channel by channel."""
    seen = bills_overview()
    found = [
        make("bills", f"{WAITS[name]}: {count:,}", remedy)
        for name, (make, remedy) in REMEDIES.items()
        if (count := getattr(seen, f"{name}_count"))
    ]
    channels = build_channels(settings.KUAITUI_CHANNELS, clock=read_clock)
    today = now.astimezone(Plan.parse(settings.KUAITUI_BILLS).zone).date()
    days = last_proven_days(needed=bills_given(channels), today=today)
    return [*found, *(_proven(channel, day, today) for channel, day in days.items())]


def _proven(channel: str, day: dt.date | None, today: dt.date) -> Finding:
    remedy = "Run `kuaitui reconcile`, and close what it finds on the staff's pages."
    if day is None:
        return warn("bills", f"{channel}: no day is proven yet", remedy)
    age = (today - day).days
    what = f"{channel}: the last proven day is {day.isoformat()}, {age} days ago"
    return ok("bills", what) if age <= PROVEN_DAYS_GOOD else warn("bills", what, remedy)
