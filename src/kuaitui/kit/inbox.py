"""What channels tell us unasked: written down once, acted on once, refused with a count.

A genuine notification is a row per channel and event; its body is kept sealed, for it may name
people. What is refused is counted per channel, reason and hour and nothing of it is kept but a hash
of the last, so that a flood of forgeries fills no disk.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Final

from django.db import connection, transaction

from kuaitui.kit.encryption import Sealed, keyring
from kuaitui.kit.models import NotificationRow, RefusedNotifications

KEPT_FOR: Final = dt.timedelta(days=90)
EVENT_LENGTH_MAX: Final = 120
FORGOTTEN_AT_ONCE_MAX: Final = 1000


@transaction.atomic(durable=True)
def receive(
    *, channel: str, event_id: str, subject: str, number: str, body: bytes, now: dt.datetime
) -> bool:
    """Write a genuine notification down; whether anybody must still act on it.

    The same event again is counted, and acted on only if nobody did: a process may have died
    between writing it down and acting.
    """
    event = _short(event_id)
    sealed = keyring().seal(body.decode("latin-1"), context=_context(channel, event))
    row, is_new = NotificationRow.objects.get_or_create(
        channel=channel,
        event=event,
        defaults={
            "subject": subject,
            "number": number[:64],
            "body_sealed": sealed.content,
            "body_key_id": sealed.key_id,
            "body_sha256": hashlib.sha256(body).hexdigest(),
            "received_at": now,
        },
    )
    if not is_new:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE kit_notification SET repeats_count = repeats_count + 1 WHERE id = %s",
                [row.pk],
            )
    return row.taken_at is None


@transaction.atomic(durable=True)
def note_taken(*, channel: str, event_id: str, now: dt.datetime) -> None:
    """Somebody has acted on it. Idempotent."""
    NotificationRow.objects.filter(
        channel=channel, event=_short(event_id), taken_at__isnull=True
    ).update(taken_at=now)


@transaction.atomic(durable=True)
def note_refused(*, channel: str, reason: str, body: bytes, now: dt.datetime) -> None:
    """Count what was not taken. One row per channel, reason and hour, however many come."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kit_notifications_refused"
            " (channel, reason, hour_at, refused_count, last_at, last_sha256)"
            " VALUES (%s, %s, %s, 1, %s, %s) ON CONFLICT (channel, reason, hour_at) DO UPDATE SET"
            " refused_count = kit_notifications_refused.refused_count + 1,"
            " last_at = EXCLUDED.last_at, last_sha256 = EXCLUDED.last_sha256",
            [channel, reason, hour, now, hashlib.sha256(body).hexdigest()],
        )


def body_of(*, channel: str, event_id: str) -> bytes:
    """The body of a notification that was taken, byte for byte."""
    row = NotificationRow.objects.get(channel=channel, event=_short(event_id))
    sealed = Sealed(row.body_key_id, bytes(row.body_sealed))
    return keyring().unseal(sealed, context=_context(channel, row.event)).encode("latin-1")


def refused_counts(*, channel: str) -> dict[str, int]:
    """How many notifications of a channel were refused, by reason."""
    counts: dict[str, int] = {}
    for reason, count in RefusedNotifications.objects.filter(channel=channel).values_list(
        "reason", "refused_count"
    ):
        counts[reason] = counts.get(reason, 0) + count
    return counts


@transaction.atomic(durable=True)
def forget_old(*, now: dt.datetime) -> int:
    """Forget what no channel can repeat any more; how many rows went."""
    before = now - KEPT_FOR
    old = NotificationRow.objects.filter(received_at__lt=before).order_by("id")
    gone, _ = NotificationRow.objects.filter(
        pk__in=list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE_MAX])
    ).delete()
    counts, _ = RefusedNotifications.objects.filter(hour_at__lt=before).delete()
    return gone + counts


def _short(event_id: str) -> str:
    """The event's id as it is kept: a long one by its hash."""
    is_long = len(event_id) > EVENT_LENGTH_MAX
    return hashlib.sha256(event_id.encode()).hexdigest() if is_long else event_id


def _context(channel: str, event: str) -> str:
    return f"kit_notification.body:{channel}:{event}"
