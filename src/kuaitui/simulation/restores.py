"""A restore from a backup: the database goes back to what it was, the world does not.

Between the backup and the restore only the machine works: what people did in a lost window is theirs
to do again, by the marketplace's own records (docs/runbooks/after-a-restore.md), and is not played.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from copy import deepcopy
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

from kuaitui.kernel.invariants import ensure
from kuaitui.simulation.channel_book import Heard
from kuaitui.simulation.databases import Backup, Databases
from kuaitui.simulation.faults import Fault
from kuaitui.simulation.world import World, ask

HOUR: Final = dt.timedelta(hours=1)
DAY: Final = 24 * HOUR
LENGTHS: Final = (0.1, 2.0, 24.0, 72.0)
"""Hours that a backup is old, if nobody acts before."""
_NUMBERS: Final = """
SELECT channel_number FROM payouts_leg UNION SELECT number FROM payouts_send_back
"""


class _Taken(NamedTuple):
    """A number that a channel took, and when it went on because it came again."""

    number: str
    went_on_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class _Window:
    """What will be lost: all that the database learns from here on."""

    backup: Backup
    ends_at: dt.datetime
    heard: defaultdict[str, Heard]
    booked: dict[str, set[_Taken]]


class Restores:
    """Backs up at an unlucky moment, and restores a while later."""

    def __init__(self, world: World, databases: Databases, chance: Random) -> None:
        self._world = world
        self._databases = databases
        self._chance = chance
        self._window: _Window | None = None

    @property
    def is_near(self) -> bool:
        """Whether what happens now will be lost."""
        return self._window is not None

    @property
    def ends_at(self) -> dt.datetime | None:
        """When the window ends by itself, if one is open."""
        return None if self._window is None else self._window.ends_at

    @property
    def is_due(self) -> bool:
        """Whether the window has ended by itself."""
        return self._window is not None and self._world.clock.at >= self._window.ends_at

    def begin_perhaps(self) -> None:
        """Back up, now and then; no draw is made that another fault would have made."""
        world = self._world
        if not world.weather.strikes(Fault.RESTORE, world.clock.at, self._chance):
            return
        if self._window is None:
            self._window = _Window(
                backup=self._databases.back_up(),
                ends_at=world.clock.at + self._chance.choice(LENGTHS) * HOUR,
                heard=deepcopy(world.heard),
                booked=self._booked(),
            )

    def restore(self) -> None:
        """Lose what came since. Channels remember all of it."""
        window, self._window = self._window, None
        assert window is not None
        world, chance = self._world, self._chance
        # Channels answer for months. A window that long is no history of ours.
        ensure(world.clock.at < window.ends_at + DAY, "a lost window ends when it was to end")
        before = set(ask(_NUMBERS))
        self._databases.restore(window.backup, under_its_name=chance.random() < 0.5)
        world.heard = window.heard
        world.lost_numbers |= {number for (number,) in before - set(ask(_NUMBERS))}
        for name, taken in self._booked().items():
            lost = {one.number for one in taken - window.booked[name]}
            world.model_channels[name].forgotten_by_us |= lost
        world.figures.restores += 1
        world.figures.faults[Fault.RESTORE] += 1
        world.clock.pass_by(chance.uniform(0.1, 3) * HOUR)

    def _booked(self) -> dict[str, set[_Taken]]:
        return {
            name: {_Taken(one.number, one.went_on_at) for one in channel.book.bookings}
            for name, channel in self._world.model_channels.items()
        }
