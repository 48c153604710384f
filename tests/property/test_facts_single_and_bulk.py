"""One shop's facts and its row in the bulk relation measure the same, at any moment."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kuaitui.facts.operations import record_reports
from kuaitui.facts.queries import facts_for_assessment
from kuaitui.policy.measures import COLUMNS, FOREVER, measure
from kuaitui.policy.types import Deposit, DepositKind
from tests.support import facts_given
from tests.support.fact_reports import any_report
from tests.support.facts_given import NOW

DEPOSIT = Deposit(DepositKind.SHOP, "CNY", required_minor=0, frozen_minor=0, lots=())
FROM_DEPOSITS = {"held_minor", "frozen_minor", "required_minor"}
FROM_FACTS = [name for name in COLUMNS if name not in FROM_DEPOSITS]


@pytest.mark.django_db
@settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), day=st.integers(-3, 6))
def test_the_bulk_relation_measures_what_the_single_assessment_measures(
    data: st.DataObject, day: int
) -> None:
    shop = facts_given.shop()
    record_reports(data.draw(st.lists(any_report(shop.id), max_size=10)), source="test", now=NOW)
    as_of = NOW + dt.timedelta(days=day)

    single = measure(facts_for_assessment(shop_key=shop.key, deposit=DEPOSIT, as_of=as_of), as_of)

    assert bulk_row(shop.key, as_of) == {name: single[name] for name in FROM_FACTS}


def bulk_row(shop_key: int, as_of: dt.datetime) -> dict[str, object]:
    """The shop's row in the published relation; infinity as Python's last moment."""
    columns = ", ".join(
        f"CASE WHEN {name} = 'infinity' THEN %(forever)s ELSE {name} END AS {name}"
        if name.endswith("_until")
        else name
        for name in FROM_FACTS
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM facts_shop_summary_at(%(as_of)s) WHERE shop_key = %(key)s",
            {"as_of": as_of, "key": shop_key, "forever": FOREVER},
        )
        return dict(zip(FROM_FACTS, cursor.fetchone(), strict=True))
