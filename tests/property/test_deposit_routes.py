"""Rules of deposits over anything hypothesis can think of."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kuaitui.channels.port import AmountLimits, ChannelCapabilities, PayeeKind
from kuaitui.channels.port import Route as ChannelRoute
from kuaitui.channels.port.capabilities import NO_LIMITS
from kuaitui.deposits import rules
from kuaitui.deposits.errors import (
    AccountNumberMistyped,
    DestinationRequired,
    InsufficientDeposit,
    NoWayOut,
    PartTooLarge,
    PartTooSmall,
)
from kuaitui.deposits.types import Lot, Route, RoutePlan, WaysOut
from kuaitui.kernel.money import CurrencyMismatch, Money

NOW = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
DAYS = st.integers(-400, 400).map(lambda days: NOW + dt.timedelta(days=days))


TO_BANK = {PayeeKind.BANK_ACCOUNT: "bank"}


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


LOT = Lot(
    lot_id="lot_1",
    amount=cny(100),
    paid_at=NOW - dt.timedelta(days=10),
    channel="wechat",
    channel_reference="P1",
    refundable_until=NOW + dt.timedelta(days=1),
    reserved=cny(0),
    refunded=cny(0),
    deducted=cny(0),
)


CHANNELS = ("wechat", "alipay", "bank", "gone")
BOTH = frozenset(ChannelRoute)


def channel(
    routes: frozenset[ChannelRoute] = BOTH,
    kinds: frozenset[PayeeKind] = frozenset(PayeeKind),
    *,
    window: dt.timedelta | None = None,
    parts_max: int | None = None,
    limits_original: AmountLimits = NO_LIMITS,
    limits_designated: AmountLimits = NO_LIMITS,
) -> ChannelCapabilities:
    return ChannelCapabilities(
        routes=routes,
        not_found_floor=dt.timedelta(0),
        resend_window=dt.timedelta(days=1),
        return_window=dt.timedelta(days=1),
        payee_kinds=kinds,
        original_window=window,
        refunds_per_payment_max=parts_max,
        limits_original=limits_original,
        limits_designated=limits_designated,
    )


EVERYTHING = WaysOut({name: channel() for name in CHANNELS})
limits = st.builds(
    lambda ends: AmountLimits(*(None if minor is None else cny(minor) for minor in ends)),
    st.tuples(st.none() | st.integers(1, 10), st.none() | st.integers(10, 40)),
)
capabilities = st.builds(
    channel,
    st.frozensets(st.sampled_from(ChannelRoute)),
    st.frozensets(st.sampled_from(PayeeKind)),
    window=st.none() | st.integers(1, 400).map(lambda days: dt.timedelta(days=days)),
    parts_max=st.none() | st.integers(1, 3),
    limits_original=limits,
    limits_designated=limits,
)
ways_out = st.builds(
    WaysOut,
    st.dictionaries(st.sampled_from(CHANNELS[:-1]), capabilities),
    st.dictionaries(st.sampled_from(PayeeKind), st.sampled_from(CHANNELS), max_size=2),
)


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
                channel=draw(st.sampled_from(CHANNELS)),
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


def plan(
    lots: list[Lot],
    minor: int,
    *,
    destination_id: str = "dst_1",
    kind: PayeeKind = PayeeKind.BANK_ACCOUNT,
    ways: WaysOut = EVERYTHING,
    parts: Mapping[str, int] | None = None,
) -> RoutePlan:
    return rules.plan_route(
        lots,
        amount=cny(minor),
        destination_id=destination_id,
        payee_kind=kind,
        ways=ways,
        parts=parts or {},
        now=NOW,
    )


@given(lots=lot_lists(), minor=st.integers(1, 400))
def test_a_plan_adds_up_to_the_amount_and_takes_no_more_than_there_is(
    lots: list[Lot], minor: int
) -> None:
    if minor > left(lots):
        with pytest.raises(InsufficientDeposit):
            plan(lots, minor)
        return

    planned = plan(lots, minor)

    by_id = {lot.lot_id: lot for lot in lots}
    assert planned.total == cny(minor)
    assert len({leg.lot_id for leg in planned.legs}) == len(planned.legs)
    for leg in planned.legs:
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

    planned = plan(lots, minor)

    assert planned.by_route(Route.ORIGINAL) == cny(min(minor, can_go_back))


@given(asked=affordable())
def test_a_destination_is_asked_for_exactly_when_something_cannot_go_back(
    asked: tuple[list[Lot], int],
) -> None:
    lots, minor = asked
    needs = plan(lots, minor).needs_destination

    try:
        plan(lots, minor, destination_id="")
    except DestinationRequired:
        assert needs
    else:
        assert not needs


@given(
    asked=affordable(),
    ways=ways_out,
    kind=st.sampled_from(PayeeKind),
    parts=st.dictionaries(st.integers(0, 5).map("lot_{}".format), st.integers(0, 4)),
)
def test_no_part_takes_a_way_that_its_channel_does_not_have(
    asked: tuple[list[Lot], int], ways: WaysOut, kind: PayeeKind, parts: dict[str, int]
) -> None:
    lots, minor = asked
    try:
        planned = plan(lots, minor, kind=kind, ways=ways, parts=parts)
    except (PartTooSmall, PartTooLarge) as refusal:
        # Then some lot's payer is indeed known, and declares the limit that is told.
        payers = {ways.payer(kind, lot_channel=lot.channel) for lot in lots} - {None}
        told, limit = refusal.details["amount"], refusal.details["limit"]
        declared_limits = [ways.channels[str(name)].limits_designated for name in payers]
        assert isinstance(told, Money)
        if isinstance(refusal, PartTooSmall):
            assert any(one.smallest == limit and one.is_too_small(told) for one in declared_limits)
        else:
            assert any(one.largest == limit and one.is_too_large(told) for one in declared_limits)
        return
    except NoWayOut:
        # Then some lot can indeed neither go back, or not with such an amount, nor be paid out.
        assert any(
            ways.payer(kind, lot_channel=lot.channel) is None
            and (
                not ways.takes_back(lot, parts=parts.get(lot.lot_id, 0), now=NOW)
                or ways.channels[lot.channel].limits_original != NO_LIMITS
            )
            for lot in lots
            if lot.remaining.is_positive
        )
        return

    assert planned.total == cny(minor)
    by_id = {lot.lot_id: lot for lot in lots}
    assert len({leg.lot_id for leg in planned.legs}) == len(planned.legs)
    for leg in planned.legs:
        lot, declared = by_id[leg.lot_id], ways.channels[leg.channel]
        assert ChannelRoute(leg.route.value) in declared.routes
        assert declared.limits(ChannelRoute(leg.route.value)).takes(leg.amount)
        if leg.route is Route.DESIGNATED:
            assert kind in declared.payee_kinds
            assert leg.channel == ways.payers.get(kind, lot.channel)
            continue
        assert leg.channel == lot.channel
        assert leg.refundable_until is not None
        assert lot.refundable_until is not None
        assert NOW < leg.refundable_until <= lot.refundable_until
        if declared.original_window is not None:
            assert leg.refundable_until <= lot.paid_at + declared.original_window
        parts_max = declared.refunds_per_payment_max
        assert parts_max is None or parts.get(lot.lot_id, 0) < parts_max


@given(asked=affordable(), kind=st.sampled_from(PayeeKind))
def test_lots_go_back_before_others_and_the_window_that_closes_first_leads(
    asked: tuple[list[Lot], int], kind: PayeeKind
) -> None:
    lots, minor = asked

    planned = plan(lots, minor, kind=kind)

    by_id = {lot.lot_id: lot for lot in lots}
    order = [
        (leg.route is Route.DESIGNATED, leg.refundable_until or by_id[leg.lot_id].paid_at)
        for leg in planned.legs
    ]
    assert order == sorted(order)
    assert all(leg.amount == by_id[leg.lot_id].remaining for leg in planned.legs[:-1])


def test_the_fifty_first_part_of_a_payment_goes_to_the_designated_account() -> None:
    lot = dataclasses.replace(LOT, channel="wechat")
    ways = WaysOut({"wechat": channel(parts_max=50), "bank": channel()}, TO_BANK)

    (fiftieth,) = plan([lot], 100, ways=ways, parts={lot.lot_id: 49}).legs
    (next_one,) = plan([lot], 100, ways=ways, parts={lot.lot_id: 50}).legs

    assert (fiftieth.route, fiftieth.channel) == (Route.ORIGINAL, "wechat")
    assert (next_one.route, next_one.channel) == (Route.DESIGNATED, "bank")


@pytest.mark.parametrize(("window", "open_for"), [(None, 95), (400, 95), (100, 90), (11, 1)])
def test_a_part_closes_by_the_window_of_its_payment_or_of_its_channel(
    window: int | None, open_for: int
) -> None:
    # Paid in ten days ago, and by its own window open for ninety-five days more.
    lot = dataclasses.replace(LOT, refundable_until=NOW + dt.timedelta(days=95))
    declared = None if window is None else dt.timedelta(days=window)
    ways = WaysOut({"wechat": channel(window=declared), "bank": channel()}, TO_BANK)

    (leg,) = plan([lot], 100, ways=ways).legs

    assert (leg.route, leg.refundable_until) == (
        Route.ORIGINAL,
        NOW + dt.timedelta(days=open_for),
    )


def test_a_refund_is_split_over_two_channels_when_one_way_back_has_closed() -> None:
    closed = dataclasses.replace(LOT, lot_id="lot_old", refundable_until=NOW)
    ways = WaysOut(
        {
            "wechat": channel(frozenset({ChannelRoute.ORIGINAL}), frozenset()),
            "bank": channel(frozenset({ChannelRoute.DESIGNATED})),
        },
        TO_BANK,
    )

    planned = plan([closed, LOT], 150, ways=ways)

    assert [(leg.lot_id, leg.channel, leg.amount.minor) for leg in planned.legs] == [
        ("lot_1", "wechat", 100),
        ("lot_old", "bank", 50),
    ]


def limited(smallest: int | None = None, largest: int | None = None) -> AmountLimits:
    return AmountLimits(*(None if minor is None else cny(minor) for minor in (smallest, largest)))


@pytest.mark.parametrize("too_tight", [limited(smallest=101), limited(largest=99)])
def test_a_part_that_the_way_back_does_not_take_goes_to_the_account(
    too_tight: AmountLimits,
) -> None:
    fits = WaysOut(
        {"wechat": channel(limits_original=limited(100, 100)), "bank": channel()}, TO_BANK
    )
    does_not = WaysOut({"wechat": channel(limits_original=too_tight), "bank": channel()}, TO_BANK)

    (back,) = plan([LOT], 100, ways=fits).legs
    (out,) = plan([LOT], 100, ways=does_not).legs

    assert (back.route, back.channel) == (Route.ORIGINAL, "wechat")
    assert (out.route, out.channel, out.amount) == (Route.DESIGNATED, "bank", cny(100))


def test_a_rest_too_small_for_one_way_back_takes_another_that_is_open() -> None:
    picky = dataclasses.replace(LOT, lot_id="lot_picky", channel="alipay")
    later = dataclasses.replace(
        LOT, lot_id="lot_later", refundable_until=NOW + dt.timedelta(days=2)
    )
    first = dataclasses.replace(
        LOT, lot_id="lot_first", refundable_until=NOW + dt.timedelta(hours=1)
    )
    ways = WaysOut({"wechat": channel(), "alipay": channel(limits_original=limited(10))})

    planned = plan([picky, later, first], 105, ways=ways)

    assert [(leg.lot_id, leg.route, leg.amount.minor) for leg in planned.legs] == [
        ("lot_first", Route.ORIGINAL, 100),
        ("lot_later", Route.ORIGINAL, 5),
    ]


@pytest.mark.parametrize(
    ("bounds", "refusal", "limit"),
    [(limited(smallest=101), PartTooSmall, 101), (limited(largest=99), PartTooLarge, 99)],
)
def test_a_part_that_no_way_takes_is_refused_with_its_amount_and_the_limit(
    bounds: AmountLimits, refusal: type[NoWayOut], limit: int
) -> None:
    closed = dataclasses.replace(LOT, refundable_until=NOW)
    ways = WaysOut({"wechat": channel(), "bank": channel(limits_designated=bounds)}, TO_BANK)

    with pytest.raises(refusal) as refused:
        plan([closed], 100, ways=ways)

    assert (refused.value.details["amount"], refused.value.details["limit"]) == (
        cny(100),
        cny(limit),
    )


channels_with_limits = st.builds(
    lambda *ends: WaysOut(
        {
            name: channel(limits_original=original, limits_designated=designated)
            for name, (original, designated) in zip(CHANNELS, ends, strict=True)
        }
    ),
    *(st.tuples(limits, limits) for _ in CHANNELS),
)


@given(asked=affordable(), ways=channels_with_limits)
def test_no_part_is_smaller_or_larger_than_its_way_takes(
    asked: tuple[list[Lot], int], ways: WaysOut
) -> None:
    lots, minor = asked
    try:
        planned = plan(lots, minor, ways=ways)
    except (PartTooSmall, PartTooLarge) as refusal:
        told = refusal.details["amount"]
        assert isinstance(told, Money)
        assert any(not ways.limits(lot.channel, Route.DESIGNATED).takes(told) for lot in lots)
        return

    assert planned.total == cny(minor)
    assert len({leg.lot_id for leg in planned.legs}) == len(planned.legs)
    assert all(ways.limits(leg.channel, leg.route).takes(leg.amount) for leg in planned.legs)


@given(asked=affordable(), ways=ways_out, kind=st.sampled_from(PayeeKind))
def test_limits_that_every_part_is_inside_of_change_nothing(
    asked: tuple[list[Lot], int], ways: WaysOut, kind: PayeeKind
) -> None:
    lots, minor = asked
    wide = limited(1, 10**6)
    without = {
        name: dataclasses.replace(one, limits_original=NO_LIMITS, limits_designated=NO_LIMITS)
        for name, one in ways.channels.items()
    }
    within = {
        name: dataclasses.replace(one, limits_original=wide, limits_designated=wide)
        for name, one in without.items()
    }

    try:
        planned = plan(lots, minor, kind=kind, ways=WaysOut(without, ways.payers))
    except NoWayOut:
        with pytest.raises(NoWayOut):
            plan(lots, minor, kind=kind, ways=WaysOut(within, ways.payers))
    else:
        assert plan(lots, minor, kind=kind, ways=WaysOut(within, ways.payers)) == planned


def test_a_limit_says_nothing_about_another_currency() -> None:
    bounds = limited(10, 20)

    assert bounds.takes(Money(1, "USD"))
    assert bounds.takes(Money(21, "USD"))
    assert [bounds.takes(cny(minor)) for minor in (9, 10, 20, 21)] == [False, True, True, False]


def test_another_currency_is_refused_and_not_converted() -> None:
    with pytest.raises(CurrencyMismatch):
        rules.plan_route(
            [LOT],
            amount=Money(1, "USD"),
            destination_id="dst_1",
            payee_kind=PayeeKind.BANK_ACCOUNT,
            ways=EVERYTHING,
            parts={},
            now=NOW,
        )


@given(lots=lot_lists(), minor=st.integers(1, 400))
def test_a_deduction_takes_the_oldest_first_and_no_more_than_there_is(
    lots: list[Lot], minor: int
) -> None:
    taken = rules.take_oldest_first(lots, amount=cny(minor))

    assert sum(part.minor for _, part in taken) == min(minor, left(lots))
    assert [lot.paid_at for lot, _ in taken] == sorted(lot.paid_at for lot, _ in taken)
    assert all(part == lot.remaining for lot, part in taken[:-1])


@given(
    lots=lot_lists(), shares=st.lists(st.integers(0, 400), max_size=8), minor=st.integers(1, 900)
)
def test_what_is_given_back_goes_to_the_lots_it_was_taken_from_the_newest_first(
    lots: list[Lot], shares: list[int], minor: int
) -> None:
    taken = {
        lot.lot_id: cny(min(share, lot.deducted.minor))
        for lot, share in zip(lots, shares, strict=False)
    }

    parts = {
        lot.lot_id: part
        for lot, part in rules.give_newest_first(lots, taken=taken, amount=cny(minor))
    }

    lacking = sum(lot.deducted.minor for lot in lots)
    assert sum(part.minor for part in parts.values()) == min(minor, lacking)
    assert all(part.is_positive for part in parts.values())
    of_its_own, newest_first = minor, sorted(lots, key=lambda lot: lot.lot_id, reverse=True)
    newest_first.sort(key=lambda lot: lot.paid_at, reverse=True)
    for lot in newest_first:
        given_back = parts.get(lot.lot_id, cny(0)).minor
        own = min(taken.get(lot.lot_id, cny(0)).minor, of_its_own)
        assert own <= given_back <= lot.deducted.minor
        of_its_own -= own


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
