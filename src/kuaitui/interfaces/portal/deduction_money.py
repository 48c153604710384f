"""Where the money of a deduction is, part by part, as far as its seller is concerned."""

from __future__ import annotations

from dataclasses import dataclass

from kuaitui.deductions.queries import CaseView
from kuaitui.deductions.states import CaseState
from kuaitui.deposits.queries import deduction
from kuaitui.kernel.money import Money


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The parts of a case's money. What is nothing is not mentioned."""

    frozen: Money
    """Set aside while it is not decided."""
    uncovered: Money
    """Announced, and not set aside: no more was free then."""
    left: Money
    """Taken from the deposit."""
    owed: Money
    """Decided, and not covered by the deposit on that day."""
    free: Money
    """Set aside for it, and not any more."""
    returned: Money
    """In the deposit again after an appeal."""
    off_the_debt: Money
    """Given back by making a debt less."""
    kept: Money
    """Of something that was given back in part: what stays deducted."""


def whereabouts(case: CaseView) -> Whereabouts:
    """Where a case's money is now."""
    zero = Money.zero(case.amount.currency)
    is_announced = case.state is CaseState.ANNOUNCED
    taken = deduction(case.deduction_id) if case.deduction_id else None
    is_given_back = taken is not None and taken.given_back.is_positive
    stands = taken if not is_given_back else None
    free = case.set_aside - case.taken
    return Whereabouts(
        frozen=case.set_aside if is_announced else zero,
        uncovered=case.amount - case.set_aside if is_announced else zero,
        left=stands.amount - stands.still_owed if stands else zero,
        owed=stands.still_owed if stands else zero,
        free=free if free.is_positive and not (is_announced or is_given_back) else zero,
        returned=taken.given_back - taken.off_the_debt if taken else zero,
        off_the_debt=taken.off_the_debt if taken else zero,
        kept=case.kept if is_given_back else zero,
    )
