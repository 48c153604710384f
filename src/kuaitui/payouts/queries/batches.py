"""What the staff sees of batches and of what waits for one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from kuaitui.kernel.money import Money
from kuaitui.payouts.errors import BatchUnknown
from kuaitui.payouts.models import BatchLeg, PayoutBatch, PayoutLeg
from kuaitui.payouts.queries.holds import last_held_at
from kuaitui.payouts.states import BatchState, LegState

BATCHES_MAX = 200
LEGS_MAX = 5000


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """One batch in a list. `content_hash` is what a release binds."""

    batch_id: str
    channel: str
    state: BatchState
    legs_count: int
    total: Money
    content_hash: str
    built_by: str
    built_at: dt.datetime
    released_by: str
    released_at: dt.datetime | None
    execute_on: dt.date | None
    unsent_count: int
    """Legs that stand in it and were not booked as sent."""
    open_count: int
    """Legs that were sent with it and have no final result."""
    is_older_than_a_restore: bool
    """Whether it was released before the database was last put back: its file may have been taken."""

    @property
    def file_id(self) -> str:
        """How the bank knows its file."""
        return file_id(self.batch_id)


@dataclass(frozen=True, slots=True)
class LegInBatch:
    """One leg that stands in a batch or waits for one."""

    leg_id: str
    application_id: str
    channel: str
    channel_number: str
    amount: Money
    tail: str
    state: LegState
    since: dt.datetime
    code: str
    is_set_aside: bool
    has_left: bool
    """Called off, or refused for now; it is not in the batch any more."""


def file_id(batch_id: str) -> str:
    """How the bank knows a batch's file: letters and digits, 29 of them."""
    return batch_id.replace("_", "")


def is_older_than(held_at: dt.datetime | None, released_at: dt.datetime | None) -> bool:
    """Whether a batch was released before sending was last put on hold after a restore."""
    return held_at is not None and released_at is not None and released_at <= held_at


def is_unsent(prefix: str = "") -> Q:
    """What a released batch still waits for. A leg whose send a restore forgot may have failed unsent."""
    waits = {"sent_at": None, "left_at": None, "leg__state__in": ["ready", "sending"]}
    return Q(**{f"{prefix}{name}": value for name, value in waits.items()})


def waiting_rows(*, channel: str, currency: str) -> QuerySet[PayoutLeg]:
    """Rows that can be gathered: ready, not set aside, in no batch."""
    place = BatchLeg.objects.filter(leg=OuterRef("pk"), left_at=None)
    return PayoutLeg.objects.filter(
        ~Exists(place),
        channel=channel,
        currency=currency,
        needs_batch=True,
        state=LegState.READY,
        set_aside_at=None,
    )


def waiting_legs(*, channel: str, currency: str, limit: int = LEGS_MAX) -> tuple[LegInBatch, ...]:
    """What waits for a batch, the longest waiting first."""
    rows = waiting_rows(channel=channel, currency=currency).select_related("payout")
    page = rows.order_by("created_at", "id")[: min(limit, LEGS_MAX)]
    return tuple(_to_leg(row, has_left=False) for row in page)


def batches(*, limit: int = 50, offset: int = 0) -> tuple[BatchSummary, ...]:
    """Batches, the open ones and then the newest first."""
    rows = _counted(PayoutBatch.objects.all()).annotate(is_open=Q(state=BatchState.OPEN))
    page = rows.order_by("-is_open", "-built_at", "-id")
    held_at = last_held_at()
    chosen = page[offset : offset + min(limit, BATCHES_MAX)]
    return tuple(_to_summary(row, held_at) for row in chosen)


def batch(batch_id: str) -> BatchSummary:
    """One batch.

    Raises:
        BatchUnknown: there is none.
    """
    for row in _counted(PayoutBatch.objects.filter(public_id=batch_id)):
        return _to_summary(row, last_held_at())
    raise BatchUnknown(batch=batch_id)


def legs_of_batch(batch_id: str) -> tuple[LegInBatch, ...]:
    """Every leg that was built into a batch."""
    places = BatchLeg.objects.filter(batch__public_id=batch_id).select_related("leg__payout")
    return tuple(
        _to_leg(place.leg, has_left=place.left_at is not None)
        for place in places.order_by("id")[:LEGS_MAX]
    )


def approvers_in_batch(batch_id: str) -> frozenset[str]:
    """Who approved a payout in it, and so may not release it."""
    lists = BatchLeg.objects.filter(batch__public_id=batch_id).values_list(
        "leg__approved_by", flat=True
    )
    return frozenset(person for people in lists for person in people)


def _counted(rows: QuerySet[PayoutBatch]) -> QuerySet[PayoutBatch]:
    under_way = Q(
        members__sent_at__isnull=False,
        members__left_at=None,
        members__leg__state__in=["ready", "sending", "unknown", "accepted", "needs_action"],
    )
    return rows.annotate(
        unsent_count=Count("members", filter=is_unsent("members__")),
        open_count=Count("members", filter=under_way),
    )


def _to_summary(row: Any, held_at: dt.datetime | None) -> BatchSummary:  # noqa: ANN401 - a batch with annotations
    return BatchSummary(
        batch_id=row.public_id,
        channel=row.channel,
        state=BatchState(row.state),
        legs_count=row.legs_count,
        total=Money(row.total_minor, row.currency),
        content_hash=row.content_hash,
        built_by=row.built_by,
        built_at=row.built_at,
        released_by=row.released_by,
        released_at=row.released_at,
        execute_on=row.execute_on,
        unsent_count=row.unsent_count,
        open_count=row.open_count,
        is_older_than_a_restore=is_older_than(held_at, row.released_at),
    )


def _to_leg(row: PayoutLeg, *, has_left: bool) -> LegInBatch:
    return LegInBatch(
        leg_id=row.public_id,
        application_id=row.payout.application_id,
        channel=row.channel,
        channel_number=row.channel_number,
        amount=Money(row.amount_minor, row.currency),
        tail=row.tail,
        state=LegState(row.state),
        since=row.since,
        code=row.code,
        is_set_aside=row.set_aside_at is not None,
        has_left=has_left,
    )
