"""Whether a leg is refused for now, again and again, so that people may stop trying."""

from __future__ import annotations

import datetime as dt

from kuaitui.channels.port import ChannelCapabilities
from kuaitui.payouts.models import PayoutLeg
from kuaitui.payouts.queries.holds import last_held_at
from kuaitui.payouts.rules import Attempted, facts_of, is_refused_for_now, must_ask
from kuaitui.payouts.states import LegState


def is_refused(leg: PayoutLeg, *, declared: ChannelCapabilities | None, now: dt.datetime) -> bool:
    """Whether people may say of it that it is not paid this way.

    It waits to be sent again and is overdue, its channel has refused it, and no earlier send of it is
    in doubt: so nothing of it is under way. A restore of the database makes it be asked about first.
    """
    if declared is None or leg.state != LegState.READY or leg.delayed_at is None:
        return False
    if leg.set_aside_at or leg.first_sent_at is None or leg.last_sent_at is None:
        return False
    if must_ask(clear_since=leg.clear_since, held_at=last_held_at()):
        return False
    rows = leg.attempts.order_by("attempt_no")
    attempts = [
        Attempted(*row) for row in rows.values_list("kind", "outcome", "started_at", "cause")
    ]
    if not attempts:
        return False
    facts = facts_of(
        attempts,
        attempt_no=len(attempts),
        state=LegState(leg.state),
        first_sent_at=leg.first_sent_at,
        last_sent_at=leg.last_sent_at,
        settled_at=leg.settled_at,
        clear_since=leg.clear_since,
        checks=leg.checks,
        sends=leg.sends,
    )
    return is_refused_for_now(facts, resend_window=declared.resend_window, now=now)
