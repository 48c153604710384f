"""Whether cases and deposits tell the same story."""

from __future__ import annotations

from kuaitui.deductions.models import DeductionCase
from kuaitui.deductions.states import CaseState
from kuaitui.deposits import queries as deposits
from kuaitui.deposits.types import HoldKind


def differences(*, limit: int = 100) -> list[str]:
    """Money set aside for no open case, and open cases without theirs. There are none."""
    kept = deposits.set_aside(HoldKind.DEDUCTION)
    announced = dict(
        DeductionCase.objects.filter(state=CaseState.ANNOUNCED, set_aside_minor__gt=0)
        .order_by("public_id")
        .values_list("public_id", "set_aside_minor")
    )
    return [
        f"deduction case {case_id}: {announced.get(case_id, 0)} minor units are to be set aside,"
        f" {kept.get(case_id, 0)} are"
        for case_id in sorted(kept.keys() | announced.keys())
        if kept.get(case_id, 0) != announced.get(case_id, 0)
    ][:limit]
