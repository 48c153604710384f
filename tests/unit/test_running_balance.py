"""The balance at the end of a day is taken from a bill's rows only where they say it beyond doubt."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import accumulate

from hypothesis import assume, given
from hypothesis import strategies as st

from kuaitui.channels.running_balance import BalanceRow, closing_minor

MORNING = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
CHANGES = st.lists(st.integers(-(10**6), 10**6).filter(bool), min_size=1, max_size=8)


def rows_of(changes: list[int], *, opening: int = 10**8) -> list[BalanceRow]:
    """Rows a minute apart, the oldest first."""
    balances = list(accumulate(changes, initial=opening))[1:]
    return [
        BalanceRow(MORNING + number * dt.timedelta(minutes=1), change, balance)
        for number, (change, balance) in enumerate(zip(changes, balances, strict=True))
    ]


@given(CHANGES)
def test_it_is_the_balance_after_the_last_movement_whichever_row_comes_first(
    changes: list[int],
) -> None:
    rows = rows_of(changes)

    assert closing_minor(rows) == 10**8 + sum(changes)
    assert closing_minor(rows[::-1]) == 10**8 + sum(changes)


@given(CHANGES.filter(lambda changes: len(changes) > 2), st.data())
def test_rows_that_do_not_follow_from_each_other_say_nothing(
    changes: list[int], data: st.DataObject
) -> None:
    rows = rows_of(changes)
    lost = data.draw(st.integers(1, len(rows) - 2))
    changed = data.draw(st.integers(0, len(rows) - 1))
    wrong = replace(rows[changed], balance_minor=rows[changed].balance_minor + 1)

    assert closing_minor(rows[:lost] + rows[lost + 1 :]) is None
    assert closing_minor([*rows[:changed], wrong, *rows[changed + 1 :]]) is None


def test_rows_of_one_moment_that_can_be_read_both_ways_say_nothing() -> None:
    there, back = rows_of([500, -500])

    assert closing_minor([there, replace(back, at=there.at)]) is None
    assert closing_minor([]) is None


@given(CHANGES, st.permutations(range(8)))
def test_rows_in_any_other_order_say_nothing_wrong(changes: list[int], order: list[int]) -> None:
    rows = rows_of(changes)
    shuffled = [rows[number] for number in order if number < len(rows)]
    assume(shuffled not in (rows, rows[::-1]))

    assert closing_minor(shuffled) in (None, 10**8 + sum(changes))
