"""Refusals of notifications."""

from __future__ import annotations

from kuaitui.kernel.errors import Refusal


class ReminderInThePast(Refusal):
    """Choose a day after today for the reminder."""

    code = "notifications.reminder_in_the_past"


class ReminderTooFarAway(Refusal):
    """A reminder can be at most five years away."""

    code = "notifications.reminder_too_far_away"
