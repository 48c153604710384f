"""Every condition of FACTS.md, defined once over the measures.

The single explanation evaluates these expressions; the bulk run writes the same ones as SQL.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from kuaitui.policy.expressions import (
    After,
    All,
    Any,
    AsOf,
    Column,
    Compare,
    DateOf,
    Expression,
    Greatest,
    IsNull,
    Least,
    Less,
    Literal,
    Not,
    Today,
    When,
)
from kuaitui.policy.measures import restricted_until
from kuaitui.policy.terms import ConditionTerms, Hold, HoldAnchor, Terms
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
    RefundKind,
    RestrictionKind,
    Standing,
)

_NEVER = Literal(None)
_NONE = Literal(0)
_NO = Literal(value=False)


@dataclass(frozen=True, slots=True)
class Condition:
    """What must be true, and from which date it will be if nothing new happens.

    `clears_on` has a meaning only while the condition fails. `begins_again_until` is set for a
    hold that an event already known to come will start again.
    """

    terms: ConditionTerms
    passes: Expression
    clears_on: Expression = _NEVER
    begins_again_until: Expression | None = None

    @property
    def code(self) -> str:
        """Its code in FACTS.md."""
        return self.terms.code


def refundable_minor(kind: RefundKind) -> Expression:
    """What could be paid if all findings passed: never below zero, an excess above the required."""
    free = Less(Less(Column("held_minor"), Column("frozen_minor")), Column("open_debt_minor"))
    if kind is RefundKind.FULL_EXIT:
        return Greatest(_NONE, free)
    excess = Less(Column("held_minor"), Column("required_minor"))
    return Greatest(_NONE, Least(free, excess))


@cache
def conditions_of(terms: Terms, kind: RefundKind) -> tuple[Condition, ...]:
    """The conditions that apply to a kind of refund, in the order people read them."""
    return tuple(
        _condition(terms, item, kind) for item in terms.conditions if kind in item.refund_kinds
    )


def _condition(terms: Terms, item: ConditionTerms, kind: RefundKind) -> Condition:
    match item.code:
        case code if code in _COUNTED:
            column = _COUNTED[code]
            return Condition(item, _is_none(column), DateOf(Column(f"{column}_until")))
        case code if code in _AMOUNTS:
            return Condition(item, _is_none(_AMOUNTS[code]))
        case code if code == RESTRICTED:
            return _restricted(terms, item)
        case code if code == BANNED:
            standings = sorted(terms.banned_standings)
            return Condition(item, All(*(_standing_is_not(standing) for standing in standings)))
        case code if code == HOLD_RUNNING:
            return _holds(terms, item)
        case code if code == CLOSING_NOTICE_RUNNING:
            return _closing_notice(terms, item)
        case code if code == NOTHING_REFUNDABLE:
            return Condition(item, Compare(refundable_minor(kind), ">", _NONE))
        case unknown:
            raise AssertionError(f"no definition of {unknown}")


_COUNTED = {
    VIOLATION_OPEN: "open_violations",
    ORDER_OPEN: "open_orders",
    AFTER_SALE_OPEN: "open_after_sales",
    DISPUTE_OPEN: "open_disputes",
}
_AMOUNTS = {
    LISTINGS_ON_SALE: "listings_on_sale",
    DEBT_OPEN: "open_debt_minor",
    BALANCE_NOT_WITHDRAWN: "withdrawable_balance_minor",
    DEPOSIT_FROZEN: "frozen_minor",
}


def _is_none(column: str) -> Expression:
    return Compare(Column(column), "=", _NONE)


def _standing_is_not(standing: Standing) -> Expression:
    return Compare(Column("standing"), "<>", Literal(standing.value))


def _restricted(terms: Terms, item: ConditionTerms) -> Condition:
    """A standing without an end blocks until somebody lifts it; a restriction until its end."""
    columns = [Column(restricted_until(kind)) for kind in RestrictionKind
               if kind in terms.restriction_kinds]  # fmt: skip
    is_free = [Any(IsNull(column), Compare(column, "<=", AsOf())) for column in columns]
    may_end = _standing_is_not(Standing.RESTRICTED)
    return Condition(
        item,
        passes=All(may_end, *is_free),
        clears_on=When(may_end, DateOf(Greatest(*columns))) if columns else _NEVER,
    )


def _closing_notice(terms: Terms, item: ConditionTerms) -> Condition:
    notice = terms.closing_notice
    assert notice is not None  # the pack was refused without it
    column = Column("closing_notice_at")
    end = After(DateOf(column), notice.period)
    is_up = All(Not(IsNull(column)), Compare(column, "<=", AsOf()))
    is_over = All(is_up, Compare(end, "<=", Today()))
    passes = is_over if notice.is_required else Any(Not(is_up), is_over)
    return Condition(item, passes=passes, clears_on=end)


@dataclass(frozen=True, slots=True)
class _HoldParts:
    """One hold: whether it counts at all, is over, can end by itself, and when."""

    is_over: Expression
    is_stuck: Expression
    end: Expression
    again: Expression


def _holds(terms: Terms, item: ConditionTerms) -> Condition:
    """All holds over. One that waits for a person has no date, and then neither have all."""
    holds = [_hold(hold) for hold in terms.holds]
    return Condition(
        item,
        passes=All(*(hold.is_over for hold in holds)),
        clears_on=When(
            Any(*(hold.is_stuck for hold in holds)),
            _NEVER,
            Greatest(*(hold.end for hold in holds)),
        ),
        begins_again_until=Greatest(*(hold.again for hold in holds)),
    )


def _hold(hold: Hold) -> _HoldParts:
    match hold.anchor:
        case HoldAnchor.LAST_COMPLETED_ORDER:
            parts = _hold_from_event(hold, "last_order_completed_at", "last_order_completing_at")
        case HoldAnchor.LAST_DISPUTE_CLOSED:
            parts = _hold_from_event(hold, "last_dispute_closed_at", "last_dispute_closing_at")
        case HoldAnchor.SHOP_CLOSED:
            parts = _hold_from_closing(hold)
        case HoldAnchor.EXPULSION:
            parts = _hold_from_expulsion(hold)
    if not hold.only_if_expelled:
        return parts
    return _HoldParts(
        is_over=Any(Not(_IS_EXPELLED), parts.is_over),
        is_stuck=All(_IS_EXPELLED, parts.is_stuck),
        end=When(_IS_EXPELLED, parts.end),
        again=When(_IS_EXPELLED, parts.again),
    )


def _hold_from_event(hold: Hold, past: str, coming: str) -> _HoldParts:
    """Counts from something that has happened; if it never has, there is nothing to wait for."""
    end = After(DateOf(Column(past)), hold.period)
    again = After(DateOf(Column(coming)), hold.period)
    return _HoldParts(
        is_over=Any(IsNull(Column(past)), Compare(end, "<=", Today())),
        is_stuck=_NO,
        end=Greatest(end, again),
        again=again,
    )


def _hold_from_closing(hold: Hold) -> _HoldParts:
    """Counts from the closing of the shop; an open shop has to close first."""
    column = Column("closed_at")
    end = After(DateOf(column), hold.period)
    has_closed = All(Not(IsNull(column)), Compare(column, "<=", AsOf()))
    return _HoldParts(
        is_over=All(has_closed, Compare(end, "<=", Today())),
        is_stuck=IsNull(end),
        end=end,
        again=_NEVER,
    )


_EXPELLED_AT = Column("expelled_at")
_EXPELLED_UNDATED = All(
    IsNull(_EXPELLED_AT), Compare(Column("standing"), "=", Literal(Standing.EXPELLED.value))
)
_EXPELLED_DATED = All(Not(IsNull(_EXPELLED_AT)), Compare(_EXPELLED_AT, "<=", AsOf()))
_IS_EXPELLED = Any(_EXPELLED_UNDATED, _EXPELLED_DATED)


def _hold_from_expulsion(hold: Hold) -> _HoldParts:
    """Counts from the expulsion; a shop that was not expelled has nothing to wait for."""
    end = After(DateOf(_EXPELLED_AT), hold.period)
    return _HoldParts(
        is_over=Any(Not(_IS_EXPELLED), All(_EXPELLED_DATED, Compare(end, "<=", Today()))),
        is_stuck=_EXPELLED_UNDATED,
        end=When(_EXPELLED_DATED, end),
        again=_NEVER,
    )
