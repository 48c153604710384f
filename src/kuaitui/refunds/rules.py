"""Rules of refunds: how much may be asked, what an approval binds, who must approve, what changed."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from kuaitui.channels.port import Arrival
from kuaitui.deposits.types import PlannedLeg, Route, RoutePlan
from kuaitui.kernel.money import Money
from kuaitui.policy.calendar import add_working_days, count_working_days, is_working_day
from kuaitui.policy.terms import DayUnit, Period, Review, Terms
from kuaitui.policy.types import RefundKind
from kuaitui.refunds.errors import (
    AmountAboveRefundable,
    AmountCurrencyWrong,
    AmountMissing,
    AmountNotPositive,
    NothingRefundable,
)
from kuaitui.refunds.types import (
    AmountChoice,
    ClosingWayBack,
    Difference,
    Eta,
    ExpectedPart,
    WayBack,
)

NOTE_LENGTH_MAX = 500
TEXT_LENGTH_MAX = 1000
DRAFT_KEPT = dt.timedelta(days=30)
# Nobody knows when a review that is late ends. What closes sooner than this is pressing.
LATE_HAND_OVER_WITHIN = dt.timedelta(days=1)
# What changes from hour to hour without meaning anything to a reviewer.
_NOT_COMPARED = frozenset({"as_of"})


def refund_kind(choice: AmountChoice, *, amount: Money | None, excess: Money) -> RefundKind:
    """Whether the conditions for leaving apply, or those for taking out the excess.

    A part that leaves what is required untouched is excess; more than that is leaving.
    """
    match choice:
        case AmountChoice.EXCESS:
            return RefundKind.EXCESS
        case AmountChoice.WHOLE:
            return RefundKind.FULL_EXIT
        case AmountChoice.PART:
            fits = amount is not None and amount.currency == excess.currency and amount <= excess
            return RefundKind.EXCESS if fits else RefundKind.FULL_EXIT


def asked_amount(choice: AmountChoice, *, amount: Money | None, refundable: Money) -> Money:
    """The amount of an application, checked.

    Raises:
        NothingRefundable: there is nothing to ask for.
        AmountMissing: a part without an amount.
        AmountCurrencyWrong, AmountNotPositive, AmountAboveRefundable: what is wrong with it.
    """
    if choice is not AmountChoice.PART:
        if not refundable.is_positive:
            raise NothingRefundable
        return refundable
    if amount is None:
        raise AmountMissing
    if amount.currency != refundable.currency:
        raise AmountCurrencyWrong(given=amount.currency, expected=refundable.currency)
    if not amount.is_positive:
        raise AmountNotPositive(minor=amount.minor)
    if not refundable.is_positive:
        raise NothingRefundable
    if amount > refundable:
        raise AmountAboveRefundable(amount_max_minor=refundable.minor, currency=amount.currency)
    return amount


def approval_hash(
    *,
    application_id: str,
    revision: int,
    amount: Money,
    payee_fingerprint: str,
    plan: RoutePlan,
    policy_digest: str,
) -> str:
    """What an approval binds: who is paid, how much, along which way, of which revision and policy."""
    bound = {
        "application": application_id,
        "revision": revision,
        "amount_minor": amount.minor,
        "currency": amount.currency,
        "payee": payee_fingerprint,
        "plan": plan.to_json(),
        "policy": policy_digest,
    }
    canonical = json.dumps(bound, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def auto_approval_limit(review: Review, currency: str) -> Money:
    """Up to which amount the rule may approve: none in a currency the pack sets no limit for."""
    limit = review.auto_approval_limit.amount
    return limit if limit.currency == currency else Money.zero(currency)


def second_approval_tier(review: Review, currency: str) -> Money:
    """From which amount two people approve: any in a currency the pack sets no tier for."""
    tier = review.second_approval_from.amount
    return tier if tier.currency == currency else Money.zero(currency)


def requires_second_approval(
    *, amount: Money, second_approval_from: Money, is_forced: bool, repairs: int
) -> bool:
    """Whether two people must approve: large sums, fresh destinations, every repair."""
    return is_forced or repairs > 0 or amount >= second_approval_from


def may_approve_by_rule(
    *, amount: Money, limit: Money, is_eligible: bool, plan: RoutePlan | None, is_forced: bool
) -> bool:
    """Whether nobody needs to look: every finding passes, all of it goes back the way it came."""
    goes_back = plan is not None and not plan.needs_destination
    return is_eligible and goes_back and not is_forced and amount <= limit


def end_of_period(period: Period, *, start: dt.datetime, terms: Terms) -> dt.datetime:
    """The moment a period begun at `start` is over: the end of its last day, there."""
    last_on = period.after(start.astimezone(terms.zone).date())
    return midnight_after(last_on, terms=terms)


def put_off(due_at: dt.datetime, *, by: dt.timedelta, terms: Terms) -> dt.datetime:
    """A deadline of the review after its clock stood still: the end of a day on which people work."""
    on = last_day(due_at + by, terms=terms)
    if terms.review.review_time.unit is DayUnit.WORKING_DAYS:
        while not is_working_day(on):
            on += dt.timedelta(days=1)
    return midnight_after(on, terms=terms)


def midnight_after(on: dt.date, *, terms: Terms) -> dt.datetime:
    """The moment a day is over, there."""
    midnight = dt.datetime.combine(on + dt.timedelta(days=1), dt.time(), terms.zone)
    return midnight.astimezone(dt.UTC)


def end_of_day(on: dt.date, *, terms: Terms) -> dt.datetime:
    """The last moment of a day, there."""
    return midnight_after(on, terms=terms) - dt.timedelta(microseconds=1)


def last_day(moment: dt.datetime, *, terms: Terms) -> dt.date:
    """The last day that ends at or before `moment`, as people write a deadline."""
    return (moment - dt.timedelta(microseconds=1)).astimezone(terms.zone).date()


def eta(terms: Terms, *, now: dt.datetime, by_rule: bool) -> Eta:
    """When an application made now is reviewed and paid, at the latest."""
    today = now.astimezone(terms.zone).date()
    review = terms.review.review_time
    arrival = terms.review.arrival_time
    review_by = today if by_rule else review.after(today)
    return Eta(
        review_by=review_by,
        arrives_from=today,
        arrives_by=arrival.after(review_by),
        is_provisional=review.is_provisional_after(today)
        or arrival.is_provisional_after(review_by),
    )


def expected_part(
    leg: PlannedLeg, arrival: Arrival | None, *, sent_from: dt.datetime, sent_by: dt.datetime
) -> ExpectedPart:
    """Between which days a part arrives that is handed over between two moments.

    The one place where such days are counted: whoever shows them, shows the same ones.
    """
    if arrival is None:
        return ExpectedPart(leg, None, None)
    first_on = _counted_from(arrival, sent_from)
    last_on = _counted_from(arrival, max(sent_from, sent_by))
    if not arrival.in_working_days:
        return ExpectedPart(
            leg,
            first_on + dt.timedelta(days=arrival.days_min),
            last_on + dt.timedelta(days=arrival.days_max),
        )
    last = count_working_days(last_on, arrival.days_max)
    return ExpectedPart(
        leg, add_working_days(first_on, arrival.days_min), last.on, last.is_provisional
    )


def _counted_from(arrival: Arrival, handed_over_at: dt.datetime) -> dt.date:
    local = handed_over_at.astimezone(arrival.zone)
    if arrival.cut_off is None:
        return local.date()
    is_in_time = is_working_day(local.date()) and local.time() < arrival.cut_off
    return local.date() if is_in_time else add_working_days(local.date(), 1)


def handed_over_by(review_ends_at: dt.datetime, *, now: dt.datetime) -> dt.datetime:
    """Before which moment a part is handed over: the end of the review, or soon if that is over."""
    return review_ends_at if now < review_ends_at else now + LATE_HAND_OVER_WITHIN


def way_back(leg: PlannedLeg, *, now: dt.datetime, handed_over_by: dt.datetime) -> WayBack:
    """Whether a part can still go back the way it came up to the moment it is handed over."""
    if leg.route is not Route.ORIGINAL or leg.refundable_until is None:
        return WayBack.OPEN
    if leg.refundable_until <= now:
        return WayBack.CLOSED
    return WayBack.CLOSING if leg.refundable_until < handed_over_by else WayBack.OPEN


def closing_way_back(parts: Sequence[ExpectedPart]) -> ClosingWayBack | None:
    """What of these parts may miss its way back, and when the first of them does."""
    closing = [part.leg for part in parts if part.way_back is WayBack.CLOSING]
    moments = [leg.refundable_until for leg in closing if leg.refundable_until is not None]
    if not moments:
        return None
    return ClosingWayBack(RoutePlan(tuple(closing)).total, min(moments))


def not_before_the_parts(promised: Eta, parts: Sequence[ExpectedPart]) -> Eta:
    """A promise for the whole that no part of it contradicts."""
    days = [part.arrives_by for part in parts if part.arrives_by is not None]
    return replace(
        promised,
        arrives_by=max([promised.arrives_by, *days]),
        is_provisional=promised.is_provisional or any(part.is_provisional for part in parts),
    )


def differences(then: object, now: object, *, path: str = "") -> Iterator[Difference]:
    """Where two documents differ, path by path. Lists of things with an id are compared by id."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in sorted({*then, *now} - _NOT_COMPARED):
            inner = f"{path}.{key}" if path else str(key)
            yield from differences(then.get(key), now.get(key), path=inner)
    elif _has_ids(then) and _has_ids(now):
        yield from differences(_by_id(then), _by_id(now), path=path)
    elif then != now:
        yield Difference(path, then, now)


def _has_ids(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, Mapping) and "id" in item for item in value
    )


def _by_id(items: object) -> Mapping[str, object]:
    listed: Sequence[Mapping[str, object]] = items if isinstance(items, list) else []
    return {str(item["id"]): item for item in listed}
