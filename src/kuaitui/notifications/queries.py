"""What a shop is told, and what it asked to be told."""

from __future__ import annotations

from kuaitui.notifications.models import NoticeRow, ReminderRow
from kuaitui.notifications.types import Notice, Reminder

NOTICES_MAX = 100


def reminder_of(*, account_id: str) -> Reminder | None:
    """The open reminder of a deposit account."""
    row = ReminderRow.objects.filter(account_id=account_id, done_at__isnull=True).first()
    return None if row is None else Reminder(row.account_id, row.remind_on)


def notices_of(*, shop_key: int, limit: int = 20) -> tuple[Notice, ...]:
    """The latest notices of a shop, newest first."""
    rows = NoticeRow.objects.filter(shop_key=shop_key).order_by("-id")[: min(limit, NOTICES_MAX)]
    return tuple(
        Notice(row.public_id, row.code, row.object_id, row.at, row.read_at is not None)
        for row in rows
    )


def unread_count(*, shop_key: int) -> int:
    """How many notices the shop has not seen."""
    return NoticeRow.objects.filter(shop_key=shop_key, read_at__isnull=True).count()
