"""Working days of mainland China, from the yearly notices of the State Council, as data.

For a year without data only Saturday and Sunday are free, and every date that depends on such a
year is provisional. One more table in `data/calendars/cn.toml` adds a year.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from kuaitui.kernel.invariants import ensure

DAYS_MAX: Final = 3660  # ten years: no review, hold or notice lasts longer
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """One year's free days and make-up days, and where they are written."""

    year: int
    holidays: frozenset[dt.date]
    workdays: frozenset[dt.date]
    source: str
    seen_on: dt.date


@dataclass(frozen=True, slots=True)
class WorkingDate:
    """A date counted in working days; provisional if a year it crosses has no data."""

    on: dt.date
    is_provisional: bool


@cache
def calendar_years() -> Mapping[int, CalendarYear]:
    """Every year with data."""
    text = resources.files("kuaitui.policy").joinpath("data/calendars/cn.toml").read_text("utf-8")
    return {
        int(year): CalendarYear(
            year=int(year),
            holidays=frozenset(
                day for first, last in table["holidays"] for day in _days(first, last)
            ),
            workdays=frozenset(table["workdays"]),
            source=table["source"],
            seen_on=table["seen_on"],
        )
        for year, table in tomllib.loads(text)["years"].items()
    }


def covered_years() -> tuple[int, ...]:
    """The years whose holidays are known, for whoever must be warned before they run out."""
    return tuple(sorted(calendar_years()))


def is_working_day(on: dt.date) -> bool:
    """Whether banks and offices work on that day."""
    year = calendar_years().get(on.year)
    if year is not None and on in year.holidays:
        return False
    if year is not None and on in year.workdays:
        return True
    return on.weekday() < 5


def is_provisional(on: dt.date) -> bool:
    """Whether the holidays of that year are not known yet."""
    return on.year not in calendar_years()


def add_working_days(start_on: dt.date, count: int) -> dt.date:
    """The `count`-th working day after `start_on`; with 0 it is `start_on` itself."""
    ensure(0 <= count <= DAYS_MAX, "a count of working days lies between 0 and ten years")
    on, left = start_on, count
    while left:
        on += _DAY
        left -= is_working_day(on)
    return on


def count_working_days(start_on: dt.date, count: int) -> WorkingDate:
    """The same date, with whether it may still move once holidays are announced."""
    on = add_working_days(start_on, count)
    years = range(start_on.year, on.year + 1) if count else ()
    return WorkingDate(on, any(year not in calendar_years() for year in years))


def _days(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + _DAY * index for index in range((last - first).days + 1)]
