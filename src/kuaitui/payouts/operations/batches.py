"""Batches: built by one person, released by another, called off while nothing has left."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models import Count, Q

from kuaitui.audit.operations import record
from kuaitui.channels.bank import BankChannel
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.ids import IdPrefix, new_id
from kuaitui.kit.outbox import wake
from kuaitui.payouts.errors import (
    BatchChanged,
    BatchNotOpen,
    BatchUnknown,
    LegNotWaiting,
    NothingToGather,
    ReleasedByAnApprover,
    ReleasedByItsBuilder,
)
from kuaitui.payouts.models import BatchLeg, PayoutBatch, PayoutLeg
from kuaitui.payouts.queries.batches import waiting_rows
from kuaitui.payouts.rules import batch_hash
from kuaitui.payouts.states import BatchState, LegState

LEGS_PER_BATCH_MAX = 5000
BUILD_LOCKS = 0x6B74_6261  # "ktba": the first half of the advisory locks, the channel is the second


@transaction.atomic(durable=True)
def build_batch(
    *,
    channel: BankChannel,
    leg_ids: Sequence[str] = (),
    actor: Actor,
    now: dt.datetime,
) -> str:
    """Gather what waits for a channel, or the chosen legs of it, and return the batch's id.

    Nothing leaves: another person must release it.

    Raises:
        NothingToGather: nothing waits.
        LegNotWaiting: a chosen leg is in another batch, set aside, sent or called off.
    """
    _take_turns(channel.name)
    waiting = waiting_rows(channel=channel.name, currency=channel.currency)
    if leg_ids:
        waiting = waiting.filter(public_id__in=leg_ids)
    legs = list(waiting.select_for_update().order_by("id")[:LEGS_PER_BATCH_MAX])
    if leg_ids and len(legs) != len(set(leg_ids)):
        raise LegNotWaiting(channel=channel.name)
    if not legs:
        raise NothingToGather(channel=channel.name)
    releases = _earlier_releases(legs)
    batch = PayoutBatch.objects.create(
        public_id=new_id(IdPrefix.PAYOUT_BATCH, now=now),
        channel=channel.name,
        currency=channel.currency,
        legs_count=len(legs),
        total_minor=sum(leg.amount_minor for leg in legs),
        content_hash=batch_hash(
            (
                leg.channel_number,
                leg.amount_minor,
                leg.currency,
                leg.approval_hash,
                releases[leg.pk] + 1,
            )
            for leg in legs
        ),
        built_by=actor.id,
        built_at=now,
    )
    BatchLeg.objects.bulk_create(
        BatchLeg(batch=batch, leg=leg, release_no=releases[leg.pk] + 1) for leg in legs
    )
    _audit(batch, "payout.batch_built", actor, now)
    return batch.public_id


@transaction.atomic(durable=True)
def release_batch(
    *, channel: BankChannel, batch_id: str, content_hash: str, actor: Actor, now: dt.datetime
) -> dt.date:
    """Let a batch go, exactly as it was seen, and return the day the bank executes it on.

    From here on the worker sends its legs. The day is the bank's next by its cut-off and calendar.
    The database refuses the same as this: a builder or an approver who releases, and another set.

    Raises:
        BatchUnknown: there is none of this channel.
        BatchNotOpen: it was decided before.
        ReleasedByItsBuilder, ReleasedByAnApprover: another person must do this.
        BatchChanged: it is not what was seen any more.
    """
    batch = _lock(batch_id, channel.name)
    if actor.id == batch.built_by:
        raise ReleasedByItsBuilder(batch=batch_id)
    legs = list(PayoutLeg.objects.select_for_update().filter(batches__batch=batch).order_by("id"))
    if any(actor.id in leg.approved_by for leg in legs):
        raise ReleasedByAnApprover(batch=batch_id)
    has_left = BatchLeg.objects.filter(batch=batch, left_at__isnull=False).exists()
    is_stuck = any(leg.state != LegState.READY or leg.set_aside_at for leg in legs)
    if content_hash != batch.content_hash or has_left or is_stuck:
        raise BatchChanged(batch=batch_id)
    batch.state, batch.released_by, batch.released_at = BatchState.RELEASED, actor.id, now
    batch.execute_on = channel.execution_day(now)
    batch.save(update_fields=["state", "released_by", "released_at", "execute_on"])
    PayoutLeg.objects.filter(pk__in=[leg.pk for leg in legs]).update(next_check_at=now)
    _audit(batch, "payout.batch_released", actor, now)
    wake()
    return batch.execute_on


@transaction.atomic(durable=True)
def cancel_batch(*, batch_id: str, actor: Actor, now: dt.datetime) -> None:
    """Call a batch off before its release; its legs wait for another.

    Raises:
        BatchUnknown: there is none.
        BatchNotOpen: it was decided before.
    """
    batch = _lock(batch_id)
    batch.state, batch.cancelled_by, batch.cancelled_at = BatchState.CANCELLED, actor.id, now
    batch.save(update_fields=["state", "cancelled_by", "cancelled_at"])
    BatchLeg.objects.filter(batch=batch, left_at=None).update(left_at=now)
    _audit(batch, "payout.batch_cancelled", actor, now)


def _take_turns(channel: str) -> None:
    """Who builds second looks at what the first has left."""
    with connection.cursor() as cursor:
        lock = zlib.crc32(channel.encode()) - 2**31
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [BUILD_LOCKS, lock])


def _lock(batch_id: str, channel: str = "") -> PayoutBatch:
    batch = PayoutBatch.objects.select_for_update().filter(public_id=batch_id).first()
    if batch is None or channel not in {"", batch.channel}:
        raise BatchUnknown(batch=batch_id)
    if batch.state != BatchState.OPEN:
        raise BatchNotOpen(batch=batch_id)
    return batch


def _earlier_releases(legs: Sequence[PayoutLeg]) -> dict[int, int]:
    """How often each leg was sent in a batch before."""
    counted = PayoutLeg.objects.filter(pk__in=[leg.pk for leg in legs]).annotate(
        releases=Count("batches", filter=Q(batches__sent_at__isnull=False))
    )
    return dict(counted.values_list("pk", "releases"))


def _audit(batch: PayoutBatch, action: str, actor: Actor, now: dt.datetime) -> None:
    details: dict[str, object] = {
        "channel": batch.channel,
        "legs": batch.legs_count,
        "total_minor": batch.total_minor,
        "currency": batch.currency,
        "content_hash": batch.content_hash,
    }
    if batch.execute_on is not None:
        details["execute_on"] = batch.execute_on.isoformat()
    record(actor=actor, action=action, object_id=batch.public_id, details=details, now=now)
