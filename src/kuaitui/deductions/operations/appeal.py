"""Asking somebody else to look at a deduction again, once, and their answer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import transaction

from kuaitui.deductions import rules
from kuaitui.deductions.errors import (
    AppealDeciderInvolved,
    ItemUnknown,
    NothingToAppeal,
    TooLateToAnswer,
    TooLateToAppealDeduction,
)
from kuaitui.deductions.models import DeductionCase
from kuaitui.deductions.operations.steps import (
    advance,
    lock_case,
    lock_shown,
    numbered,
    require_text,
)
from kuaitui.deductions.states import CaseState
from kuaitui.deductions.types import CaseCode
from kuaitui.deposits.operations import give_back_deduction
from kuaitui.kernel.actor import Actor
from kuaitui.kit.transactions import requires_transaction
from kuaitui.refunds.queries import terms_kept


@transaction.atomic(durable=True)
def appeal_deduction(
    *, case_id: str, shop_key: int, text: str, actor: Actor, now: dt.datetime
) -> None:
    """Ask that a third person look at what was taken. Moves no money.

    Raises:
        CaseUnknown: there is none, or it is another shop's.
        NothingToAppeal: nothing was taken, or it was appealed before.
        TooLateToAppealDeduction: the time is over.
        CaseTextMissing, CaseTextTooLong: the appeal must say something.
    """
    row = lock_case(case_id, shop_key=shop_key)
    if row.state != CaseState.TAKEN:
        raise NothingToAppeal(case=case_id, state=row.state)
    if row.appeal_until is None or now >= row.appeal_until:
        raise TooLateToAppealDeduction(case=case_id)
    row.appeal_text = require_text(text)
    row.appealed_by, row.appealed_at = actor.id, now
    terms = terms_kept(row.policy_digest)
    row.answer_by = rules.decide_by(terms, heard_at=now)
    row.answer_lapses_at = rules.answer_lapses_at(terms, appealed_at=now)
    taken = rules.chosen(numbered(row), row.taken)
    advance(
        row,
        to=CaseState.APPEALED,
        code=CaseCode.APPEALED,
        amount=rules.sum_of(taken, row.currency),
        actor=actor,
        now=now,
    )


@transaction.atomic(durable=True)
def answer_appeal(
    *,
    case_id: str,
    version: int,
    numbers: Collection[int],
    text: str,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Give these items back to the deposit; none of them: the deduction stands for good.

    Posts what `give_back_deduction` posts.

    Raises:
        CaseUnknown, CaseMovedOn: it is not what was shown.
        TooLateToAnswer: nobody did in time, and all of it is given back.
        AppealDeciderInvolved: whoever had a part in the case does not decide the appeal.
        ItemUnknown: an item was not taken.
        CaseTextMissing, CaseTextTooLong: the seller must be told why.
    """
    row = lock_shown(case_id, version=version, state=CaseState.APPEALED)
    if actor.id in (row.announced_by, row.replied_by, row.decided_by, row.appealed_by):
        raise AppealDeciderInvolved(case=case_id)
    if row.answer_lapses_at is None or now >= row.answer_lapses_at:
        raise TooLateToAnswer(case=case_id)
    for number in numbers:
        if number not in row.taken:
            raise ItemUnknown(number=number)
    row.answer_text = require_text(text)
    row.answered_by, row.answered_at = actor.id, now
    if not numbers:
        taken = rules.sum_of(rules.chosen(numbered(row), row.taken), row.currency)
        advance(row, to=CaseState.UPHELD, code=CaseCode.UPHELD, amount=taken, actor=actor, now=now)
        return
    _give_back(row, numbers, code=CaseCode.GIVEN_BACK, actor=actor, now=now)


@requires_transaction
def grant_unanswered(row: DeductionCase, *, actor: Actor, now: dt.datetime) -> None:
    """Give all of it back, because nobody has answered the appeal."""
    row.answered_by, row.answered_at = actor.id, now
    _give_back(row, row.taken, code=CaseCode.APPEAL_LAPSED, actor=actor, now=now)


def _give_back(
    row: DeductionCase, numbers: Collection[int], *, code: CaseCode, actor: Actor, now: dt.datetime
) -> None:
    amount = rules.sum_of(rules.chosen(numbered(row), numbers), row.currency)
    give_back_deduction(deduction_id=row.deduction_id, amount=amount, actor=actor, now=now)
    row.given_back = sorted(set(numbers))
    advance(row, to=CaseState.GIVEN_BACK, code=code, amount=amount, actor=actor, now=now)
