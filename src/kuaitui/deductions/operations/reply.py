"""What a seller says before anything is decided."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.deductions import rules
from kuaitui.deductions.errors import CaseMovedOn, RepliedAlready, TooLateToReply
from kuaitui.deductions.operations.steps import advance, lock_case, require_text
from kuaitui.deductions.states import CaseState
from kuaitui.deductions.types import CaseCode, Reply
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.money import Money
from kuaitui.refunds.queries import terms_kept


@transaction.atomic(durable=True)
def reply_to_deduction(
    *, case_id: str, shop_key: int, reply: Reply, text: str, actor: Actor, now: dt.datetime
) -> None:
    """Agree to an announced deduction, or object and say why, once. Moves no money.

    The marketplace can decide from then on; the time it has for that counts from now.

    Raises:
        CaseUnknown: there is none, or it is another shop's.
        CaseMovedOn: nothing waits for a reply any more.
        RepliedAlready: there is a reply.
        TooLateToReply: the time is over.
        CaseTextMissing: an objection says why.
        CaseTextTooLong: more than fits.
    """
    row = lock_case(case_id, shop_key=shop_key)
    if row.state != CaseState.ANNOUNCED:
        raise CaseMovedOn(case=case_id, state=row.state)
    if row.replied_at is not None:
        raise RepliedAlready(case=case_id)
    if now >= row.reply_until:
        raise TooLateToReply(case=case_id)
    if reply is Reply.OBJECTS or text.strip():
        row.reply_text = require_text(text)
    row.reply, row.replied_by, row.replied_at = reply.value, actor.id, now
    row.remind_at = None
    terms = terms_kept(row.policy_digest)
    row.decide_by = min(rules.decide_by(terms, heard_at=now), row.lapses_at)
    advance(
        row,
        to=CaseState.ANNOUNCED,
        code=CaseCode.REPLIED,
        amount=Money(row.amount_minor, row.currency),
        actor=actor,
        now=now,
    )
