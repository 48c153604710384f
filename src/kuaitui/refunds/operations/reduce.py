"""A deduction took part of what an application asks for."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.deposits.errors import DestinationRequired, InsufficientDeposit, NoWayOut
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.money import Money
from kuaitui.refunds.models import Decision, RefundApplication
from kuaitui.refunds.operations.steps import advance, decide, lock_application
from kuaitui.refunds.queries.binding import amount_of, bind, held_for
from kuaitui.refunds.states import BEFORE_A_PAYOUT, State
from kuaitui.refunds.types import RejectReason

DEDUCTIONS = Actor.system("deductions")


@transaction.atomic(durable=True)
def reduce_application(*, application_id: str, deduction_id: str, now: dt.datetime) -> None:
    """Ask for what is left after a deduction; an approval of the larger amount is void.

    If nothing is left, the application is rejected for that reason. Again is a no-op.
    """
    row = lock_application(application_id)
    left = held_for(row)
    if row.state not in BEFORE_A_PAYOUT or row.repairs or left >= amount_of(row):
        return
    if left.is_zero:
        _reject(row, deduction_id, now)
        return
    before = amount_of(row)
    row.amount_minor = left.minor
    _plan_again(row, now)
    bound_states = {State.AWAITING_SECOND_APPROVAL, State.APPROVED}
    advance(
        row,
        to=State.IN_REVIEW if row.state in bound_states else State(row.state),
        code="amount_reduced",
        actor=DEDUCTIONS,
        now=now,
        due_at=row.review_due_at if row.state in bound_states else row.due_at,
        details=_told(deduction_id, before, left),
        audited=_told(deduction_id, before, left),
    )


def _told(deduction_id: str, before: Money, left: Money) -> dict[str, object]:
    return {
        "deduction": deduction_id,
        "before_minor": before.minor,
        "left_minor": left.minor,
    }


def _plan_again(row: RefundApplication, now: dt.datetime) -> None:
    try:
        row.route_plan = bind(row, now=now).plan.to_json()
    except (DestinationRequired, InsufficientDeposit, NoWayOut):
        # No way out for now: whoever approves is told so, and the old plan binds nobody.
        return


def _reject(row: RefundApplication, deduction_id: str, now: dt.datetime) -> None:
    reasons = [RejectReason.DEPOSIT_DEDUCTED.value]
    decide(
        row,
        Decision.Kind.REJECT,
        actor=DEDUCTIONS,
        reasons=reasons,
        text=deduction_id,
        now=now,
    )
    advance(
        row,
        to=State.REJECTED,
        code="rejected",
        actor=DEDUCTIONS,
        now=now,
        # There is nothing to appeal for: the deduction is what one can object to.
        due_at=None,
        details={"reasons": reasons, "deduction": deduction_id},
        audited={"deduction": deduction_id},
    )
