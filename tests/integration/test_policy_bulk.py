"""The bulk run in a real PostgreSQL says the same as the single assessment."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kuaitui.policy import assess, parse_facts
from kuaitui.policy.bulk import bulk_sql, codes_of_mask
from kuaitui.policy.errors import BulkUnavailable
from kuaitui.policy.measures import COLUMNS, FOREVER, measure
from kuaitui.policy.types import RefundKind
from tests.support.policy_documents import AS_OF, ago, ahead, documents, pack_with, packs

pytestmark = pytest.mark.django_db


def assess_in_database(terms, kind, as_of, rows):
    columns = ", ".join(f"{name} {type_}" for name, (type_, _) in COLUMNS.items())
    places = ", ".join(["%s"] * (len(COLUMNS) + 1))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS summary")
        cursor.execute(f"CREATE TEMP TABLE summary (shop_key bigint, {columns})")
        cursor.executemany(
            f"INSERT INTO summary VALUES ({places})",
            [
                [key, *("infinity" if row[name] == FOREVER else row[name] for name in COLUMNS)]
                for key, row in enumerate(rows)
            ],
        )
        cursor.execute(bulk_sql(terms, kind=kind, as_of=as_of, source="summary"))
        return {row[0]: row[1:] for row in cursor.fetchall()}


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    packs(), st.sampled_from(list(RefundKind)),
    st.lists(documents(), min_size=20, max_size=40), st.integers(-40, 40),
)  # fmt: skip
def test_bulk_and_single_assessment_agree_on_every_shop(terms, kind, shops, days):
    as_of = AS_OF + dt.timedelta(days=days, minutes=days)
    facts = [parse_facts(document) for document in shops]

    found = assess_in_database(terms, kind, as_of, [measure(item, as_of) for item in facts])

    for key, item in enumerate(facts):
        single = assess(terms, item, kind=kind, as_of=as_of)
        eligible, failed, refundable_minor, earliest_on = found[key]
        assert codes_of_mask(failed) == tuple(finding.code for finding in single.blockers)
        assert eligible is single.is_eligible
        assert refundable_minor == single.refundable_minor
        assert earliest_on == single.earliest_on


def plain_row(**measures: object) -> dict[str, object]:
    nothing = {name: 0 if "bigint" in type_ else None for name, (type_, _) in COLUMNS.items()}
    return {**nothing, "standing": "normal", "held_minor": 300_000, **measures}


def test_a_restriction_that_ran_out_since_the_summary_was_stored_does_not_block():
    terms = pack_with()

    found = assess_in_database(
        terms, RefundKind.FULL_EXIT, AS_OF,
        [plain_row(restricted_live_until=ago(1)), plain_row(restricted_live_until=ahead(1))],
    )  # fmt: skip

    assert found[0][0] is True
    assert codes_of_mask(found[1][1]) == ("account.restricted",)
    assert found[1][3] == AS_OF.date() + dt.timedelta(days=1)


def test_working_days_in_the_database_skip_the_october_holidays():
    completed_at = dt.datetime(2026, 9, 28, 9, 0, tzinfo=AS_OF.tzinfo)
    as_of = dt.datetime(2026, 9, 29, 9, 0, tzinfo=AS_OF.tzinfo)
    terms = pack_with(holds=[("last_completed_order", 5, "working_days")])

    found = assess_in_database(
        terms, RefundKind.FULL_EXIT, as_of, [plain_row(last_order_completed_at=completed_at)]
    )

    # 29 and 30 September, then 8 and 9 October, then Saturday the 10th, a make-up day.
    assert found[0][3] == dt.date(2026, 10, 10)


def test_a_pack_with_conditions_of_its_own_is_refused_for_bulk():
    own = """
[[own_conditions]]
code = "x.small"
kinds = ["full_exit"]
passes_when = "held_minor < 100"
title = { zh = "小额", en = "Small" }
passed = { zh = "是", en = "Yes" }
failed = { zh = "否", en = "No" }
act = { zh = "请联系客服", en = "Ask support" }
clause = { reference = "x", zh = "小额", en = "Small" }
confidence = "A"
verified = true
source = "operator"
seen_on = 2026-11-23
"""
    terms = pack_with(own=own)

    with pytest.raises(BulkUnavailable):
        bulk_sql(terms, kind=RefundKind.FULL_EXIT, as_of=AS_OF, source="summary")

    assert bulk_sql(terms, kind=RefundKind.EXCESS, as_of=AS_OF, source="summary")
