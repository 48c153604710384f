"""What time alone does to a case: its seller is reminded, and what nobody decides ends."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.deductions.models import DeductionCase
from kuaitui.deductions.operations.appeal import grant_unanswered
from kuaitui.deductions.operations.decide import end_untaken
from kuaitui.deductions.operations.steps import advance, lock_case
from kuaitui.deductions.states import CaseState
from kuaitui.deductions.types import SWEEP, CaseCode
from kuaitui.kernel.money import Money


def sweep_due(*, now: dt.datetime, limit: int = 100) -> int:
    """Remind sellers who have not replied, and end what nobody decided or answered in time.

    Nothing is taken then, and what was taken is given back.

    Returns how many cases moved. Each has its own transaction; one that fails stops no other.

    Raises:
        ExceptionGroup: what failed, after all had their turn.
    """
    appealed = DeductionCase.objects.filter(state=CaseState.APPEALED)
    to_grant = appealed.filter(answer_lapses_at__lte=now).order_by("answer_lapses_at", "id")
    announced = DeductionCase.objects.filter(state=CaseState.ANNOUNCED)
    to_lapse = announced.filter(lapses_at__lte=now).order_by("lapses_at", "id")
    to_remind = announced.filter(remind_at__lte=now).order_by("remind_at", "id")
    moved, failures = 0, []
    due = [
        case_id
        for rows in (to_grant, to_lapse, to_remind)
        for case_id in rows.values_list("public_id", flat=True)[:limit]
    ]
    for case_id in due:
        try:
            moved += _sweep(case_id, now)
        except Exception as failure:  # noqa: BLE001 - raised below with the others
            failure.add_note(case_id)
            failures.append(failure)
    if failures:
        raise ExceptionGroup("deduction cases could not be swept", failures)
    return moved


@transaction.atomic(durable=True)
def _sweep(case_id: str, now: dt.datetime) -> bool:
    """Whether there was anything to do still: somebody may have decided or replied just now."""
    row = lock_case(case_id)
    if row.state == CaseState.APPEALED and row.answer_lapses_at and row.answer_lapses_at <= now:
        grant_unanswered(row, actor=SWEEP, now=now)
        return True
    if row.state != CaseState.ANNOUNCED:
        return False
    if row.lapses_at <= now:
        row.decided_by, row.decided_at = SWEEP.id, now
        end_untaken(row, to=CaseState.LAPSED, code=CaseCode.LAPSED, actor=SWEEP, now=now)
        return True
    if row.remind_at is None or row.remind_at > now:
        return False
    row.remind_at = None
    if row.reply_until <= now:
        # Nobody swept in these days. A reminder would come too late.
        row.version += 1
        row.save()
        return False
    advance(
        row,
        to=CaseState.ANNOUNCED,
        code=CaseCode.REPLY_REMINDED,
        amount=Money(row.amount_minor, row.currency),
        actor=SWEEP,
        now=now,
    )
    return True
