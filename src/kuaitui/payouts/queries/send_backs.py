"""Payments in suspense on their way back, as workers and people see them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db.models import BooleanField, ExpressionWrapper, Q

from kuaitui.kernel.money import Money
from kuaitui.payouts.errors import SendBackUnknown
from kuaitui.payouts.models import ChannelSwitch, SendBack
from kuaitui.payouts.queries.calls import latest_calls
from kuaitui.payouts.queries.holds import current_hold_began, last_held_at
from kuaitui.payouts.queries.values import AttemptRecord
from kuaitui.payouts.states import LIVE, LegState
from kuaitui.payouts.types import ALL_CHANNELS

SEND_BACKS_MAX = 200
# What is paid is only watched: it comes after all that is not.
WATCHED: Final = ExpressionWrapper(Q(state=LegState.PAID), output_field=BooleanField())


@dataclass(frozen=True, slots=True)
class SendBackView:
    """One send-back with every call ever made about it."""

    send_back_id: str
    suspense_id: str
    channel: str
    number: str
    amount: Money
    state: LegState
    since: dt.datetime
    next_check_at: dt.datetime | None
    settled_at: dt.datetime | None
    returned_at: dt.datetime | None
    channel_reference: str
    code: str
    is_delayed: bool
    set_aside_at: dt.datetime | None
    set_aside_reason: str
    attempts: tuple[AttemptRecord, ...]


def due_send_backs(*, now: dt.datetime, limit: int = 50) -> list[str]:
    """Ids of the send-backs whose turn has come: the longest waiting first, and paid ones last.

    What a kill switch or a hold keeps back is not due. What must be asked about before it is sent
    is due: asking never stops.
    """
    rows = (
        SendBack.objects.filter(next_check_at__lte=now, set_aside_at=None)
        .filter(Q(lease_until=None) | Q(lease_until__lte=now))
        .exclude(_kept_back())
        .order_by(WATCHED, "next_check_at", "id")
    )
    return list(rows.values_list("public_id", flat=True)[: min(limit, SEND_BACKS_MAX)])


def _kept_back() -> Q:
    """What would be sent if sending were not stopped."""
    held_at = last_held_at()
    to_send = Q(state=LegState.READY)
    if held_at is not None:
        to_send &= Q(clear_since__gte=held_at)
    if current_hold_began() is not None:
        return to_send
    stopped = ChannelSwitch.objects.filter(is_stopped=True).values_list("channel", flat=True)
    channels = set(stopped)
    return to_send if ALL_CHANNELS in channels else to_send & Q(channel__in=channels)


def send_backs_of(suspense_id: str) -> tuple[SendBackView, ...]:
    """Every order to send one payment back, the latest first."""
    rows = SendBack.objects.filter(suspense_id=suspense_id).order_by("-nth")
    return tuple(_to_view(row) for row in rows[:SEND_BACKS_MAX])


def send_backs_set_aside(*, limit: int = 100) -> tuple[SendBackView, ...]:
    """Send-backs out of the machine until a person has looked, the longest waiting first."""
    rows = SendBack.objects.filter(set_aside_at__isnull=False).order_by("set_aside_at", "id")
    return tuple(_to_view(row) for row in rows[: min(limit, SEND_BACKS_MAX)])


def send_back(send_back_id: str) -> SendBackView:
    """One send-back.

    Raises:
        SendBackUnknown: there is none.
    """
    row = SendBack.objects.filter(public_id=send_back_id).first()
    if row is None:
        raise SendBackUnknown(send_back=send_back_id)
    return _to_view(row)


def _to_view(row: SendBack) -> SendBackView:
    return SendBackView(
        send_back_id=row.public_id,
        suspense_id=row.suspense_id,
        channel=row.channel,
        number=row.number,
        amount=Money(row.amount_minor, row.currency),
        state=LegState(row.state),
        since=row.since,
        next_check_at=row.next_check_at,
        settled_at=row.settled_at,
        returned_at=row.returned_at,
        channel_reference=row.channel_reference,
        code=row.code,
        is_delayed=row.delayed_at is not None and row.state in LIVE,
        set_aside_at=row.set_aside_at,
        set_aside_reason=row.set_aside_reason,
        attempts=latest_calls(row.attempts.all()),
    )
