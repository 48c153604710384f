"""Reading and verifying the audit trail."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any, Final, LiteralString

from django.db import connection

from kuaitui.audit.models import Event

EVENTS_MAX: Final = 500
_TRAIL: Final[LiteralString] = """
SELECT stream_id, event_no, at, content, hash FROM audit_event
WHERE (%(stream)s = '' OR stream_id = %(stream)s)
    AND (%(object_id)s = '' OR object_id = %(object_id)s)
    AND (%(actor_id)s = '' OR actor_id = %(actor_id)s)
    AND (%(area)s = '' OR starts_with(action, %(area)s || '.'))
    AND (%(from_at)s::timestamptz IS NULL OR at >= %(from_at)s)
    AND (%(before_at)s::timestamptz IS NULL OR at < %(before_at)s)
    AND (%(after_at)s::timestamptz IS NULL
        OR (at, stream_id, event_no) < (%(after_at)s, %(after_stream)s, %(after_no)s))
ORDER BY at DESC, stream_id DESC, event_no DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One act as it was recorded.

    `hash` binds it to everything before it in its stream: it is the SHA-256 of the hash before, the
    number in eight bytes, the highest first, and `content` in UTF-8.
    """

    stream: str
    event_no: int
    at: dt.datetime
    actor_kind: str
    actor_id: str
    action: str
    object_id: str
    details: dict[str, Any]
    content: str
    hash: str


@dataclass(frozen=True, slots=True)
class TrailFilters:
    """What of the trail is wanted; what is left empty is not asked about."""

    shop_key: int | None = None
    object_id: str = ""
    actor_id: str = ""
    area: str = ""
    """The first part of an action's name, such as `payout`."""
    from_at: dt.datetime | None = None
    before_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class TrailPage:
    """Events that fit, the newest first, and where the next page begins, if there is one."""

    events: tuple[AuditEvent, ...]
    next: str | None


def trail(*, filters: TrailFilters, after: str | None, limit: int) -> TrailPage:
    """What was done, the newest first. `after` is a page's `next`; any other text begins anew."""
    limit = min(limit, EVENTS_MAX)
    at, stream, number = _place(after)
    values: dict[str, Any] = {
        "stream": "" if filters.shop_key is None else f"shop:{filters.shop_key}",
        "object_id": filters.object_id,
        "actor_id": filters.actor_id,
        "area": filters.area,
        "from_at": filters.from_at,
        "before_at": filters.before_at,
        "after_at": at,
        "after_stream": stream,
        "after_no": number,
        "limit": limit + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_TRAIL, values)
        rows = cursor.fetchall()
    events = tuple(_event(*row) for row in rows[:limit])
    following = _place_of(events[-1]) if len(rows) > limit else None
    return TrailPage(events, following)


def _place(text: str | None) -> tuple[dt.datetime | None, str, int]:
    """Where a page ended."""
    at, _, rest = (text or "").partition("~")
    stream, _, number = rest.partition("~")
    try:
        moment = dt.datetime.fromisoformat(at)
        return (moment, stream, int(number)) if moment.tzinfo else (None, "", 0)
    except ValueError:
        return None, "", 0


def _place_of(event: AuditEvent) -> str:
    return f"{event.at.isoformat()}~{event.stream}~{event.event_no}"


def _event(
    stream: str, event_no: int, at: dt.datetime, content: str, digest: bytes | memoryview
) -> AuditEvent:
    said = json.loads(content)
    return AuditEvent(
        stream=stream,
        event_no=event_no,
        at=at,
        actor_kind=said["actor"]["kind"],
        actor_id=said["actor"]["id"],
        action=said["action"],
        object_id=said["object"],
        details=said["details"],
        content=content,
        hash=bytes(digest).hex(),
    )


def events_of(object_id: str, *, limit: int = 100) -> list[AuditEvent]:
    """What was done to one object, oldest first."""
    rows = Event.objects.filter(object_id=object_id).order_by("at", "event_no")[
        : min(limit, EVENTS_MAX)
    ]
    return [_event(row.stream_id, row.event_no, row.at, row.content, row.hash) for row in rows]


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
