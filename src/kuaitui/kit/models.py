"""Tables of the kit: the outbox, the inbox of channels, and what every call to one leaves behind."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class OutboxRow(models.Model):
    """News written in the transaction that made it, to be delivered after the commit."""

    id = models.BigAutoField(primary_key=True)
    event = models.CharField(max_length=80)
    payload = models.JSONField()
    published_at = models.DateTimeField()
    deliver_after = models.DateTimeField()
    attempts_count = models.IntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=200, default="")

    class Meta:
        db_table = "kit_outbox"
        indexes = [
            models.Index(
                fields=["deliver_after", "id"],
                name="outbox_due",
                condition=Q(delivered_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.pk}"


class CallAttempt(models.Model):
    """One call to a channel about something: written before the call, completed once after it.

    Whose call it was, of which kinds and with what answers, is the matter of each table.
    """

    id = models.BigAutoField(primary_key=True)
    attempt_no = models.IntegerField()
    fence = models.IntegerField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=20, null=True)  # noqa: DJ001 - no outcome is not an empty one
    cause = models.CharField(max_length=80, default="", blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"attempt {self.attempt_no}"


class NotificationRow(models.Model):
    """A genuine notification of a channel, kept once however often it is told."""

    id = models.BigAutoField(primary_key=True)
    channel = models.CharField(max_length=40)
    event = models.CharField(max_length=120)
    subject = models.CharField(max_length=20)
    number = models.CharField(max_length=64)
    body_sealed = models.BinaryField()
    body_key_id = models.CharField(max_length=20)
    body_sha256 = models.CharField(max_length=64)
    received_at = models.DateTimeField(db_index=True)
    taken_at = models.DateTimeField(null=True)
    repeats_count = models.IntegerField(default=0)

    class Meta:
        db_table = "kit_notification"
        constraints = [
            # The replay store: an event that comes again is known.
            models.UniqueConstraint(
                fields=["channel", "event"], name="a_channels_event_is_kept_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.event}"


class RefusedNotifications(models.Model):
    """How many notifications were refused for one reason in one hour."""

    pk = models.CompositePrimaryKey("channel", "reason", "hour_at")
    channel = models.CharField(max_length=40)
    reason = models.CharField(max_length=20)
    hour_at = models.DateTimeField()
    refused_count = models.BigIntegerField()
    last_at = models.DateTimeField()
    last_sha256 = models.CharField(max_length=64)

    class Meta:
        db_table = "kit_notifications_refused"

    def __str__(self) -> str:
        return f"{self.channel} {self.reason}"
