"""Facts as the policy wants them: what counts at one moment, and never more than a page of it."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db import connection

from kuaitui.facts.errors import ShopUnknown
from kuaitui.facts.types import (
    CaseKind,
    DebtKind,
    FactCounts,
    OrderStatus,
    RestrictionKind,
    ViolationStatus,
)
from kuaitui.policy import types as policy

# What is open beyond this many is counted by `fact_counts`, not listed: nobody reads further.
EVIDENCE_MAX: Final = 100
DEBTS_MAX: Final = 1_000

_SHOP = """
SELECT shop.shop_id, shop.kind, shop.categories, shop.standing, shop.opened_at,
    shop.closing_notice_at, shop.closed_at, shop.expelled_at, shop.listings_on_sale,
    shop.withdrawable_balance_minor, summary.last_completed_order_id,
    summary.latest_order_at > %(as_of)s AS orders_change
FROM facts_shop AS shop JOIN facts_summary AS summary ON summary.shop_key = shop.id
WHERE shop.id = %(shop_key)s
"""

# An order whose latest status is yet to come exists already, unless it is yet to be placed.
_OPEN_ORDERS = """
SELECT order_id, status, status_at, amount_minor FROM facts_order
WHERE shop_key = %(shop_key)s AND status < 5 AND (status_at <= %(as_of)s OR status > 1)
ORDER BY status_at, order_id LIMIT %(limit)s
"""
_LAST_COMPLETED_ORDER = """
SELECT order_id, status, status_at, amount_minor FROM facts_order
WHERE shop_key = %(shop_key)s AND order_id = %(order_id)s
"""
# The one completed last, and those that are known to end later: the last ends decide.
_ORDERS_ENDING_LATER = """
(SELECT order_id, status, status_at, amount_minor FROM facts_order
WHERE shop_key = %(shop_key)s AND status = 5 AND status_at > %(as_of)s
ORDER BY status_at DESC, order_id LIMIT %(limit)s)
UNION ALL
(SELECT order_id, status, status_at, amount_minor FROM facts_order
WHERE shop_key = %(shop_key)s AND status = 6 AND status_at > %(as_of)s
ORDER BY status_at DESC, order_id LIMIT %(limit)s)
UNION ALL
(SELECT order_id, status, status_at, amount_minor FROM facts_order
WHERE shop_key = %(shop_key)s AND status = 5 AND status_at <= %(as_of)s
ORDER BY status_at DESC, order_id LIMIT 1)
"""

_CASES = """
SELECT found.* FROM unnest(%(kinds)s::smallint[]) AS asked (kind) CROSS JOIN LATERAL (
    (SELECT kind, case_id, order_id, status, opened_at, closed_at FROM facts_case AS c
    WHERE shop_key = %(shop_key)s AND c.kind = asked.kind AND status < 3
        AND opened_at <= %(as_of)s
    ORDER BY opened_at, case_id LIMIT %(limit)s)
    UNION ALL
    (SELECT kind, case_id, order_id, status, opened_at, closed_at FROM facts_case AS c
    WHERE shop_key = %(shop_key)s AND c.kind = asked.kind AND closed_at > %(as_of)s
        AND opened_at <= %(as_of)s
    ORDER BY closed_at DESC, case_id LIMIT %(limit)s)
    UNION ALL
    (SELECT kind, case_id, order_id, status, opened_at, closed_at FROM facts_case AS c
    WHERE shop_key = %(shop_key)s AND c.kind = asked.kind AND closed_at <= %(as_of)s
        AND opened_at <= %(as_of)s
    ORDER BY closed_at DESC, case_id LIMIT 1)
) AS found
"""

_RESTRICTIONS = """
SELECT restriction_id, kind, from_at, to_at FROM (
    SELECT *, row_number() OVER (PARTITION BY kind ORDER BY to_at DESC NULLS FIRST, restriction_id)
        AS place
    FROM facts_restriction WHERE shop_key = %(shop_key)s AND from_at <= %(as_of)s
        AND (to_at IS NULL OR to_at > %(as_of)s)
) AS in_force WHERE place <= %(limit)s ORDER BY kind, place
"""

_DEBTS = """
SELECT debt_id, kind, amount_minor,
    sum(amount_minor) OVER ()::bigint AS owed_minor, count(*) OVER () AS debts
FROM facts_debt
WHERE shop_key = %(shop_key)s AND (status = 1 AND status_at <= %(as_of)s
    OR status = 2 AND status_at > %(as_of)s)
