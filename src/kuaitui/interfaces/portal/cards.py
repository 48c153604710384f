"""A deposit as its card shows it: one figure, and the sum that explains it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from kuaitui.deposits import queries as deposits
from kuaitui.deposits.rules import missing_amount
from kuaitui.deposits.types import DepositSummary, HoldKind
from kuaitui.interfaces.portal.words import DEPOSIT_NAMES, Words
from kuaitui.kernel.money import Money
from kuaitui.policy.types import Assessment, RefundKind
from kuaitui.refunds import queries as refunds


@dataclass(frozen=True, slots=True)
class SumLine:
    """One line of the sum, and where it comes from."""

    label: Words
    amount: Money
    sign: str = ""
    href: str = ""
    note: str | Promise = ""


@dataclass(frozen=True, slots=True)
class DepositCard:
    """What a seller wants to know about a deposit at a glance."""

    account: DepositSummary
    name: Words
    full: Assessment
    excess: Assessment
    open_application_id: str | None
    refundable: Money
    for_deductions: Money
    """What is set aside for deductions that were announced."""
    lines: tuple[SumLine, ...]

    @property
    def met(self) -> int:
        """How many conditions are met."""
        return len(self.full.findings) - len(self.full.blockers)

    @property
    def can_apply(self) -> bool:
        """Whether all, or at least the excess, can be asked back now."""
        return self.open_application_id is None and (self.full.is_eligible or self.can_take_excess)

    @property
    def missing(self) -> Money:
        """What must be paid in for the deposit to hold what is required."""
        return missing_amount(self.account)

    @property
    def under_way(self) -> Money:
        """What is set aside for an application or on its way."""
        return under_way(self.account, for_deductions=self.for_deductions)

    @property
    def is_all_back(self) -> bool:
        """Whether everything that was ever in it has gone back to the seller."""
        return is_all_back(self.account)

    @property
    def can_take_excess(self) -> bool:
        """Whether what lies above the required amount can be asked back now."""
        return self.excess.is_eligible and self.excess.refundable.is_positive


def is_all_back(account: DepositSummary) -> bool:
    """Whether everything that was ever in it has gone back to the seller.

    Where something was deducted, whether the seller asked for all of it that was left, and got it.
    """
    if not (account.held.is_zero and account.in_transit.is_zero and account.owed.is_zero):
        return False
    if not account.refunded.is_positive:
        return False
    return account.deducted.is_zero or refunds.has_left(account_id=account.account_id)


def under_way(account: DepositSummary, *, for_deductions: Money) -> Money:
    """What is set aside for an application or on its way, and not for a deduction."""
    return account.frozen - for_deductions + account.in_transit


def set_aside_for_deductions(account: DepositSummary) -> Money:
    """What is set aside for deductions that were announced and not decided."""
    kept = deposits.set_aside_of(account_id=account.account_id, kind=HoldKind.DEDUCTION)
    return sum(kept.values(), Money.zero(account.currency))


def deposit_card(account: DepositSummary, *, shop_id: str, now: dt.datetime) -> DepositCard:
    """Put a deposit, what the policy says of it and its application together."""
    full = refunds.assess_deposit(account_id=account.account_id, kind=RefundKind.FULL_EXIT, now=now)
    excess = refunds.assess_deposit(account_id=account.account_id, kind=RefundKind.EXCESS, now=now)
    open_id = refunds.open_application(account_id=account.account_id)
    refundable = min(account.available, max(full.refundable, Money.zero(account.currency)))
    for_deductions = set_aside_for_deductions(account)
    return DepositCard(
        account=account,
        name=DEPOSIT_NAMES[account.kind],
        full=full,
        excess=excess,
        open_application_id=open_id,
        refundable=refundable,
        for_deductions=for_deductions,
        lines=tuple(_lines(account, refundable, for_deductions, open_id, shop_id)),
    )


def _lines(
    account: DepositSummary,
    refundable: Money,
    for_deductions: Money,
    open_id: str | None,
    shop_id: str,
) -> list[SumLine]:
    """Every part that is not nothing, each with the way to its source; they add up exactly."""
    statement = f"{reverse('statement', args=[shop_id])}?deposit={account.account_id}"
    progress = reverse("progress", args=[shop_id, open_id]) if open_id else statement
    deductions = reverse("deductions", args=[shop_id])
    minus = "−"
    lines = [
        SumLine(_("Paid in"), account.paid_in, href=statement),
        SumLine(_("Deducted"), account.deducted, minus, deductions),
        SumLine(_("Already refunded"), account.refunded, minus, statement),
        SumLine(_("On its way to you"), account.in_transit, minus, progress),
        SumLine(
            _("Set aside"),
            account.frozen - for_deductions,
            minus,
            progress,
            _("for your application; free again if it ends") if open_id else "",
        ),
        SumLine(
            _("Set aside"),
            for_deductions,
            minus,
            deductions,
            _("for a deduction that was announced; nothing is taken yet"),
        ),
        SumLine(
            _("Still owed by the shop"),
            account.available - refundable,
            minus,
            reverse("eligibility", args=[shop_id, account.account_id]),
        ),
    ]
    return [line for line in lines if line.sign == "" or not line.amount.is_zero]
