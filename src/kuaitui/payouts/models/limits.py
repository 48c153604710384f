"""How much may go out, and what lies at the channels."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from kuaitui.payouts.types import BalanceSource, LimitScope


class PayoutLimit(models.Model):
    """How much may go out, as one person proposed and another confirmed.

    In force is the newest confirmed row of a scope, channel and currency; without an amount the
    limit is lifted. `*` where the scope is not of a channel.
    """

    id = models.BigAutoField(primary_key=True)
    scope = models.CharField(max_length=20)
    channel = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField(null=True)
    proposed_by = models.CharField(max_length=80)
    proposed_at = models.DateTimeField()
    confirmed_by = models.CharField(max_length=80, default="", db_default="", blank=True)
    confirmed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payouts_limit"
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "channel", "currency"],
                name="a_limit_has_one_open_proposal",
                condition=Q(confirmed_at=None),
            ),
            models.CheckConstraint(
                name="limit_scope_is_known", condition=Q(scope__in=[s.value for s in LimitScope])
            ),
            models.CheckConstraint(
                name="limit_amount_is_positive",
                condition=Q(amount_minor=None) | Q(amount_minor__gt=0),
            ),
            models.CheckConstraint(
                name="a_limit_is_of_a_channel_or_of_all",
                condition=(Q(scope__startswith="channel_") & ~Q(channel="*"))
                | (~Q(scope__startswith="channel_") & Q(channel="*")),
            ),
            # Whoever can raise a limit alone has no limit.
            models.CheckConstraint(
                name="a_limit_is_confirmed_by_a_second_person",
                condition=Q(confirmed_at=None, confirmed_by="")
                | (
                    Q(confirmed_at__isnull=False)
                    & ~Q(confirmed_by="")
                    & ~Q(confirmed_by=F("proposed_by"))
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["currency", "channel", "scope", "id"], name="payouts_limit_last")
        ]

    def __str__(self) -> str:
        return f"limit {self.scope} {self.channel} {self.currency}"


class ChannelBalance(models.Model):
    """What lay at a channel at a moment, as somebody told it."""

    id = models.BigAutoField(primary_key=True)
    channel = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    balance_minor = models.BigIntegerField()
    as_of = models.DateTimeField()
    source = models.CharField(max_length=20)
    told_by = models.CharField(max_length=80)
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "payouts_balance"
        constraints = [
            models.CheckConstraint(
                name="balance_source_is_known",
                condition=Q(source__in=[s.value for s in BalanceSource]),
            ),
            models.CheckConstraint(
                name="a_balance_is_not_of_the_future", condition=Q(as_of__lte=F("recorded_at"))
            ),
        ]
        indexes = [
            models.Index(fields=["channel", "currency", "as_of"], name="payouts_balance_last")
        ]

    def __str__(self) -> str:
        return f"balance {self.channel} {self.currency}"
