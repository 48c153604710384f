"""The decision: another person than the announcer takes items, after the seller was heard."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction

from kuaitui.deductions import rules
from kuaitui.deductions.errors import (
    DeciderInvolved,
    NothingChosen,
    NotYetHeard,
    TooLateToTake,
)
from kuaitui.deductions.models import DeductionCase
from kuaitui.deductions.operations.steps import advance, lock_shown, numbered, require_text
from kuaitui.deductions.states import CaseState
from kuaitui.deductions.types import CaseCode
from kuaitui.deposits.operations import release_deposit, take_deduction
from kuaitui.deposits.types import DeductionPurpose
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import Money
from kuaitui.kit.transactions import requires_transaction
from kuaitui.refunds.queries import terms_kept
from kuaitui.refunds.rules import end_of_period


@transaction.atomic(durable=True)
def take_items(
    *,
    case_id: str,
    version: int,
    numbers: Collection[int],
    text: str,
    actor: Actor,
    now: dt.datetime,
) -> str:
    """Take these items from the deposit, and none of the others; returns the deduction.

    What was set aside is free for an instant and taken in the same transaction: *frozen →
    available*, then as a deduction posts it. Where less is left than the items come to, the rest
    is owed.

    Raises:
        CaseUnknown, CaseMovedOn: it is not what was shown.
        DeciderInvolved: whoever announced it, or replied to it, does not decide it.
        NotYetHeard: the seller has neither replied nor had the time for it.
        TooLateToTake: it lapses, though nobody has come by to end it.
        NothingChosen, ItemUnknown: which items?
        CaseTextMissing, CaseTextTooLong: the seller must be told why.
    """
    row = lock_shown(case_id, version=version, state=CaseState.ANNOUNCED)
    if actor.id in (row.announced_by, row.replied_by):
        raise DeciderInvolved(case=case_id)
    if not rules.is_heard(replied_at=row.replied_at, reply_until=row.reply_until, now=now):
        raise NotYetHeard(case=case_id)
    if now >= row.lapses_at:
        raise TooLateToTake(case=case_id)
    if not numbers:
        raise NothingChosen
    items = rules.chosen(numbered(row), numbers)
    row.decision_text = require_text(text)
    deduction = take_deduction(
        account_id=row.account_id,
        items=items,
        purpose=DeductionPurpose(row.purpose),
        reason=row.reason,
        clause=row.clause,
        reference=row.public_id,
        actor=actor,
        now=now,
        set_aside_under=row.public_id if row.set_aside_minor else "",
    )
    terms = terms_kept(row.policy_digest)
    row.taken, row.deduction_id = sorted(set(numbers)), deduction.deduction_id
    row.decided_by, row.decided_at, row.remind_at = actor.id, now, None
    row.appeal_until = end_of_period(terms.review.appeal_window, start=now, terms=terms)
    advance(
        row,
        to=CaseState.TAKEN,
        code=CaseCode.TAKEN,
        amount=deduction.amount,
        actor=actor,
        now=now,
    )
    return deduction.deduction_id


@transaction.atomic(durable=True)
def drop_deduction(
    *, case_id: str, version: int, text: str, actor: Actor, now: dt.datetime
) -> None:
    """Take nothing: what was set aside is free again. Whoever announced it can do that too.

    Posts *frozen → available*.

    Raises:
        CaseUnknown, CaseMovedOn: it is not what was shown.
        CaseTextMissing, CaseTextTooLong: the seller must be told why.
    """
    row = lock_shown(case_id, version=version, state=CaseState.ANNOUNCED)
    row.decision_text = require_text(text)
    row.decided_by, row.decided_at = actor.id, now
    end_untaken(row, to=CaseState.DROPPED, code=CaseCode.DROPPED, actor=actor, now=now)


@requires_transaction
def end_untaken(
    row: DeductionCase, *, to: CaseState, code: CaseCode, actor: Actor, now: dt.datetime
) -> None:
    """End a case of which nothing is taken; what was set aside is free again."""
    release(row, now=now)
    row.remind_at = None
    amount = Money(row.amount_minor, row.currency)
    advance(row, to=to, code=code, amount=amount, actor=actor, now=now)


@requires_transaction
def release(row: DeductionCase, *, now: dt.datetime) -> None:
    """Free what was set aside for a case, all of it."""
    if not row.set_aside_minor:
        return
    released = release_deposit(account_id=row.account_id, reference=row.public_id, now=now)
    ensure(released.minor == row.set_aside_minor, "what was set aside for a case stays set aside")
