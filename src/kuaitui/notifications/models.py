"""Tables of notifications."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class ReminderRow(models.Model):
    """A seller's wish to be told on a day."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=40, unique=True)
    shop_key = models.BigIntegerField()
    account_id = models.CharField(max_length=40)
    remind_on = models.DateField()
    asked_by = models.CharField(max_length=40)
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "notifications_reminder"
        constraints = [
            # A seller who taps twice wants one reminder, on the day of the later tap.
            models.UniqueConstraint(
                fields=["account_id"],
                condition=Q(done_at__isnull=True),
                name="one_open_reminder_per_deposit_account",
            )
        ]
        indexes = [
            models.Index(
                fields=["remind_on"], condition=Q(done_at__isnull=True), name="reminder_due"
            )
        ]

    def __str__(self) -> str:
        return self.public_id


class NoticeRow(models.Model):
    """One thing a shop is told."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=40, unique=True)
    shop_key = models.BigIntegerField()
    code = models.CharField(max_length=60)
    object_id = models.CharField(max_length=40)
    # Names the event that caused it: the same event, delivered again, makes no second notice.
    cause = models.CharField(max_length=120)
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True, default="", db_default="")
    at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "notifications_notice"
        constraints = [
            models.UniqueConstraint(
                fields=["shop_key", "cause"], name="a_notice_is_written_once_per_event"
            )
        ]
        indexes = [
            models.Index(fields=["shop_key", "-id"], name="notice_of_a_shop"),
            models.Index(fields=["shop_key"], condition=Q(read_at=None), name="notice_not_read"),
        ]

    def __str__(self) -> str:
        return self.public_id
