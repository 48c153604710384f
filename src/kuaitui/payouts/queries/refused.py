"""Whether a leg is refused for now, again and again, so that people may stop trying."""

from __future__ import annotations

from kuaitui.payouts.models import PayoutLeg
from kuaitui.payouts.queries.holds import last_held_at
from kuaitui.payouts.rules import must_ask
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind, AttemptOutcome


def is_refused(leg: PayoutLeg) -> bool:
    """Whether people may say of it that it is not paid this way.

    It waits to be sent again and is overdue, and the last call was a send that its channel refused:
    so nothing of it is under way. An earlier send without a definite answer keeps a refused leg from
    waiting (it is asked about), and a restore of the database makes it be asked about first.
    """
    if leg.state != LegState.READY or leg.delayed_at is None or leg.set_aside_at:
        return False
    if must_ask(clear_since=leg.clear_since, held_at=last_held_at()):
        return False
    last = leg.attempts.order_by("-attempt_no").first()
    return (
        last is not None
        and last.kind == AttemptKind.SEND
        and last.outcome == AttemptOutcome.FAILED_RETRYABLE
    )
