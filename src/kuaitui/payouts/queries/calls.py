"""The calls made about one number, as the staff sees them."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import QuerySet

from kuaitui.payouts.queries.values import AttemptRecord
from kuaitui.payouts.types import AttemptKind, AttemptOutcome

CALLS_MAX: Final = 500


def latest_calls(attempts: QuerySet[Any]) -> tuple[AttemptRecord, ...]:
    """The attempts of a leg or a send-back, of very many the last, in their order."""
    return tuple(
        AttemptRecord(
            attempt_no=attempt.attempt_no,
            kind=AttemptKind(attempt.kind),
            fence=attempt.fence,
            started_at=attempt.started_at,
            finished_at=attempt.finished_at,
            outcome=AttemptOutcome(attempt.outcome) if attempt.outcome else None,
            cause=attempt.cause,
        )
        for attempt in reversed(attempts.order_by("-attempt_no")[:CALLS_MAX])
    )
