"""Appealing a rejection, once, to somebody else."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.deposits.operations import freeze_deposit, lock_deposit, release_deposit
from kuaitui.kernel.actor import Actor
from kuaitui.refunds import rules
from kuaitui.refunds.errors import (
    AppealDeciderRejected,
    AppealedAlready,
    ApplicationAlreadyOpen,
    TooLateToAppeal,
)
from kuaitui.refunds.models import Decision
from kuaitui.refunds.operations.steps import (
    advance,
    decide,
    lock_application,
    require_act,
    require_text,
    require_version,
)
from kuaitui.refunds.queries.binding import amount_of
from kuaitui.refunds.queries.policy import terms_of
from kuaitui.refunds.queries.preview import open_application
from kuaitui.refunds.states import SellerAct, StaffAct, State


@transaction.atomic(durable=True)
def appeal_rejection(
    *, application_id: str, shop_key: int, text: str, actor: Actor, now: dt.datetime
) -> None:
    """Ask that somebody else look at a rejection; the money is set aside again.

    Posts *available → frozen*.

    Raises:
        ApplicationUnknown: there is none, or it is another shop's.
        StateDoesNotAllow: it is not rejected.
        AppealedAlready: the rejection stands after an appeal.
        TooLateToAppeal: the time is over.
        ApplicationAlreadyOpen: a newer application is under way.
        InsufficientDeposit: the money was used otherwise meanwhile.
        TextMissing, NoteTooLong: the appeal must say something.
    """
    row = lock_application(application_id, shop_key=shop_key)
    require_act(row, SellerAct.APPEAL)
    if row.appeals:
        raise AppealedAlready(application=application_id)
    if row.due_at is None or now >= row.due_at:
        raise TooLateToAppeal(application=application_id)
    told = require_text(text)
    lock_deposit(account_id=row.account_id)
    under_way = open_application(account_id=row.account_id)
    if under_way is not None:
        raise ApplicationAlreadyOpen(application=under_way)
    row.hold_occasion += 1
    freeze_deposit(
        account_id=row.account_id,
        amount=amount_of(row),
        reference=row.public_id,
        occasion=row.hold_occasion,
        now=now,
    )
    terms = terms_of(row)
    row.appeals = 1
    row.review_due_at = rules.end_of_period(terms.review.review_time, start=now, terms=terms)
    advance(
        row,
        to=State.APPEALED,
        code="appealed",
        actor=actor,
        now=now,
        due_at=row.review_due_at,
        details={"text": told},
    )


@transaction.atomic(durable=True)
def decide_appeal(
    *,
    application_id: str,
    version: int,
    granted: bool,
    text: str,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Grant an appeal (the review begins anew) or dismiss it (the rejection stands for good).

    Raises:
        ApplicationUnknown: there is no such application.
        StaleVersion: it is not what was shown.
        StateDoesNotAllow: no appeal is open.
        AppealDeciderRejected: whoever rejected does not decide the appeal.
        TextMissing, NoteTooLong: the seller must be told why.
    """
    row = lock_application(application_id)
    require_version(row, version)
    require_act(row, StaffAct.DECIDE_APPEAL)
    if row.decisions.filter(kind=Decision.Kind.REJECT, actor_id=actor.id).exists():
        raise AppealDeciderRejected(application=application_id)
    told = require_text(text)
    if granted:
        decide(row, Decision.Kind.GRANT_APPEAL, actor=actor, text=told, now=now)
        row.revision += 1
        advance(
            row,
            to=State.IN_REVIEW,
            code="appeal_granted",
            actor=actor,
            now=now,
            due_at=row.review_due_at,
            details={"text": told},
        )
        return
    decide(row, Decision.Kind.DISMISS_APPEAL, actor=actor, text=told, now=now)
    release_deposit(account_id=row.account_id, reference=row.public_id, now=now)
    advance(
        row,
        to=State.REJECTED,
        code="appeal_dismissed",
        actor=actor,
        now=now,
        details={"text": told},
    )
