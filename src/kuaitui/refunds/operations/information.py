"""Asking the seller for more, and the answer."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.deposits.queries import destination
from kuaitui.kernel.actor import Actor
from kuaitui.refunds import rules
from kuaitui.refunds.errors import DestinationOfAnotherShop, TooLateToAnswer
from kuaitui.refunds.models import Decision, RefundApplication
from kuaitui.refunds.operations.steps import (
    advance,
    decide,
    lock_application,
    require_act,
    require_text,
    require_version,
)
from kuaitui.refunds.queries.binding import bind
from kuaitui.refunds.queries.policy import terms_of
from kuaitui.refunds.states import SellerAct, StaffAct, State


@transaction.atomic(durable=True)
def request_information(
    *, application_id: str, version: int, question: str, actor: Actor, now: dt.datetime
) -> None:
    """Ask the seller a question; the review clock stands still until the answer.

    Raises:
        ApplicationUnknown: there is no such application.
        StaleVersion: it is not what was shown.
        StateDoesNotAllow: it is not in review.
        TextMissing, NoteTooLong: the question.
    """
    row = lock_application(application_id)
    require_version(row, version)
    require_act(row, StaffAct.REQUEST_INFORMATION)
    asked = require_text(question)
    terms = terms_of(row)
    decide(row, Decision.Kind.REQUEST_INFORMATION, actor=actor, text=asked, now=now)
    advance(
        row,
        to=State.MORE_INFORMATION,
        code="information_requested",
        actor=actor,
        now=now,
        due_at=rules.end_of_period(terms.review.more_information_window, start=now, terms=terms),
        details={"text": asked},
    )


@transaction.atomic(durable=True)
def provide_information(
    *,
    application_id: str,
    shop_key: int,
    text: str,
    actor: Actor,
    now: dt.datetime,
    destination_id: str = "",
) -> None:
    """Answer the question; the review goes on where it stood. A destination may come with it.

    Raises:
        ApplicationUnknown: there is none, or it is another shop's.
        StateDoesNotAllow: nothing is asked.
        TooLateToAnswer: the time is over.
        TextMissing, NoteTooLong: the answer.
        DestinationUnknown, DestinationOfAnotherShop: the destination.
        NoWayOut, PartTooSmall, PartTooLarge: no channel here pays such an account, or this amount.
    """
    row = lock_application(application_id, shop_key=shop_key)
    require_act(row, SellerAct.PROVIDE_INFORMATION)
    if row.due_at is not None and now >= row.due_at:
        raise TooLateToAnswer(due_at=row.due_at.isoformat())
    answer = require_text(text)
    if destination_id not in ("", row.destination_id):
        set_destination(row, destination_id, actor=actor, now=now)
        row.route_plan = bind(row, now=now).plan.to_json()
    row.review_due_at = rules.put_off(
        row.review_due_at or now, by=now - row.state_since, terms=terms_of(row)
    )
    advance(
        row,
        to=State.IN_REVIEW,
        code="information_provided",
        actor=actor,
        now=now,
        due_at=row.review_due_at,
        details={"text": answer},
    )


def set_destination(
    row: RefundApplication, destination_id: str, *, actor: Actor, now: dt.datetime
) -> None:
    """Point an application to another destination of the same shop; no approval survives it.

    Raises:
        DestinationUnknown, DestinationOfAnotherShop: it cannot be chosen.
    """
    chosen = destination(destination_id)
    if chosen.shop_key != row.shop_key:
        raise DestinationOfAnotherShop(destination=destination_id)
    row.previous_destination_id = row.destination_id
    row.destination_id = destination_id
    row.destination_set_by = actor.id
    row.second_approval_forced = row.second_approval_forced or chosen.is_cooling_down(now=now)
    row.revision += 1
