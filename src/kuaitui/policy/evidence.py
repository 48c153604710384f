"""What a finding points at: the orders, cases and dates behind it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kuaitui.policy.measures import is_open_case, is_open_order
from kuaitui.policy.terms import HoldAnchor, Terms
from kuaitui.policy.types import (
    AFTER_SALE_OPEN,
    BALANCE_NOT_WITHDRAWN,
    BANNED,
    CLOSING_NOTICE_RUNNING,
    DEBT_OPEN,
    DEPOSIT_FROZEN,
    DISPUTE_OPEN,
    HOLD_RUNNING,
    LISTINGS_ON_SALE,
    NOTHING_REFUNDABLE,
    ORDER_OPEN,
    RESTRICTED,
    VIOLATION_OPEN,
    DebtStatus,
    Evidence,
    Facts,
    OrderStatus,
    Standing,
)


@dataclass(frozen=True, slots=True)
class Scene:
    """Facts looked at under terms, at one moment."""

    terms: Terms
    facts: Facts
    as_of: dt.datetime


def evidence_of(code: str, scene: Scene) -> tuple[Evidence, ...]:
    """What makes a condition fail, by name."""
    return _EVIDENCE[code](scene)


def anchor_of(anchor: HoldAnchor, scene: Scene) -> Evidence | None:
    """The event a hold counts from, as evidence, if it has happened."""
    facts, as_of = scene.facts, scene.as_of
    shop = Evidence("shop", facts.shop.id)
    match anchor:
        case HoldAnchor.LAST_COMPLETED_ORDER:
            completed = [
                order
                for order in facts.orders
                if order.status is OrderStatus.COMPLETED and order.status_at <= as_of
            ]
            last = max(completed, key=lambda order: order.status_at, default=None)
            return Evidence("order", last.id) if last else None
        case HoldAnchor.LAST_DISPUTE_CLOSED:
            closed = [
                (case.closed_at, case.id)
                for case in facts.disputes
                if case.closed_at is not None and case.closed_at <= as_of
            ]
            return Evidence("dispute", max(closed)[1]) if closed else None
        case HoldAnchor.SHOP_CLOSED:
            return shop if facts.shop.closed_at else None
        case HoldAnchor.EXPULSION:
            return shop if facts.shop.expelled_at or facts.shop.standing == "expelled" else None


def _open_orders(scene: Scene) -> tuple[Evidence, ...]:
    return tuple(
        Evidence("order", order.id)
        for order in scene.facts.orders
        if is_open_order(order, scene.as_of)
    )


def _open_after_sales(scene: Scene) -> tuple[Evidence, ...]:
    return tuple(
        Evidence("after_sale", case.id)
        for case in scene.facts.after_sales
        if is_open_case(case.opened_at, case.closed_at, scene.as_of)
    )


def _open_disputes(scene: Scene) -> tuple[Evidence, ...]:
    return tuple(
        Evidence("dispute", case.id)
        for case in scene.facts.disputes
        if is_open_case(case.opened_at, case.closed_at, scene.as_of)
    )


def _open_violations(scene: Scene) -> tuple[Evidence, ...]:
    return tuple(
        Evidence("violation", violation.id)
        for violation in scene.facts.violations
        if is_open_case(violation.occurred_at, violation.settled_at, scene.as_of)
    )


def _restrictions(scene: Scene) -> tuple[Evidence, ...]:
    named = tuple(
        Evidence("restriction", restriction.id)
        for restriction in scene.facts.restrictions
        if restriction.kind in scene.terms.restriction_kinds
        and is_open_case(restriction.from_at, restriction.to_at, scene.as_of)
    )
    is_standing = scene.facts.shop.standing is Standing.RESTRICTED
    return (*named, Evidence("shop", scene.facts.shop.id)) if is_standing else named


def _debts(scene: Scene) -> tuple[Evidence, ...]:
    return tuple(
        Evidence("debt", debt.id) for debt in scene.facts.debts if debt.status is DebtStatus.OPEN
    )


def _shop(scene: Scene) -> tuple[Evidence, ...]:
    return (Evidence("shop", scene.facts.shop.id),)


def _deposit(scene: Scene) -> tuple[Evidence, ...]:
    return (Evidence("deposit", scene.facts.deposit.kind.value),)


def _hold_anchors(scene: Scene) -> tuple[Evidence, ...]:
    found = [anchor_of(hold.anchor, scene) for hold in scene.terms.holds]
    return tuple(dict.fromkeys(item for item in found if item)) or _shop(scene)


_EVIDENCE: Final[dict[str, Callable[[Scene], tuple[Evidence, ...]]]] = {
    VIOLATION_OPEN: _open_violations,
    RESTRICTED: _restrictions,
    BANNED: _shop,
    ORDER_OPEN: _open_orders,
    AFTER_SALE_OPEN: _open_after_sales,
    DISPUTE_OPEN: _open_disputes,
    LISTINGS_ON_SALE: _shop,
    DEBT_OPEN: _debts,
    BALANCE_NOT_WITHDRAWN: _shop,
    HOLD_RUNNING: _hold_anchors,
    CLOSING_NOTICE_RUNNING: _shop,
    NOTHING_REFUNDABLE: _deposit,
    DEPOSIT_FROZEN: _deposit,
}
