"""The second approval, by the checker, and his no."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.kernel.actor import Actor
from kuaitui.kernel.money import Money
from kuaitui.refunds.errors import (
    AmountRetypedWrong,
    ApprovalOutdated,
    SecondApproverIsFirst,
)
from kuaitui.refunds.models import Decision, RefundApplication
from kuaitui.refunds.operations.approve import require_binding, require_uninvolved
from kuaitui.refunds.operations.paying import begin_paying
from kuaitui.refunds.operations.steps import (
    advance,
    decide,
    lock_application,
    require_act,
    require_text,
    require_version,
)
from kuaitui.refunds.queries.binding import require_eligible
from kuaitui.refunds.states import StaffAct, State


@transaction.atomic(durable=True)
def confirm_approval(
    *,
    application_id: str,
    version: int,
    approval_hash: str,
    amount_retyped: Money | None,
    actor: Actor,
    now: dt.datetime,
) -> State:
    """Confirm what somebody else approved; the payout begins.

    `amount_retyped` is what goes out, as the checker typed it from the page, where the page asks.

    Raises:
        ApplicationUnknown: there is no such application.
        StaleVersion, ApprovalOutdated: it is not what was shown, or not what was approved.
        StateDoesNotAllow: no second approval is awaited.
        SecondApproverIsFirst, ApproverIsInvolved: this person may not.
        AmountRetypedWrong: another amount was typed.
        NotEligible: a finding does not pass (any more).
        DestinationUnverified: nobody vouched for the destination.
    """
    row = lock_application(application_id)
    require_version(row, version)
    require_act(row, StaffAct.CONFIRM)
    require_uninvolved(row, actor)
    if row.decisions.filter(
        kind=Decision.Kind.APPROVE, approval_hash=row.approval_hash, actor_id=actor.id
    ).exists():
        raise SecondApproverIsFirst(application=application_id)
    bound = require_binding(row, approval_hash, now)
    if bound.approval_hash != row.approval_hash:
        raise ApprovalOutdated(application=application_id)
    if amount_retyped is not None and amount_retyped != bound.amount:
        raise AmountRetypedWrong
    if not bound.is_repair:
        require_eligible(row, now=now)
    decide(row, Decision.Kind.CONFIRM, actor=actor, approval_hash=bound.approval_hash, now=now)
    advance(
        row,
        to=State.APPROVED,
        code="second_approved",
        actor=actor,
        now=now,
        due_at=row.review_due_at,
        audited={"approval_hash": bound.approval_hash},
    )
    begin_paying(row, actor=actor, now=now)
    return State(row.state)


@transaction.atomic(durable=True)
def send_back(
    *, application_id: str, version: int, text: str, actor: Actor, now: dt.datetime
) -> None:
    """Do not confirm: the case goes back to review, and the first approval is worth nothing.

    Raises:
        ApplicationUnknown: there is no such application.
        StaleVersion: it is not what was shown.
        StateDoesNotAllow: no second approval is awaited.
        TextMissing, NoteTooLong: the reviewer must be told why.
    """
    row = lock_application(application_id)
    require_version(row, version)
    require_act(row, StaffAct.SEND_BACK)
    told = require_text(text)
    decide(row, Decision.Kind.SEND_BACK, actor=actor, text=told, now=now)
    row.revision += 1
    advance(
        row, to=_review_state(row), code="sent_back", actor=actor, now=now, due_at=row.review_due_at
    )


def _review_state(row: RefundApplication) -> State:
    return State.DESTINATION_REPAIRED if row.repairs else State.IN_REVIEW