ORDER BY amount_minor DESC, debt_id LIMIT %(limit)s
"""

_COUNTS = """
SELECT open_orders, open_after_sales, open_disputes, open_violations, open_debt_minor
FROM facts_shop_summary_at(%(as_of)s) WHERE shop_key = %(shop_key)s
"""

Row = tuple[Any, ...]


def facts_for_assessment(
    *, shop_key: int, deposit: policy.Deposit, as_of: dt.datetime
) -> policy.Facts:
    """Everything that can decide about this deposit at `as_of`.

    Open orders and cases are listed up to `EVIDENCE_MAX` of each, the oldest first; a shop with
    more has no other answer for it, and `fact_counts` says how many there are. Finished ones are
    left out, but for the last: a history of any length costs nothing.

    Raises:
        ShopUnknown: no shop has this key.
    """
    shop = _one(_SHOP, shop_key=shop_key, as_of=as_of)
    cases = _cases(shop_key, as_of)
    return policy.Facts(
        as_of=as_of,
        shop=policy.Shop(
            id=shop["shop_id"],
            kind=policy.ShopKind(shop["kind"]),
            categories=tuple(shop["categories"]),
            standing=policy.Standing(shop["standing"]),
            opened_at=shop["opened_at"],
            closing_notice_at=shop["closing_notice_at"],
            closed_at=shop["closed_at"],
            expelled_at=shop["expelled_at"],
        ),
        deposit=deposit,
        orders=_orders(
            shop_key,
            as_of,
            shop["last_completed_order_id"],
            orders_change=shop["orders_change"],
        ),
        after_sales=tuple(_after_sale(row) for row in cases[CaseKind.AFTER_SALE]),
        disputes=tuple(_dispute(row) for row in cases[CaseKind.DISPUTE]),
        violations=tuple(_violation(row) for row in cases[CaseKind.VIOLATION]),
        restrictions=_restrictions(shop_key, as_of),
        debts=_debts(shop_key, as_of),
        listings_on_sale=shop["listings_on_sale"],
        withdrawable_balance_minor=shop["withdrawable_balance_minor"],
    )


def fact_counts(*, shop_key: int, as_of: dt.datetime) -> FactCounts:
    """How many things are open at `as_of`, whether or not they are listed as evidence.

    Raises:
        ShopUnknown: no shop has this key.
    """
    return FactCounts(**_one(_COUNTS, shop_key=shop_key, as_of=as_of))


def _orders(
    shop_key: int, as_of: dt.datetime, completed_order_id: str | None, *, orders_change: bool
) -> tuple[policy.Order, ...]:
    rows = _rows(_OPEN_ORDERS, shop_key=shop_key, as_of=as_of, limit=EVIDENCE_MAX)
    if orders_change:
        rows += _rows(_ORDERS_ENDING_LATER, shop_key=shop_key, as_of=as_of, limit=EVIDENCE_MAX)
    elif completed_order_id is not None:
        rows += _rows(_LAST_COMPLETED_ORDER, shop_key=shop_key, order_id=completed_order_id)
    return tuple(
        policy.Order(
            id=order_id,
            status=policy.OrderStatus(OrderStatus(status).word),
            status_at=status_at,
            amount_minor=amount_minor,
        )
        for order_id, status, status_at, amount_minor in rows
    )


def _cases(shop_key: int, as_of: dt.datetime) -> dict[CaseKind, list[Row]]:
    kinds = [int(kind) for kind in CaseKind]
    rows = _rows(_CASES, shop_key=shop_key, as_of=as_of, kinds=kinds, limit=EVIDENCE_MAX)
    return {kind: [row for row in rows if row[0] == kind] for kind in CaseKind}


def _after_sale(row: Row) -> policy.AfterSale:
    _, case_id, order_id, _, opened_at, closed_at = row
    return policy.AfterSale(case_id, order_id, _case_status(closed_at), opened_at, closed_at)


def _dispute(row: Row) -> policy.Dispute:
    _, case_id, _, _, opened_at, closed_at = row
    return policy.Dispute(case_id, _case_status(closed_at), opened_at, closed_at)


def _violation(row: Row) -> policy.Violation:
    _, case_id, _, status, opened_at, closed_at = row
    word = policy.ViolationStatus(ViolationStatus(status).word)
    return policy.Violation(case_id, word, opened_at, closed_at)


def _case_status(closed_at: dt.datetime | None) -> policy.CaseStatus:
    return policy.CaseStatus.OPEN if closed_at is None else policy.CaseStatus.CLOSED


def _restrictions(shop_key: int, as_of: dt.datetime) -> tuple[policy.Restriction, ...]:
    rows = _rows(_RESTRICTIONS, shop_key=shop_key, as_of=as_of, limit=EVIDENCE_MAX)
    return tuple(
        policy.Restriction(
            restriction_id, policy.RestrictionKind(RestrictionKind(kind).word), from_at, to_at
        )
        for restriction_id, kind, from_at, to_at in rows
    )


def _debts(shop_key: int, as_of: dt.datetime) -> tuple[policy.Debt, ...]:
    rows = _rows(_DEBTS, shop_key=shop_key, as_of=as_of, limit=DEBTS_MAX)
    debts = [
        policy.Debt(
            debt_id, policy.DebtKind(DebtKind(kind).word), amount_minor, policy.DebtStatus.OPEN
        )
        for debt_id, kind, amount_minor, _, _ in rows
    ]
    if rows and (unlisted := rows[0][4] - len(rows)):
        rest_minor = rows[0][3] - sum(debt.amount_minor for debt in debts)
        rest = f"+{unlisted}"
        debts.append(policy.Debt(rest, policy.DebtKind.OTHER, rest_minor, policy.DebtStatus.OPEN))
    return tuple(debts)


def _one(query: str, *, shop_key: int, as_of: dt.datetime) -> dict[str, Any]:
    """The one row about a shop, by the names of its columns."""
    with connection.cursor() as cursor:
        cursor.execute(query, {"shop_key": shop_key, "as_of": as_of})
        row = cursor.fetchone()
        if row is None:
            raise ShopUnknown
        return dict(zip([column.name for column in cursor.description], row, strict=True))


def _rows(query: str, **values: int | str | dt.datetime | list[int]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        rows: list[Row] = cursor.fetchall()
        return rows
