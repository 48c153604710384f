"""A file of orders is taken in by chunks, each whole or not at all, so it can stop anywhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.db import connection, transaction

from kuaitui.facts.errors import IntakeUnderway
from kuaitui.facts.operations.appending import append_to_log
from kuaitui.facts.operations.log_entries import log_entry
from kuaitui.facts.operations.merging import MERGE_ORDERS
from kuaitui.facts.operations.register_shop import register_shop, require_zone
from kuaitui.facts.operations.taking_turns import write_alone
from kuaitui.facts.rules import money_of
from kuaitui.facts.types import (
    FileIntake,
    NewShops,
    RefusedRow,
    ReportedRow,
    ReportInLog,
    ShopReport,
)
from kuaitui.kernel.ids import IdPrefix, new_id

_STAGE = """
CREATE TEMPORARY TABLE IF NOT EXISTS facts_stage (
    shop_id text, order_id text, status smallint, status_at timestamptz, amount_minor bigint,
    currency text, line bigint
) ON COMMIT DELETE ROWS
"""
_COPY = "COPY facts_stage (shop_id, order_id, status, status_at, amount_minor, currency, line) FROM STDIN"

_REGISTER_NEW_SHOPS = """
INSERT INTO facts_shop (shop_id, kind, currency, zone, opened_at, registered_at)
SELECT shop_id, %(kind)s, min(currency), %(zone)s, min(status_at), %(now)s
FROM facts_stage AS stage
WHERE NOT EXISTS (SELECT FROM facts_shop AS shop WHERE shop.shop_id = stage.shop_id)
GROUP BY shop_id ORDER BY shop_id
ON CONFLICT (shop_id) DO NOTHING
"""

_REFUSE_BY_SHOP = """
INSERT INTO facts_refused_row (intake_key, file, line, reason, content)
SELECT %(intake_key)s, %(file)s, stage.line,
    CASE WHEN shop.id IS NULL THEN 'the shop ' || quote_literal(stage.shop_id) || ' is not known'
        ELSE 'the amount is in ' || stage.currency || ', the shop trades in ' || shop.currency END,
    concat_ws(',', stage.shop_id, stage.order_id)
FROM facts_stage AS stage LEFT JOIN facts_shop AS shop ON shop.shop_id = stage.shop_id
WHERE shop.id IS NULL OR shop.currency <> stage.currency
"""

_ORDERS_IN_STAGE = """
    SELECT shop.id AS shop_key, order_id, status, status_at, amount_minor
    FROM facts_stage JOIN facts_shop AS shop USING (shop_id, currency)
"""


@transaction.atomic
def begin_file_intake(
    *, source: str, file_name: str, file_digest: str, now: dt.datetime
) -> FileIntake:
    """The intake of this very file by this mapping: a new one, or the one that was begun before.

    Waits for a chunk that a killed process left with the server, so the position is the true one.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO facts_intake (public_id, source, file_name, file_digest, started_at)
            VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (source, file_digest) WHERE NOT file_digest = '' DO NOTHING
            """,
            [new_id(IdPrefix.IMPORT_BATCH, now=now), source, file_name, file_digest, now],
        )
        cursor.execute(
            """
            SELECT id, public_id, rows_read, rows_recorded, rows_refused, finished_at IS NOT NULL
            FROM facts_intake WHERE source = %s AND file_digest = %s FOR UPDATE
            """,
            [source, file_digest],
        )
        key, public_id, rows_read, rows_recorded, rows_refused, is_finished = cursor.fetchone()
    return FileIntake(
        key=key,
        public_id=public_id,
        rows_read=rows_read,
        rows_recorded=rows_recorded,
        rows_refused=rows_refused,
        is_finished=is_finished,
    )


def take_rows(
    *,
    intake: FileIntake,
    file_name: str,
    staged: bytes,
    reported: Sequence[ReportedRow],
    refused: Sequence[RefusedRow],
    rows_read: int,
    new_shops: NewShops | None,
    now: dt.datetime,
) -> FileIntake:
    """Take the next rows of a file: all of them, with the new position, in one transaction.

    Args:
        intake: the position the rows follow.
        file_name: the file named beside rows that are refused here.
        staged: orders in COPY's text format, in the order of columns of `_COPY`.
        reported: rows about other things than orders.
        refused: rows the reader could not take.
        rows_read: the position after these rows.
        new_shops: how to register shops that are not known; `None` refuses their rows.
        now: when they are taken.

    Raises:
        IntakeUnderway: another process has moved the position.
        ZoneUnknown: new shops would lie in a zone nobody knows.
    """
    if new_shops is not None:
        require_zone(new_shops.zone)
    values: dict[str, int | str | dt.datetime] = {
        "intake_key": intake.key,
        "file": file_name,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SELECT rows_read FROM facts_intake WHERE id = %s FOR UPDATE", [intake.key])
        if cursor.fetchone()[0] != intake.rows_read:
            raise IntakeUnderway(intake_id=intake.public_id)
        write_alone()
        with cursor.copy(_COPY) as copy:
            copy.write(staged)
        if new_shops is not None:
            cursor.execute(
                _REGISTER_NEW_SHOPS, {**values, "kind": new_shops.kind, "zone": new_shops.zone}
            )
        cursor.execute(_REFUSE_BY_SHOP, values)
        refused_here = cursor.rowcount
        refused = [*refused, *_take_reported(reported, intake, new_shops=new_shops, now=now)]
        _keep_refused(refused, intake_key=intake.key)
        cursor.execute(MERGE_ORDERS.format(stage=_ORDERS_IN_STAGE), values)
        moved = replace(
            intake,
            rows_read=rows_read,
            rows_refused=intake.rows_refused + refused_here + len(refused),
            rows_recorded=rows_read - intake.rows_refused - refused_here - len(refused),
        )
        cursor.execute(
            """
            UPDATE facts_intake SET rows_read = %s, rows_recorded = %s, rows_refused = %s
            WHERE id = %s
            """,
            [moved.rows_read, moved.rows_recorded, moved.rows_refused, moved.key],
        )
    return moved


def finish_file_intake(*, intake: FileIntake, now: dt.datetime) -> FileIntake:
    """Note that the whole file has been taken, so that it is never read again."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE facts_intake SET finished_at = %s WHERE id = %s", [now, intake.key])
    return replace(intake, is_finished=True)


