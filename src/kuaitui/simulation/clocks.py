"""Time: the world's, which only goes on, and what our clock shows of it, which may jump."""

from __future__ import annotations

import datetime as dt

from kuaitui.kernel.invariants import ensure

NONE = dt.timedelta(0)


class WorldClock:
    """The one source of time of a history."""

    def __init__(self, starts_at: dt.datetime) -> None:
        self.at = starts_at
        """The world's time."""
        self._error = NONE

    def read(self) -> dt.datetime:
        """What our machines' clock shows."""
        return self.at + self._error

    def go_to(self, moment: dt.datetime) -> None:
        """Let time pass until our clock shows at least `moment`."""
        self.at = max(self.at, moment - self._error)

    def pass_by(self, duration: dt.timedelta) -> None:
        """Let time pass."""
        ensure(duration >= NONE, "time only goes on")
        self.at += duration

    def jump(self, error: dt.timedelta) -> None:
        """Set our clock wrong by `error` from now on; nothing sets it right."""
        self._error = error
