"""Between which days a part of a refund is expected."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaitui.channels.port import Arrival, Route
from kuaitui.deposits.types import PlannedLeg
from kuaitui.kernel.money import Money
from kuaitui.policy.calendar import is_working_day
from kuaitui.refunds.rules import expected_part, not_before_the_parts
from kuaitui.refunds.types import Eta

SHANGHAI = ZoneInfo("Asia/Shanghai")
LEG = PlannedLeg("lot_a", Money(100, "CNY"), Route.DESIGNATED, "bank", "", None, "dst_a")
BANK = Arrival(1, 2, SHANGHAI, cut_off=dt.time(15))
# A Friday: the weekend lies between it and the next working day.
FRIDAY = dt.date(2026, 11, 27)
MONDAY = dt.date(2026, 11, 30)

moments = st.datetimes(
    min_value=dt.datetime(2025, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=dt.datetime(2026, 12, 1),  # noqa: DTZ001
    timezones=st.just(dt.UTC),
)
arrivals = st.builds(
    lambda low, more, working, cut: Arrival(
        low, low + more, SHANGHAI, in_working_days=working, cut_off=cut
    ),
    st.integers(0, 5),
    st.integers(0, 5),
    st.booleans(),
    st.none() | st.times(),
)


def _at(on: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime.combine(on, dt.time(hour, minute), SHANGHAI)


def test_what_is_handed_over_before_the_cut_off_counts_from_that_day() -> None:
    part = expected_part(LEG, BANK, sent_from=_at(FRIDAY, 14, 59), sent_by=_at(FRIDAY, 14, 59))

    assert (part.arrives_from, part.arrives_by) == (MONDAY, MONDAY + dt.timedelta(days=1))


@pytest.mark.parametrize("late", [_at(FRIDAY, 15), _at(FRIDAY + dt.timedelta(days=1), 9)])
def test_what_misses_the_cut_off_or_a_working_day_counts_from_the_next(late: dt.datetime) -> None:
    part = expected_part(LEG, BANK, sent_from=late, sent_by=late)

    assert part.arrives_from == MONDAY + dt.timedelta(days=1)
    assert part.arrives_by == MONDAY + dt.timedelta(days=2)


def test_a_channel_that_declares_nothing_gives_no_date() -> None:
    part = expected_part(LEG, None, sent_from=_at(FRIDAY, 9), sent_by=_at(FRIDAY, 9))

    assert part.arrives_from is None
    assert part.arrives_by is None


@given(arrivals, moments, st.timedeltas(dt.timedelta(0), dt.timedelta(days=30)))
def test_the_days_stand_in_order_and_money_arrives_on_days_banks_work(
    arrival: Arrival, sent_from: dt.datetime, wait: dt.timedelta
) -> None:
    part = expected_part(LEG, arrival, sent_from=sent_from, sent_by=sent_from + wait)

    assert part.arrives_from is not None
    assert part.arrives_by is not None
    assert sent_from.astimezone(SHANGHAI).date() <= part.arrives_from <= part.arrives_by
    if arrival.in_working_days and arrival.days_max:
        assert is_working_day(part.arrives_by)


@given(arrivals, moments, st.timedeltas(dt.timedelta(0), dt.timedelta(days=30)))
def test_the_promise_for_the_whole_is_never_before_a_part_of_it(
    arrival: Arrival, sent_from: dt.datetime, wait: dt.timedelta
) -> None:
    part = expected_part(LEG, arrival, sent_from=sent_from, sent_by=sent_from + wait)
    promised = Eta(FRIDAY, FRIDAY, FRIDAY, is_provisional=False)

    kept = not_before_the_parts(
        promised, [part, expected_part(LEG, None, sent_from=sent_from, sent_by=sent_from)]
    )

    assert part.arrives_by is not None
    assert kept.arrives_by == max(FRIDAY, part.arrives_by)
    assert kept.review_by == promised.review_by
