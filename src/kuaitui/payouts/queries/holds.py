"""Whether sending is on hold after a restore, and what the channels have not been asked yet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection
from django.db.models import Max, Q

from kuaitui.payouts.models import (
    Incarnation,
    PayoutAttempt,
    PayoutLeg,
    SendBack,
    SendBackAttempt,
    SendingHold,
)
from kuaitui.payouts.queries.values import Hold
from kuaitui.payouts.states import LIVE
from kuaitui.payouts.types import HoldCause, SendOf


@dataclass(frozen=True, slots=True)
class LastSend:
    """One send as this installation noted it outside of the database."""

    attempt_id: int
    sent_id: str
    """The leg or the send-back."""
    started_at: dt.datetime
    held_at: dt.datetime | None
    """When the last hold had begun by then: what is noted before a hold is answered by that hold."""
    of: SendOf = SendOf.LEG


def current_hold() -> Hold | None:
    """The hold in force, if there is one."""
    row = SendingHold.objects.filter(released_at=None).first()
    if row is None:
        return None
    return Hold(
        cause=HoldCause(row.cause),
        reason=row.reason,
        begun_by=row.begun_by,
        begun_at=row.begun_at,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        finding=row.finding,
        unasked_count=unasked_count(row.begun_at),
    )


def current_hold_began() -> dt.datetime | None:
    """Since when sending is on hold, if it is."""
    return SendingHold.objects.filter(released_at=None).values_list("begun_at", flat=True).first()


def last_held_at() -> dt.datetime | None:
    """When the last hold began, whether or not it is in force: what is older may be incomplete."""
    moment: dt.datetime | None = SendingHold.objects.aggregate(last=Max("begun_at"))["last"]
    return moment


def unasked_count(held_at: dt.datetime) -> int:
    """How many live legs and send-backs no channel has given its word about since the hold began.

    Those set aside for people are not among them: they are neither sent nor asked, and the
    database lets none of them be sent before it was asked about.
    """
    is_uncertain = Q(clear_since=None) | Q(clear_since__lt=held_at)
    unasked = is_uncertain & Q(set_aside_at=None, state__in=[state.value for state in LIVE])
    return PayoutLeg.objects.filter(unasked).count() + SendBack.objects.filter(unasked).count()


def incarnation_now() -> str:
    """Which server, history and name this database has: it changes with every restore to a point
    in time, every fail-over, and every copy under another name.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT payouts_incarnation_now()")
        return str(cursor.fetchone()[0])


def incarnation_last_sent_from() -> str | None:
    """The incarnation that last was allowed to send. None: none has sent yet."""
    return Incarnation.objects.order_by("-id").values_list("identity", flat=True).first()


def knows_send(send: LastSend) -> bool:
    """Whether the database holds exactly this send, or a hold since then stands for it."""
    held_at = last_held_at()
    if held_at != send.held_at:
        return held_at is not None and (send.held_at is None or held_at > send.held_at)
    match send.of:
        case SendOf.LEG:
            attempts = PayoutAttempt.objects.filter(leg__public_id=send.sent_id)
            return attempts.filter(id=send.attempt_id, started_at=send.started_at).exists()
        case SendOf.SEND_BACK:
            calls = SendBackAttempt.objects.filter(send_back__public_id=send.sent_id)
            return calls.filter(id=send.attempt_id, started_at=send.started_at).exists()
