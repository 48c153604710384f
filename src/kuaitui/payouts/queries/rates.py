"""How the last sends of each channel went."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection

from kuaitui.payouts.types import ALL_CHANNELS


@dataclass(frozen=True, slots=True)
class SendRate:
    """The sends of one channel since a moment, and since its switch was last turned."""

    channel: str
    sends: int
    unknown: int
    failed: int
    is_stopped: bool


def send_rates(*, since: dt.datetime) -> tuple[SendRate, ...]:
    """The sends of every channel that ended since then, by how they ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT leg.channel, count(*),"
            " count(*) FILTER (WHERE attempt.outcome = 'unknown'),"
            " count(*) FILTER (WHERE attempt.outcome = 'failed'),"
            " COALESCE(switch.is_stopped, false)"
            " FROM payouts_attempt AS attempt JOIN payouts_leg AS leg ON leg.id = attempt.leg_id"
            " CROSS JOIN LATERAL (SELECT max(set_at) AS set_at, bool_or(is_stopped) AS is_stopped"
            " FROM payouts_channel_switch WHERE channel IN (leg.channel, %s)) AS switch"
            " WHERE attempt.kind = 'send' AND attempt.started_at > %s"
            " AND attempt.started_at > COALESCE(switch.set_at, '-infinity')"
            " AND attempt.outcome IS NOT NULL GROUP BY leg.channel, switch.is_stopped ORDER BY leg.channel",
            [ALL_CHANNELS, since],
        )
        return tuple(SendRate(*row) for row in cursor.fetchall())
