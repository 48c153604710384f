"""The calls about one payment, told without saying the same thing over and over."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from kuaitui.payouts.queries import AttemptRecord


@dataclass(frozen=True, slots=True)
class CallRun:
    """Calls of one kind, one after the other, that came to the same."""

    first: AttemptRecord
    last: AttemptRecord
    count: int


def runs_of(calls: Iterable[AttemptRecord]) -> list[CallRun]:
    """The calls in their order, each in exactly one run.

    A part that its channel leaves open is asked about for days: a row for each question would
    bury the one that brought an answer.
    """
    runs = []
    for _same, grouped in itertools.groupby(calls, lambda it: (it.kind, it.outcome, it.cause)):
        run = list(grouped)
        runs.append(CallRun(run[0], run[-1], len(run)))
    return runs
