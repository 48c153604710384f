"""The same conditions for a million shops at once, as one SQL statement.

Nothing is defined here: every part of the statement is written by the expressions that the single
assessment evaluates. The relation it reads is described in `policy.measures.COLUMNS`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from kuaitui.kernel.invariants import ensure
from kuaitui.policy.conditions import Condition, conditions_of, refundable_minor
from kuaitui.policy.errors import BulkUnavailable
from kuaitui.policy.expressions import Expression, Literal, Moment
from kuaitui.policy.terms import Terms
from kuaitui.policy.types import CODES, RefundKind


def bulk_sql(
    terms: Terms,
    *,
    kind: RefundKind,
    as_of: dt.datetime,
    source: str,
    keys: Sequence[str] = ("shop_key",),
) -> str:
    """A SELECT that assesses every row of `source`.

    Columns of the result: `keys`, `eligible`, `failed` (bit i is `CODES[i]`), `refundable_minor`,
    `earliest_on` (null when a finding needs somebody to act).

    Args:
        terms: the policy in force.
        kind: what is asked back.
        as_of: the moment to assess for; the measures of `source` must be those of this moment.
        source: a table, a view, or a sub-select in brackets, with the columns of
            `measures.COLUMNS`. It becomes part of the statement: never a person's input.
        keys: columns of `source` that name the row.

    Raises:
        BulkUnavailable: the pack has conditions of its own for this kind of refund.
    """
    kind = RefundKind(kind)
    if any(kind in item.refund_kinds for item in terms.own_conditions):
        raise BulkUnavailable(pack=terms.pack, version=terms.version)
    ensure(all(key.isidentifier() for key in keys), "a key is the name of a column")
    conditions = conditions_of(terms, kind)
    moment = Moment(as_of, terms.zone)
    named = ", ".join(keys)
    # OFFSET 0 keeps the planner from computing the mask again wherever it is used.
    return "\n".join((
        f"SELECT {named}, failed = 0 AS eligible, failed, refundable_minor,",
        f"  {_earliest_on(conditions, moment)} AS earliest_on",
        f"FROM (SELECT source.*, {_failed(conditions, moment)} AS failed,",
        f"  {refundable_minor(kind).sql(moment)} AS refundable_minor",
        f"  FROM {source} AS source OFFSET 0) AS assessed",
    ))  # fmt: skip


def codes_of_mask(failed: int) -> tuple[str, ...]:
    """The codes of the conditions that failed, from a bulk result."""
    return tuple(code for bit, code in enumerate(CODES) if failed >> bit & 1)


def _bit(condition: Condition) -> int:
    return 1 << CODES.index(condition.code)


def _failed(conditions: tuple[Condition, ...], moment: Moment) -> str:
    parts = [
        f"CASE WHEN {condition.passes.sql(moment)} THEN 0 ELSE {_bit(condition)}::bigint END"
        for condition in conditions
    ]
    return "\n  + ".join(parts) or "0::bigint"


def _earliest_on(conditions: tuple[Condition, ...], moment: Moment) -> str:
    undated = sum(_bit(item) for item in conditions if item.clears_on == Literal(None))
    dated = [item for item in conditions if item.clears_on != Literal(None)]
    today = Literal(moment.today).sql(moment)
    is_stuck = [f"failed & {undated} <> 0"] + [
        f"failed & {_bit(item)} <> 0 AND ({item.clears_on.sql(moment)}) IS NULL" for item in dated
    ]
    dates = [
        f"CASE WHEN failed & {_bit(item)} <> 0 THEN {item.clears_on.sql(moment)} END"
        for item in dated
    ] + [_again(item.begins_again_until, moment) for item in conditions if item.begins_again_until]
    latest = f"GREATEST({', '.join(dates)})" if dates else "NULL::date"
    return (
        f"CASE WHEN failed = 0 THEN {today}\n"
        + "".join(f"    WHEN {stuck} THEN NULL\n" for stuck in is_stuck)
        + f"    ELSE {latest} END"
    )


def _again(expression: Expression, moment: Moment) -> str:
    return f"({expression.sql(moment)})"
