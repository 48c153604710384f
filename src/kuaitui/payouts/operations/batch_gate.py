"""What a leg's place in a batch means for its sending. Steps of other operations."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from kuaitui.channels.port import NO_RELEASE_KNOWN, PayoutInstruction
from kuaitui.payouts.models import BatchLeg, PayoutBatch, PayoutLeg, SendingHold
from kuaitui.payouts.states import BatchState


def is_released(leg: PayoutLeg) -> bool:
    """Whether the batch that a leg stands in was released."""
    return _place(leg, BatchState.RELEASED) is not None


def with_release(
    leg: PayoutLeg, instruction: PayoutInstruction, *, held_at: dt.datetime | None
) -> PayoutInstruction:
    """The instruction with the day and the count of its release, if it needs and has one.

    A leg that was refused for now and waits for another batch is asked about as of its last one. One
    whose release may be forgotten (`held_at`: a hold after a restore) is asked about from when on these
    books may lack something, and up to that hold, since nothing was sent after it began.
    """
    if not leg.needs_batch:
        return instruction
    place = _place(leg, BatchState.RELEASED)
    if place is None and held_at is not None:
        return replace(
            instruction,
            execute_on=min(_whole_until(leg), held_at).date(),
            executed_until=held_at.date(),
            release_no=NO_RELEASE_KNOWN,
        )
    place = place or _last_sent(leg)
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


def sent_in_this_release_at(leg: PayoutLeg) -> dt.datetime | None:
    """When a leg left with the batch that it stands in. Each release is another file for the bank."""
    place = _place(leg, BatchState.RELEASED)
    return place.sent_at if place else None


def _whole_until(leg: PayoutLeg) -> dt.datetime:
    """Up to when these books surely tell all about a leg: a release that they forgot came later.

    Not the leg's own moments: it may have been made anew after the restore, under the number that it
    had in the lost window.
    """
    holds = SendingHold.objects.order_by("-begun_at").values_list("known_until", flat=True)
    moments = [moment for moment in (holds.first(), leg.clear_since) if moment is not None]
    return max(moments, default=dt.datetime.min.replace(tzinfo=dt.UTC))


def _place(leg: PayoutLeg, state: BatchState) -> BatchLeg | None:
    places = BatchLeg.objects.select_related("batch").filter(leg=leg, left_at=None)
    return places.filter(batch__state=state).first()


def _last_sent(leg: PayoutLeg) -> BatchLeg | None:
    places = BatchLeg.objects.select_related("batch").filter(leg=leg, sent_at__isnull=False)
    return places.order_by("release_no").last()
