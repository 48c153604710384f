"""Carrying payouts out: one thread claims what is due, a few call channels, one records.

Claims and records are written for many legs at once: as many as there are free hands, as many as
were answered within a few milliseconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Final

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections, connections

from kuaitui.channels.registry import Channels
from kuaitui.interfaces.worker.crew import BROKEN, REST_AFTER_FAILURE_S, Hands
from kuaitui.interfaces.worker.restore import RestoreWatch
from kuaitui.kernel.clock import read_clock, read_stopwatch_s
from kuaitui.payouts.operations import (
    Claim,
    Claimed,
    Recording,
    call_channel,
    claim_legs,
    note_sends,
    record_calls,
    set_leg_aside,
)
from kuaitui.payouts.queries import due_legs
from kuaitui.payouts.types import Pace

LOOKED_AT_PER_HAND: Final = 4
"""Other workers look at the same list: each passes over what another one takes."""
RECORDED_AT_ONCE_MAX: Final = 64
DATABASE_AWAY: Final = (OperationalError, InterfaceError)
"""No leg's fault: the loop comes back, ever more slowly."""
GATHER_S: Final = 0.005
"""How long a record waits for others: a transaction costs as much as a dozen legs in it."""

log = structlog.get_logger(__name__)


class Carriers:
    """The threads of one worker that carry payouts out."""

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
        self._when_free = when_free
        self._watch = watch
        self._hands = Hands(threads)
        self._claimed: SimpleQueue[Claim | None] = SimpleQueue()
        self._answered: SimpleQueue[Recording | None] = SimpleQueue()
        self._callers = [
            threading.Thread(target=self._call_on, name=f"payouts-call-{number}", daemon=True)
            for number in range(1, threads + 1)
        ]
        self._recorder = threading.Thread(
            target=self._record_on, name="payouts-record", daemon=True
        )
        for thread in (*self._callers, self._recorder):
            thread.start()

    def take_turn(self) -> bool:
        """Claim what is due, as far as there are free hands; whether anything was taken."""
        free = self._hands.free()
        if not free:
            return False
        now = read_clock()
        self._watch.look(now=now, stopwatch_s=read_stopwatch_s())
        due = due_legs(now=now, limit=free * LOOKED_AT_PER_HAND + self._hands.left_alone())
        fresh = [leg_id for leg_id in due if self._hands.may_take(leg_id)]
        taken = self._take_many(fresh, free) if fresh else []
        return bool(taken)

    def stop(self) -> None:
        """Finish the calls under way, record them, begin no more."""
        for _ in self._callers:
            self._claimed.put(None)
        for thread in self._callers:
            thread.join()
        self._answered.put(None)
        self._recorder.join()

    def _take_many(self, leg_ids: Sequence[str], free: int) -> list[Claim]:
        """Those that can be taken together, then those that must be taken alone."""
        try:
            claimed = self._claim(leg_ids, free)
        except DATABASE_AWAY:
            raise
        except Exception:
            # One of them is not sound. Each by itself: only that one stops.
            log.exception("worker.claim.apart", count=len(leg_ids))
            claimed = Claimed([], list(leg_ids))
        self._begin(claimed.claims)
        taken = list(claimed.claims)
        for leg_id in claimed.alone:
            if len(taken) == free:
                break
            taken += self._take_alone(leg_id)
        return taken

    def _take_alone(self, leg_id: str) -> list[Claim]:
        try:
            claims = self._claim([leg_id], 1).claims
        except DATABASE_AWAY:
            raise
        except Exception as failure:  # noqa: BLE001 - the others must not wait for it; it is logged and kept
            self._give_up(leg_id, failure)
            return []
        self._begin(claims)
        return claims

    def _claim(self, leg_ids: Sequence[str], room: int) -> Claimed:
        return claim_legs(
            leg_ids=leg_ids,
            pace=self._pace,
            now=read_clock(),
            interval_of=lambda name: self._channels.get(name).capabilities.refund_interval,
            room=room,
        )

    def _begin(self, claims: Sequence[Claim]) -> None:
        """Hand committed claims to whoever calls."""
        if not claims:
            return
        note_sends(claims, note_send=self._watch.note)
        for claim in claims:
            self._hands.take(claim.leg_id)
            self._claimed.put(claim)

    def _call_on(self) -> None:
        while (claim := self._claimed.get()) is not None:
            close_old_connections()
            try:
                channel = self._channels.get(claim.channel)
                self._answered.put(
                    call_channel(claim, channel=channel, pace=self._pace, clock=read_clock)
                )
            except Exception as failure:  # noqa: BLE001 - the thread's outermost loop; it is logged and kept
                self._give_up(claim.leg_id, failure)
        connections.close_all()

    def _record_on(self) -> None:
        while (first := self._answered.get()) is not None:
            close_old_connections()
            time.sleep(GATHER_S)
            called = [first, *self._also_answered()]
            try:
                self._record(called)
            except Exception:
                log.exception("worker.record.apart", count=len(called))
                for one in called:
                    self._record_alone(one)
            self._when_free()
        connections.close_all()

    def _also_answered(self) -> list[Recording]:
        """What else has been answered by now."""
        found: list[Recording] = []
        while len(found) < RECORDED_AT_ONCE_MAX - 1:
            try:
                one = self._answered.get_nowait()
            except Empty:
                break
            if one is None:
                self._answered.put(None)
                break
            found.append(one)
        return found

    def _record(self, called: Sequence[Recording]) -> None:
        record_calls(called, pace=self._pace, clock=read_clock)
        for one in called:
            self._hands.put_down(one.claim.leg_id)

    def _record_alone(self, one: Recording) -> None:
        try:
            self._record([one])
        except Exception as failure:  # noqa: BLE001 - as above
            self._give_up(one.claim.leg_id, failure)

    def _give_up(self, leg_id: str, failure: Exception) -> None:
        """Leave it alone for a while. An attempt that is not recorded is asked about when its lease ends."""
        if isinstance(failure, BROKEN):
            self._set_aside(leg_id, failure)
        else:
            log.error("worker.call.interrupted", leg_id=leg_id, exc_info=failure)
            self._hands.put_down(leg_id, rest_s=REST_AFTER_FAILURE_S)
        self._when_free()

    def _set_aside(self, leg_id: str, failure: Exception) -> None:
        """Only this one stops. The others are sound, and their sellers wait."""
        log.critical("worker.call.set_aside", leg_id=leg_id, exc_info=failure)
        try:
            set_leg_aside(leg_id=leg_id, reason=type(failure).__name__, now=read_clock())
        except Exception as second:
            log.critical("worker.call.not_set_aside", leg_id=leg_id, exc_info=second)
        self._hands.put_down(leg_id, rest_s=REST_AFTER_FAILURE_S)
