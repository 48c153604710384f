"""What an assessment says about one shop."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from kuaitui.policy import assess, facts_to_json, load_pack, parse_facts
from kuaitui.policy.packs import available_packs
from kuaitui.policy.types import RefundKind
from tests.support.policy_documents import (
    AS_OF,
    after_sale,
    ago,
    ahead,
    clean_document,
    dispute,
    order,
    pack_with,
    restriction,
    violation,
)

EXAMPLE = Path(__file__).parents[2] / "docs/examples/facts.json"


@pytest.fixture
def example() -> dict[str, object]:
    return json.loads(EXAMPLE.read_text("utf-8"))


@pytest.mark.parametrize("pack", available_packs())
def test_the_documented_example_is_refused_naming_its_open_order(pack, example):
    facts = parse_facts(example)

    assessment = assess(load_pack(pack), facts, kind=RefundKind.FULL_EXIT)

    assert not assessment.is_eligible
    evidence = {(item.kind, item.id) for f in assessment.blockers for item in f.evidence}
    assert {("order", "O1"), ("after_sale", "A1"), ("debt", "B1")} <= evidence
    assert assessment.refundable_minor == 300000 - 1200
    assert assessment.earliest_on is None


def test_facts_written_and_read_again_are_the_same_facts(example):
    facts = parse_facts(example)

    assert parse_facts(facts_to_json(facts)) == facts


# -- edges -----------------------------------------------------------------------------------------


def findings_of(terms, *, kind=RefundKind.FULL_EXIT, as_of=None, **changes):
    assessment = assess(terms, parse_facts(clean_document(**changes)), kind=kind, as_of=as_of)
    return assessment, {finding.code: finding for finding in assessment.findings}


BEGUN_AT, ENDS_AT = ago(5), ahead(5)
INSTANT = dt.timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("trade.after_sale_open", {"after_sales": [after_sale("A1", BEGUN_AT, ENDS_AT)]}),
        ("trade.dispute_open", {"disputes": [dispute("D1", BEGUN_AT, ENDS_AT)]}),
        ("account.violation_open", {"violations": [violation("V1", BEGUN_AT, ENDS_AT)]}),
        ("account.restricted", {"restrictions": [restriction("R1", "live", BEGUN_AT, ENDS_AT)]}),
    ],
)
def test_a_case_is_open_from_its_beginning_until_just_before_its_end(code, changes):
    begun_at, ends_at = dt.datetime.fromisoformat(BEGUN_AT), dt.datetime.fromisoformat(ENDS_AT)

    def is_open(as_of: dt.datetime) -> bool:
        return not findings_of(load_pack("reference"), as_of=as_of, **changes)[1][code].passed

    assert not is_open(begun_at - INSTANT)
    assert is_open(begun_at)
    assert is_open(ends_at - INSTANT)
    assert not is_open(ends_at)


def test_an_order_is_open_until_the_moment_it_is_completed():
    terms, completes_at = load_pack("reference"), dt.datetime.fromisoformat(ahead(5))
    orders = [order("O1", "completed", ahead(5))]

    before = findings_of(terms, orders=orders, as_of=completes_at - INSTANT)[1]
    after = findings_of(terms, orders=orders, as_of=completes_at)[1]

    assert not before["trade.order_open"].passed
    assert before["trade.order_open"].clears_on == completes_at.date()
    assert after["trade.order_open"].passed
    assert not after["hold.period_running"].passed


def test_a_completion_known_to_come_starts_the_hold_again():
    orders = [order("O0", "completed", ago(170)), order("O1", "completed", ahead(5))]

    assessment, findings = findings_of(load_pack("reference"), orders=orders)

    assert findings["hold.period_running"].passed
    assert findings["trade.order_open"].clears_on == (AS_OF + dt.timedelta(days=5)).date()
    assert assessment.earliest_on == (AS_OF + dt.timedelta(days=35)).date()


def test_a_running_hold_lasts_until_the_last_completion_known_to_come_has_passed_too():
    orders = [order("O0", "completed", ago(3)), order("O1", "completed", ahead(5))]

    assessment, findings = findings_of(load_pack("reference"), orders=orders)

    ends_on = (AS_OF + dt.timedelta(days=35)).date()
    assert findings["hold.period_running"].clears_on == ends_on
    assert assessment.earliest_on == ends_on


def test_a_hold_from_the_closing_has_no_date_while_the_shop_is_open():
    terms = pack_with(
        holds=[("shop_closed", 30, "natural_days"), ("last_completed_order", 30, "natural_days")]
    )
    shop = {**clean_document()["shop"], "closed_at": None, "standing": "normal"}

    assessment, findings = findings_of(terms, shop=shop, orders=[order("O0", "completed", ago(3))])

    assert findings["hold.period_running"].clears_on is None
    assert assessment.earliest_on is None
    assert "请先关闭店铺" in findings["hold.period_running"].act.zh


def test_a_hold_from_a_closing_known_to_come_has_its_date():
    terms = pack_with(holds=[("shop_closed", 30, "natural_days")])
    shop = {**clean_document()["shop"], "closed_at": ahead(2), "standing": "normal"}

    assessment, _ = findings_of(terms, shop=shop)

    assert assessment.earliest_on == (AS_OF + dt.timedelta(days=32)).date()


@pytest.mark.parametrize(
    ("completed_at", "days", "clears_on"),
    [
        ("2024-01-30T10:00:00+08:00", 30, "2024-02-29"),  # a leap day
        ("2024-02-29T10:00:00+08:00", 365, "2025-02-28"),
        ("2025-01-31T10:00:00+08:00", 30, "2025-03-02"),  # over a short month
        ("2025-12-31T23:59:59+08:00", 1, "2026-01-01"),
        ("2025-12-31T16:00:00Z", 1, "2026-01-02"),  # the first of January in Shanghai
    ],
)
def test_holds_count_calendar_days_in_the_marketplaces_zone(completed_at, days, clears_on):
    terms = pack_with(holds=[("last_completed_order", days, "natural_days")])
    as_of = dt.datetime.fromisoformat(completed_at)

    _, findings = findings_of(terms, as_of=as_of, orders=[order("O0", "completed", completed_at)])

    assert str(findings["hold.period_running"].clears_on) == clears_on


def test_a_working_day_hold_into_a_year_without_holidays_says_the_date_is_provisional():
    terms = pack_with(holds=[("last_completed_order", 40, "working_days")])

    def message(completed_at: str):
        findings = findings_of(terms, orders=[order("O0", "completed", completed_at)])[1]
        return findings["hold.period_running"].message

    assert "暂定" in message(ago(1)).zh
    assert "provisional" in message(ago(1)).en
    assert "暂定" not in message(ago(40)).zh  # ends in 2026, whose holidays are known


@pytest.mark.parametrize(
    ("standing", "expelled_at", "earliest_on"),
    [("expelled", ago(100), (AS_OF + dt.timedelta(days=80)).date()), ("expelled", None, None)],
)
def test_an_expelled_shop_waits_from_its_expulsion(standing, expelled_at, earliest_on):
    shop = {**clean_document()["shop"], "standing": standing, "expelled_at": expelled_at}

    assessment, findings = findings_of(load_pack("kuaishou-shop"), shop=shop)

    assert [finding.code for finding in assessment.blockers] == ["hold.period_running"]
    assert findings["account.banned"].passed
    assert assessment.earliest_on == earliest_on


def test_a_dispute_after_the_expulsion_starts_its_180_days_again():
    shop = {**clean_document()["shop"], "standing": "expelled", "expelled_at": ago(150)}

    assessment, findings = findings_of(
        load_pack("kuaishou-shop"), shop=shop, disputes=[dispute("D1", ago(60), ago(50))]
    )

    assert assessment.earliest_on == (AS_OF + dt.timedelta(days=130)).date()
    assert ("dispute", "D1") in {
        (item.kind, item.id) for item in findings["hold.period_running"].evidence
    }


def test_money_paid_in_later_is_not_held_yet_and_nothing_goes_below_zero():
    deposit = clean_document()["deposit"]
    lot = deposit["lots"][0]
    late = {
        **deposit,
        "lots": [lot, {**lot, "id": "L2", "paid_at": ahead(1), "refundable_until": None}],
    }
    frozen = {**deposit, "frozen_minor": lot["amount_minor"] + 1}

    assert findings_of(load_pack("reference"), deposit=late)[0].held_minor == lot["amount_minor"]
    assessment, findings = findings_of(load_pack("reference"), deposit=frozen)
    assert assessment.refundable_minor == 0
    assert not findings["deposit.nothing_refundable"].passed
    assert not findings["deposit.frozen"].passed


def test_the_message_names_the_first_few_and_the_evidence_names_all():
    orders = [order(f"O{index}", "shipped", ago(2)) for index in range(7)]

    _, findings = findings_of(load_pack("reference"), orders=orders)

    finding = findings["trade.order_open"]
    assert [item.id for item in finding.evidence] == [item["id"] for item in orders]
    assert "还有 7 笔订单没有完结：O0、O1、O2 等" in finding.message.zh
