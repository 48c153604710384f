"""Carrying payouts out: one thread sees what is due, a few call the channels."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

import structlog
from django.db import DataError, IntegrityError, close_old_connections, connections

from kuaitui.channels.registry import Channels
from kuaitui.interfaces.worker.restore import RestoreWatch
from kuaitui.kernel.clock import read_clock, read_stopwatch_s
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.invariants import InvariantViolated
from kuaitui.kit.encryption import SealBroken
from kuaitui.payouts.operations import carry_out_leg, set_leg_aside
from kuaitui.payouts.queries import due_legs
from kuaitui.payouts.types import Pace

# These will not pass by waiting: what must be true of this leg is not. The database's own
# judgement (a trigger, a constraint) counts like our own.
BROKEN = (InvariantViolated, SealBroken, Refusal, IntegrityError, DataError)
REST_AFTER_FAILURE_S = 5.0

log = structlog.get_logger(__name__)


class Carriers:
    """The threads of one worker that call channels."""

    def __init__(
        self,
        *,
        channels: Channels,
        pace: Pace,
        threads: int,
        when_free: Callable[[], None],
        watch: RestoreWatch,
    ) -> None:
        self._channels = channels
        self._pace = pace
        self._work: SimpleQueue[str | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._carry_on, name=f"carrier-{number}", daemon=True)
            for number in range(1, threads + 1)
        ]
        self._when_free = when_free
        self._watch = watch
        self._lock = threading.Lock()
        # By leg: until when this worker leaves it alone. Under way: until for ever.
        self._resting: dict[str, float] = {}
        for thread in self._threads:
            thread.start()

    def take_turn(self) -> bool:
        """Hand out what is due, as far as there are free hands; whether anything was."""
        free = self._free_hands()
        if not free:
            return False
        now = read_clock()
        self._watch.look(now=now, stopwatch_s=read_stopwatch_s())
        due = due_legs(now=now, limit=free + len(self._resting))
        fresh = [leg_id for leg_id in due if self._begin(leg_id)]
        for leg_id in fresh:
            self._work.put(leg_id)
        return bool(fresh)

    def stop(self) -> None:
        """Finish the calls under way, begin no more."""
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()

    def _free_hands(self) -> int:
        now_s = read_stopwatch_s()
        with self._lock:
            self._resting = {leg: until for leg, until in self._resting.items() if until > now_s}
            busy = sum(until == float("inf") for until in self._resting.values())
        return len(self._threads) - busy

    def _begin(self, leg_id: str) -> bool:
        with self._lock:
            if leg_id in self._resting:
                return False
            busy = sum(until == float("inf") for until in self._resting.values())
            if busy >= len(self._threads):
                return False
            self._resting[leg_id] = float("inf")
            return True

    def _carry_on(self) -> None:
        while (leg_id := self._work.get()) is not None:
            self._carry_out(leg_id)
        connections.close_all()

    def _carry_out(self, leg_id: str) -> None:
        close_old_connections()
        rest_s = 0.0
        try:
            carry_out_leg(
                leg_id=leg_id,
                channels=self._channels,
                pace=self._pace,
                clock=read_clock,
                note_send=self._watch.note,
            )
        except BROKEN as failure:
            rest_s = REST_AFTER_FAILURE_S
            self._set_aside(leg_id, failure)
        except Exception:
            rest_s = REST_AFTER_FAILURE_S
            log.exception("payout.attempt.interrupted", leg_id=leg_id)
        finally:
            with self._lock:
                self._resting[leg_id] = read_stopwatch_s() + rest_s
            self._when_free()

    def _set_aside(self, leg_id: str, failure: Exception) -> None:
        """Only this leg stops. The others are sound, and their sellers wait."""
        log.critical("payout.leg.set_aside", leg_id=leg_id, exc_info=failure)
        try:
            set_leg_aside(leg_id=leg_id, reason=type(failure).__name__, now=read_clock())
        except Exception as second:
            log.critical("payout.leg.not_set_aside", leg_id=leg_id, exc_info=second)
