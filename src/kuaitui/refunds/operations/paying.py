"""From a full approval to a payout."""

from __future__ import annotations

import datetime as dt

from kuaitui.deposits.queries import destination
from kuaitui.deposits.types import RoutePlan
from kuaitui.kernel.actor import Actor, ActorKind
from kuaitui.kernel.errors import Refusal
from kuaitui.kit.transactions import requires_transaction
from kuaitui.payouts.operations import begin_payout, repair_leg
from kuaitui.refunds.models import Decision, RefundApplication
from kuaitui.refunds.operations.steps import advance
from kuaitui.refunds.queries.binding import (
    Binding,
    amount_of,
    bind,
    held_for,
    require_eligible,
)
from kuaitui.refunds.queries.dates import dates_of, paid_by
from kuaitui.refunds.queries.policy import terms_of
from kuaitui.refunds.states import State


@requires_transaction
def begin_paying(row: RefundApplication, *, actor: Actor, now: dt.datetime) -> None:
    """Begin the payout of an approved application, or say since when it must wait.

    The final gate: what would be paid now must be exactly what was approved, and every condition
    must still be met, or the approval is void and the case goes back to review. A destination that
    is still cooling down waits.
    """
    waits_until = _cooling_down_until(row, now)
    if waits_until is not None:
        if row.due_at != waits_until:
            advance(
                row,
                to=State.APPROVED,
                code="cooling_down",
                actor=actor,
                now=now,
                due_at=waits_until,
                details={"until": waits_until.isoformat()},
            )
        return
    bound = _still_binding(row, now)
    if bound is None:
        void_approval(row, reason="no_longer_as_approved", actor=actor, now=now)
        return
    _instruct(row, bound, now)
    advance(
        row,
        to=State.PAYING,
        code="payout_begun",
        actor=actor,
        now=now,
        due_at=_paid_by(row, now),
    )


@requires_transaction
def void_approval(row: RefundApplication, *, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Take an approval back because what it bound has changed; a person looks again."""
    row.revision += 1
    to = State.DESTINATION_REPAIRED if row.repairs else State.IN_REVIEW
    advance(
        row,
        to=to,
        code="approval_voided",
        actor=actor,
        now=now,
        due_at=row.review_due_at,
        details={"reason": reason},
    )


def _paid_by(row: RefundApplication, now: dt.datetime) -> dt.datetime:
    """By when all of it has arrived: never before a part that the seller was shown a day for."""
    terms = terms_of(row)
    dates = dates_of(
        row,
        terms=terms,
        destination=destination(row.destination_id) if row.destination_id else None,
        payout=None,
        now=now,
    )
    return paid_by(dates.parts, terms=terms, start=now)


def _cooling_down_until(row: RefundApplication, now: dt.datetime) -> dt.datetime | None:
    # A repair is approved by two people who saw the old and the new account side by side. An account
    # that is named in case a way back closes holds up nothing while all of it is open.
    if row.repairs or not RoutePlan.from_json(row.route_plan).needs_destination:
        return None
    chosen = destination(row.destination_id)
    return chosen.usable_from if chosen.is_cooling_down(now=now) else None


def _still_binding(row: RefundApplication, now: dt.datetime) -> Binding | None:
    try:
        bound = bind(row, now=now)
        if not bound.is_repair:
            require_eligible(row, now=now)
    except Refusal:
        return None
    if bound.approval_hash != row.approval_hash:
        return None
    if not bound.is_repair and held_for(row) != amount_of(row):
        return None
    return bound


def _instruct(row: RefundApplication, bound: Binding, now: dt.datetime) -> None:
    approved_by = _approvers(row)
    if not bound.is_repair:
        begin_payout(
            application_id=row.public_id,
            account_id=row.account_id,
            plan=bound.plan,
            approval_hash=row.approval_hash,
            approved_by=approved_by,
            now=now,
        )
        return
    for leg_id in bound.repaired_leg_ids:
        repair_leg(
            leg_id=leg_id,
            destination_id=row.destination_id,
            approval_hash=row.approval_hash,
            approved_by=approved_by,
            now=now,
        )


def _approvers(row: RefundApplication) -> list[str]:
    """The people whose approval of exactly this stands."""
    decided = Decision.objects.filter(
        application=row,
        approval_hash=row.approval_hash,
        actor_kind=ActorKind.STAFF,
        kind__in=[Decision.Kind.APPROVE, Decision.Kind.CONFIRM, Decision.Kind.GRANT_APPEAL],
    )
    return list(decided.values_list("actor_id", flat=True))
