"""Taking money from a deposit: itemised, explained, on evidence. Giving back what was taken."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.audit.operations import record
from kuaitui.deposits import models, rules
from kuaitui.deposits.errors import (
    DeductionGivenBackAlready,
    DeductionReferenceReused,
    DeductionUnknown,
    GivenBackTooMuch,
)
from kuaitui.deposits.events import DeductionGivenBack, DepositDeducted, HoldReduced
from kuaitui.deposits.models import DepositAccount, DepositHold
from kuaitui.deposits.operations.holds import free_hold
from kuaitui.deposits.operations.locking import lock_account, require_payable
from kuaitui.deposits.operations.set_off import give_to_lots, set_off_debt, take_from_lots
from kuaitui.deposits.operations.shares import reserved_under
from kuaitui.deposits.queries.accounts import to_hold
from kuaitui.deposits.queries.deductions import to_deduction
from kuaitui.deposits.types import Deduction, DeductionItem, DeductionPurpose, HoldKind
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.ids import IdPrefix, new_id
from kuaitui.kernel.money import Money
from kuaitui.kit.outbox import publish
from kuaitui.kit.transactions import requires_transaction
from kuaitui.ledger.operations import post_journal
from kuaitui.ledger.queries import balances
from kuaitui.ledger.types import Account, Journal, Line

_CREDIT = {
    DeductionPurpose.COMPENSATION: Account.COMPENSATION_PAYABLE,
    DeductionPurpose.PENALTY: Account.PENALTY_INCOME,
}


@transaction.atomic(durable=True)
def decide_deduction(
    *,
    account_id: str,
    items: tuple[DeductionItem, ...],
    purpose: DeductionPurpose,
    reason: str,
    clause: str,
    reference: str,
    actor: Actor,
    now: dt.datetime,
) -> Deduction:
    """Take what was decided elsewhere; the marketplace has heard its seller. See `take_deduction`.

    Raises:
        As `take_deduction`.
    """
    return take_deduction(
        account_id=account_id,
        items=items,
        purpose=purpose,
        reason=reason,
        clause=clause,
        reference=reference,
        actor=actor,
        now=now,
    )


@requires_transaction
def take_deduction(
    *,
    account_id: str,
    items: tuple[DeductionItem, ...],
    purpose: DeductionPurpose,
    reason: str,
    clause: str,
    reference: str,
    actor: Actor,
    now: dt.datetime,
    set_aside_under: str = "",
) -> Deduction:
    """Take what the items add up to: from what is free, then from what is frozen, and owe the rest.

    Money that a payout leg already carries is not touched, nor what is set aside for another
    deduction. What is set aside for this one (`set_aside_under`) is free first, and what of it is
    not taken pays what the shop owes. Lots are used oldest first. Idempotent by `reference`: the
    same deduction again returns the first.

    Raises:
        DepositAccountUnknown: there is no such deposit.
        HoldUnknown: nothing was set aside under that reference.
        DeductionEmpty: nothing to deduct.
        DeductionItemUnexplained: an item without description or evidence.
        DeductionReasonMissing: no reason or no clause.
        DepositCurrencyWrong, DepositAmountNotPositive: an amount cannot be.
        DeductionReferenceReused: this reference named another deduction.
    """
    account = lock_account(account_id)
    amount = rules.require_deductible(
        items, reason=reason, clause=clause, currency=account.currency
    )
    known = account.deductions.select_related("account").filter(reference=reference).first()
    if known is not None:
        if (known.amount_minor, known.purpose) != (amount.minor, purpose.value):
            raise DeductionReferenceReused(reference=reference)
        return to_deduction(known)
    occasion = ""
    if set_aside_under:
        _, occasion = free_hold(account, reference=set_aside_under, now=now)
    unsent = _unsent_by_hold(account)
    split = rules.split_deduction(
        amount=amount,
        available=balances(account.book_id).of(Account.AVAILABLE),
        frozen_unsent=sum((part for _, part in unsent), Money.zero(account.currency)),
    )
    row = models.Deduction.objects.create(
        public_id=new_id(IdPrefix.DEDUCTION, now=now),
        account=account,
        reference=reference,
        purpose=purpose.value,
        reason=reason.strip(),
        clause=clause.strip(),
        amount_minor=amount.minor,
        from_available_minor=split.from_available.minor,
        from_frozen_minor=split.from_frozen.minor,
        still_owed_minor=split.still_owed.minor,
        decided_by=actor.id,
        decided_at=now,
    )
    _write_items(row, items)
    _take(account, row, split, purpose, now)
    _reduce_holds(account, row, unsent, split.from_frozen, now)
    if occasion:
        set_off_debt(account, reference=occasion, now=now)
    _tell(row, amount, actor, now)
    return to_deduction(row)


def _tell(row: models.Deduction, amount: Money, actor: Actor, now: dt.datetime) -> None:
    account = row.account
    record(
        actor=actor,
        action="deposit.deducted",
        object_id=row.public_id,
        shop_key=account.shop_key,
        details={"amount_minor": amount.minor, "reference": row.reference},
        now=now,
    )
    about = (account.public_id, account.shop_key, row.public_id)
    publish(DepositDeducted(*about, amount.minor, amount.currency), now=now)


@requires_transaction
def give_back_deduction(
    *, deduction_id: str, amount: Money, actor: Actor, now: dt.datetime
) -> Money:
    """Give all or a part of a deduction back, once; returns how much of it is free again.

    Posts *compensation payable* or *penalty income* to *receivable* as far as the shop owes
    anything, the rest to *available*. The lots that the deduction was taken from are whole again,
    the newest first: its way back stays open longest.

    Raises:
        DeductionUnknown: there is no such deduction.
        DeductionGivenBackAlready: something was given back before.
        GivenBackTooMuch: more than was deducted.
        DepositCurrencyWrong, DepositAmountNotPositive: the amount cannot be.
    """
    row = models.Deduction.objects.filter(public_id=deduction_id).first()
    if row is None:
        raise DeductionUnknown(deduction=deduction_id)
    account = lock_account(row.account.public_id)
    require_payable(amount, account)
    if amount.minor > row.amount_minor:
        raise GivenBackTooMuch(deduction=deduction_id)
    if models.DeductionReturn.objects.filter(deduction=row).exists():
        raise DeductionGivenBackAlready(deduction=deduction_id)
    off_the_debt = min(amount, balances(account.book_id).of(Account.RECEIVABLE))
    to_available = amount - off_the_debt
    models.DeductionReturn.objects.create(
        deduction=row,
        amount_minor=amount.minor,
        off_the_debt_minor=off_the_debt.minor,
        to_available_minor=to_available.minor,
        decided_by=actor.id,
        decided_at=now,
    )
    if to_available.is_positive:
        give_to_lots(account, amount=to_available, reference=row.public_id)
    source = _CREDIT[DeductionPurpose(row.purpose)]
    parts = ((Account.RECEIVABLE, off_the_debt), (Account.AVAILABLE, to_available))
    lines = tuple(Line(source, place, part) for place, part in parts if part.is_positive)
    post_journal(
        Journal(account.book_id, "deduction.given_back", row.public_id, now, lines), now=now
    )
    record(
        actor=actor,
        action="deposit.given_back",
        object_id=row.public_id,
        shop_key=account.shop_key,
        details={"amount_minor": amount.minor, "off_the_debt_minor": off_the_debt.minor},
        now=now,
    )
    told = DeductionGivenBack(
        account.public_id, account.shop_key, row.public_id, amount.minor, amount.currency
    )
    publish(told, now=now)
    return to_available


def _unsent_by_hold(account: DepositAccount) -> list[tuple[DepositHold, Money]]:
    """What is frozen for applications and carried by no leg, hold by hold, the oldest first.

    What is set aside for another deduction waits for that one.
    """
    holds = (
        account.holds.select_related("account")
        .filter(kind=HoldKind.APPLICATION)
        .order_by("frozen_at", "reference")
    )
    unsent = [(row, to_hold(row).open - reserved_under(account, row.reference)) for row in holds]
    return [(row, part) for row, part in unsent if part.is_positive]


def _write_items(row: models.Deduction, items: tuple[DeductionItem, ...]) -> None:
    models.DeductionLine.objects.bulk_create(
        [
            models.DeductionLine(
                deduction=row,
                number=number,
                description=item.description.strip(),
                quantity=item.quantity,
                unit_minor=item.unit_amount.minor,
                evidence=list(item.evidence),
            )
            for number, item in enumerate(items, start=1)
        ]
    )


def _take(
    account: DepositAccount,
    row: models.Deduction,
    split: rules.DeductionSplit,
    purpose: DeductionPurpose,
    now: dt.datetime,
) -> None:
    from_lots = split.from_available + split.from_frozen
    if from_lots.is_positive:
        take_from_lots(account, amount=from_lots, reference=row.public_id)
    sources = (
        (Account.AVAILABLE, split.from_available),
        (Account.FROZEN, split.from_frozen),
        (Account.RECEIVABLE, split.still_owed),
    )
    lines = tuple(
        Line(source, _CREDIT[purpose], part) for source, part in sources if part.is_positive
    )
    journal = Journal(
        book_id=account.book_id,
        kind="deduction",
        reference=row.public_id,
        occurred_at=now,
        lines=lines,
    )
    post_journal(journal, now=now)


def _reduce_holds(
    account: DepositAccount,
    row: models.Deduction,
    unsent: list[tuple[DepositHold, Money]],
    taken: Money,
    now: dt.datetime,
) -> None:
    for hold, part in unsent:
        reduced = min(part, taken)
        if not reduced.is_positive:
            return
        hold.deducted_minor += reduced.minor
        hold.save(update_fields=["deducted_minor"])
        publish(
            HoldReduced(account.public_id, hold.reference, row.public_id, reduced.minor), now=now
        )
        taken -= reduced
