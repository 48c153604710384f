"""How long until something is due, in words a person takes in at a glance."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

_SOON = dt.timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Clock:
    """A deadline as a page shows it: the words, the tone, and the moment itself."""

    text: str
    tone: str
    due_at: dt.datetime


def clock(due_at: dt.datetime | None, now: dt.datetime) -> Clock | None:
    """The clock of a deadline; nothing if there is none."""
    if due_at is None:
        return None
    left = due_at - now
    if left < dt.timedelta(0):
        return Clock(_("%(time)s late") % {"time": spell(-left)}, "bad", due_at)
    return Clock(
        _("%(time)s left") % {"time": spell(left)}, "act" if left < _SOON else "wait", due_at
    )


def spell(span: dt.timedelta) -> str:
    """A length of time in its largest unit: 3 days, 5 hours, 12 minutes."""
    minutes = int(span.total_seconds()) // 60
    if minutes >= 2 * 24 * 60:
        days = minutes // (24 * 60)
        return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}
    if minutes >= 2 * 60:
        hours = minutes // 60
        return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    if minutes < 1:
        return _("under a minute")
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
