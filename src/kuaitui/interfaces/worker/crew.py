"""Calling channels: one thread sees what is due, a few make the calls."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Protocol

import structlog
from django.db import DataError, IntegrityError, close_old_connections, connections

from kuaitui.kernel.clock import read_stopwatch_s
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.invariants import InvariantViolated
from kuaitui.kit.encryption import SealBroken

# These will not pass by waiting: what must be true of this one is not. The database's own
# judgement (a trigger, a constraint) counts like our own.
BROKEN = (InvariantViolated, SealBroken, Refusal, IntegrityError, DataError)
REST_AFTER_FAILURE_S = 5.0

log = structlog.get_logger(__name__)


class Errand(Protocol):
    """One sort of thing that channels are called about."""

    @property
    def name(self) -> str:
        """What logs call it: `payout.leg`."""

    def due(self, *, limit: int) -> list[str]:
        """Ids of what may be taken now."""

    def carry_out(self, thing_id: str) -> None:
        """Make the call that is due for one of them, if it is its turn."""

    def set_aside(self, thing_id: str, *, reason: str) -> None:
        """Take one out of the machine until a person looks."""


class Hands:
    """How many things one worker has in hand at a time, and which it leaves alone for a while."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._lock = threading.Lock()
        # By id: until when this worker leaves it alone. In hand: until for ever.
        self._until: dict[str, float] = {}

    def free(self) -> int:
        """How many more things can be taken."""
        now_s = read_stopwatch_s()
        with self._lock:
            self._until = {one: until for one, until in self._until.items() if until > now_s}
            return self._count - self._busy()

    def left_alone(self) -> int:
        """How many of what is due may be in hand, or resting."""
        with self._lock:
            return len(self._until)

    def may_take(self, thing_id: str) -> bool:
        """Whether it is neither in hand nor resting."""
        with self._lock:
            return thing_id not in self._until

    def take(self, thing_id: str) -> bool:
        """Take it in hand, if it is free and a hand is."""
        with self._lock:
            if thing_id in self._until or self._busy() >= self._count:
                return False
            self._until[thing_id] = float("inf")
            return True

    def put_down(self, thing_id: str, *, rest_s: float = 0.0) -> None:
        """It is done with, and not taken again before it has rested."""
        with self._lock:
            self._until[thing_id] = read_stopwatch_s() + rest_s

    def _busy(self) -> int:
        return sum(until == float("inf") for until in self._until.values())


class Crew:
    """The threads of one worker that call channels about one sort of thing."""

    def __init__(self, errand: Errand, *, threads: int, when_free: Callable[[], None]) -> None:
        self._errand = errand
        self._work: SimpleQueue[str | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._carry_on, name=f"{errand.name}-{number}", daemon=True)
            for number in range(1, threads + 1)
        ]
        self._when_free = when_free
        self._hands = Hands(threads)
        for thread in self._threads:
            thread.start()

    def take_turn(self) -> bool:
        """Hand out what is due, as far as there are free hands; whether anything was."""
        free = self._hands.free()
        if not free:
            return False
        due = self._errand.due(limit=free + self._hands.left_alone())
        fresh = [thing_id for thing_id in due if self._hands.take(thing_id)]
        for thing_id in fresh:
            self._work.put(thing_id)
        return bool(fresh)

    def stop(self) -> None:
        """Finish the calls under way, begin no more."""
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()

    def _carry_on(self) -> None:
        while (thing_id := self._work.get()) is not None:
            self._carry_out(thing_id)
        connections.close_all()

    def _carry_out(self, thing_id: str) -> None:
        close_old_connections()
        rest_s = 0.0
        try:
            self._errand.carry_out(thing_id)
        except BROKEN as failure:
            rest_s = REST_AFTER_FAILURE_S
            self._set_aside(thing_id, failure)
        except Exception:
            rest_s = REST_AFTER_FAILURE_S
            log.exception("worker.call.interrupted", errand=self._errand.name, thing_id=thing_id)
        finally:
            self._hands.put_down(thing_id, rest_s=rest_s)
            self._when_free()

    def _set_aside(self, thing_id: str, failure: Exception) -> None:
        """Only this one stops. The others are sound, and their sellers wait."""
        name = self._errand.name
        log.critical("worker.call.set_aside", errand=name, thing_id=thing_id, exc_info=failure)
        try:
            self._errand.set_aside(thing_id, reason=type(failure).__name__)
        except Exception as second:
            log.critical(
                "worker.call.not_set_aside", errand=name, thing_id=thing_id, exc_info=second
            )
