"""What happens when the marketplace's time is up."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction

from kuaitui.deductions.models import DeductionCase
from kuaitui.deductions.operations.decide import end_untaken
from kuaitui.deductions.operations.steps import lock_case
from kuaitui.deductions.states import CaseState
from kuaitui.deductions.types import CaseCode
from kuaitui.kernel.actor import Actor

SWEEP: Final = Actor.system("deductions.lapse_due")


def lapse_due(*, now: dt.datetime, limit: int = 100) -> int:
    """End what nobody decided in time: nothing is taken. Returns how many cases that were.

    Each case has its own transaction; one that fails stops no other.

    Raises:
        ExceptionGroup: what failed, after all had their turn.
    """
    due = DeductionCase.objects.filter(state=CaseState.ANNOUNCED, lapses_at__lte=now)
    ended, failures = 0, []
    for case_id in due.order_by("lapses_at", "id").values_list("public_id", flat=True)[:limit]:
        try:
            ended += _lapse(case_id, now)
        except Exception as failure:  # noqa: BLE001 - raised below with the others
            failure.add_note(case_id)
            failures.append(failure)
    if failures:
        raise ExceptionGroup("deduction cases could not lapse", failures)
    return ended


@transaction.atomic(durable=True)
def _lapse(case_id: str, now: dt.datetime) -> bool:
    """Whether it was still open: somebody may have decided just now."""
    row = lock_case(case_id)
    if row.state != CaseState.ANNOUNCED or row.lapses_at > now:
        return False
    row.decided_by, row.decided_at = SWEEP.id, now
    end_untaken(row, to=CaseState.LAPSED, code=CaseCode.LAPSED, actor=SWEEP, now=now)
    return True
