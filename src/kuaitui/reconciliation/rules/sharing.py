"""Whose lines these are, where several of our payouts bear the same number of the channel."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from kuaitui.reconciliation.types import Theirs


@dataclass(frozen=True, slots=True)
class Sharer:
    """One of our payouts under a number that it shares; `at` is when it was paid or came back."""

    number: str
    minor: int
    at: dt.datetime | None


def share_out(lines: Sequence[Theirs], sharers: Sequence[Sharer]) -> list[tuple[str, Theirs]]:
    """Give each line to one payout: of its amount, and of these the one nearest in time.

    Alipay's fund bill tells of a refund only which payment it goes back along, so partial refunds
    of one payment look alike but for amount and time. A line too many goes to a payout of its
    amount, which then has been paid twice; one that fits none to the first that has no line.
    Neither the order of lines nor that of payouts matters.
    """
    ordered = sorted(sharers, key=lambda sharer: sharer.number)
    left = sorted(lines, key=lambda line: (line.day, line.line_no, line.minor))
    given: list[tuple[str, Theirs]] = []
    pairs = sorted(
        (_apart(line, sharer), line_index, sharer_index)
        for line_index, line in enumerate(left)
        for sharer_index, sharer in enumerate(ordered)
        if line.minor == sharer.minor
    )
    used_lines: set[int] = set()
    used_sharers: set[int] = set()
    for _, line_index, sharer_index in pairs:
        if line_index not in used_lines and sharer_index not in used_sharers:
            used_lines.add(line_index)
            used_sharers.add(sharer_index)
            given.append((ordered[sharer_index].number, left[line_index]))
    free = [sharer.number for index, sharer in enumerate(ordered) if index not in used_sharers]
    for line_index, line in enumerate(left):
        if line_index not in used_lines:
            alike = [sharer.number for sharer in ordered if sharer.minor == line.minor]
            given.append(((alike or free or [ordered[0].number])[0], line))
    return given


def _apart(line: Theirs, sharer: Sharer) -> dt.timedelta:
    return abs(line.occurred_at - sharer.at) if sharer.at else dt.timedelta.max
