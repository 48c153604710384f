"""Tables of the kit: the outbox."""

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
