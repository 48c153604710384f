"""Money came back: another destination, without losing the place in the queue."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.kernel.actor import Actor
from kuaitui.refunds import rules
from kuaitui.refunds.errors import DestinationUnchanged
from kuaitui.refunds.models import Decision
from kuaitui.refunds.operations.information import set_destination
from kuaitui.refunds.operations.steps import (
    advance,
    decide,
    lock_application,
    require_act,
    require_text,
    require_version,
    wait_for_repair,
)
from kuaitui.refunds.queries.binding import repair_plan, repairable_legs
from kuaitui.refunds.queries.policy import terms_of
from kuaitui.refunds.states import SellerAct, StaffAct, State


@transaction.atomic(durable=True)
def repair_destination(
    *, application_id: str, shop_key: int, destination_id: str, actor: Actor, now: dt.datetime
) -> None:
    """Choose another account for what came back. Two people approve it, then it is sent again.

    The same choice again is a no-op.

    Raises:
        ApplicationUnknown: there is none, or it is another shop's.
        StateDoesNotAllow: nothing came back.
        DestinationUnknown, DestinationOfAnotherShop: it cannot be chosen.
        DestinationUnchanged: the bank just refused this account.
        NoWayOut, PartTooSmall, PartTooLarge: no channel here pays such an account, or this amount.
    """
    row = lock_application(application_id, shop_key=shop_key)
    require_act(row, SellerAct.REPAIR_DESTINATION)
    if row.state == State.DESTINATION_REPAIRED and row.destination_id == destination_id:
        return
    if any(leg.destination_id == destination_id for leg in repairable_legs(row)):
        raise DestinationUnchanged(destination=destination_id)
    set_destination(row, destination_id, actor=actor, now=now)
    row.repairs += 1
    row.route_plan = repair_plan(row).to_json()
    terms = terms_of(row)
    row.review_due_at = rules.end_of_period(terms.review.review_time, start=now, terms=terms)
    advance(
        row,
        to=State.DESTINATION_REPAIRED,
        code="destination_repaired",
        actor=actor,
        now=now,
        due_at=row.review_due_at,
        audited={"destination": destination_id},
    )


@transaction.atomic(durable=True)
def refuse_repair(
    *, application_id: str, version: int, text: str, actor: Actor, now: dt.datetime
) -> None:
    """Do not send to the account the seller chose; another one is needed.

    Raises:
        ApplicationUnknown: there is no such application.
        StaleVersion: it is not what was shown.
        StateDoesNotAllow: no repair waits.
        TextMissing, NoteTooLong: the seller must be told why.
    """
    row = lock_application(application_id)
    require_version(row, version)
    require_act(row, StaffAct.REFUSE_REPAIR)
    told = require_text(text)
    decide(row, Decision.Kind.REFUSE_REPAIR, actor=actor, text=told, now=now)
    wait_for_repair(row, code="repair_refused", actor=actor, now=now, details={"text": told})
