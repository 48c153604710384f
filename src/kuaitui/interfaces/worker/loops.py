"""A loop that goes on: it survives whatever its turn raises, ever more slowly, and stops when asked."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import structlog
from django.db import close_old_connections, connections

BACKOFF_S_MIN = 1.0
BACKOFF_S_MAX = 30.0

log = structlog.get_logger(__name__)


class Loop(threading.Thread):
    """One kind of work, turn after turn.

    A turn returns whether it found work: then the next one follows at once. Otherwise the loop
    rests for `rest_s`, or until it is nudged.
    """

    def __init__(
        self, name: str, turn: Callable[[], bool], *, rest_s: float, stopping: threading.Event
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._turn = turn
        self._rest_s = rest_s
        self._stopping = stopping
        self._nudged = threading.Event()
        self._failures = 0

    def nudge(self) -> None:
        """Look at once."""
        self._nudged.set()

    def run(self) -> None:
        """Go on until the worker stops."""
        while not self._stopping.is_set():
            if not self._take_turn():
                self._nudged.wait(self._pause_s())
            self._nudged.clear()
        connections.close_all()

    def _take_turn(self) -> bool:
        close_old_connections()
        try:
            found_work = self._turn()
        except Exception:
            self._failures += 1
            log.exception("worker.turn_failed", loop=self.name, failures=self._failures)
            return False
        self._failures = 0
        return found_work

    def _pause_s(self) -> float:
        if not self._failures:
            return self._rest_s
        pause: float = min(BACKOFF_S_MIN * 2 ** (self._failures - 1), BACKOFF_S_MAX)
        # Many workers that lost the same database should not come back in step.
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - nothing secret about it
