"""Rules of refunds, one by one."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kuaitui.deposits.types import PlannedLeg, Route, RoutePlan
from kuaitui.kernel.money import Money
from kuaitui.policy.packs import load_pack
from kuaitui.policy.types import RefundKind
from kuaitui.refunds import rules
from kuaitui.refunds.errors import (
    AmountAboveRefundable,
    AmountCurrencyWrong,
    AmountMissing,
    AmountNotPositive,
    NothingRefundable,
)
from kuaitui.refunds.types import AmountChoice, Difference, ExpectedPart, WayBack

NOW = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)
TERMS = load_pack("reference")


def cny(minor: int) -> Money:
    return Money(minor, "CNY")


LEG = PlannedLeg(
    lot_id="lot_1",
    amount=cny(100),
    route=Route.ORIGINAL,
    channel="wechatpay",
    channel_reference="P1",
    refundable_until=NOW,
    destination_id="",
)
BOUND: dict[str, Any] = {
    "application_id": "rfa_1",
    "revision": 1,
    "amount": cny(100),
    "payee_fingerprint": "original",
    "plan": RoutePlan((LEG,)),
    "policy_digest": "d",
}


@pytest.mark.parametrize(
    "changed",
    [
        {"application_id": "rfa_2"},
        {"revision": 2},
        {"amount": cny(101)},
        {"amount": Money(100, "HKD")},
        {"payee_fingerprint": "somebody"},
        {"policy_digest": "e"},
        {"plan": RoutePlan((LEG, LEG))},
        {"plan": RoutePlan((dataclasses.replace(LEG, lot_id="lot_2"),))},
        {"plan": RoutePlan((dataclasses.replace(LEG, amount=cny(99)),))},
        {"plan": RoutePlan((dataclasses.replace(LEG, route=Route.DESIGNATED),))},
        {"plan": RoutePlan((dataclasses.replace(LEG, destination_id="dst_1"),))},
        {"plan": RoutePlan((dataclasses.replace(LEG, channel_reference="P2"),))},
    ],
)
def test_any_change_of_what_is_bound_changes_the_hash(changed: dict[str, object]) -> None:
    assert rules.approval_hash(**{**BOUND, **changed}) != rules.approval_hash(**BOUND)


def test_the_same_is_bound_by_the_same_hash_for_ever() -> None:
    # Approvals outlive releases: a change of this figure voids every approval that waits.
    assert rules.approval_hash(**BOUND) == (
        "a74b7dd2a65b1d438132b0eb47f9b199d5a5b11865e5a2a4af2583b0b6b1c4eb"
    )


def test_a_plan_read_back_from_its_json_is_the_same_plan() -> None:
    plan = RoutePlan((LEG, dataclasses.replace(LEG, refundable_until=None, lot_id="lot_2")))

    assert RoutePlan.from_json(plan.to_json()) == plan


@given(amount=st.integers(1, 10**9), excess=st.integers(0, 10**9))
def test_a_part_is_excess_exactly_while_it_leaves_what_is_required(
    amount: int, excess: int
) -> None:
    kind = rules.refund_kind(AmountChoice.PART, amount=cny(amount), excess=cny(excess))

    assert (kind is RefundKind.EXCESS) == (amount <= excess)


@given(amount=st.integers(-10, 10**6), refundable=st.integers(0, 10**6))
def test_an_amount_that_is_taken_lies_within_what_is_refundable(
    amount: int, refundable: int
) -> None:
    try:
        asked = rules.asked_amount(
            AmountChoice.PART, amount=cny(amount), refundable=cny(refundable)
        )
    except (AmountNotPositive, AmountAboveRefundable, NothingRefundable):
        assert not 0 < amount <= refundable
    else:
        assert asked == cny(amount)
        assert 0 < amount <= refundable


def test_what_is_wrong_with_an_amount_is_said_in_the_order_people_expect() -> None:
    def ask(amount: Money | None, refundable: int = 100) -> Money:
        return rules.asked_amount(AmountChoice.PART, amount=amount, refundable=cny(refundable))

    for amount, refundable, refusal in (
        (None, 0, AmountMissing),
        (Money(1, "USD"), 0, AmountCurrencyWrong),
        (cny(0), 0, AmountNotPositive),
        (cny(-1), 100, AmountNotPositive),
        (cny(1), 0, NothingRefundable),
        (cny(101), 100, AmountAboveRefundable),
    ):
        with pytest.raises(refusal):
            ask(amount, refundable)
    assert ask(cny(100)) == cny(100)


@pytest.mark.parametrize(
    ("amount", "is_forced", "repairs", "needs_two"),
    [(99, False, 0, False), (100, False, 0, True), (1, True, 0, True), (1, False, 1, True)],
)
def test_large_sums_fresh_accounts_and_repairs_need_two_people(
    amount: int, is_forced: bool, repairs: int, needs_two: bool
) -> None:
    found = rules.requires_second_approval(
        amount=cny(amount), second_approval_from=cny(100), is_forced=is_forced, repairs=repairs
    )

    assert found is needs_two


@pytest.mark.parametrize(
    ("changed", "may"),
    [
        ({}, True),
        ({"amount": cny(101)}, False),
        ({"is_eligible": False}, False),
        ({"is_forced": True}, False),
        ({"plan": None}, False),
        ({"plan": RoutePlan((dataclasses.replace(LEG, route=Route.DESIGNATED),))}, False),
    ],
)
def test_the_rule_approves_only_the_low_risk_case(changed: dict[str, object], may: bool) -> None:
    case: dict[str, Any] = {
        "amount": cny(100), "limit": cny(100), "is_eligible": True, "plan": RoutePlan((LEG,)),
        "is_forced": False,
    }  # fmt: skip

    assert rules.may_approve_by_rule(**{**case, **changed}) is may


def test_a_deadline_is_the_end_of_its_last_day_where_the_shop_is() -> None:
    # 2026-11-23 is a Monday; seven working days later is Wednesday of the next week.
    end = rules.end_of_period(TERMS.review.review_time, start=NOW, terms=TERMS)

    assert end.astimezone(TERMS.zone) == dt.datetime(2026, 12, 3, tzinfo=TERMS.zone)
    assert rules.last_day(end, terms=TERMS) == dt.date(2026, 12, 2)


def test_late_at_night_in_london_it_is_already_tomorrow_in_shanghai() -> None:
    evening = dt.datetime(2026, 11, 23, 16, 30, tzinfo=dt.UTC)

    assert rules.eta(TERMS, now=evening, by_rule=True).review_by == dt.date(2026, 11, 24)


def test_differences_name_each_fact_by_its_id() -> None:
    then = {"as_of": "1", "orders": [{"id": "O1", "status": "paid"}], "listings_on_sale": 0}
    now = {
        "as_of": "2",
        "orders": [{"id": "O2", "status": "paid"}, {"id": "O1", "status": "completed"}],
        "listings_on_sale": 0,
    }

    assert list(rules.differences(then, now)) == [
        Difference("orders.O1.status", "paid", "completed"),
        Difference("orders.O2", None, {"id": "O2", "status": "paid"}),
    ]


_documents = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: (
        st.dictionaries(st.text(max_size=3), inner, max_size=3) | st.lists(inner, max_size=3)
    ),
    max_leaves=8,
)


@given(document=_documents)
def test_nothing_differs_from_itself(document: object) -> None:
    assert list(rules.differences(document, document)) == []


HOUR = dt.timedelta(hours=1)
OPEN, CLOSING, CLOSED = WayBack.OPEN, WayBack.CLOSING, WayBack.CLOSED


@pytest.mark.parametrize(
    ("closes", "expected"),
    [
        (-HOUR, CLOSED),
        (dt.timedelta(0), CLOSED),
        (HOUR, CLOSING),
        (2 * HOUR, OPEN),
        (3 * HOUR, OPEN),
    ],
)
def test_a_way_back_is_closing_when_it_ends_before_the_review_must(
    closes: dt.timedelta, expected: WayBack
) -> None:
    leg = dataclasses.replace(LEG, refundable_until=NOW + closes)
    elsewhere = dataclasses.replace(leg, route=Route.DESIGNATED)

    assert rules.way_back(leg, now=NOW, handed_over_by=NOW + 2 * HOUR) is expected
    assert rules.way_back(elsewhere, now=NOW, handed_over_by=NOW + 2 * HOUR) is OPEN


def test_a_review_that_is_late_may_end_a_day_from_now() -> None:
    assert rules.handed_over_by(NOW + HOUR, now=NOW) == NOW + HOUR
    assert rules.handed_over_by(NOW, now=NOW) == NOW + dt.timedelta(days=1)


def test_what_may_miss_its_way_back_is_added_up_with_the_first_moment() -> None:
    def part(minor: int, closes: dt.timedelta, way_back: WayBack) -> ExpectedPart:
        leg = dataclasses.replace(LEG, amount=cny(minor), refundable_until=NOW + closes)
        return ExpectedPart(leg, None, None, way_back=way_back)

    both = [part(1, 3 * HOUR, CLOSING), part(2, 2 * HOUR, CLOSING), part(4, HOUR, OPEN)]

    closing = rules.closing_way_back(both)

    assert closing is not None
    assert (closing.amount, closing.until) == (cny(3), NOW + 2 * HOUR)
    assert rules.closing_way_back(both[2:]) is None
