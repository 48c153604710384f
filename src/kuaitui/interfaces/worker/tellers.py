"""Asking after money coming in: orders, and numbers that are not ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kuaitui.channels.registry import Channels
from kuaitui.deposits.operations import ask_about_stray, carry_out_pay_in, set_pay_in_aside
from kuaitui.deposits.queries import due_pay_ins, due_strays
from kuaitui.deposits.types import PayInPace
from kuaitui.interfaces.worker.crew import Crew
from kuaitui.kernel.clock import read_clock


@dataclass(frozen=True, slots=True)
class PayIns:
    """Orders: money in."""

    channels: Channels
    pace: PayInPace
    name: str = "pay_in.order"

    def due(self, *, limit: int) -> list[str]:
        """Orders whose turn has come."""
        return due_pay_ins(now=read_clock(), limit=limit)

    def carry_out(self, thing_id: str) -> None:
        """Open, ask or close."""
        carry_out_pay_in(
            order_id=thing_id, channels=self.channels, pace=self.pace, clock=read_clock
        )

    def set_aside(self, thing_id: str, *, reason: str) -> None:
        """Leave it to a person."""
        set_pay_in_aside(order_id=thing_id, reason=reason, now=read_clock())


class Tellers(Crew):
    """The threads of one worker that ask after money coming in."""

    def __init__(
        self, *, channels: Channels, pace: PayInPace, threads: int, when_free: Callable[[], None]
    ) -> None:
        super().__init__(PayIns(channels, pace), threads=threads, when_free=when_free)


def ask_about_strays(channels: Channels, pace: PayInPace) -> bool:
    """Ask after numbers that are not ours, one after the other; whether there were any."""
    found = due_strays(now=read_clock())
    for channel, number in found:
        ask_about_stray(
            channel=channel, number=number, channels=channels, pace=pace, clock=read_clock
        )
    return bool(found)
