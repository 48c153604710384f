"""What a payout's news means for its application. News may come twice, late, or out of order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from kuaitui.kernel.actor import Actor
from kuaitui.kit.transactions import requires_transaction
from kuaitui.payouts.queries import payout_of_application
from kuaitui.payouts.states import PayoutState
from kuaitui.refunds.models import RefundApplication
from kuaitui.refunds.operations.paying import void_approval
from kuaitui.refunds.operations.steps import advance, lock_application, wait_for_repair
from kuaitui.refunds.queries.binding import repairable_legs
from kuaitui.refunds.states import State

PAYOUTS = Actor.system("payouts")


@transaction.atomic(durable=True)
def record_leg_sent(
    *, application_id: str, leg_id: str, occurred_at: dt.datetime, now: dt.datetime
) -> None:
    """Note that a part of the money has been handed to the channel. Again is a no-op."""
    row = lock_application(application_id)
    _note_once(row, "leg_sent", {"leg": leg_id, "at": occurred_at.isoformat()}, now)


@transaction.atomic(durable=True)
def record_delay(*, application_id: str, leg_id: str, reason: str, now: dt.datetime) -> None:
    """Note that a part takes longer than it should. Again, for the same reason, is a no-op."""
    row = lock_application(application_id)
    _note_once(row, "delayed", {"leg": leg_id, "reason": reason}, now)


@transaction.atomic(durable=True)
def record_paid(*, application_id: str, occurred_at: dt.datetime, now: dt.datetime) -> None:
    """All of the money has settled. Believed only if the payout itself says so. Again is a no-op."""
    row = lock_application(application_id)
    if row.state != State.PAYING:
        return
    if payout_of_application(application_id).state is not PayoutState.PAID:
        return
    row.paid_at = occurred_at
    advance(row, to=State.PAID, code="paid", actor=PAYOUTS, now=now)


@transaction.atomic(durable=True)
def record_leg_back(
    *, application_id: str, leg_id: str, code: str, was_paid: bool, now: dt.datetime
) -> None:
    """A part certainly failed, or was paid and came back: the seller chooses another account.

    Believed only if the payout says that this part still waits. Again is a no-op.
    """
    row = lock_application(application_id)
    if leg_id not in {leg.leg_id for leg in repairable_legs(row)}:
        return
    word = "returned" if was_paid else "payout_failed"
    details = {"leg": leg_id, "code": code}
    if _is_noted(row, word, details):
        return
    match State(row.state):
        case State.PAYING | State.PAID | State.CLOSED_OUT:
            # By now the deposit may have a newer application; this one is open again beside it.
            row.reopened = row.reopened or row.state != State.PAYING
            wait_for_repair(row, code=word, actor=PAYOUTS, now=now, details=details)
        case State.RETURNED:
            # There is more to choose an account for than the seller was told of, or than a
            # colleague proposed to close out.
            row.revision += 1
            wait_for_repair(row, code=word, actor=PAYOUTS, now=now, details=details)
        case State.AWAITING_SECOND_APPROVAL:
            # There is more to send than the first approver saw.
            void_approval(row, reason="another_part_came_back", actor=PAYOUTS, now=now)
            _note(row, word, details, now)
        case _:
            row.revision += 1
            _note(row, word, details, now)


@requires_transaction
def _note_once(
    row: RefundApplication, code: str, details: Mapping[str, object], now: dt.datetime
) -> None:
    if not _is_noted(row, code, details):
        _note(row, code, details, now)


def _note(
    row: RefundApplication, code: str, details: Mapping[str, object], now: dt.datetime
) -> None:
    advance(
        row,
        to=State(row.state),
        code=code,
        actor=PAYOUTS,
        now=now,
        due_at=row.due_at,
        details=details,
    )


def _is_noted(row: RefundApplication, code: str, details: Mapping[str, object]) -> bool:
    return row.events.filter(code=code, details__contains=dict(details)).exists()
