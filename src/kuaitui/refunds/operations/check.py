"""The check after submission: the rule approves, or a person looks."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.kernel.actor import Actor
from kuaitui.kernel.errors import Refusal
from kuaitui.refunds.models import Decision, RefundApplication
from kuaitui.refunds.operations.paying import begin_paying
from kuaitui.refunds.operations.steps import advance, decide, lock_application
from kuaitui.refunds.queries.binding import (
    Binding,
    bind,
    look_again,
    may_be_approved_by_rule,
)
from kuaitui.refunds.states import State

CHECK = Actor.system("check_application")
RULE = Actor.system("approve_by_rule")


@transaction.atomic(durable=True)
def check_application(*, application_id: str, now: dt.datetime) -> None:
    """Look at a submitted application once more and send it on.

    If every finding passes, all of it goes back the way it came and it lies within the policy's
    limit, the rule approves it and its payout begins. Otherwise a person reviews it. Again is a
    no-op.

    Raises:
        ApplicationUnknown: there is no such application.
    """
    row = lock_application(application_id)
    if row.state != State.SUBMITTED:
        return
    due_at = row.review_due_at
    advance(row, to=State.CHECKING, code="checking", actor=CHECK, now=now, due_at=due_at)
    seen = look_again(row, now=now)
    bound = _bind(row, now)
    if bound is not None and may_be_approved_by_rule(row, seen, bound):
        decide(
            row,
            Decision.Kind.APPROVE_BY_RULE,
            actor=RULE,
            approval_hash=bound.approval_hash,
            now=now,
        )
        row.route_plan = bound.plan.to_json()
        row.approval_hash = bound.approval_hash
        advance(row, to=State.APPROVED, code="approved_by_rule", actor=RULE, now=now, due_at=due_at)
        begin_paying(row, actor=RULE, now=now)
        return
    blockers = [finding.code for finding in seen.assessment.blockers]
    advance(
        row,
        to=State.IN_REVIEW,
        code="checked",
        actor=CHECK,
        now=now,
        due_at=due_at,
        details={"blockers": blockers},
    )


def _bind(row: RefundApplication, now: dt.datetime) -> Binding | None:
    """What the rule would bind; nothing if there is no way out, which is for a person to see."""
    try:
        return bind(row, now=now)
    except Refusal:
        return None
