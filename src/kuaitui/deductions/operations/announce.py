"""Announcing a deduction: what, why, on which evidence, and until when its seller can reply."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from django.db import transaction

from kuaitui.deductions import rules
from kuaitui.deductions.errors import CaseReferenceMissing, CaseReferenceReused, CaseTextTooLong
from kuaitui.deductions.models import DeductionCase, DeductionCaseLine
from kuaitui.deductions.operations.steps import numbered, tell
from kuaitui.deductions.types import CaseCode
from kuaitui.deposits.operations import freeze_deposit, lock_deposit
from kuaitui.deposits.rules import require_deductible
from kuaitui.deposits.types import DeductionItem, DeductionPurpose, HoldKind
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.ids import IdPrefix, new_id
from kuaitui.kernel.money import Money
from kuaitui.refunds.queries import keep_terms_in_force


@transaction.atomic(durable=True)
def announce_deduction(
    *,
    account_id: str,
    items: tuple[DeductionItem, ...],
    purpose: DeductionPurpose,
    reason: str,
    clause: str,
    reference: str,
    actor: Actor,
    now: dt.datetime,
) -> str:
    """Tell a seller what is to be deducted, and set it aside meanwhile; returns the case.

    Posts *available → frozen* as far as the deposit reaches. Takes nothing. `reference` is the
    marketplace's own number; the same announcement again returns the first case.

    Raises:
        DepositAccountUnknown: there is no such deposit.
        DepositAccountClosed: the shop has left.
        DeductionEmpty, DeductionItemUnexplained, DeductionReasonMissing, DepositCurrencyWrong,
        DepositAmountNotPositive: as for a deduction.
        DeductionTooLong: more than is kept of a deduction.
        CaseReferenceMissing, CaseTextTooLong: the marketplace's number is missing, or no number.
        CaseReferenceReused: it announced another deduction.
    """
    number = reference.strip()
    if not number:
        raise CaseReferenceMissing
    if len(number) > rules.REFERENCE_LENGTH_MAX:
        raise CaseTextTooLong(length=len(number), length_max=rules.REFERENCE_LENGTH_MAX)
    summary = lock_deposit(account_id=account_id)
    amount = require_deductible(items, reason=reason, clause=clause, currency=summary.currency)
    known = DeductionCase.objects.filter(account_id=account_id, reference=number).first()
    if known is not None:
        said = (known.purpose, known.reason, known.clause, tuple(numbered(known).values()))
        says = (purpose.value, reason.strip(), clause.strip(), tuple(map(_kept, items)))
        if said != says:
            raise CaseReferenceReused(reference=number)
        return known.public_id
    terms = keep_terms_in_force(now=now)
    dates = rules.deadlines(terms, now=now)
    set_aside = min(amount, summary.available)
    row = DeductionCase.objects.create(
        public_id=new_id(IdPrefix.DEDUCTION_CASE, now=now),
        account_id=account_id,
        shop_key=summary.shop_key,
        currency=summary.currency,
        reference=number,
        purpose=purpose.value,
        reason=reason.strip(),
        clause=clause.strip(),
        amount_minor=amount.minor,
        set_aside_minor=set_aside.minor,
        policy_digest=terms.digest,
        announced_by=actor.id,
        announced_at=now,
        reply_until=dates.reply_until,
        remind_at=dates.remind_at,
        decide_by=dates.decide_by,
        lapses_at=dates.lapses_at,
    )
    _write_lines(row, items)
    _set_aside(row, set_aside, now)
    tell(row, code=CaseCode.ANNOUNCED, amount=amount, actor=actor, now=now)
    return row.public_id


def _kept(item: DeductionItem) -> DeductionItem:
    """An item as its line keeps it."""
    return replace(item, description=item.description.strip())


def _write_lines(row: DeductionCase, items: tuple[DeductionItem, ...]) -> None:
    DeductionCaseLine.objects.bulk_create(
        [
            DeductionCaseLine(
                case=row,
                number=number,
                description=item.description.strip(),
                quantity=item.quantity,
                unit_minor=item.unit_amount.minor,
                evidence=list(item.evidence),
            )
            for number, item in enumerate(items, start=1)
        ]
    )


def _set_aside(row: DeductionCase, amount: Money, now: dt.datetime) -> None:
    if amount.is_zero:
        return
    freeze_deposit(
        account_id=row.account_id,
        amount=amount,
        reference=row.public_id,
        kind=HoldKind.DEDUCTION,
        now=now,
    )
