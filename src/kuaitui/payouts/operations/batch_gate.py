"""What a leg's place in a batch means for its sending. Steps of other operations."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from django.db.models import Max

from kuaitui.channels.port import NO_RELEASE_KNOWN, PayoutInstruction
from kuaitui.payouts.models import BankMessage, BatchLeg, PayoutBatch, PayoutLeg
from kuaitui.payouts.states import BatchState


def is_released(leg: PayoutLeg) -> bool:
    """Whether the batch that a leg stands in was released."""
    return _place(leg, BatchState.RELEASED) is not None


def with_release(
    leg: PayoutLeg, instruction: PayoutInstruction, *, held_at: dt.datetime | None
) -> PayoutInstruction:
    """The instruction with the day and the count of its release, if it needs and has one.

    A leg that was refused for now and waits for another batch is asked about as of its last one. One
    whose release may be forgotten (`held_at`: a hold after a restore) is asked about from the newest
    that the restored books know of on, and up to that hold, since nothing was sent after it began.
    """
    if not leg.needs_batch:
        return instruction
    place = _place(leg, BatchState.RELEASED) or _last_sent(leg)
    if place is None and held_at is not None:
        return replace(
            instruction,
            execute_on=min(_known_until(leg, held_at), held_at).date(),
            executed_until=held_at.date(),
            release_no=NO_RELEASE_KNOWN,
        )
    if place is None:
        return instruction
    return with_release_of(place.batch, place, instruction)


def with_release_of(
    batch: PayoutBatch, place: BatchLeg, instruction: PayoutInstruction
) -> PayoutInstruction:
    """The instruction as it leaves with that batch."""
    return replace(instruction, execute_on=batch.execute_on, release_no=place.release_no)


def note_sent(leg: PayoutLeg, *, now: dt.datetime) -> None:
    """Remember that a leg left with its batch; the first send of a release counts."""
    if leg.needs_batch:
        places = BatchLeg.objects.filter(leg=leg, left_at=None, sent_at=None)
        places.filter(batch__state=BatchState.RELEASED).update(sent_at=now)


def leave_batch(leg: PayoutLeg, *, now: dt.datetime) -> None:
    """Take a leg out of its batch: called off, or certainly not executed and free for another."""
    if leg.needs_batch:
        BatchLeg.objects.filter(leg=leg, left_at=None).update(left_at=now)


def leave_unsent(leg: PayoutLeg, *, now: dt.datetime) -> None:
    """Take a leg that may not be sent now out of its released batch; it waits for another.

    Its batch goes to the bank as one file, on one day: one leg must not keep the others.
    """
    if leg.needs_batch:
        places = BatchLeg.objects.filter(leg=leg, left_at=None, sent_at=None)
        places.filter(batch__state=BatchState.RELEASED).update(left_at=now)


def _known_until(leg: PayoutLeg, held_at: dt.datetime) -> dt.datetime:
    """Up to when the restored books surely tell all about a leg: a forgotten release came later."""
    built = PayoutBatch.objects.filter(built_at__lt=held_at).aggregate(last=Max("built_at"))["last"]
    heard = BankMessage.objects.filter(received_at__lt=held_at)
    taken = heard.aggregate(last=Max("received_at"))["last"]
    return max(moment for moment in (leg.since, built, taken) if moment is not None)


def _place(leg: PayoutLeg, state: BatchState) -> BatchLeg | None:
    places = BatchLeg.objects.select_related("batch").filter(leg=leg, left_at=None)
    return places.filter(batch__state=state).first()


def _last_sent(leg: PayoutLeg) -> BatchLeg | None:
    places = BatchLeg.objects.select_related("batch").filter(leg=leg, sent_at__isnull=False)
    return places.order_by("release_no").last()
