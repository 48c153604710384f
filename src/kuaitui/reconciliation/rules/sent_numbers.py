"""How two accounts of the same numbers are compared. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from kuaitui.reconciliation.types import Break, BreakKind, Comparison, WithPayee

NOTHING = WithPayee(0, 0, 0)


def compare(ours: Mapping[str, WithPayee], theirs: Mapping[str, WithPayee]) -> Comparison:
    """Compare every number that either side knows."""
    numbers = sorted(ours.keys() | theirs.keys())
    breaks = [
        Break(kind, number, ours.get(number, NOTHING).minor, theirs.get(number, NOTHING).minor)
        for number in numbers
        if (kind := _break(ours.get(number, NOTHING), theirs.get(number, NOTHING)))
    ]
    return Comparison(
        numbers_count=len(numbers),
        ours_minor=sum(one.minor for one in ours.values()),
        theirs_minor=sum(one.minor for one in theirs.values()),
        breaks=tuple(breaks),
    )


def _break(ours: WithPayee, theirs: WithPayee) -> BreakKind | None:
    if max(ours.times_paid - ours.times_returned, theirs.times_paid - theirs.times_returned) > 1:
        return BreakKind.PAID_TWICE
    if ours.minor == theirs.minor:
        return None
    if theirs.minor == 0:
        return BreakKind.MISSING_AT_CHANNEL
    if ours.minor == 0:
        return BreakKind.MISSING_IN_LEDGER
    return BreakKind.AMOUNT
