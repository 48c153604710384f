"""What a model channel remembers of a number, and for how long."""

from __future__ import annotations

import datetime as dt

from kuaitui.simulation.channel_book import Booking, ChannelBook

DAY = dt.timedelta(days=1)
TAKEN = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)
WEEK, QUARTER = 7 * DAY, 90 * DAY


def waiting() -> tuple[ChannelBook, Booking]:
    """A transfer that is taken and wants the same order again."""
    booking = Booking("N1", 100, "CNY", "", "A1", TAKEN, TAKEN, TAKEN, has_money_from=TAKEN)
    book = ChannelBook()
    book.take(booking)
    return book, booking


def test_what_waits_is_never_forgotten() -> None:
    book, booking = waiting()

    for memory in (book.latest, book.findable):
        assert memory("N1", TAKEN + 400 * DAY, WEEK) is booking


def test_an_order_is_forgotten_by_its_age_and_found_for_as_long_after_it_went_on() -> None:
    book, booking = waiting()
    went_on = TAKEN + 100 * DAY
    assert booking.go_on(went_on)

    assert book.latest("N1", went_on + DAY, WEEK) is None
    assert book.findable("N1", went_on + QUARTER, QUARTER) is booking
    assert book.findable("N1", went_on + QUARTER + DAY, QUARTER) is None


def test_what_has_not_arrived_is_not_there() -> None:
    book, _ = waiting()

    assert book.latest("N1", TAKEN - DAY, WEEK) is None
    assert book.findable("N1", TAKEN - DAY, QUARTER) is None
