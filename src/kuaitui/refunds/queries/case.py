"""A case as staff decide it: facts as they were and as they are, differences marked."""

from __future__ import annotations

import datetime as dt

from kuaitui.deposits.queries import shops_sharing_destination
from kuaitui.kernel.errors import Refusal
from kuaitui.refunds import rules
from kuaitui.refunds.models import RefundApplication
from kuaitui.refunds.queries.applications import view
from kuaitui.refunds.queries.binding import bind, look_again
from kuaitui.refunds.queries.rows import decisions_of, find_row
from kuaitui.refunds.queries.values import ApprovalPreview, Case
from kuaitui.refunds.states import FACTS, OPEN, StaffAct, State


def case(*, application_id: str, now: dt.datetime) -> Case:
    """Everything about an application.

    Raises:
        ApplicationUnknown: there is none.
    """
    row = find_row(application_id, shop_key=None)
    then = row.snapshots.order_by("number")[0]
    seen = look_again(row, now=now)
    facts_now = seen.facts_json()
    changed = rules.differences(then.facts, facts_now) if State(row.state) in OPEN else ()
    approval, obstacle = _approval(row, now)
    if not obstacle and approval and not approval.is_repair and not seen.assessment.is_eligible:
        obstacle = "refund.not_eligible"
    return Case(
        application=view(row, now=now),
        facts_then=then.facts,
        assessment_then=then.assessment,
        facts_now=facts_now,
        assessment_now=seen.assessment,
        differences=tuple(changed),
        decisions=decisions_of(row),
        approval=approval,
        approval_obstacle=obstacle,
        shops_sharing_destination=(
            shops_sharing_destination(row.destination_id) if row.destination_id else 0
        ),
    )


def _approval(row: RefundApplication, now: dt.datetime) -> tuple[ApprovalPreview | None, str]:
    """What could be approved now, and what an approval would meet instead."""
    acts = FACTS[State(row.state)].staff_acts
    if not acts & {StaffAct.APPROVE, StaffAct.CONFIRM}:
        return None, ""
    try:
        bound = bind(row, now=now)
    except Refusal as refusal:
        return None, refusal.code
    obstacle = ""
    if row.approval_hash not in ("", bound.approval_hash):
        obstacle = "refund.approval_outdated"
    elif bound.destination is not None and not bound.destination.is_verified:
        obstacle = "destination.unverified"
    preview = ApprovalPreview(
        version=row.version,
        approval_hash=bound.approval_hash,
        amount=bound.amount,
        plan=bound.plan,
        destination=bound.destination,
        requires_second_approval=bound.requires_second_approval,
        is_repair=bound.is_repair,
    )
    return preview, obstacle
