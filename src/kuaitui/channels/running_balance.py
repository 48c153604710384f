"""What lay on an account at the end of a day, by the balance that a bill writes beside each row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One row of a bill in the order of the file, in minor units. What went out is below nothing."""

    at: dt.datetime
    change_minor: int
    balance_minor: int


def closing_minor(rows: Sequence[BalanceRow]) -> int | None:
    """The balance after the last row, or None where the rows do not say it beyond doubt.

    No channel promises in which order its rows stand. So a balance is believed only where every
    row's balance follows from its neighbour's, the oldest row first or the newest first.
    """
    candidates = set()
    pairs = list(pairwise(rows))
    if rows and all(
        one.at <= two.at and one.balance_minor + two.change_minor == two.balance_minor
        for one, two in pairs
    ):
        candidates.add(rows[-1].balance_minor)
    if rows and all(
        one.at >= two.at and two.balance_minor + one.change_minor == one.balance_minor
        for one, two in pairs
    ):
        candidates.add(rows[0].balance_minor)
    return candidates.pop() if len(candidates) == 1 else None
