"""Whether a leg is lost: the machine may neither send it again nor learn more by asking."""

from __future__ import annotations

import datetime as dt
from typing import Final

from kuaitui.channels.port import ChannelCapabilities
from kuaitui.payouts.models import PayoutLeg
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind, AttemptOutcome

LATELY: Final = dt.timedelta(days=1)
"""How old the channel's *not found* may be when people rest a decision on it."""


def is_lost(leg: PayoutLeg, *, declared: ChannelCapabilities | None, now: dt.datetime) -> bool:
    """Whether people may say of it that it was never paid.

    It was sent and is overdue, nobody calls its channel at this moment, and the last call was a
    question after the channel's floor, not long ago, to which the channel did not know the number.
    Inside the time in which the channel remembers numbers such an answer lets the machine send
    again, so a leg that stands so after it is past that time, or was acknowledged once.
    """
    if declared is None or leg.last_sent_at is None or leg.delayed_at is None:
        return False
    if LegState(leg.state) not in {LegState.UNKNOWN, LegState.ACCEPTED} or leg.set_aside_at:
        return False
    last = leg.attempts.order_by("-attempt_no").first()
    if last is None or last.finished_at is None:
        return False
    was_asked = last.kind == AttemptKind.QUERY and last.outcome == AttemptOutcome.NOT_FOUND
    after_the_floor = last.started_at - leg.last_sent_at >= declared.not_found_floor
    return was_asked and after_the_floor and now - last.finished_at <= LATELY
