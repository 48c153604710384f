"""Deductions with their calculation."""

from __future__ import annotations

from kuaitui.deposits import models
from kuaitui.deposits.errors import DeductionUnknown
from kuaitui.deposits.types import Deduction, DeductionItem, DeductionPurpose
from kuaitui.kernel.money import Money

DEDUCTIONS_MAX = 200


def deductions(*, account_id: str) -> tuple[Deduction, ...]:
    """Every deduction of a deposit, the newest first, each item with its evidence."""
    rows = (
        models.Deduction.objects.filter(account__public_id=account_id)
        .select_related("account", "given_back")
        .prefetch_related("lines")
        .order_by("-decided_at", "-id")
    )
    return tuple(to_deduction(row) for row in rows[:DEDUCTIONS_MAX])


def deduction(deduction_id: str) -> Deduction:
    """One deduction.

    Raises:
        DeductionUnknown: there is none.
    """
    rows = models.Deduction.objects.select_related("account", "given_back")
    row = rows.prefetch_related("lines").filter(public_id=deduction_id).first()
    if row is None:
        raise DeductionUnknown(deduction=deduction_id)
    return to_deduction(row)


def to_deduction(row: models.Deduction) -> Deduction:
    """A deduction as a value."""
    currency = row.account.currency
    back = _given_back(row)
    return Deduction(
        deduction_id=row.public_id,
        account_id=row.account.public_id,
        purpose=DeductionPurpose(row.purpose),
        reason=row.reason,
        clause=row.clause,
        reference=row.reference,
        decided_at=row.decided_at,
        amount=Money(row.amount_minor, currency),
        from_available=Money(row.from_available_minor, currency),
        from_frozen=Money(row.from_frozen_minor, currency),
        still_owed=Money(row.still_owed_minor, currency),
        given_back=Money(back.amount_minor if back else 0, currency),
        off_the_debt=Money(back.off_the_debt_minor if back else 0, currency),
        items=tuple(
            DeductionItem(
                description=line.description,
                quantity=line.quantity,
                unit_amount=Money(line.unit_minor, currency),
                evidence=tuple(line.evidence),
            )
            for line in sorted(row.lines.all(), key=lambda line: line.number)
        ),
    )


def _given_back(row: models.Deduction) -> models.DeductionReturn | None:
    """Django says by a missing attribute that a row beside this one does not exist."""
    back: models.DeductionReturn | None = getattr(row, "given_back", None)
    return back
