"""Money came back and nobody chose another account: two people give it back to the deposit."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.deposits.operations import release_deposit
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.invariants import ensure
from kuaitui.kit.crashpoints import reach
from kuaitui.payouts.operations import close_out_payout
from kuaitui.refunds.errors import CloseOutNeedsAnother, CloseOutNotProposed, CloseOutTooEarly
from kuaitui.refunds.models import Decision
from kuaitui.refunds.operations.steps import (
    advance,
    decide,
    lock_application,
    require_act,
    require_text,
    require_version,
)
from kuaitui.refunds.queries.closing import closable_from, proposal_of
from kuaitui.refunds.states import StaffAct, State


@transaction.atomic(durable=True)
def propose_close_out(
    *, application_id: str, version: int, text: str, actor: Actor, now: dt.datetime
) -> None:
    """Propose that what came back is not sent again; somebody else must confirm it.

    Nothing moves yet, and the seller can still choose another account, which ends the proposal.

    Raises:
        ApplicationUnknown: there is no such application.
        StaleVersion: it is not what was shown.
        StateDoesNotAllow: no money waits for another account.
        CloseOutTooEarly: the seller's time has not run out.
        TextMissing, NoteTooLong: the seller must be told why.
    """
    row = lock_application(application_id)
    require_version(row, version)
    require_act(row, StaffAct.PROPOSE_CLOSE_OUT)
    if now < closable_from(row):
        raise CloseOutTooEarly(application=application_id)
    told = require_text(text)
    decide(row, Decision.Kind.PROPOSE_CLOSE_OUT, actor=actor, text=told, now=now)
    advance(
        row,
        to=State.RETURNED,
        code="close_out_proposed",
        actor=actor,
        now=now,
        due_at=row.due_at,
    )


@transaction.atomic(durable=True)
def confirm_close_out(*, application_id: str, version: int, actor: Actor, now: dt.datetime) -> None:
    """Give back to the deposit what came back, and end the application, as a colleague proposed.

    Posts *frozen → available*. Only while nothing at all has changed since the proposal, and while
    no part may still be paid.

    Raises:
        ApplicationUnknown: there is no such application.
        StaleVersion: it is not what was shown.
        StateDoesNotAllow: no money waits for another account.
        CloseOutNotProposed: nobody has proposed it, or something changed since.
        CloseOutNeedsAnother: this person proposed it.
        MoreCameBack: another part came back, and its seller has not had time for it.
        PayoutMayStillPay, PayoutBeingAskedBack: a part may still be paid.
    """
    row = lock_application(application_id)
    require_version(row, version)
    require_act(row, StaffAct.CONFIRM_CLOSE_OUT)
    proposal = proposal_of(row)
    if proposal is None:
        raise CloseOutNotProposed(application=application_id)
    if proposal.actor_id == actor.id:
        raise CloseOutNeedsAnother(application=application_id)
    given_up = close_out_payout(
        application_id=application_id, proposed_at=proposal.decided_at, now=now
    )
    released = release_deposit(account_id=row.account_id, reference=row.public_id, now=now)
    ensure(released == given_up, "what is released is what the legs that came back carried")
    decide(row, Decision.Kind.CONFIRM_CLOSE_OUT, actor=actor, now=now)
    advance(
        row,
        to=State.CLOSED_OUT,
        code="closed_out",
        actor=actor,
        now=now,
        details={"text": proposal.text, "amount_minor": released.minor},
        audited={"amount_minor": released.minor},
    )
    reach("refunds.close_out.uncommitted")
