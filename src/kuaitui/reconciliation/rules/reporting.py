"""What can be said of a day."""

from __future__ import annotations

from collections.abc import Collection

from kuaitui.channels.port import StatementKind
from kuaitui.reconciliation.types import DayState


def day_state(
    needed: Collection[StatementKind],
    *,
    compared: Collection[StatementKind],
    refused: Collection[StatementKind],
    open_breaks: int,
    waiting_files: int,
) -> DayState:
    """The state of one day of one channel, the most urgent first.

    `proven` needs every bill that the channel gives: the trade bill proves the events, the fund
    bill the cash.
    """
    if open_breaks:
        return DayState.OPEN_BREAKS
    if waiting_files:
        return DayState.TO_LOOK_AT
    missing = set(needed) - set(compared)
    if missing & set(refused):
        return DayState.REFUSED
    return DayState.NOT_HERE if missing or not needed else DayState.PROVEN
