"""Where a process dies, and who dies there."""

from __future__ import annotations

import enum
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from django.db import connections

from kuaitui.kit import crashpoints

ANSWERED = "web.answered"
"""The request is done and committed, and nobody has been told."""


class Victim(enum.StrEnum):
    """Who dies at a point."""

    PROCESS = "process"
    DATABASE = "database"
    """The server process that serves this one's connection: PostgreSQL then restarts all others."""


@dataclass(frozen=True, slots=True)
class CrashPlan:
    """Die, or take the database along, when a point is reached for the nth time."""

    point: str
    nth: int = 1
    victim: Victim = Victim.PROCESS

    def install(self) -> None:
        """Watch for the point in this very process."""
        count = 0

        def reached(name: str) -> None:
            nonlocal count
            if name != self.point:
                return
            count += 1
            if count == self.nth:
                strike(self.victim)

        crashpoints.watch(reached)


def strike(victim: Victim) -> None:
    """Kill at once, as bad luck would."""
    if victim is Victim.PROCESS:
        os.kill(os.getpid(), signal.SIGKILL)
    pid = _database_process()
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


def _database_process() -> int | None:
    """The process that serves this thread's connection, if it has one."""
    raw = connections["default"].connection
    return None if raw is None or raw.closed else int(raw.info.backend_pid)


class Trap:
    """A point at which a long-lived process dies once, armed from outside by a file.

    Who takes the file away dies: of several processes that come by at once, exactly one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def arm(self, point: str, victim: Victim) -> None:
        """Let the next process that reaches the point strike."""
        (self._folder / point).write_text(victim.value)

    def is_armed(self, point: str) -> bool:
        """Whether nobody has come by yet."""
        return (self._folder / point).exists()

    def disarm(self) -> None:
        """Take all traps away."""
        for file in self._folder.iterdir():
            file.unlink(missing_ok=True)

    def step_on(self, point: str) -> None:
        """Strike if the point is armed."""
        file = self._folder / point
        try:
            victim = Victim(file.read_text())
            file.unlink()
        except (FileNotFoundError, ValueError):
            return
        strike(victim)
