"""Amounts in capitals say the amount: a naive reader reads the same figure back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaitui.interfaces.design.capital_amounts import in_capitals
from kuaitui.kernel.money import MINOR_MAX, Money

FIGURES = {word: value for value, word in enumerate("零壹贰叁肆伍陆柒捌玖")}
WORTH = {"拾": 10, "佰": 100, "仟": 1000}


def read_whole(words: str) -> int:
    """The naive oracle: split at the great units, add up the small ones."""
    for unit, worth in (("亿", 10**8), ("万", 10**4)):
        if unit in words:
            head, _, rest = words.rpartition(unit)
            return read_whole(head) * worth + read_whole(rest)
    total = figure = 0
    for sign in words:
        if sign in WORTH:
            total += figure * WORTH[sign]
            figure = 0
        else:
            figure = FIGURES[sign]
    return total + figure


def read(words: str) -> int:
    yuan, has_yuan, below = words.rpartition("元")
    minor = read_whole(yuan) * 100 if has_yuan else 0
    below = below.removesuffix("整").removeprefix("零")
    for unit, worth in (("角", 10), ("分", 1)):
        if unit in below:
            figure, _, below = below.partition(unit)
            minor += FIGURES[figure] * worth
    return minor


@given(st.one_of(st.integers(0, 10**7), st.integers(0, MINOR_MAX)))
def test_what_is_written_reads_back_as_the_same_amount(minor: int) -> None:
    words = in_capitals(Money(minor, "CNY"))

    assert read(words) == minor
    assert "零零" not in words
    assert not words.startswith("零") or minor == 0
    assert words.endswith(("整", "角", "分"))


@pytest.mark.parametrize(
    ("minor", "words"),
    [
        (0, "零元整"),
        (1, "壹分"),
        (50, "伍角"),
        (30_000, "叁佰元整"),
        (140_950, "壹仟肆佰零玖元伍角"),
        (600_714, "陆仟零柒元壹角肆分"),
        (168_032, "壹仟陆佰捌拾元叁角贰分"),
        (10_700_053, "壹拾万柒仟元伍角叁分"),
        (1_640_902, "壹万陆仟肆佰零玖元零贰分"),
        (32_504, "叁佰贰拾伍元零肆分"),
        (10_000_000_100, "壹亿零壹元整"),
    ],
)
def test_the_examples_of_the_rule_come_out(minor: int, words: str) -> None:
    assert in_capitals(Money(minor, "CNY")) == words


@pytest.mark.parametrize("amount", [Money(100, "USD"), Money(-100, "CNY")])
def test_what_has_no_capitals_has_none(amount: Money) -> None:
    assert in_capitals(amount) == ""
