"""The measures of a shop: what conditions look at, and nothing else.

One row of measures describes one deposit of one shop at one moment. `measure` makes it from
facts; the bulk run reads it from a relation with these columns. What begins after `as_of` is in no
measure; what has begun and will end at a known moment carries that moment.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

from kuaitui.policy.types import (
    DebtStatus,
    Facts,
    Order,
    OrderStatus,
    RestrictionKind,
)

FOREVER: Final = dt.datetime.max.replace(tzinfo=dt.UTC)  # 'infinity' in the database
MeasureValue = int | str | dt.datetime | None
Measures = dict[str, MeasureValue]

_FINISHED: Final = frozenset({OrderStatus.COMPLETED, OrderStatus.CLOSED})

# Name, type and meaning of every column the relation of a bulk run must have.
COLUMNS: Final[dict[str, tuple[str, str]]] = {
    "standing": ("text not null", "how the marketplace regards the shop"),
    "open_orders": ("bigint not null", "orders begun, neither completed nor closed"),
    "open_orders_until": ("timestamptz", "when the last open order ends, if each has a known end"),
    "last_order_completed_at": ("timestamptz", "newest completion that has happened"),
    "last_order_completing_at": ("timestamptz", "newest completion known to come"),
    "open_after_sales": ("bigint not null", "after-sales opened and not closed"),
    "open_after_sales_until": ("timestamptz", "as open_orders_until"),
    "open_disputes": ("bigint not null", "disputes opened and not closed"),
    "open_disputes_until": ("timestamptz", "as open_orders_until"),
    "last_dispute_closed_at": ("timestamptz", "newest closing of a dispute that has happened"),
    "last_dispute_closing_at": ("timestamptz", "newest closing of a dispute known to come"),
    "open_violations": ("bigint not null", "violations open or under appeal"),
    "open_violations_until": ("timestamptz", "as open_orders_until"),
    "restricted_listing_until": ("timestamptz", "null: not in force; infinity: no end is known"),
    "restricted_sales_until": ("timestamptz", "the same"),
    "restricted_withdrawal_until": ("timestamptz", "the same"),
    "restricted_live_until": ("timestamptz", "the same"),
    "closing_notice_at": ("timestamptz", "when the closing notice went up, or will"),
    "closed_at": ("timestamptz", "when the shop closed, or will"),
    "expelled_at": ("timestamptz", "when the shop was expelled"),
    "open_debt_minor": ("bigint not null", "sum of the debts still owed"),
    "listings_on_sale": ("bigint not null", "goods on sale"),
    "withdrawable_balance_minor": ("bigint not null", "proceeds not yet withdrawn"),
    "held_minor": ("bigint not null", "the deposit: available and frozen"),
    "frozen_minor": ("bigint not null", "the part that is frozen"),
    "required_minor": ("bigint not null", "what the shop must keep while it trades"),
}


def is_open_order(order: Order, as_of: dt.datetime) -> bool:
    """Begun, and neither completed nor closed yet."""
    if order.status_at <= as_of:
        return order.status not in _FINISHED
    return order.status is not OrderStatus.PLACED  # its newest status is yet to come; it exists


def is_open_case(begun_at: dt.datetime, ended_at: dt.datetime | None, as_of: dt.datetime) -> bool:
    """Begun and not ended: `[begun_at, ended_at)` contains `as_of`."""
    return begun_at <= as_of and (ended_at is None or as_of < ended_at)


def measure(facts: Facts, as_of: dt.datetime) -> Measures:
    """The row of measures of one shop's facts at `as_of`."""
    orders = [order for order in facts.orders if is_open_order(order, as_of)]
    after_sales = [
        case.closed_at
        for case in facts.after_sales
        if is_open_case(case.opened_at, case.closed_at, as_of)
    ]
    disputes = [
        case.closed_at
        for case in facts.disputes
        if is_open_case(case.opened_at, case.closed_at, as_of)
    ]
    violations = [
        case.settled_at
        for case in facts.violations
        if is_open_case(case.occurred_at, case.settled_at, as_of)
    ]
    completions = [
        order.status_at for order in facts.orders if order.status is OrderStatus.COMPLETED
    ]
    closings = [
        case.closed_at
        for case in facts.disputes
        if case.closed_at is not None and case.opened_at <= as_of
    ]
    return {
        "standing": facts.shop.standing.value,
        "open_orders": len(orders),
        "open_orders_until": _until(
            order.status_at if order.status in _FINISHED else None for order in orders
        ),
        "last_order_completed_at": _newest(at for at in completions if at <= as_of),
        "last_order_completing_at": _newest(at for at in completions if at > as_of),
        "open_after_sales": len(after_sales),
        "open_after_sales_until": _until(after_sales),
        "open_disputes": len(disputes),
        "open_disputes_until": _until(disputes),
        "last_dispute_closed_at": _newest(at for at in closings if at <= as_of),
        "last_dispute_closing_at": _newest(at for at in closings if at > as_of),
        "open_violations": len(violations),
        "open_violations_until": _until(violations),
        **{restricted_until(kind): _restricted(facts, kind, as_of) for kind in RestrictionKind},
        "closing_notice_at": facts.shop.closing_notice_at,
        "closed_at": facts.shop.closed_at,
        "expelled_at": facts.shop.expelled_at,
        "open_debt_minor": owed_minor(facts),
        "listings_on_sale": facts.listings_on_sale,
        "withdrawable_balance_minor": facts.withdrawable_balance_minor,
        "held_minor": sum(lot.amount_minor for lot in facts.deposit.lots if lot.paid_at <= as_of),
        "frozen_minor": facts.deposit.frozen_minor,
        "required_minor": facts.deposit.required_minor,
    }


def owed_minor(facts: Facts) -> int:
    """The sum of the debts still owed."""
    return sum(debt.amount_minor for debt in facts.debts if debt.status is DebtStatus.OPEN)


def restricted_until(kind: RestrictionKind) -> str:
    """The column of one kind of restriction."""
    return f"restricted_{kind.value}_until"


def _restricted(facts: Facts, kind: RestrictionKind, as_of: dt.datetime) -> dt.datetime | None:
    return _newest(
        restriction.to_at or FOREVER
        for restriction in facts.restrictions
        if restriction.kind is kind and is_open_case(restriction.from_at, restriction.to_at, as_of)
    )


def _newest(moments: Iterable[dt.datetime]) -> dt.datetime | None:
    return max(moments, default=None)


def _until(ends: Iterable[dt.datetime | None]) -> dt.datetime | None:
    """The last end, if there are any and all are known."""
    known = list(ends)
    return None if None in known else _newest(end for end in known if end is not None)
