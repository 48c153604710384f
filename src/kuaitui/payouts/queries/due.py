"""Which legs a worker may take now."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final, LiteralString, cast

from django.db import connection

from kuaitui.payouts.types import ALL_CHANNELS

DUE_MAX = 200
# What a kill switch, a hold or a batch keeps back is not due. What must be asked about before it is
# sent is due: asking never stops.
_DUE: Final = """
FROM payouts_leg AS leg CROSS JOIN (
    SELECT max(begun_at) AS last_at, bool_or(released_at IS NULL) AS is_in_force FROM payouts_hold
) AS hold
WHERE leg.next_check_at <= %(now)s AND leg.set_aside_at IS NULL
    AND (leg.lease_until IS NULL OR leg.lease_until <= %(now)s)
    AND NOT (
        leg.state = 'ready' AND (hold.last_at IS NULL OR leg.clear_since >= hold.last_at) IS TRUE
        AND (
            hold.is_in_force IS TRUE
            OR EXISTS (SELECT 1 FROM payouts_channel_switch AS switch
                WHERE switch.is_stopped AND switch.channel IN (leg.channel, %(all)s))
            OR leg.needs_batch AND NOT EXISTS (
                SELECT 1 FROM payouts_batch_leg AS place
                    JOIN payouts_batch AS batch ON batch.id = place.batch_id
                WHERE place.leg_id = leg.id AND place.left_at IS NULL AND batch.state = 'released')
        )
    )
"""
# In one order, also of those that are due at the same moment: a simulated year is played by it.
_FIRST: Final = "ORDER BY leg.next_check_at, leg.id LIMIT %(room)s"
_UNSETTLED: Final = f"SELECT leg.public_id {_DUE} AND leg.state <> 'paid' {_FIRST}"
_WATCHED: Final = f"SELECT leg.public_id {_DUE} AND leg.state = 'paid' {_FIRST}"
_COUNT: Final = f"SELECT count(*) {_DUE}"
_SINCE: Final = f"SELECT min(leg.next_check_at) {_DUE}"


def due_legs(*, now: dt.datetime, limit: int = 50) -> list[str]:
    """Ids of the legs whose turn has come: the longest waiting first, and paid ones last.

    However many paid legs are watched for returns, they hold up nobody's money.
    """
    room = min(limit, DUE_MAX)
    unsettled = _ask(_UNSETTLED, now, room)
    if len(unsettled) == room:
        return unsettled
    return [*unsettled, *_ask(_WATCHED, now, room - len(unsettled))]


def due_count(*, now: dt.datetime) -> int:
    """How many legs a worker may take now."""
    (count,) = _ask(_COUNT, now, 0)
    return int(count)


def due_since(*, now: dt.datetime) -> dt.datetime | None:
    """Since when the leg that has waited longest for a worker could have been taken."""
    (since,) = _ask(_SINCE, now, 0)
    return cast("dt.datetime | None", since)


def _ask(statement: LiteralString, now: dt.datetime, room: int) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"now": now, "all": ALL_CHANNELS, "room": room})
        return [value for (value,) in cursor.fetchall()]
