"""Reports but those on orders: appended to the log, which then says how each thing stands."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import connection

from kuaitui.facts.operations.deriving import DERIVE_STATE
from kuaitui.facts.operations.log_entries import LogEntry

_APPEND = """
INSERT INTO facts_report
    (shop_key, kind, subject_id, rank, status_at, latest_at, content, intake_key, recorded_at)
SELECT shop_key, kind, subject_id, rank, status_at, latest_at, content::jsonb, %s, %s
FROM unnest(%s::bigint[], %s::smallint[], %s::text[], %s::smallint[], %s::timestamptz[],
    %s::timestamptz[], %s::text[])
    AS entry (shop_key, kind, subject_id, rank, status_at, latest_at, content)
"""


def append_to_log(entries: Sequence[LogEntry], *, intake_key: int, now: dt.datetime) -> None:
    """Keep the reports and bring the state of what they are about up to date."""
    with connection.cursor() as cursor:
        cursor.execute(
            _APPEND,
            [
                intake_key,
                now,
                [entry.shop_key for entry in entries],
                [int(entry.kind) for entry in entries],
                [entry.subject_id for entry in entries],
                [entry.rank for entry in entries],
                [entry.status_at for entry in entries],
                [entry.latest_at for entry in entries],
                [entry.content for entry in entries],
            ],
        )
    for kind in sorted({entry.kind for entry in entries}):
        subjects = sorted(
            {(entry.shop_key, entry.subject_id) for entry in entries if entry.kind is kind}
        )
        with connection.cursor() as cursor:
            cursor.execute(
                DERIVE_STATE[kind],
                {
                    "kind": int(kind),
                    "shop_keys": [shop_key for shop_key, _ in subjects],
                    "subject_ids": [subject_id for _, subject_id in subjects],
                },
            )
