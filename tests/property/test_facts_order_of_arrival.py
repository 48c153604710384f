"""The same reports, in any order, cut into any deliveries, repeated: the same state."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kuaitui.facts.operations import record_reports
from kuaitui.facts.types import Report
from tests.support import facts_given
from tests.support.fact_reports import about, any_report, orders_that_meet
from tests.support.facts_given import NOW

many_examples = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.mark.django_db
@pytest.mark.parametrize("reports", [any_report, orders_that_meet])
@many_examples
@given(data=st.data())
def test_the_same_reports_in_any_order_and_repeated_end_in_the_same_state(
    reports: Callable[[str], st.SearchStrategy[Report]], data: st.DataObject
) -> None:
    first, second = facts_given.shop(), facts_given.shop()
    told = data.draw(st.lists(reports(first.id), min_size=1, max_size=12))
    shuffled = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told)))))
    cut = data.draw(st.integers(0, len(shuffled)))

    record_reports(told, source="test", now=NOW)
    for delivery in (shuffled[:cut], shuffled[cut:]):
        record_reports([about(report, second.id) for report in delivery], source="test", now=NOW)

    assert state_of(first.key) == state_of(second.key)


@pytest.mark.django_db
@pytest.mark.parametrize("reports", [any_report, orders_that_meet])
@many_examples
@given(data=st.data())
def test_the_summary_says_what_counting_would_say(
    reports: Callable[[str], st.SearchStrategy[Report]], data: st.DataObject
) -> None:
    shop = facts_given.shop()
    for delivery in data.draw(st.lists(st.lists(reports(shop.id), max_size=6), max_size=5)):
        record_reports(delivery, source="test", now=NOW)

    with connection.cursor() as cursor:
        cursor.execute(SUMMARY_AS_KEPT, [shop.key])
        kept = cursor.fetchone()
        cursor.execute(SUMMARY_BY_COUNTING, {"shop_key": shop.key})
        counted = cursor.fetchone()

    assert kept == counted


def state_of(shop_key: int) -> dict[str, list[tuple[object, ...]]]:
    """Everything the tables say of a shop, logs apart."""
    tables = {
        "facts_shop": "id",
        "facts_order": "shop_key",
        "facts_case": "shop_key",
        "facts_restriction": "shop_key",
        "facts_debt": "shop_key",
        "facts_summary": "shop_key",
    }
    state = {}
    with connection.cursor() as cursor:
        for table, key in tables.items():
            cursor.execute(
                f"SELECT to_jsonb(t) - 'id' - 'shop_key' - 'shop_id' FROM {table} AS t"
                f" WHERE {key} = %s ORDER BY 1",
                [shop_key],
            )
            state[table] = cursor.fetchall()
    return state


SUMMARY_AS_KEPT = """
SELECT open_orders, last_completed_at, last_completed_order_id, open_after_sales, open_disputes,
    open_violations, last_dispute_closed_at, listing_restrictions, sales_restrictions,
    withdrawal_restrictions, live_restrictions, open_debts, owed_minor, standing, listings_on_sale
FROM facts_summary WHERE shop_key = %s
"""
SUMMARY_BY_COUNTING = """
SELECT
    (SELECT count(*) FROM facts_order WHERE shop_key = %(shop_key)s AND status IN (1, 2, 3, 4)),
    (SELECT max(status_at) FROM facts_order WHERE shop_key = %(shop_key)s AND status = 5),
    (SELECT order_id FROM facts_order WHERE shop_key = %(shop_key)s AND status = 5
        ORDER BY status_at DESC, order_id LIMIT 1),
    (SELECT count(*) FROM facts_case WHERE shop_key = %(shop_key)s AND kind = 1 AND status = 1),
    (SELECT count(*) FROM facts_case WHERE shop_key = %(shop_key)s AND kind = 2 AND status = 1),
    (SELECT count(*) FROM facts_case WHERE shop_key = %(shop_key)s AND kind = 3 AND status <> 3),
    (SELECT max(closed_at) FROM facts_case WHERE shop_key = %(shop_key)s AND kind = 2),
    (SELECT count(*) FROM facts_restriction
        WHERE shop_key = %(shop_key)s AND kind = 1 AND to_at IS NULL),
    (SELECT count(*) FROM facts_restriction
        WHERE shop_key = %(shop_key)s AND kind = 2 AND to_at IS NULL),
    (SELECT count(*) FROM facts_restriction
        WHERE shop_key = %(shop_key)s AND kind = 3 AND to_at IS NULL),
    (SELECT count(*) FROM facts_restriction
        WHERE shop_key = %(shop_key)s AND kind = 4 AND to_at IS NULL),
    (SELECT count(*) FROM facts_debt WHERE shop_key = %(shop_key)s AND status = 1),
    (SELECT COALESCE(sum(amount_minor), 0) FROM facts_debt
        WHERE shop_key = %(shop_key)s AND status = 1),
    standing, listings_on_sale
FROM facts_shop WHERE id = %(shop_key)s
"""
