"""What surrounds a model channel: its own time, the weather, chance, and what happens during a call."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from kuaitui.simulation.clocks import WorldClock
from kuaitui.simulation.faults import Fault, Weather


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Shared by all that one channel does."""

    skew: dt.timedelta
    """How far the channel's clock is off."""
    clock: WorldClock
    weather: Weather
    chance: Random
    during_a_call: Callable[[], None]
    count_fault: Callable[[Fault], None]

    @property
    def now(self) -> dt.datetime:
        """The channel's own time."""
        return self.clock.at + self.skew

    def strikes(self, kind: Fault) -> bool:
        """Whether it happens now; counted if it does."""
        if not self.weather.strikes(kind, self.clock.at, self.chance):
            return False
        self.count_fault(kind)
        return True
