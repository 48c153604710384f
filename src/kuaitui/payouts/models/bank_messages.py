"""What banks wrote to us: bytes, and what they say of our numbers."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class BankMessage(models.Model):
    """A message of a bank, as its bytes came. One that people brought counts when a second confirms it."""

    id = models.BigAutoField(primary_key=True)
    channel = models.CharField(max_length=40)
    content_hash = models.CharField(max_length=64)
    content = models.BinaryField()
    source = models.CharField(max_length=80)
    """`mailbox`, or the id of whoever brought it."""
    received_at = models.DateTimeField()
    kind = models.CharField(max_length=20, default="", blank=True)
    message_id = models.CharField(max_length=80, default="", blank=True)
    words_count = models.IntegerField(default=0)
    refused_because = models.CharField(max_length=40, default="", blank=True)
    refused_where = models.CharField(max_length=120, default="", blank=True)
    confirmed_by = models.CharField(max_length=80, default="", blank=True)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payouts_bank_message"
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "content_hash"], name="a_message_is_taken_in_once"
            ),
            # Otherwise one person could make a payout failed, and have it paid again.
            models.CheckConstraint(
                name="a_message_is_confirmed_by_a_second_person",
                condition=Q(confirmed_at=None, confirmed_by="")
                | Q(confirmed_at__isnull=False, confirmed_by="", source="mailbox")
                | (
                    Q(confirmed_at__isnull=False)
                    & ~Q(confirmed_by="")
                    & ~Q(confirmed_by=F("source"))
                ),
            ),
            models.CheckConstraint(
                name="a_refused_message_says_nothing",
                condition=Q(refused_because="") | Q(words_count=0, confirmed_at=None),
            ),
        ]
        indexes = [models.Index(fields=["-received_at"], name="payouts_bank_message_newest")]

    def __str__(self) -> str:
        return f"message {self.pk}"


class BankMessageWord(models.Model):
    """What one message says of one number, derived from its bytes."""

    id = models.BigAutoField(primary_key=True)
    message = models.ForeignKey(BankMessage, on_delete=models.PROTECT, related_name="words")
    channel = models.CharField(max_length=40)
    number = models.CharField(max_length=64)
    status = models.CharField(max_length=20)
    occurred_at = models.DateTimeField()
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="", blank=True)
    code = models.CharField(max_length=20, default="", blank=True)
    reference = models.CharField(max_length=80, default="", blank=True)
    instruction_id = models.CharField(max_length=64, default="", blank=True)
    file_id = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        db_table = "payouts_bank_word"
        constraints = [
            models.CheckConstraint(
                name="bank_word_status_is_known",
                condition=Q(status__in=["submitted", "accepted", "rejected", "booked", "returned"]),
            ),
        ]
        indexes = [models.Index(fields=["channel", "number"], name="payouts_bank_word_number")]

    def __str__(self) -> str:
        return f"{self.number} {self.status}"


class BankStatementDay(models.Model):
    """A day whose every movement a message lists."""

    id = models.BigAutoField(primary_key=True)
    message = models.ForeignKey(BankMessage, on_delete=models.PROTECT, related_name="days")
    channel = models.CharField(max_length=40)
    day = models.DateField()

    class Meta:
        db_table = "payouts_bank_statement_day"
        indexes = [models.Index(fields=["channel", "day"], name="payouts_bank_statement_of_day")]

    def __str__(self) -> str:
        return f"{self.channel} {self.day}"
