"""What a shop is told, and what it asked to be told."""

from __future__ import annotations

from django.db.models import QuerySet

from kuaitui.kernel.money import Money
from kuaitui.notifications.models import NoticeRow, ReminderRow
from kuaitui.notifications.types import Notice, NoticeCode, Reminder

NOTICES_MAX = 100
UNREAD_MAX = 100
"""Nobody needs to know by how many there are more."""


def reminder_of(*, account_id: str) -> Reminder | None:
    """The open reminder of a deposit account."""
    row = ReminderRow.objects.filter(account_id=account_id, done_at__isnull=True).first()
    return None if row is None else Reminder(row.account_id, row.remind_on)


def notices_of(*, shop_key: int, before: str = "", limit: int = 20) -> tuple[Notice, ...]:
    """The latest notices of a shop, newest first; of those before the notice `before`, if named."""
    rows = _told(shop_key)
    if before:
        rows = rows.filter(id__lt=_told(shop_key).filter(public_id=before).values("id"))
    return tuple(_to_notice(row) for row in rows.order_by("-id")[: min(limit, NOTICES_MAX)])


def unread_count(*, shop_key: int) -> int:
    """How many notices the shop has not seen, at most `UNREAD_MAX`."""
    return _told(shop_key).filter(read_at=None)[:UNREAD_MAX].count()


def _told(shop_key: int) -> QuerySet[NoticeRow]:
    # What an earlier release told may have no words any more.
    return NoticeRow.objects.filter(shop_key=shop_key, code__in=list(NoticeCode))


def _to_notice(row: NoticeRow) -> Notice:
    amount = None if row.amount_minor is None else Money(row.amount_minor, row.currency)
    return Notice(
        notice_id=row.public_id,
        code=NoticeCode(row.code),
        object_id=row.object_id,
        amount=amount,
        at=row.at,
        is_read=row.read_at is not None,
    )
