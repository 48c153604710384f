"""What happens when time is up."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.deposits.operations import release_deposit
from kuaitui.kernel.actor import Actor
from kuaitui.refunds.models import RefundApplication
from kuaitui.refunds.operations.paying import begin_paying
from kuaitui.refunds.operations.steps import advance, lock_application
from kuaitui.refunds.states import State

SWEEP = Actor.system("sweep_due")
# States in which a date does something by itself; elsewhere a passed date means somebody is late.
_ENDS_BY_ITSELF = (State.DRAFT, State.MORE_INFORMATION, State.REJECTED, State.APPROVED)


def sweep_due(*, now: dt.datetime, limit: int = 100) -> int:
    """Carry out what dates bring: unanswered questions and old drafts expire, appeal windows
    close, destinations that have cooled down are paid, and who has not chosen another account for
    money that came back is reminded. Returns how many applications moved.

    Each application has its own transaction; one that fails stops no other.

    Raises:
        ExceptionGroup: what failed, after all had their turn.
    """
    due = (
        RefundApplication.objects.filter(due_at__lte=now, state__in=_ENDS_BY_ITSELF)
        .order_by("due_at", "id")
        .values_list("public_id", flat=True)
    )
    to_remind = (
        RefundApplication.objects.filter(remind_at__lte=now)
        .order_by("remind_at", "id")
        .values_list("public_id", flat=True)
    )
    moved, failures = 0, []
    for application_id in (*due[:limit], *to_remind[:limit]):
        try:
            moved += _sweep_one(application_id, now)
        except Exception as failure:  # noqa: BLE001 - raised below with the others
            failure.add_note(application_id)
            failures.append(failure)
    if failures:
        raise ExceptionGroup("applications could not be swept", failures)
    return moved


@transaction.atomic(durable=True)
def _sweep_one(application_id: str, now: dt.datetime) -> bool:
    row = lock_application(application_id)
    if row.remind_at is not None and row.remind_at <= now:
        _remind(row, now)
        return True
    if row.due_at is None or row.due_at > now:
        return False
    match State(row.state):
        case State.DRAFT:
            advance(row, to=State.EXPIRED, code="expired", actor=SWEEP, now=now)
        case State.MORE_INFORMATION:
            release_deposit(account_id=row.account_id, reference=row.public_id, now=now)
            advance(row, to=State.EXPIRED, code="expired", actor=SWEEP, now=now)
        case State.REJECTED:
            advance(row, to=State.REJECTED, code="appeal_window_closed", actor=SWEEP, now=now)
        case State.APPROVED:
            begin_paying(row, actor=SWEEP, now=now)
        case _:
            return False
    return True


def _remind(row: RefundApplication, now: dt.datetime) -> None:
    """Say it once more; a proposal to close it out stands on what is so now and is void."""
    row.remind_at = None
    advance(
        row,
        to=State(row.state),
        code="repair_reminded",
        actor=SWEEP,
        now=now,
        due_at=row.due_at,
    )
