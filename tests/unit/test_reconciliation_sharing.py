"""Lines that tell only a shared number are given to the payouts that share it, each to one."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kuaitui.channels.port import LineKind
from kuaitui.reconciliation.rules import Sharer, share_out
from kuaitui.reconciliation.types import Theirs

NOON = dt.datetime(2026, 11, 24, 4, tzinfo=dt.UTC)
MINORS = st.sampled_from([100, 200, 300])
SHARERS = st.lists(
    st.builds(lambda minor, minutes: (minor, NOON + dt.timedelta(minutes=minutes)), MINORS,
              st.integers(0, 3000)),
    min_size=1, max_size=5,
).map(lambda found: [Sharer(f"N{n}", minor, at) for n, (minor, at) in enumerate(found)])  # fmt: skip


def line(minor: int, at: dt.datetime, line_no: int = 1) -> Theirs:
    return Theirs(at.date(), line_no, minor, "CNY", at, "", "bil", LineKind.REFUND)


def lines_of(sharers: list[Sharer]) -> list[Theirs]:
    """What a sound bill tells of them."""
    return [
        line(sharer.minor, sharer.at, line_no)
        for line_no, sharer in enumerate(sharers, start=1)
        if sharer.at
    ]


@given(SHARERS, st.randoms(use_true_random=False))
def test_a_sound_bill_gives_each_its_own_in_any_order(sharers: list[Sharer], random: Any) -> None:
    lines = random.sample(lines_of(sharers), len(sharers))

    given_out = share_out(lines, random.sample(sharers, len(sharers)))

    assert len(given_out) == len(lines)
    assert {number: one.minor for number, one in given_out} == {
        sharer.number: sharer.minor for sharer in sharers
    }


@given(SHARERS, st.lists(st.builds(line, MINORS, st.just(NOON), st.integers(1, 9)), max_size=6))
def test_no_line_is_lost_and_none_is_given_twice(
    sharers: list[Sharer], lines: list[Theirs]
) -> None:
    given_out = share_out(lines, sharers)

    assert sorted(map(repr, (one for _, one in given_out))) == sorted(map(repr, lines))


def test_alike_ones_are_told_apart_by_their_time() -> None:
    first, second = Sharer("N1", 100, NOON), Sharer("N2", 100, NOON + dt.timedelta(days=1))

    assert share_out([line(100, NOON + dt.timedelta(days=1))], [first, second])[0][0] == "N2"


def test_one_too_many_was_paid_twice_and_one_that_fits_none_is_another_amount() -> None:
    sharers = [Sharer("N1", 100, NOON), Sharer("N2", 200, NOON)]
    twice = [line(100, NOON, 1), line(100, NOON, 2), line(200, NOON, 3)]
    other = [line(100, NOON, 1), line(201, NOON, 2)]

    assert sorted(number for number, _ in share_out(twice, sharers)) == ["N1", "N1", "N2"]
    assert sorted((number, one.minor) for number, one in share_out(other, sharers)) == [
        ("N1", 100), ("N2", 201),
    ]  # fmt: skip
