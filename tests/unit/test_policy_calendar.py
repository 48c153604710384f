"""Working days of mainland China, checked against the texts of the yearly notices."""

from __future__ import annotations

import datetime as dt

import pytest

from kuaitui.kernel.invariants import InvariantViolated
from kuaitui.policy.calendar import (
    add_working_days,
    calendar_years,
    count_working_days,
    covered_years,
    is_provisional,
    is_working_day,
)

# (first free day, last free day, make-up days), from the notice of each year.
NOTICES = {
    2024: [
        ("2024-01-01", "2024-01-01", []),
        ("2024-02-10", "2024-02-17", ["2024-02-04", "2024-02-18"]),
        ("2024-04-04", "2024-04-06", ["2024-04-07"]),
        ("2024-05-01", "2024-05-05", ["2024-04-28", "2024-05-11"]),
        ("2024-06-10", "2024-06-10", []),
        ("2024-09-15", "2024-09-17", ["2024-09-14"]),
        ("2024-10-01", "2024-10-07", ["2024-09-29", "2024-10-12"]),
    ],
    2025: [
        ("2025-01-01", "2025-01-01", []),
        ("2025-01-28", "2025-02-04", ["2025-01-26", "2025-02-08"]),
        ("2025-04-04", "2025-04-06", []),
        ("2025-05-01", "2025-05-05", ["2025-04-27"]),
        ("2025-05-31", "2025-06-02", []),
        ("2025-10-01", "2025-10-08", ["2025-09-28", "2025-10-11"]),
    ],
    2026: [
        ("2026-01-01", "2026-01-03", ["2026-01-04"]),
        ("2026-02-15", "2026-02-23", ["2026-02-14", "2026-02-28"]),
        ("2026-04-04", "2026-04-06", []),
        ("2026-05-01", "2026-05-05", ["2026-05-09"]),
        ("2026-06-19", "2026-06-21", []),
        ("2026-09-25", "2026-09-27", []),
        ("2026-10-01", "2026-10-07", ["2026-09-20", "2026-10-10"]),
    ],
}


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize("year", NOTICES)
def test_every_day_of_a_year_is_as_the_notice_says(year):
    free, worked = set(), set()
    for first, last, make_up in NOTICES[year]:
        span = (day(last) - day(first)).days
        free |= {day(first) + dt.timedelta(days=index) for index in range(span + 1)}
        worked |= {day(text) for text in make_up}

    on = dt.date(year, 1, 1)
    while on.year == year:
        expected = on in worked or (on.weekday() < 5 and on not in free)
        assert is_working_day(on) is expected, on
        on += dt.timedelta(days=1)


@pytest.mark.parametrize("year", covered_years())
def test_the_data_of_a_year_is_sound(year):
    table = calendar_years()[year]

    assert table.source
    assert all(on.year == year for on in table.holidays | table.workdays)
    assert all(on.weekday() >= 5 for on in table.workdays)
    assert not table.holidays & table.workdays
    worked = sum(is_working_day(dt.date(year, 1, 1) + dt.timedelta(days=i)) for i in range(365))
    assert 245 <= worked <= 252


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        ("2026-11-23", 0, "2026-11-23"),
        ("2026-11-22", 1, "2026-11-23"),
        ("2026-11-27", 1, "2026-11-30"),
        ("2026-09-30", 1, "2026-10-08"),  # over the national holiday
        ("2026-10-09", 1, "2026-10-10"),  # a Saturday that is worked
        ("2026-02-13", 1, "2026-02-14"),
        ("2026-02-14", 1, "2026-02-24"),
        ("2024-02-28", 1, "2024-02-29"),  # a leap day
        ("2025-12-31", 1, "2026-01-04"),  # over the turn of the year
    ],
)
def test_counting_working_days_skips_holidays_and_keeps_make_up_days(start, count, end):
    assert add_working_days(day(start), count) == day(end)


def test_a_year_without_data_counts_weekends_only_and_says_it_is_provisional():
    after = covered_years()[-1] + 1
    national_day = dt.date(after, 10, 1)
    while national_day.weekday() >= 5:
        national_day += dt.timedelta(days=1)

    assert is_working_day(national_day)
    assert is_provisional(national_day)
    assert count_working_days(dt.date(after - 1, 12, 31), 5).is_provisional
    assert not count_working_days(day("2026-03-02"), 5).is_provisional
    assert not count_working_days(dt.date(after, 3, 2), 0).is_provisional


def test_a_count_beyond_ten_years_or_below_zero_is_a_bug():
    for count in (-1, 3661):
        with pytest.raises(InvariantViolated):
            add_working_days(day("2026-01-05"), count)
