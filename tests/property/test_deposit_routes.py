"""Rules of deposits over anything hypothesis can think of."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kuaitui.deposits import rules
from kuaitui.deposits.errors import (
    AccountNumberMistyped,
    DestinationRequired,
    InsufficientDeposit,
)
from kuaitui.deposits.types import Lot, Route
from kuaitui.kernel.money import Money

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
DAYS = st.integers(-400, 400).map(lambda days: NOW + dt.timedelta(days=days))


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


@st.composite
def lot_lists(draw: st.DrawFn) -> list[Lot]:
    lots = []
    for number in range(draw(st.integers(0, 6))):
        reserved, refunded, deducted, rest = (draw(st.integers(0, 50)) for _ in range(4))
        lots.append(
            Lot(
                lot_id=f"lot_{number}",
                amount=cny(reserved + refunded + deducted + rest),
                paid_at=draw(DAYS),
                channel="c",
                channel_reference=str(number),
                refundable_until=draw(st.none() | DAYS),
                reserved=cny(reserved),
                refunded=cny(refunded),
                deducted=cny(deducted),
            )
        )
    return lots


def left(lots: list[Lot]) -> int:
    return sum(lot.remaining.minor for lot in lots)


@given(lots=lot_lists(), minor=st.integers(1, 400))
def test_a_plan_adds_up_to_the_amount_and_takes_no_more_than_there_is(
    lots: list[Lot], minor: int
) -> None:
    if minor > left(lots):
        with pytest.raises(InsufficientDeposit):
            rules.plan_route(lots, amount=cny(minor), destination_id="dst_1", now=NOW)
        return

    plan = rules.plan_route(lots, amount=cny(minor), destination_id="dst_1", now=NOW)

    by_id = {lot.lot_id: lot for lot in lots}
    assert plan.total == cny(minor)
    assert len({leg.lot_id for leg in plan.legs}) == len(plan.legs)
    for leg in plan.legs:
        lot = by_id[leg.lot_id]
        assert leg.amount <= lot.remaining
        is_open = lot.returns_by_original_route(now=NOW)
        assert leg.route is (Route.ORIGINAL if is_open else Route.DESIGNATED)
        assert leg.destination_id == ("" if is_open else "dst_1")


@st.composite
def affordable(draw: st.DrawFn) -> tuple[list[Lot], int]:
    lots = draw(lot_lists().filter(left))
    return lots, draw(st.integers(1, left(lots)))


@given(asked=affordable())
def test_as_much_as_can_goes_back_the_way_it_came(asked: tuple[list[Lot], int]) -> None:
    lots, minor = asked
    can_go_back = sum(lot.remaining.minor for lot in lots if lot.returns_by_original_route(now=NOW))

    plan = rules.plan_route(lots, amount=cny(minor), destination_id="dst_1", now=NOW)

    assert plan.by_route(Route.ORIGINAL) == cny(min(minor, can_go_back))


@given(asked=affordable())
def test_a_destination_is_asked_for_exactly_when_something_cannot_go_back(
    asked: tuple[list[Lot], int],
) -> None:
    lots, minor = asked
    needs = rules.plan_route(
        lots, amount=cny(minor), destination_id="dst_1", now=NOW
    ).needs_destination

    try:
        rules.plan_route(lots, amount=cny(minor), destination_id="", now=NOW)
    except DestinationRequired:
        assert needs
    else:
        assert not needs


@given(lots=lot_lists(), minor=st.integers(1, 400))
def test_a_deduction_takes_the_oldest_first_and_no_more_than_there_is(
    lots: list[Lot], minor: int
) -> None:
    taken = rules.take_oldest_first(lots, amount=cny(minor))

    assert sum(part.minor for _, part in taken) == min(minor, left(lots))
    assert [lot.paid_at for lot, _ in taken] == sorted(lot.paid_at for lot, _ in taken)
    assert all(part == lot.remaining for lot, part in taken[:-1])


@given(amount=st.integers(1, 10**9), available=st.integers(0, 10**9), frozen=st.integers(0, 10**9))
def test_a_deduction_is_split_without_losing_a_fen_and_in_order(
    amount: int, available: int, frozen: int
) -> None:
    split = rules.split_deduction(
        amount=cny(amount), available=cny(available), frozen_unsent=cny(frozen)
    )

    assert split.from_available + split.from_frozen + split.still_owed == cny(amount)
    assert split.from_frozen.is_zero or split.from_available == cny(available)
    assert split.still_owed.is_zero or split.from_frozen == cny(frozen)


def card(digits: str) -> str:
    """A card number with the check digit that makes it right."""
    return next(digits + last for last in "0123456789" if rules.passes_luhn(digits + last))


cards = st.text("0123456789", min_size=13, max_size=16).map(lambda rest: card(f"62{rest}"))


@given(number=cards, gaps=st.lists(st.sampled_from(["", " ", "-", "  "]), min_size=19, max_size=19))
def test_a_card_number_is_read_however_it_is_spaced(number: str, gaps: list[str]) -> None:
    written = "".join(f"{gap}{digit}" for gap, digit in zip(gaps, number, strict=False))

    assert rules.parse_account_number(written) == number


@given(number=cards, data=st.data())
def test_one_wrong_digit_of_a_card_number_is_noticed(number: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(2, len(number) - 1))
    digit = data.draw(st.sampled_from([d for d in "0123456789" if d != number[place]]))

    with pytest.raises(AccountNumberMistyped):
        rules.parse_account_number(number[:place] + digit + number[place + 1 :])


@given(number=cards, data=st.data())
def test_two_swapped_neighbours_of_a_card_number_are_noticed(
    number: str, data: st.DataObject
) -> None:
    place = data.draw(st.integers(2, len(number) - 2))
    first, second = number[place], number[place + 1]
    # Luhn's known blind spot: 0 and 9 weigh the same in both places.
    assume(first != second and {first, second} != {"0", "9"})

    with pytest.raises(AccountNumberMistyped):
        rules.parse_account_number(number[:place] + second + first + number[place + 2 :])
