"""News between contexts: written with the change, delivered after it, at least once.

An event is a frozen dataclass of plain values. `publish` writes it in the caller's transaction, so
there is no change without its news and no news without its change. The worker delivers; a handler
may see an event twice and must not mind.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar, get_type_hints

import structlog
from django.db import connection
from django.db.models import Min

from kuaitui.kernel.invariants import InvariantViolated
from kuaitui.kit.crashpoints import reach
from kuaitui.kit.models import OutboxRow
from kuaitui.kit.transactions import requires_transaction

CHANNEL = "kuaitui_outbox"
LEASE = dt.timedelta(minutes=2)
RETRY_DELAY_S_MAX = 3600

# Written and told of in one statement. Who is woken sees nothing before the commit.
_WRITE = """
WITH written AS (
    INSERT INTO kit_outbox (event, payload, published_at, deliver_after, attempts_count, failure)
    SELECT name, payload, moment, moment, 0, ''
    FROM (SELECT %s::timestamptz) AS told (moment),
        unnest(%s::text[], %s::text[]::jsonb[]) WITH ORDINALITY AS event (name, payload, place)
    ORDER BY place
)
SELECT pg_notify(%s, '')
"""

_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM kit_outbox WHERE delivered_at IS NULL AND deliver_after <= %s
    ORDER BY deliver_after, id LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE kit_outbox AS row SET attempts_count = attempts_count + 1, deliver_after = %s
FROM due WHERE row.id = due.id
RETURNING row.id, row.event, row.payload::text, row.attempts_count
"""

Handler = Callable[[Any, dt.datetime], None]
HandlerT = TypeVar("HandlerT", bound=Handler)

log = structlog.get_logger(__name__)
_classes: dict[str, type[Any]] = {}
_handlers: dict[str, list[Handler]] = {}


def event_name(event_class: type[Any]) -> str:
    """The stable name of an event: its context and its class."""
    return f"{event_class.__module__.split('.')[1]}.{event_class.__name__}"


def subscribe(event_class: type[Any]) -> Callable[[HandlerT], HandlerT]:
    """Call the decorated function as `handler(event, now)` for every such event.

    Each handler owns its transaction and must bear to see an event again.
    """

    def register(handler: HandlerT) -> HandlerT:
        name = event_name(event_class)
        _classes[name] = event_class
        if handler not in _handlers.setdefault(name, []):
            _handlers[name].append(handler)
        return handler

    return register


def publish(event: object, *, now: dt.datetime) -> None:
    """Write one event beside the change it tells of, and wake whoever waits to deliver it."""
    publish_all([event], now=now)


@requires_transaction
def publish_all(events: Sequence[object], *, now: dt.datetime) -> None:
    """Write events in one round trip, in their order, and wake whoever waits to deliver them."""
    if not events:
        return
    names = [event_name(type(event)) for event in events]
    payloads = [json.dumps(_to_payload(event)) for event in events]
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, [now, names, payloads, CHANNEL])


def wake() -> None:
    """Wake whoever waits for work, when the caller's transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")


def deliver_due(*, now: dt.datetime, limit: int = 100) -> int:
    """Deliver what is due; returns how many events were delivered.

    An event whose handler fails is tried again later, ever more slowly, and never dropped.
    """
    delivered = 0
    for row in _claim(now=now, limit=limit):
        reach("outbox.claimed")
        try:
            for handler in _handlers.get(row.event, []):
                handler(_from_payload(_classes[row.event], row.payload), now)
            reach("outbox.handled")
        except Exception as failure:  # noqa: BLE001 - the worker's outermost loop; it is logged and kept
            _postpone(row, failure, now=now)
        else:
            OutboxRow.objects.filter(pk=row.id).update(delivered_at=now, failure="")
            delivered += 1
    return delivered


def undelivered_count() -> int:
    """How many events wait."""
    return OutboxRow.objects.filter(delivered_at__isnull=True).count()


def oldest_undelivered_at() -> dt.datetime | None:
    """When the news that has waited longest was published."""
    waiting = OutboxRow.objects.filter(delivered_at__isnull=True)
    oldest: dt.datetime | None = waiting.aggregate(oldest=Min("published_at"))["oldest"]
    return oldest


class _Claimed(NamedTuple):
    """One event in this process's hands."""

    id: int
    event: str
    payload: dict[str, Any]
    attempts_count: int


def _claim(*, now: dt.datetime, limit: int) -> list[_Claimed]:
    """Take due events for this process; another process sees them again when the lease ends."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [now, limit, now + LEASE])
        rows = [
            _Claimed(id_, event, json.loads(payload), attempts_count)
            for id_, event, payload, attempts_count in cursor.fetchall()
        ]
    return sorted(rows)


def _postpone(row: _Claimed, failure: Exception, *, now: dt.datetime) -> None:
    delay_s = min(2**row.attempts_count, RETRY_DELAY_S_MAX)
    OutboxRow.objects.filter(pk=row.id).update(
        deliver_after=now + dt.timedelta(seconds=delay_s), failure=type(failure).__name__
    )
    say = log.critical if isinstance(failure, InvariantViolated) else log.error
    say("outbox.delivery_failed", outbox_id=row.id, outbox_event=row.event, attempt=row.attempts_count,
        retry_in_s=delay_s, exc_info=failure)  # fmt: skip


def _to_payload(event: Any) -> dict[str, object]:  # noqa: ANN401 - any frozen dataclass
    # Not `asdict`: it copies what needs no copy.
    values = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    return {
        name: value.isoformat() if isinstance(value, dt.datetime | dt.date) else value
        for name, value in values.items()
    }


def _from_payload(event_class: type[Any], payload: dict[str, Any]) -> object:
    hints = get_type_hints(event_class)
    values = dict(payload)
    for name, value in payload.items():
        if value is not None and "datetime" in str(hints[name]):
            values[name] = dt.datetime.fromisoformat(value)
    return event_class(**values)
