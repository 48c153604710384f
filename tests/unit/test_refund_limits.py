"""Limits of a pack speak of its own currency; elsewhere the careful answer holds."""

from __future__ import annotations

from kuaitui.kernel.money import Money
from kuaitui.policy.packs import load_pack
from kuaitui.refunds.rules import auto_approval_limit, second_approval_tier

REVIEW = load_pack("reference").review


def test_in_the_packs_currency_its_limits_hold() -> None:
    assert auto_approval_limit(REVIEW, "CNY") == REVIEW.auto_approval_limit.amount
    assert second_approval_tier(REVIEW, "CNY") == REVIEW.second_approval_from.amount


def test_in_another_currency_nothing_is_approved_by_rule_and_two_people_always_look() -> None:
    one_real = Money(100, "BRL")

    assert auto_approval_limit(REVIEW, "BRL") < one_real
    assert second_approval_tier(REVIEW, "BRL") <= one_real
