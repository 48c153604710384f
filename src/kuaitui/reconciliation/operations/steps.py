"""What happened to a break is written down, step by step."""

from __future__ import annotations

import datetime as dt

from kuaitui.kernel.actor import Actor
from kuaitui.kit.transactions import requires_transaction
from kuaitui.reconciliation.models import BreakRow, BreakStep


@requires_transaction
def add_step(row: BreakRow, what: str, *, actor: Actor, note: str, now: dt.datetime) -> None:
    """Add the next step, with the facts as they stand."""
    BreakStep.objects.create(
        found=row,
        number=1 + BreakStep.objects.filter(found=row).count(),
        what=what,
        by=actor.id,
        at=now,
        note=note[:500],
        facts={
            "kind": row.kind,
            "ours_minor": row.ours_minor,
            "theirs_minor": row.theirs_minor,
            "remedy": row.remedy,
        },
    )
