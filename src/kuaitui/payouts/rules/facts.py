"""What the rules look at: a leg with all calls that were made about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import ACKNOWLEDGING, WITHOUT_EFFECT, AttemptKind, AttemptOutcome


@dataclass(frozen=True, slots=True)
class LegFacts:
    """What the rules look at."""

    state: LegState
    first_sent_at: dt.datetime | None
    """The first send that the channel may have. None: it can have none of them."""
    last_sent_at: dt.datetime
    is_acknowledged: bool
    """Whether the channel ever showed, since the last definite failure, that it has the number."""
    settled_at: dt.datetime | None
    has_doubtful_send: bool
    """Whether an earlier send was given up as not found, not answered with a definite no."""
    refused_code: str
    """With what code the last send was refused for good, or nothing."""
    put_off_code: str
    """With what code the last send was refused for now, or nothing."""
    checks: int
    sends: int


class Attempted(NamedTuple):
    """One call, as the rules look at it."""

    kind: str
    outcome: str | None
    started_at: dt.datetime
    cause: str


def facts_of(
    attempts: Sequence[Attempted],
    *,
    attempt_no: int,
    state: LegState,
    first_sent_at: dt.datetime,
    last_sent_at: dt.datetime,
    settled_at: dt.datetime | None,
    clear_since: dt.datetime | None,
    checks: int,
    sends: int,
) -> LegFacts:
    """What the rules look at, when attempt `attempt_no` has come to its outcome.

    `attempts` are all of them, the oldest first, that one included. `clear_since` is since when the
    channel's word about the number is known to be complete.
    """
    earlier = attempts[: attempt_no - 1]
    sent = [one for one in attempts if one.kind == AttemptKind.SEND]
    # What was sent after that word was sent on its strength: what is older had no effect. A word that
    # came after the last send ages none: the channel may have paid it, and forgotten it before.
    resent_since = clear_since if clear_since and clear_since <= last_sent_at else None
    # A channel counts from the first send that it may have: one that had no effect may be long ago.
    effective = [
        one.started_at
        for one in sent
        if one.outcome not in WITHOUT_EFFECT
        and (resent_since is None or one.started_at >= resent_since)
    ]
    unless_any = None if sent else first_sent_at
    last = sent[-1] if sent else None
    return LegFacts(
        state=state,
        first_sent_at=effective[0] if effective else unless_any,
        last_sent_at=last_sent_at,
        is_acknowledged=is_acknowledged(
            AttemptOutcome(one.outcome) for one in earlier if one.outcome
        ),
        has_doubtful_send=any(
            one.kind == AttemptKind.SEND and one.outcome and one.outcome not in WITHOUT_EFFECT
            for one in earlier
        ),
        refused_code=_code_of(last, AttemptOutcome.FAILED),
        put_off_code=_code_of(last, AttemptOutcome.FAILED_RETRYABLE),
        settled_at=settled_at,
        checks=checks,
        sends=sends,
    )


def _code_of(send: Attempted | None, outcome: AttemptOutcome) -> str:
    """With what code a send came to that outcome; nothing if it came to another."""
    return send.cause if send is not None and send.outcome == outcome else ""


def is_refused_for_now(facts: LegFacts, *, resend_window: dt.timedelta, now: dt.datetime) -> bool:
    """Whether a leg that waits to be sent again is certainly not paid, by a refusal for now.

    It waits only if no send of it took effect: each was refused or not sent, or its channel, asked
    after its floor, does not know it. That word is good while the channel remembers the first send of
    which it might have been otherwise: on it a leg fails that was refused for good.
    """
    if facts.state is not LegState.READY or not facts.put_off_code:
        return False
    first = facts.first_sent_at
    return first is None or now - first < resend_window


def is_acknowledged(outcomes: Iterable[AttemptOutcome]) -> bool:
    """Whether the channel has shown, since the last definite failure, that it has the number.

    `outcomes` are those of a number's attempts, the oldest first.
    """
    acknowledged = False
    for outcome in outcomes:
        if outcome in ACKNOWLEDGING:
            acknowledged = True
        elif outcome is AttemptOutcome.FAILED_RETRYABLE:
            acknowledged = False
    return acknowledged
