"""The first approval, by the maker."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.deposits.errors import DestinationUnverified
from kuaitui.kernel.actor import Actor
from kuaitui.kit.crashpoints import reach
from kuaitui.kit.transactions import requires_transaction
from kuaitui.refunds.errors import ApprovalOutdated, ApproverIsInvolved
from kuaitui.refunds.models import Decision, RefundApplication
from kuaitui.refunds.operations.paying import begin_paying
from kuaitui.refunds.operations.steps import (
    advance,
    decide,
    lock_application,
    require_act,
    require_version,
)
from kuaitui.refunds.queries.binding import Binding, amount_of, bind, held_for, require_eligible
from kuaitui.refunds.states import StaffAct, State


@transaction.atomic(durable=True)
def approve_application(
    *,
    application_id: str,
    version: int,
    approval_hash: str,
    note: str,
    actor: Actor,
    now: dt.datetime,
) -> State:
    """Approve exactly what was shown; the payout begins unless a second person must confirm.

    `approval_hash` is what the case page showed: payee, amount, route, revision and policy. If any
    of it is different now, nothing is approved.

    Raises:
        ApplicationUnknown: there is no such application.
        StaleVersion, ApprovalOutdated: it is not what was shown.
        StateDoesNotAllow: it is not in review.
        ApproverIsInvolved: the approver made it or chose its destination.
        NotEligible: a finding does not pass (any more).
        DestinationUnverified: nobody vouched for the destination.
    """
    row = lock_application(application_id)
    require_version(row, version)
    require_act(row, StaffAct.APPROVE)
    require_uninvolved(row, actor)
    bound = require_binding(row, approval_hash, now)
    if not bound.is_repair:
        require_eligible(row, now=now)
    decide(
        row,
        Decision.Kind.APPROVE,
        actor=actor,
        approval_hash=bound.approval_hash,
        text=note.strip()[:1000],
        now=now,
    )
    row.route_plan = bound.plan.to_json()
    row.approval_hash = bound.approval_hash
    to = State.AWAITING_SECOND_APPROVAL if bound.requires_second_approval else State.APPROVED
    advance(
        row,
        to=to,
        code="approved",
        actor=actor,
        now=now,
        due_at=row.review_due_at,
        audited={"approval_hash": bound.approval_hash},
    )
    if to is State.APPROVED:
        begin_paying(row, actor=actor, now=now)
    reach("refunds.approve.uncommitted")
    return State(row.state)


def require_uninvolved(row: RefundApplication, actor: Actor) -> None:
    """Refuse an approver who made the application or chose where it goes.

    Raises:
        ApproverIsInvolved: that is so. The database would refuse it too.
    """
    if actor.id in (row.created_by, row.destination_set_by):
        raise ApproverIsInvolved(application=row.public_id)


@requires_transaction
def require_binding(row: RefundApplication, approval_hash: str, now: dt.datetime) -> Binding:
    """What an approval binds now, if that is what was shown.

    Raises:
        ApprovalOutdated: payee, amount, route or policy are no longer what was shown.
        DestinationRequired: the way back has closed since, and no other was chosen.
        DestinationUnverified: nobody vouched for the destination.
    """
    if not row.repairs and held_for(row) != amount_of(row):
        raise ApprovalOutdated(application=row.public_id)
    bound = bind(row, now=now)
    if bound.approval_hash != approval_hash:
        raise ApprovalOutdated(application=row.public_id)
    if bound.destination is not None and not bound.destination.is_verified:
        raise DestinationUnverified(destination=bound.destination.destination_id)
    return bound
