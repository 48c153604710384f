"""Payments in suspense that two people ordered back: the worker's calls about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kuaitui.channels.registry import Channels
from kuaitui.interfaces.worker.crew import Crew
from kuaitui.interfaces.worker.restore import RestoreWatch
from kuaitui.kernel.clock import read_clock, read_stopwatch_s
from kuaitui.payouts.operations import carry_out_send_back, set_send_back_aside
from kuaitui.payouts.queries import due_send_backs
from kuaitui.payouts.types import Pace


@dataclass(frozen=True, slots=True)
class SendBacks:
    """Payments that go back along themselves."""

    channels: Channels
    pace: Pace
    watch: RestoreWatch
    name: str = "payout.send_back"

    def due(self, *, limit: int) -> list[str]:
        """Those whose turn has come, after a look whether the database is the one that sent last."""
        now = read_clock()
        self.watch.look(now=now, stopwatch_s=read_stopwatch_s())
        return due_send_backs(now=now, limit=limit)

    def carry_out(self, thing_id: str) -> None:
        """Send or ask."""
        carry_out_send_back(
            send_back_id=thing_id,
            channels=self.channels,
            pace=self.pace,
            clock=read_clock,
            note_send=self.watch.note,
        )

    def set_aside(self, thing_id: str, *, reason: str) -> None:
        """Leave it to a person."""
        set_send_back_aside(send_back_id=thing_id, reason=reason, now=read_clock())


class Returners(Crew):
    """The one thread of a worker that sends payments back: they are rare."""

    def __init__(
        self,
        *,
        channels: Channels,
        pace: Pace,
        when_free: Callable[[], None],
        watch: RestoreWatch,
    ) -> None:
        super().__init__(SendBacks(channels, pace, watch), threads=1, when_free=when_free)
