"""A released batch as a file that people carry to the bank."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.audit.operations import record
from kuaitui.channels.bank import BankChannel, BatchFile, BatchFormat
from kuaitui.kernel.actor import Actor
from kuaitui.payouts.errors import (
    BatchFileHeldBack,
    BatchFileMayBeTaken,
    BatchNotReady,
    BatchUnknown,
)
from kuaitui.payouts.models import BatchLeg, PayoutBatch
from kuaitui.payouts.operations.batch_gate import with_release_of
from kuaitui.payouts.operations.requests import open_request
from kuaitui.payouts.queries.batches import file_id, is_older_than, is_unsent
from kuaitui.payouts.queries.holds import current_hold_began, last_held_at
from kuaitui.payouts.states import BatchState


@transaction.atomic(durable=True)
def make_batch_file(
    *,
    channel: BankChannel,
    batch_id: str,
    form: BatchFormat,
    finding: str = "",
    actor: Actor,
    now: dt.datetime,
) -> BatchFile:
    """The batch's file, the same bytes every time; who took it is audited.

    It holds what was booked as sent, and is made when nothing of the batch waits any more. So money
    that a person can carry away is in transit in our books before. After a restore nobody knows
    whether the file of an older batch was taken in the lost window, and a bank that is brought it
    twice may pay it twice: whoever takes it says by `finding` what the bank has of it.

    Raises:
        BatchUnknown: there is none of this channel.
        BatchNotReady: it was not released, or some of it is not booked as sent yet.
        BatchFileHeldBack: sending is on hold.
        BatchFileMayBeTaken: the batch is older than a restore, and nothing is said of the bank.
        SealBroken, InvariantViolated: a request is not what was approved.
    """
    batch = PayoutBatch.objects.filter(public_id=batch_id, channel=channel.name).first()
    if batch is None:
        raise BatchUnknown(batch=batch_id)
    places = BatchLeg.objects.filter(batch=batch)
    if batch.state != BatchState.RELEASED or places.filter(is_unsent()).exists():
        raise BatchNotReady(batch=batch_id)
    if current_hold_began() is not None:
        raise BatchFileHeldBack(batch=batch_id)
    if is_older_than(last_held_at(), batch.released_at) and not finding.strip():
        raise BatchFileMayBeTaken(batch=batch_id)
    sent = places.filter(sent_at__isnull=False).select_related("leg").order_by("id")
    payments = [with_release_of(batch, place, open_request(place.leg)) for place in sent]
    if not payments or batch.execute_on is None:
        raise BatchNotReady(batch=batch_id)
    file = channel.render_batch(
        payments, file_id=file_id(batch_id), execute_on=batch.execute_on, form=form
    )
    record(
        actor=actor,
        action="payout.batch_taken",
        object_id=batch_id,
        details={"form": form.value, "legs": len(payments), "finding": finding.strip()},
        now=now,
    )
    return file
