"""A flood of notifications: every event told over and over, late, out of order, and forged.

It draws from a source of its own, so that a history with a flood tries the same as one without.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from kuaitui.simulation.telling import Told

LATE_MAX: Final = dt.timedelta(days=60)
BURSTS: Final = 4
"""Repetitions come in bursts: an audit after each of a million would be most of the work."""
FORGED: Final = 0.1
RECENT: Final = 30
"""A burst mixes this many of the latest events, in any order."""


@dataclass(frozen=True, slots=True)
class Burst:
    """Many notifications at once."""

    count: int


class Flood:
    """Repeats what channels told."""

    def __init__(self, repeats: int, chance: Random, hear: Callable[[Told], None]) -> None:
        self._repeats = repeats
        self._chance = chance
        self._hear = hear
        self._told: list[Told] = []

    def bursts_after(self, told: Told) -> Iterator[tuple[dt.datetime, Burst]]:
        """When it will be told again, with others, and how often."""
        if not self._repeats:
            return
        self._told = [*self._told, told][-RECENT:]
        each, rest = divmod(self._repeats, BURSTS)
        for number in range(BURSTS):
            at = told.deliver_at + LATE_MAX * self._chance.random()
            yield at, Burst(each + (number < rest))

    def play(self, burst: Burst) -> None:
        """Deliver them, one after the other."""
        for _ in range(burst.count):
            told = self._chance.choice(self._told)
            if self._chance.random() < FORGED:
                told = replace(told, is_forged=True)
            self._hear(told)
