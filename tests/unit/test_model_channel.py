"""The model channels of simulated years keep what they declare, whatever goes wrong at once."""

from __future__ import annotations

import datetime as dt
from random import Random

from kuaitui.channels.port import (
    NotFound,
    OriginalPayment,
    PayInMethod,
    PayInOrder,
    PayoutInstruction,
    Unknown,
)
from kuaitui.kernel.money import Money
from kuaitui.simulation.channel_book import PaymentIn
from kuaitui.simulation.channels import ModelChannel
from kuaitui.simulation.clocks import WorldClock
from kuaitui.simulation.faults import Fault, Phase, Weather
from kuaitui.simulation.surroundings import Surroundings

START = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
STORM = frozenset({Fault.LATE_REQUEST, Fault.HIDDEN})
WITHOUT = frozenset(set(Fault) - STORM)


def channel_in_a_storm(seed: int, clock: WorldClock) -> ModelChannel:
    weather = Weather((Phase(START, START + YEAR, STORM),), WITHOUT, START + YEAR)
    around = Surroundings(
        skew=dt.timedelta(seconds=40),
        clock=clock,
        weather=weather,
        chance=Random(seed),
        during_a_call=lambda: None,
        count_fault=lambda _: None,
    )
    channel = ModelChannel("model", original_window=YEAR, resend_window=YEAR, around=around)
    channel.book.payments["paid-1"] = PaymentIn("paid-1", 1, 10_000, "CNY", START, START + YEAR)
    return channel


def test_a_send_older_than_the_floor_hides_no_more_whatever_delays_it() -> None:
    both = 0
    for seed in range(200):
        clock = WorldClock(START)
        channel = channel_in_a_storm(seed, clock)
        target = OriginalPayment("paid-1", Money(10_000, "CNY"))
        instruction = PayoutInstruction("leg1", Money(10_000, "CNY"), target)

        sent = channel.submit(instruction, deadline_s=1)
        asked_at_once = channel.query(instruction, deadline_s=1)
        clock.pass_by(channel.capabilities.not_found_floor)

        assert not isinstance(channel.query(instruction, deadline_s=1), NotFound), seed
        (booking,) = channel.book.bookings
        both += isinstance(sent, Unknown) and booking.seen_from > booking.taken_at
        assert booking.seen_from == booking.taken_at or isinstance(asked_at_once, NotFound)
    assert both > 0, "no send was both late and hidden"


def test_an_order_older_than_the_floor_hides_no_more_whatever_delays_it() -> None:
    hidden = 0
    for seed in range(200):
        clock = WorldClock(START)
        channel = channel_in_a_storm(seed, clock)
        order = PayInOrder("pin1", Money(100, "CNY"), PayInMethod.QR_CODE, "-", START + YEAR)

        channel.open_pay_in(order, deadline_s=1)
        hidden += isinstance(channel.query_pay_in(order, deadline_s=1), NotFound)
        clock.pass_by(channel.capabilities.not_found_floor)

        assert not isinstance(channel.query_pay_in(order, deadline_s=1), NotFound), seed
    assert hidden > 0, "no order was hidden"
