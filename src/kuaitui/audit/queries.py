"""Reading and verifying the audit trail."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

from django.db import connection

from kuaitui.audit.models import Event

EVENTS_MAX = 500


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One act as it was recorded."""

    stream: str
    event_no: int
    at: dt.datetime
    actor_id: str
    action: str
    object_id: str
    details: dict[str, object]


def events_of(object_id: str, *, limit: int = 100) -> list[AuditEvent]:
    """What was done to one object, oldest first."""
    rows = Event.objects.filter(object_id=object_id).order_by("at", "event_no")[
        : min(limit, EVENTS_MAX)
    ]
    return [
        AuditEvent(
            row.stream_id, row.event_no, row.at, row.actor_id, row.action, row.object_id,
            json.loads(row.content)["details"],
        )
        for row in rows
    ]  # fmt: skip


def differences(*, limit: int = 100) -> list[str]:
    """Every event that does not follow from the one before it, and every stream without its head."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH chained AS (
                SELECT stream_id, event_no, hash, content, at,
                    lag(hash, 1, ''::bytea) OVER stream AS previous,
                    row_number() OVER stream AS expected_no
                FROM audit_event WINDOW stream AS (PARTITION BY stream_id ORDER BY event_no)
            ), broken AS (
                SELECT stream_id, min(event_no) AS event_no FROM chained
                WHERE event_no <> expected_no OR hash <> audit_hash(previous, event_no, content)
                    OR at <> (content::jsonb ->> 'at')::timestamptz
                GROUP BY stream_id
            ), headless AS (
                SELECT stream.name AS stream_id, stream.events_count AS event_no
                FROM audit_stream AS stream LEFT JOIN audit_event AS last
                    ON last.stream_id = stream.name AND last.event_no = stream.events_count
                WHERE stream.events_count > 0 AND last.hash IS DISTINCT FROM stream.head_hash
            )
            SELECT stream_id, min(event_no) FROM (
                SELECT * FROM broken UNION ALL SELECT * FROM headless) AS wrong
            GROUP BY stream_id ORDER BY stream_id LIMIT %s
            """,
            [limit],
        )
        return [
            f"audit stream {stream}: the chain breaks at event {number}"
            for stream, number in cursor.fetchall()
        ]


def events_count() -> int:
    """How many events there are."""
    return Event.objects.count()
