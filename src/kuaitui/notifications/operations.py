"""Setting reminders, writing notices, and telling people when the day has come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from kuaitui.audit.operations import record
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.ids import IdPrefix, new_id
from kuaitui.kernel.money import Money
from kuaitui.notifications.errors import ReminderInThePast, ReminderTooFarAway
from kuaitui.notifications.models import NoticeRow, ReminderRow
from kuaitui.notifications.types import NoticeCode

REMINDER_DAYS_MAX = 5 * 366


@transaction.atomic
def set_reminder(
    *,
    shop_key: int,
    account_id: str,
    remind_on: dt.date,
    today: dt.date,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Remind the shop on `remind_on` that its deposit may be refundable.

    `remind_on` and `today` are dates in the marketplace's zone. Asking again moves the reminder.

    Raises:
        ReminderInThePast: the day is not after today.
        ReminderTooFarAway: the day is more than five years away.
    """
    if remind_on <= today:
        raise ReminderInThePast(remind_on=remind_on)
    if (remind_on - today).days > REMINDER_DAYS_MAX:
        raise ReminderTooFarAway(remind_on=remind_on)
    changed = ReminderRow.objects.filter(
        account_id=account_id, shop_key=shop_key, done_at__isnull=True
    ).update(remind_on=remind_on, asked_by=actor.id, asked_at=now)
    if not changed:
        ReminderRow.objects.create(
            public_id=new_id(IdPrefix.REMINDER, now=now),
            shop_key=shop_key,
            account_id=account_id,
            remind_on=remind_on,
            asked_by=actor.id,
            asked_at=now,
        )
    record(
        actor=actor,
        action="reminder.set",
        object_id=account_id,
        shop_key=shop_key,
        details={"remind_on": remind_on.isoformat()},
        now=now,
    )


@transaction.atomic
def cancel_reminder(*, shop_key: int, account_id: str, actor: Actor, now: dt.datetime) -> None:
    """Take the open reminder back. Nothing happens when there is none."""
    open_ones = ReminderRow.objects.filter(
        account_id=account_id, shop_key=shop_key, done_at__isnull=True
    )
    if open_ones.update(done_at=now):
        record(
            actor=actor,
            action="reminder.cancelled",
            object_id=account_id,
            shop_key=shop_key,
            now=now,
        )


def remind_due(*, today: dt.date, now: dt.datetime, limit: int = 500) -> int:
    """Write the notices of all reminders whose day has come; returns how many."""
    with transaction.atomic():
        due = list(
            ReminderRow.objects.select_for_update(skip_locked=True)
            .filter(done_at__isnull=True, remind_on__lte=today)
            .order_by("remind_on", "id")[:limit]
        )
        for reminder in due:
            write_notice(
                shop_key=reminder.shop_key,
                code=NoticeCode.REMINDED,
                object_id=reminder.account_id,
                cause=reminder.public_id,
                at=now,
            )
        ReminderRow.objects.filter(pk__in=[reminder.pk for reminder in due]).update(done_at=now)
    return len(due)


def write_notice(
    *,
    shop_key: int,
    code: NoticeCode,
    object_id: str,
    cause: str,
    at: dt.datetime,
    amount: Money | None = None,
) -> None:
    """Tell a shop one thing that happened `at` that moment. The same `cause` again writes nothing.

    One statement: it needs no transaction, and joins that of a caller who has one.
    """
    NoticeRow.objects.bulk_create(
        [
            NoticeRow(
                public_id=new_id(IdPrefix.NOTICE, now=at),
                shop_key=shop_key,
                code=code,
                object_id=object_id,
                cause=cause,
                amount_minor=None if amount is None else amount.minor,
                currency="" if amount is None else amount.currency,
                at=at,
            )
        ],
        ignore_conflicts=True,
    )


def mark_notices_read(*, shop_key: int, notice_ids: Sequence[str], now: dt.datetime) -> None:
    """Note that the shop has seen these of its notices. Others' are left alone."""
    shown = NoticeRow.objects.filter(shop_key=shop_key, public_id__in=notice_ids)
    shown.filter(read_at__isnull=True).update(read_at=now)
