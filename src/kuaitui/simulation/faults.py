"""What can go wrong between a channel and us, and the phases in which it does.

Sources: channel facts in docs/explanation/payouts.md; every kind below is one that a real channel
documents or somebody met in the field.
"""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from random import Random


class Fault(enum.StrEnum):
    """One kind of misfortune."""

    NOT_SENT = "not_sent"
    """The connection fails before a byte leaves."""
    LOST_REQUEST = "lost_request"
    """It left and never arrived; nobody says so."""
    LATE_REQUEST = "late_request"
    """It arrives minutes after we gave up waiting."""
    LOST_ANSWER = "lost_answer"
    """Taken, and the answer is lost."""
    ERROR_AFTER_TAKING = "error_after_taking"
    """Taken, and answered with a server's error."""
    HIDDEN = "hidden"
    """Taken, and a query does not find it for a while."""
    SLOW = "slow"
    """Processed for days."""
    WANTS_AGAIN = "wants_again"
    """A transfer is taken, and goes on only when the same comes once more and there is money for it."""
    NEEDS_ACTION = "needs_action"
    REFUSED = "refused"
    """The bank refuses the payee for good."""
    NO_BALANCE = "no_balance"
    """Not taken now; the same number may come again."""
    REFUSES_US = "refuses_us"
    """Credentials or permission: every payout meets the same."""
    RETURNED = "returned"
    """Paid, and given back days or weeks later."""
    QUERY_FAILS = "query_fails"
    TOLD_TWICE = "told_twice"
    TOLD_LATE = "told_late"
    TOLD_WRONG = "told_wrong"
    """A notification about a number that is nobody's, or not yet true."""
    HEARD_TWICE = "heard_twice"
    """A worker dies before it notes that news was heard; the next one delivers it again."""
    CRASH = "crash"
    SLEPT = "slept"
    """A worker stands still for longer than its lease."""
    CLOCK_JUMP = "clock_jump"
    RESTORE = "restore"
    """The database is put back to what it was a while ago; channels and people are not."""


EVERYDAY = 0.03
STORM = 0.35
# Rates that differ from the everyday one: what ends a payout otherwise than by being paid.
_SELDOM = {
    Fault.REFUSES_US: 0.002,
    Fault.RETURNED: 0.05,
    Fault.REFUSED: 0.05,
    Fault.RESTORE: 0.004,
}
_NEVER_OFTEN = {Fault.REFUSES_US: 0.05, Fault.RETURNED: 0.3, Fault.CLOCK_JUMP: 0.05}
STORMS_A_YEAR = 4


@dataclass(frozen=True, slots=True)
class Phase:
    """A time in which some kinds of faults are frequent."""

    begins_at: dt.datetime
    ends_at: dt.datetime
    kinds: frozenset[Fault]


@dataclass(slots=True)
class Weather:
    """How likely which fault is at a moment. Phases overlap as they fall, in any combination."""

    phases: tuple[Phase, ...]
    left_out: frozenset[Fault]
    calm_from: dt.datetime
    """From here on nothing goes wrong any more."""
    severity: float = 1.0
    """How many times the everyday rate faults come outside of storms."""

    def rate(self, kind: Fault, at: dt.datetime) -> float:
        """How likely it is now."""
        if kind in self.left_out or at >= self.calm_from:
            return 0.0
        for phase in self.phases:
            if kind in phase.kinds and phase.begins_at <= at < phase.ends_at:
                return _NEVER_OFTEN.get(kind, STORM)
        return min(_SELDOM.get(kind, EVERYDAY) * self.severity, STORM)

    def strikes(self, kind: Fault, at: dt.datetime, chance: Random) -> bool:
        """Whether it happens now. Draws once, whatever the rate: histories stay comparable."""
        return chance.random() < self.rate(kind, at)


def draw_phases(
    chance: Random, *, begins_at: dt.datetime, ends_at: dt.datetime
) -> tuple[Phase, ...]:
    """The storms of one history."""
    kinds = sorted(set(Fault) - {Fault.RESTORE})
    days = (ends_at - begins_at).days
    storms = max(2, round(STORMS_A_YEAR * days / 365))
    phases = []
    for _ in range(storms):
        starts = begins_at + dt.timedelta(days=chance.uniform(0, days))
        length = dt.timedelta(days=chance.choice([0.05, 1, 3, 10, 30]))
        chosen = frozenset(chance.sample(kinds, chance.randint(1, 4)))
        phases.append(Phase(starts, starts + length, chosen))
    return tuple(phases)
