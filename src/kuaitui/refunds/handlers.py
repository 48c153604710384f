"""News that moves applications. Each handler calls one operation, which may run twice."""

from __future__ import annotations

import datetime as dt

from kuaitui.deposits.events import HoldReduced
from kuaitui.kit.outbox import subscribe
from kuaitui.payouts.events import LegFailed, LegReturned, LegSent, PayoutDelayed, PayoutPaid
from kuaitui.refunds import operations
from kuaitui.refunds.events import ApplicationSubmitted


@subscribe(ApplicationSubmitted)
def check(event: ApplicationSubmitted, now: dt.datetime) -> None:
    """A submitted application is checked at once."""
    operations.check_application(application_id=event.application_id, now=now)


@subscribe(HoldReduced)
def reduce(event: HoldReduced, now: dt.datetime) -> None:
    """A deduction took part of what was set aside."""
    operations.reduce_application(
        application_id=event.reference, deduction_id=event.deduction_id, now=now
    )


@subscribe(LegSent)
def note_sent(event: LegSent, now: dt.datetime) -> None:
    """A part of the money is with the channel."""
    operations.record_leg_sent(
        application_id=event.application_id,
        leg_id=event.leg_id,
        occurred_at=event.occurred_at,
        now=now,
    )


@subscribe(PayoutPaid)
def note_paid(event: PayoutPaid, now: dt.datetime) -> None:
    """All of it has settled."""
    operations.record_paid(
        application_id=event.application_id, occurred_at=event.occurred_at, now=now
    )


@subscribe(LegReturned)
def note_returned(event: LegReturned, now: dt.datetime) -> None:
    """A part was paid and came back."""
    operations.record_leg_back(
        application_id=event.application_id,
        leg_id=event.leg_id,
        code=event.code,
        was_paid=True,
        now=now,
    )


@subscribe(LegFailed)
def note_failed(event: LegFailed, now: dt.datetime) -> None:
    """A part certainly was not paid."""
    operations.record_leg_back(
        application_id=event.application_id,
        leg_id=event.leg_id,
        code=event.code,
        was_paid=False,
        now=now,
    )


@subscribe(PayoutDelayed)
def note_delay(event: PayoutDelayed, now: dt.datetime) -> None:
    """A part takes longer than it should."""
    operations.record_delay(
        application_id=event.application_id, leg_id=event.leg_id, reason=event.reason, now=now
    )