def _take_reported(
    reported: Sequence[ReportedRow],
    intake: FileIntake,
    *,
    new_shops: NewShops | None,
    now: dt.datetime,
) -> list[RefusedRow]:
    """Append what can be taken; what cannot, because of its shop, is given back refused."""
    if not reported:
        return []
    named = sorted({row.report.shop_id for row in reported})
    known = _shops(named)
    if new_shops is not None:
        for row in reported:
            if row.report.shop_id not in known:
                _register(row.report, new_shops, now=now)
                known |= _shops([row.report.shop_id])
    entries, refused = [], []
    for row in reported:
        problem = _problem_with_shop(row.report, known)
        if problem is None:
            entries.append(log_entry(row.report, shop_key=known[row.report.shop_id][0]))
        else:
            refused.append(RefusedRow(row.file, row.line, problem, row.report.shop_id))
    if entries:
        append_to_log(entries, intake_key=intake.key, now=now)
    return refused


def _shops(shop_ids: list[str]) -> dict[str, tuple[int, str]]:
    """Key and currency of the shops that are known."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT shop_id, id, currency FROM facts_shop WHERE shop_id = ANY (%s)", [shop_ids]
        )
        return {shop_id: (key, currency) for shop_id, key, currency in cursor.fetchall()}


def _register(report: ReportInLog, new_shops: NewShops, *, now: dt.datetime) -> None:
    money = money_of(report)
    register_shop(
        shop_id=report.shop_id,
        name="",
        kind=new_shops.kind,
        currency=new_shops.currency if money is None else money.currency,
        zone=new_shops.zone,
        opened_at=report.opened_at if isinstance(report, ShopReport) else report.status_at,
        now=now,
    )


def _problem_with_shop(report: ReportInLog, known: dict[str, tuple[int, str]]) -> str | None:
    if report.shop_id not in known:
        return f"the shop {report.shop_id!r} is not known"
    money, currency = money_of(report), known[report.shop_id][1]
    if money is not None and money.currency != currency:
        return f"the amount is in {money.currency}, the shop trades in {currency}"
    return None


def _keep_refused(refused: Iterable[RefusedRow], *, intake_key: int) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY facts_refused_row (intake_key, file, line, reason, content) FROM STDIN"
        ) as copy,
    ):
        for row in refused:
            copy.write_row(
                (intake_key, row.file, row.line, _storable(row.reason), _storable(row.content))
            )


def _storable(text: str) -> str:
    """PostgreSQL stores no NUL, and no bytes that were not in the file's encoding."""
    return text.replace("\x00", "\\0").encode("utf-8", "backslashreplace").decode()
