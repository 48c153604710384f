"""Looking at a deposit with the policy's eyes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from kuaitui.deposits.queries import deposit, deposit_for_policy
from kuaitui.deposits.types import DepositSummary
from kuaitui.facts.queries import facts_for_assessment
from kuaitui.kernel.money import Money
from kuaitui.policy import assess, facts_to_json
from kuaitui.policy.terms import Terms
from kuaitui.policy.types import Assessment, Debt, DebtKind, DebtStatus, Facts, RefundKind
from kuaitui.refunds.queries.policy import terms_in_force


@dataclass(frozen=True, slots=True)
class Look:
    """What was reported at one moment, and what follows from it."""

    facts: Facts
    assessment: Assessment

    def facts_json(self) -> dict[str, object]:
        """The facts as FACTS.md writes them."""
        return facts_to_json(self.facts)


def assess_deposit(*, account_id: str, kind: RefundKind, now: dt.datetime) -> Assessment:
    """Whether and how much of a deposit may go back now, by the policy in force.

    Raises:
        DepositAccountUnknown: there is no such deposit.
    """
    return look(deposit(account_id), terms=terms_in_force(), kind=kind, now=now).assessment


def look(
    summary: DepositSummary,
    *,
    terms: Terms,
    kind: RefundKind,
    now: dt.datetime,
    own_hold: Money | None = None,
) -> Look:
    """Facts and assessment of a deposit; `own_hold` is what the asking application set aside."""
    facts = facts_for_assessment(
        shop_key=summary.shop_key,
        deposit=deposit_for_policy(summary, own_hold=own_hold),
        as_of=now,
    )
    if summary.owed.is_positive:
        # A deduction larger than the deposit left this; nobody outside reports it.
        owed = Debt(summary.account_id, DebtKind.OTHER, summary.owed.minor, DebtStatus.OPEN)
        facts = replace(facts, debts=(*facts.debts, owed))
    return Look(facts, assess(terms, facts, kind=kind))
