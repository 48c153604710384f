"""Money never loses a minor unit, never mixes currencies, and reads back what it printed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from kuaitui.kernel.money import (
    EXPONENTS,
    MINOR_MAX,
    AmountTooLarge,
    AmountTooPrecise,
    AmountUnreadable,
    CurrencyMismatch,
    CurrencyUnknown,
    Money,
)

currencies = st.sampled_from(sorted(EXPONENTS))
amounts = st.integers(min_value=0, max_value=MINOR_MAX)
signed_amounts = st.integers(min_value=-MINOR_MAX, max_value=MINOR_MAX)
weights = st.lists(st.integers(min_value=0, max_value=10**9), min_size=1, max_size=40)


@given(amounts, currencies, weights)
@example(1, "CNY", [1, 1, 1])
@example(5, "JPY", [0, 7, 0])
def test_shares_add_up_to_the_whole(minor, currency, by):
    assume(sum(by) > 0)

    shares = Money(minor, currency).allocate(by)

    assert len(shares) == len(by)
    assert sum(share.minor for share in shares) == minor
    assert {share.currency for share in shares} == {currency}


@given(amounts, currencies, weights)
@example(100, "CNY", [1, 1, 1])
@example(2, "CNY", [0, 1, 1, 1])
def test_no_share_is_a_whole_minor_unit_from_its_fair_part(minor, currency, by):
    assume(sum(by) > 0)

    shares = Money(minor, currency).allocate(by)

    for share, weight in zip(shares, by, strict=True):
        assert abs(share.minor * sum(by) - minor * weight) < sum(by)
        assert weight > 0 or share.minor == 0


@pytest.mark.parametrize(
    ("minor", "by"), [(-1, [1]), (1, [0, 0]), (1, [2, -1]), (1, [-1, -1]), (1, [])]
)
def test_what_cannot_be_split_is_a_bug(minor, by):
    with pytest.raises(ValueError, match=r"allocate needs|iterable argument is empty"):
        Money(minor, "CNY").allocate(by)


@given(amounts, currencies)
def test_what_is_printed_reads_back(minor, currency):
    money = Money(minor, currency)
    printed = str(money).removeprefix(f"{currency} ")

    assert Money.parse(printed, currency) == money
    assert Money.parse(printed.replace(",", ""), currency) == money
    assert money.to_decimal() * 10 ** EXPONENTS[currency] == Decimal(minor)


@given(amounts)
def test_a_sign_and_space_around_the_figure_are_read(minor):
    money = Money(minor, "CNY")

    assert Money.parse(f" ¥{money.to_decimal():f} ", "CNY") == money
    assert Money.parse(f"¥ {money.to_decimal():,f}", "CNY") == money
    # What a Chinese keyboard types.
    assert Money.parse(f"\N{FULLWIDTH YEN SIGN}{money.to_decimal():f}", "CNY") == money


@given(amounts, currencies, st.text(alphabet="123456789", min_size=1, max_size=5))
def test_more_decimals_than_the_currency_has_are_refused(minor, currency, digits):
    whole = f"{Money(minor, currency).to_decimal():f}"
    exact = whole if "." in whole else f"{whole}."

    with pytest.raises(AmountTooPrecise):
        Money.parse(exact + digits, currency)


@given(amounts, currencies)
def test_zeros_beyond_the_decimals_say_nothing_new(minor, currency):
    written = f"{Money(minor, currency).to_decimal():f}"
    exact = written if "." in written else f"{written}."

    assert Money.parse(exact + "000", currency).minor == minor


@given(amounts, currencies)
def test_full_width_figures_are_read_where_people_type_and_nowhere_else(minor, currency):
    plain = f"{Money(minor, currency).to_decimal():,f}"
    wide = "".join(chr(ord(sign) + 0xFEE0) for sign in plain)

    assert Money.parse_typed(wide, currency) == Money.parse_typed(plain, currency)
    assert Money.parse_typed(wide, currency).minor == minor
    with pytest.raises(AmountUnreadable):
        Money.parse(wide, currency)


@given(st.text(max_size=30))
@example("５²")
@example("①")
@example("½")
@example("٣")
@example("１。５")
def test_nothing_else_becomes_a_figure_by_being_typed(text):
    try:
        money = Money.parse_typed(text, "CNY")
    except (AmountUnreadable, AmountTooPrecise, AmountTooLarge):
        return

    assert set(text) <= set("0123456789.,０１２３４５６７８９．， \N{IDEOGRAPHIC SPACE}¥￥") | {
        sign for sign in text if sign.isspace()
    }
    assert money.minor >= 0


@given(st.text(max_size=50))
@example("１２３")
@example("٣")
@example("1e3")
@example("0x10")
@example("1_000")
@example("-5")
@example("+5")
@example("1,00")
@example("1,0000")
@example("=1+1")
@example(".5")
@example("5.")
@example("")
@example("∞")
@example("9" * 60)
def test_any_text_is_an_amount_in_figures_or_a_refusal(text):
    try:
        money = Money.parse(text, "CNY")
    except (AmountUnreadable, AmountTooPrecise, AmountTooLarge):
        return

    figures = (
        text.strip()
        .removeprefix("¥")
        .removeprefix("\N{FULLWIDTH YEN SIGN}")
        .strip()
        .replace(",", "")
    )
    assert figures.isascii()
    assert figures.replace(".", "", 1).isdigit()
    assert money.to_decimal() == Decimal(figures)
    assert 0 <= money.minor <= MINOR_MAX


@given(st.integers(min_value=MINOR_MAX + 1), st.sampled_from([1, -1]), currencies)
def test_more_than_the_books_can_hold_is_refused(minor, sign, currency):
    with pytest.raises(AmountTooLarge):
        Money(sign * minor, currency)


@given(signed_amounts, signed_amounts, currencies)
def test_adding_is_undone_by_taking_away(one, other, currency):
    assume(abs(one + other) <= MINOR_MAX)

    assert Money(one, currency) + Money(other, currency) - Money(other, currency) == Money(
        one, currency
    )
    assert (Money(one, currency) < Money(other, currency)) == (one < other)


@given(signed_amounts, currencies, currencies)
def test_currencies_do_not_mix(minor, one, other):
    assume(one != other)

    for act in (
        lambda: Money(minor, one) + Money(minor, other),
        lambda: Money(minor, one) - Money(minor, other),
        lambda: Money(minor, one) < Money(minor, other),
        lambda: Money(minor, one) >= Money(minor, other),
    ):
        with pytest.raises(CurrencyMismatch):
            act()
    assert Money(minor, one) != Money(minor, other)


@pytest.mark.parametrize("minor", [1.0, Decimal(1), True, "1", None])
def test_only_whole_numbers_count_money(minor):
    with pytest.raises(TypeError):
        Money(minor, "CNY")


@pytest.mark.parametrize("currency", ["XXX", "cny", "", "CNY ", "BTC"])
def test_an_unknown_currency_is_refused(currency):
    with pytest.raises(CurrencyUnknown):
        Money(1, currency)
    with pytest.raises(CurrencyUnknown):
        Money.parse("1", currency)


def test_a_yen_sign_means_yuan_or_yen_and_nothing_else():
    assert Money.parse("¥500", "CNY") == Money(50_000, "CNY")
    assert Money.parse("¥500", "JPY") == Money(500, "JPY")
    with pytest.raises(AmountUnreadable):
        Money.parse("¥500", "USD")
