"""Tables of the audit trail. Rows are added by `operations.record` and never change."""

from __future__ import annotations

from django.db import models


class Stream(models.Model):
    """One chain of events: a shop's, or the platform's. Holds its head."""

    name = models.CharField(max_length=80, primary_key=True)
    events_count = models.BigIntegerField(default=0, db_default=0)
    head_hash = models.BinaryField()

    class Meta:
        db_table = "audit_stream"

    def __str__(self) -> str:
        return self.name


class Event(models.Model):
    """One act, chained to the one before it in its stream.

    `content` is the canonical JSON that was hashed; the other columns are derived from it by the
    database, so they cannot say anything else.
    """

    pk = models.CompositePrimaryKey("stream_id", "event_no")
    stream = models.ForeignKey(Stream, on_delete=models.PROTECT, db_index=False)
    event_no = models.BigIntegerField()
    at = models.DateTimeField()
    content = models.TextField()
    action = models.TextField()
    actor_id = models.TextField()
    object_id = models.TextField()
    hash = models.BinaryField()

    class Meta:
        db_table = "audit_event"
        managed = False

    def __str__(self) -> str:
        return f"{self.stream_id}/{self.event_no} {self.action}"
