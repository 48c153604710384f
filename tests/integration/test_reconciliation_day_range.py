"""A day is found by its index, however long the history is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kuaitui.reconciliation.queries.items import BillOfDay, differing
from tests.support import payouts_given
from tests.support.given import CHANNEL
from tests.support.reconciliation_given import DAY, FUNDS, ZONE, at

pytestmark = pytest.mark.django_db
YEARS_OF_ROWS = 20_000
MOMENT = "'{moment}'::timestamptz - n * interval '10 minutes'"
OLD_LEGS = """
    INSERT INTO payouts_leg SELECT (jsonb_populate_record(leg, jsonb_build_object(
        'id', 1000000 + n, 'public_id', 'leg_' || n, 'channel_number', 'N' || n, 'lot_id', 'lot_' || n,
        'settled_at', {moment}, 'returned_at', CASE WHEN mod(n, 10) = 0 THEN {moment} END))).*
    FROM payouts_leg AS leg, generate_series(1, {count}) AS n WHERE leg.public_id = '{leg}'"""
OLD_LOTS = """
    INSERT INTO deposits_lot SELECT (jsonb_populate_record(lot, jsonb_build_object(
        'number', 1000 + n, 'public_id', 'lot_' || n, 'channel_reference', 'P' || n,
        'paid_at', {moment}))).*
    FROM deposits_lot AS lot, generate_series(1, {count}) AS n LIMIT {count}"""


@pytest.fixture
def _a_long_history(raw_sql) -> None:
    world = payouts_given.payout("¥300")
    payouts_given.attempt(world, payouts_given.succeeded(at(12)))
    values = {"moment": MOMENT.format(moment=at(12).isoformat()), "count": YEARS_OF_ROWS}
    raw_sql("SET CONSTRAINTS ALL IMMEDIATE")
    # These rows stand for years of payments; what guards single ones would only cost time.
    raw_sql("SET session_replication_role = replica")
    raw_sql(OLD_LEGS.format(leg=world.leg_id, **values))
    raw_sql(OLD_LOTS.format(**values))
    raw_sql("SET session_replication_role = origin")
    raw_sql("ANALYZE payouts_leg, deposits_lot")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM payouts_leg), (SELECT count(*) FROM deposits_lot)"
        )
        assert min(cursor.fetchone()) > YEARS_OF_ROWS


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


@pytest.mark.usefixtures("_a_long_history")
def test_comparing_a_day_reads_that_day_and_not_the_history() -> None:
    with CaptureQueriesContext(connection) as asked:
        differing(BillOfDay(CHANNEL, FUNDS, DAY, 0), ZONE, limit=9)
    statement = asked[0]["sql"]

    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement.replace("%", "%%"))
        (found,) = cursor.fetchone()
    plan = (found if isinstance(found, list) else json.loads(found))[0]["Plan"]

    read = [
        one for one in nodes(plan) if one.get("Relation Name") in {"payouts_leg", "deposits_lot"}
    ]
    indexes = {one["Index Name"] for one in nodes(plan) if "Index Name" in one}
    assert {"payouts_leg_settled", "payouts_leg_returned", "deposits_lot_paid"} <= indexes
    assert all(one["Node Type"] != "Seq Scan" for one in read)
    assert sum(one["Actual Rows"] for one in read) < 1_000
