"""Saying no, with reasons."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.deposits.operations import release_deposit
from kuaitui.kernel.actor import Actor
from kuaitui.refunds import rules
from kuaitui.refunds.errors import ReasonMissing, RejectedBefore
from kuaitui.refunds.models import Decision, RefundApplication
from kuaitui.refunds.operations.steps import (
    advance,
    decide,
    lock_application,
    require_act,
    require_text,
    require_version,
)
from kuaitui.refunds.queries.policy import terms_of
from kuaitui.refunds.states import StaffAct, State
from kuaitui.refunds.types import RejectReason


@transaction.atomic(durable=True)
def reject_application(
    *,
    application_id: str,
    version: int,
    reasons: tuple[RejectReason, ...],
    text: str,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Reject with reasons and words the seller reads; the money is free again.

    Posts *frozen → available*. The seller can appeal once, until the policy's date.

    Raises:
        ApplicationUnknown: there is no such application.
        StaleVersion: it is not what was shown.
        StateDoesNotAllow: it is not in review.
        ReasonMissing, TextMissing, NoteTooLong: the seller must be told why.
        RejectedBefore: an appeal against this person's rejection was granted.
    """
    row = lock_application(application_id)
    require_version(row, version)
    require_act(row, StaffAct.REJECT)
    if not reasons:
        raise ReasonMissing
    told = require_text(text)
    before = row.decisions.filter(kind=Decision.Kind.REJECT, actor_id=actor.id)
    if row.appeals and before.exists():
        raise RejectedBefore(application=application_id)
    codes = [reason.value for reason in reasons]
    decide(row, Decision.Kind.REJECT, actor=actor, reasons=codes, text=told, now=now)
    release_deposit(account_id=row.account_id, reference=row.public_id, now=now)
    advance(
        row,
        to=State.REJECTED,
        code="rejected",
        actor=actor,
        now=now,
        due_at=appeal_until(row, now),
        details={"reasons": codes},
        audited={"reasons": codes},
    )


def appeal_until(row: RefundApplication, now: dt.datetime) -> dt.datetime | None:
    """Until when a rejection made now can be appealed; never after an appeal."""
    if row.appeals:
        return None
    terms = terms_of(row)
    return rules.end_of_period(terms.review.appeal_window, start=now, terms=terms)
