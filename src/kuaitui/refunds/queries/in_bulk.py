"""Every deposit of the marketplace assessed at once, by the policy in force."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

import psycopg
from django.db import connection

from kuaitui.policy.bulk import bulk_sql
from kuaitui.policy.measures import COLUMNS
from kuaitui.policy.terms import Terms
from kuaitui.policy.types import RefundKind
from kuaitui.refunds.queries.policy import terms_in_force

# Shops are taken by ranges of their keys: no long transaction, constant memory, and several
# processes can share the work by giving each a range.
SHOPS_AT_ONCE = 50_000

_FROM_DEPOSITS = {"held_minor", "frozen_minor", "required_minor"}
_FROM_BOTH = {"open_debt_minor"}
_FROM_FACTS = [name for name in COLUMNS if name not in _FROM_DEPOSITS | _FROM_BOTH]

# What a deduction left owing, above what the deposit held, is a debt that nobody outside reports.
_MEASURES = """(
    SELECT deposit.account_id, deposit.held_minor, deposit.frozen_minor, deposit.required_minor,
        facts.open_debt_minor + deposit.owed_minor AS open_debt_minor, {columns}
    FROM deposits_for_assessment AS deposit
    JOIN facts_shop_summary_at('{as_of}'::timestamptz) AS facts USING (shop_key)
    WHERE deposit.shop_key > {after} AND deposit.shop_key <= {up_to}
        AND facts.shop_key > {after} AND facts.shop_key <= {up_to}
)"""


class BulkAssessment(NamedTuple):
    """What an assessment of one deposit comes to; `policy.bulk.codes_of_mask` names the failed."""

    account_id: str
    is_eligible: bool
    failed: int
    refundable_minor: int
    earliest_on: dt.date | None


def assess_in_bulk(
    *,
    kind: RefundKind,
    now: dt.datetime,
    after_shop_key: int = 0,
    up_to_shop_key: int | None = None,
) -> Iterator[BulkAssessment]:
    """Assess every open deposit whose shop's key lies in the range, all of them by default.

    The same as `assess_deposit` for each, some hundred thousand a second.

    Raises:
        BulkUnavailable: the pack has conditions of its own for this kind of refund.
        PackUnknown, PackInvalid: the installation names no usable pack.
    """
    terms = terms_in_force()
    last = _last_shop_key() if up_to_shop_key is None else up_to_shop_key
    for after in range(after_shop_key, last, SHOPS_AT_ONCE):
        statement = _statement(
            terms, kind=kind, now=now, after=after, up_to=min(after + SHOPS_AT_ONCE, last)
        )
        connection.ensure_connection()
        with psycopg.Cursor(connection.connection) as cursor:
            cursor.execute(statement.encode(), binary=True)
            yield from map(BulkAssessment._make, cursor)


def _statement(terms: Terms, *, kind: RefundKind, now: dt.datetime, after: int, up_to: int) -> str:
    measures = _MEASURES.format(
        columns=", ".join(f"facts.{name}" for name in _FROM_FACTS),
        as_of=now.isoformat(),
        after=int(after),
        up_to=int(up_to),
    )
    return bulk_sql(terms, kind=kind, as_of=now, source=measures, keys=("account_id",))


def _last_shop_key() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COALESCE(max(shop_key), 0) FROM deposits_for_assessment")
        return int(cursor.fetchone()[0])
