"""One date for an application: what was promised, what holds now, and for each of its parts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from kuaitui.deposits.types import Destination, RoutePlan
from kuaitui.payouts.queries import PayoutProgress
from kuaitui.policy.terms import Terms
from kuaitui.refunds import rules
from kuaitui.refunds.models import Decision, RefundApplication
from kuaitui.refunds.queries.binding import will_be_approved_by_rule
from kuaitui.refunds.queries.expected import expected_parts
from kuaitui.refunds.queries.rows import is_late
from kuaitui.refunds.states import State
from kuaitui.refunds.types import Eta, ExpectedPart, Standing

# In these the marketplace acts before anything is handed over. A wait for the seller is no delay.
_BEFORE_PAYING = frozenset(
    {
        State.SUBMITTED,
        State.CHECKING,
        State.IN_REVIEW,
        State.AWAITING_SECOND_APPROVAL,
        State.APPROVED,
        State.DESTINATION_REPAIRED,
        State.APPEALED,
    }
)

# A person looks at these, whatever the rule once said.
_REVIEWED = frozenset(
    {
        State.IN_REVIEW,
        State.MORE_INFORMATION,
        State.AWAITING_SECOND_APPROVAL,
        State.REJECTED,
        State.APPEALED,
    }
)
_APPROVING = (
    Decision.Kind.APPROVE_BY_RULE,
    Decision.Kind.APPROVE,
    Decision.Kind.CONFIRM,
    Decision.Kind.GRANT_APPEAL,
)


@dataclass(frozen=True, slots=True)
class Dates:
    """The days of an application. No part of it is ever expected after the whole."""

    promised: Eta
    """As on the day of the application, moved on by what the seller took to answer."""
    eta: Eta
    """As it stands now."""
    parts: tuple[ExpectedPart, ...]
    """Empty after a repair: it goes other ways than were planned."""
    due_on: dt.date | None
    """The last day for whoever acts next."""
    needs_no_review: bool
    """The rule approved it, or will within seconds."""


def dates_of(
    row: RefundApplication,
    *,
    terms: Terms,
    destination: Destination | None,
    payout: PayoutProgress | None,
    now: dt.datetime,
) -> Dates:
    """The days of a submitted application, as its seller and staff are told them."""
    by_rule = _needs_no_review(row, now=now)
    promised = _promised(row, terms, by_rule=by_rule, now=now)
    parts: tuple[ExpectedPart, ...] = ()
    if not row.repairs:
        parts = expected_parts(
            RoutePlan.from_json(row.route_plan),
            destination,
            shop_key=row.shop_key,
            promised=promised,
            terms=terms,
            now=now,
            payout=payout,
        )
    today = now.astimezone(terms.zone).date()
    whole = _whole(row, promised, terms=terms, today=today)
    eta = rules.not_before_the_parts(whole, parts)
    if row.state == State.PAYING and is_late(row, now=now):
        eta = _late_payment(eta, payout, terms=terms, today=today)
    due_on = _due_on(row, eta, terms=terms, by_rule=by_rule, now=now)
    return Dates(promised, eta, parts, due_on, by_rule)


def paid_by(parts: Sequence[ExpectedPart], *, terms: Terms, start: dt.datetime) -> dt.datetime:
    """The moment by which a payout begun at `start` has arrived, with every part of it."""
    period_ends_at = rules.end_of_period(terms.review.arrival_time, start=start, terms=terms)
    days = [part.arrives_by for part in parts if part.arrives_by is not None]
    return max([period_ends_at, *(rules.midnight_after(day, terms=terms) for day in days)])


def _needs_no_review(row: RefundApplication, *, now: dt.datetime) -> bool:
    if row.repairs or row.state in _REVIEWED:
        return False
    approvals = row.decisions.filter(kind__in=_APPROVING).order_by("-number")
    last = approvals.values_list("kind", flat=True).first()
    return last == Decision.Kind.APPROVE_BY_RULE or will_be_approved_by_rule(row, now=now)


def _promised(row: RefundApplication, terms: Terms, *, by_rule: bool, now: dt.datetime) -> Eta:
    submitted = row.submitted_at or row.created_at
    promised = rules.eta(terms, now=submitted, by_rule=by_rule)
    if by_rule or row.review_due_at is None:
        return promised
    review_due_at = row.review_due_at
    if row.state == State.MORE_INFORMATION:
        review_due_at = rules.put_off(review_due_at, by=now - row.state_since, terms=terms)
    review_by = rules.last_day(review_due_at, terms=terms)
    return replace(
        promised, review_by=review_by, arrives_by=terms.review.arrival_time.after(review_by)
    )


def _whole(row: RefundApplication, promised: Eta, *, terms: Terms, today: dt.date) -> Eta:
    """The promise as it stands now, before its parts are looked at."""
    if row.state == State.PAYING and row.due_at is not None:
        return replace(promised, arrives_by=rules.last_day(row.due_at, terms=terms))
    if row.state in _BEFORE_PAYING and today > promised.review_by:
        arrives_by = terms.review.arrival_time.after(today)
        return replace(promised, arrives_by=arrives_by, standing=Standing.LATE)
    return promised


def _late_payment(eta: Eta, payout: PayoutProgress | None, *, terms: Terms, today: dt.date) -> Eta:
    """What can be said once the day is over: a new day, if there is one to tell."""
    legs = payout.legs if payout else ()
    if any(leg.left_at is None and not leg.is_replaced for leg in legs):
        arrives_by = max(eta.arrives_by, terms.review.arrival_time.after(today))
        return replace(eta, arrives_by=arrives_by, standing=Standing.LATE)
    has_a_day = eta.arrives_by >= today
    return replace(eta, standing=Standing.MOVED if has_a_day else Standing.OVERDUE)


def _due_on(
    row: RefundApplication, eta: Eta, *, terms: Terms, by_rule: bool, now: dt.datetime
) -> dt.date | None:
    if row.due_at is None:
        return None
    due_on = rules.last_day(row.due_at, terms=terms)
    if is_late(row, now=now):
        return due_on
    match State(row.state):
        case State.PAYING:
            return eta.arrives_by
        case State.SUBMITTED | State.CHECKING if by_rule:
            return eta.review_by
        case _:
            return due_on
