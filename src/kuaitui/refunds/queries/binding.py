"""What an approval of a case would bind right now."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from kuaitui.deposits.queries import deposit, destination, hold, plan_again, plan_route
from kuaitui.deposits.types import Destination, RoutePlan
from kuaitui.kernel.errors import Refusal
from kuaitui.kernel.money import Money
from kuaitui.payouts.queries import LegProgress, parts_of_lots, payout_of_application
from kuaitui.policy.types import RefundKind
from kuaitui.refunds import rules
from kuaitui.refunds.errors import NotEligible
from kuaitui.refunds.models import RefundApplication
from kuaitui.refunds.queries.assessing import Look, look
from kuaitui.refunds.queries.policy import terms_of
from kuaitui.refunds.states import State

ORIGINAL_PAYEE = "original"


@dataclass(frozen=True, slots=True)
class Binding:
    """Exactly what somebody approves: who is paid, how much, along which way."""

    approval_hash: str
    amount: Money
    """What goes out: for a repair, what came back and is sent again."""
    plan: RoutePlan
    destination: Destination | None
    requires_second_approval: bool
    is_repair: bool
    repaired_leg_ids: tuple[str, ...]
    """The legs that the plan sends again; one that comes back later is not among them."""


def bind(row: RefundApplication, *, now: dt.datetime) -> Binding:
    """What an approval would bind now, from the lots, the destination and the policy as they are.

    Raises:
        InsufficientDeposit, DestinationRequired, NoWayOut: there is no way out for this amount now.
    """
    legs = repairable_legs(row) if row.repairs else []
    plan = _plan_again(row, legs) if row.repairs else _first_plan(row, amount_of(row), now)
    amount = plan.total
    payee = destination(row.destination_id) if plan.needs_destination else None
    digest = terms_of(row).digest
    return Binding(
        approval_hash=rules.approval_hash(
            application_id=row.public_id,
            revision=row.revision,
            amount=amount,
            payee_fingerprint=payee.fingerprint if payee else ORIGINAL_PAYEE,
            plan=plan,
            policy_digest=digest,
        ),
        amount=amount,
        plan=plan,
        destination=payee,
        requires_second_approval=rules.requires_second_approval(
            amount=amount,
            second_approval_from=Money(row.second_approval_from_minor or 0, row.currency),
            is_forced=row.second_approval_forced,
            repairs=row.repairs,
        ),
        is_repair=row.repairs > 0,
        repaired_leg_ids=tuple(leg.leg_id for leg in legs),
    )


def amount_of(row: RefundApplication) -> Money:
    """What a submitted application asks for now."""
    return Money(row.amount_minor or 0, row.currency)


def repairable_legs(row: RefundApplication) -> list[LegProgress]:
    """The legs whose money came back and was not sent again."""
    return list(payout_of_application(row.public_id).repairable_legs)


def repair_plan(row: RefundApplication) -> RoutePlan:
    """What came back, to the destination chosen for it."""
    return _plan_again(row, repairable_legs(row))


def _plan_again(row: RefundApplication, legs: list[LegProgress]) -> RoutePlan:
    lots = {lot.lot_id: lot for lot in deposit(row.account_id).lots}
    return RoutePlan(
        tuple(
            plan_again(lots[leg.lot_id], amount=leg.amount, destination_id=row.destination_id)
            for leg in legs
        )
    )


def look_again(row: RefundApplication, *, now: dt.datetime) -> Look:
    """Facts and assessment as they are now, by the policy the application was made under."""
    return look(
        deposit(row.account_id),
        terms=terms_of(row),
        kind=RefundKind(row.kind),
        now=now,
        own_hold=held_for(row),
    )


def require_eligible(row: RefundApplication, *, now: dt.datetime) -> None:
    """Refuse money a way out while a condition is not met (any more).

    Raises:
        NotEligible: `details` name the findings that do not pass.
    """
    seen = look_again(row, now=now)
    blockers = [finding.code for finding in seen.assessment.blockers]
    if blockers or amount_of(row) > seen.assessment.refundable:
        raise NotEligible(codes=blockers)


def may_be_approved_by_rule(row: RefundApplication, seen: Look, bound: Binding) -> bool:
    """Whether the rule approves what an approval would bind, from facts just looked at."""
    amount = amount_of(row)
    is_eligible = seen.assessment.is_eligible and amount <= seen.assessment.refundable
    return rules.may_approve_by_rule(
        amount=amount,
        limit=Money(row.auto_approval_limit_minor or 0, row.currency),
        is_eligible=is_eligible,
        plan=bound.plan,
        is_forced=row.second_approval_forced or bool(row.destination_id),
    )


def will_be_approved_by_rule(row: RefundApplication, *, now: dt.datetime) -> bool:
    """Whether the check that follows the submission will find nothing for a person to look at.

    The check itself asks the same again: a fact that arrives in between may change its mind.
    """
    if row.state != State.SUBMITTED:
        return False
    try:
        bound = bind(row, now=now)
    except Refusal:
        return False
    return may_be_approved_by_rule(row, look_again(row, now=now), bound)


def held_for(row: RefundApplication) -> Money:
    """What is set aside for this application right now."""
    return hold(account_id=row.account_id, reference=row.public_id).open


def _first_plan(row: RefundApplication, amount: Money, now: dt.datetime) -> RoutePlan:
    summary = deposit(row.account_id)
    return plan_route(
        summary.lots,
        amount=amount,
        destination_id=row.destination_id,
        parts=parts_of_lots(book_id=summary.book_id),
        now=now,
    )
