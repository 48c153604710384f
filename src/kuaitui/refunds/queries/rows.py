"""Finding applications and telling their parts as values."""

from __future__ import annotations

import datetime as dt

from kuaitui.kernel.money import Money
from kuaitui.refunds.errors import ApplicationUnknown
from kuaitui.refunds.models import ApplicationEvent, Decision, RefundApplication
from kuaitui.refunds.states import State
from kuaitui.refunds.types import AmountChoice, DecisionView, Draft, Reason, TimelineEvent


def find_row(application_id: str, *, shop_key: int | None) -> RefundApplication:
    """An application that was submitted; another shop's looks like none.

    Raises:
        ApplicationUnknown: there is none, or it is another shop's.
    """
    row = (
        RefundApplication.objects.select_related("policy").filter(public_id=application_id).first()
    )
    if row is None or row.submitted_at is None or shop_key not in (None, row.shop_key):
        raise ApplicationUnknown(application=application_id)
    return row


def events_of(row: RefundApplication) -> tuple[TimelineEvent, ...]:
    """The timeline, the oldest line first. It begins with the submission."""
    events = row.events.exclude(to_state=State.DRAFT.value).order_by("number")
    return tuple(_to_event(event) for event in events)


def decisions_of(row: RefundApplication) -> tuple[DecisionView, ...]:
    """What was decided, the oldest first."""
    return tuple(_to_decision(decision) for decision in row.decisions.order_by("number"))


def is_late(row: RefundApplication, *, now: dt.datetime) -> bool:
    """Whether somebody other than the seller has missed the time promised."""
    waits_for_seller = row.state in {
        State.MORE_INFORMATION,
        State.REJECTED,
        State.RETURNED,
        State.DRAFT,
    }
    return row.due_at is not None and not waits_for_seller and now >= row.due_at


def draft_of(*, account_id: str) -> Draft | None:
    """What was typed so far and not submitted."""
    row = RefundApplication.objects.filter(account_id=account_id, state=State.DRAFT).first()
    if row is None:
        return None
    minor = row.requested_minor
    return Draft(
        application_id=row.public_id,
        choice=AmountChoice(row.choice),
        amount=None if minor is None else Money(minor, row.currency),
        reason=Reason(row.reason) if row.reason else None,
        note=row.note,
        destination_id=row.destination_id,
    )


def _to_event(event: ApplicationEvent) -> TimelineEvent:
    return TimelineEvent(
        number=event.number,
        at=event.at,
        actor_kind=event.actor_kind,
        actor_id=event.actor_id,
        code=event.code,
        from_state=event.from_state,
        to_state=event.to_state,
        details=event.details,
    )


def _to_decision(decision: Decision) -> DecisionView:
    return DecisionView(
        number=decision.number,
        kind=decision.kind,
        actor_kind=decision.actor_kind,
        actor_id=decision.actor_id,
        decided_at=decision.decided_at,
        approval_hash=decision.approval_hash,
        reasons=tuple(decision.reasons),
        text=decision.text,
    )
