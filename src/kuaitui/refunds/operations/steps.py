"""The steps every operation is made of: lock, guard, decide, advance."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from kuaitui.audit.operations import record
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.invariants import ensure
from kuaitui.kit.outbox import publish
from kuaitui.kit.transactions import requires_transaction
from kuaitui.refunds import rules
from kuaitui.refunds.errors import (
    ApplicationUnknown,
    NoteTooLong,
    StaleVersion,
    StateDoesNotAllow,
    TextMissing,
)
from kuaitui.refunds.events import ApplicationMoved
from kuaitui.refunds.models import ApplicationEvent, Decision, RefundApplication
from kuaitui.refunds.queries.policy import terms_of
from kuaitui.refunds.states import BOUND, FACTS, SellerAct, StaffAct, State, may_move


@requires_transaction
def lock_application(application_id: str, *, shop_key: int | None = None) -> RefundApplication:
    """An application, held against everybody else. Another shop's looks like none.

    Raises:
        ApplicationUnknown: there is none, or it is another shop's.
    """
    row = (
        RefundApplication.objects.select_for_update(of=("self",))
        .select_related("policy")
        .filter(public_id=application_id)
        .first()
    )
    if row is None or shop_key not in (None, row.shop_key):
        raise ApplicationUnknown(application=application_id)
    return row


def require_act(row: RefundApplication, act: SellerAct | StaffAct) -> None:
    """Refuse what the state does not allow.

    Raises:
        StateDoesNotAllow: the application stands elsewhere.
    """
    facts = FACTS[State(row.state)]
    allowed = facts.seller_acts if isinstance(act, SellerAct) else facts.staff_acts
    if act not in allowed:
        raise StateDoesNotAllow(state=row.state, act=act.value)


def require_version(row: RefundApplication, version: int) -> None:
    """Refuse a decision on what is no longer so.

    Raises:
        StaleVersion: the case was changed since it was shown.
    """
    if row.version != version:
        raise StaleVersion(seen=version, now=row.version)


def require_text(text: str, *, length_max: int = rules.TEXT_LENGTH_MAX) -> str:
    """The text, trimmed.

    Raises:
        TextMissing: nothing was written.
        NoteTooLong: more than fits.
    """
    trimmed = text.strip()
    if not trimmed:
        raise TextMissing
    if len(trimmed) > length_max:
        raise NoteTooLong(length=len(trimmed), length_max=length_max)
    return trimmed


@requires_transaction
def decide(
    row: RefundApplication,
    kind: Decision.Kind,
    *,
    actor: Actor,
    now: dt.datetime,
    text: str = "",
    reasons: Sequence[str] = (),
    approval_hash: str = "",
) -> None:
    """Write down who decided what. Its number is the version that the decision makes."""
    Decision(
        application=row,
        number=row.version + 1,
        kind=kind.value,
        actor_kind=actor.kind.value,
        actor_id=actor.id,
        decided_at=now,
        approval_hash=approval_hash,
        reasons=list(reasons),
        text=text,
    ).save(force_insert=True)


@requires_transaction
def advance(
    row: RefundApplication,
    *,
    to: State,
    code: str,
    actor: Actor,
    now: dt.datetime,
    due_at: dt.datetime | None = None,
    details: Mapping[str, object] | None = None,
    audited: Mapping[str, object] | None = None,
) -> None:
    """Save the row as its next version, in state `to`, with its timeline line, trail and news.

    `details` stand in the timeline and may hold what a person wrote; `audited` goes to the trail,
    which holds codes and figures only.
    """
    source = State(row.state)
    ensure(may_move(source, to), f"an application may go from {source} to {to}")
    if to not in BOUND:
        row.approval_hash = ""
    if to is not State.RETURNED:
        row.remind_at = None
    if source is not to:
        row.state = to.value
        row.state_since = now
    row.due_at = due_at
    row.version += 1
    row.save()
    write_event(row, code=code, source=source, actor=actor, now=now, details=details)
    record(
        actor=actor,
        action=f"refund.{code}",
        object_id=row.public_id,
        shop_key=row.shop_key,
        details={"from": source.value, "to": to.value, "version": row.version, **(audited or {})},
        now=now,
    )
    if row.submitted_at is not None:
        amount_minor = None if row.repairs else row.amount_minor
        told = ApplicationMoved(
            row.public_id, row.shop_key, row.version, code, to.value, now,
            amount_minor, row.currency,
        )  # fmt: skip
        publish(told, now=now)


@requires_transaction
def wait_for_repair(
    row: RefundApplication,
    *,
    code: str,
    actor: Actor,
    now: dt.datetime,
    details: Mapping[str, object],
) -> None:
    """Wait for the seller to choose another account, from now on: until when, and a reminder."""
    terms = terms_of(row)
    review = terms.review
    row.remind_at = rules.end_of_period(review.repair_reminder_time, start=now, terms=terms)
    advance(
        row,
        to=State.RETURNED,
        code=code,
        actor=actor,
        now=now,
        due_at=rules.end_of_period(review.repair_time, start=now, terms=terms),
        details=details,
    )


def write_event(
    row: RefundApplication,
    *,
    code: str,
    source: State,
    actor: Actor,
    now: dt.datetime,
    details: Mapping[str, object] | None = None,
) -> None:
    """The timeline's line for the row's version."""
    ApplicationEvent(
        application=row,
        number=row.version,
        at=now,
        actor_kind=actor.kind.value,
        actor_id=actor.id,
        code=code,
        from_state=source.value,
        to_state=row.state,
        details=dict(details or {}),
    ).save(force_insert=True)
