"""Which legs a worker may take now."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, OuterRef, Q, QuerySet

from kuaitui.payouts.models import BatchLeg, ChannelSwitch, PayoutLeg
from kuaitui.payouts.queries.holds import current_hold_began, last_held_at, uncertain_since
from kuaitui.payouts.states import BatchState, LegState
from kuaitui.payouts.types import ALL_CHANNELS

DUE_MAX = 200


def due_legs(*, now: dt.datetime, limit: int = 50) -> list[str]:
    """Ids of the legs whose turn has come: the longest waiting first, and paid ones last.

    However many paid legs are watched for returns, they hold up nobody's money.
    """
    room = min(limit, DUE_MAX)
    rows = due_rows(now).order_by("next_check_at").values_list("public_id", flat=True)
    unsettled = list(rows.exclude(state=LegState.PAID)[:room])
    if len(unsettled) == room:
        return unsettled
    return [*unsettled, *rows.filter(state=LegState.PAID)[: room - len(unsettled)]]


def released_membership() -> QuerySet[BatchLeg]:
    """For a leg's row: its place in a batch that was released."""
    return BatchLeg.objects.filter(
        leg=OuterRef("pk"), left_at=None, batch__state=BatchState.RELEASED
    )


def due_rows(now: dt.datetime) -> QuerySet[PayoutLeg]:
    """Rows whose turn has come; what a kill switch, a hold or a batch keeps back is not due.

    What must be asked about before it is sent is due: asking never stops.
    """
    stopped = set(ChannelSwitch.objects.filter(is_stopped=True).values_list("channel", flat=True))
    due = PayoutLeg.objects.filter(next_check_at__lte=now, set_aside_at=None).filter(
        Q(lease_until=None) | Q(lease_until__lte=now)
    )
    sends = Q(state=LegState.READY)
    if (held_at := last_held_at()) is not None:
        sends &= ~uncertain_since(held_at)
    due = due.exclude(sends & Q(needs_batch=True) & ~Exists(released_membership()))
    if current_hold_began() is not None or ALL_CHANNELS in stopped:
        return due.exclude(sends)
    return due.exclude(sends & Q(channel__in=stopped)) if stopped else due
