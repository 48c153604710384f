"""Legs that leave together, and who let them go."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from kuaitui.payouts.models.legs import PayoutLeg
from kuaitui.payouts.states import BatchState


class PayoutBatch(models.Model):
    """Legs of one channel and currency that leave together: built by one person, released by another.

    The set is fixed when it is built; to change it, call the batch off and build another.
    """

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=40, unique=True)
    channel = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=20, default=BatchState.OPEN)
    legs_count = models.IntegerField()
    total_minor = models.BigIntegerField()
    content_hash = models.CharField(max_length=64)
    built_by = models.CharField(max_length=80)
    built_at = models.DateTimeField()
    released_by = models.CharField(max_length=80, default="", blank=True)
    released_at = models.DateTimeField(null=True)
    execute_on = models.DateField(null=True)
    cancelled_by = models.CharField(max_length=80, default="", blank=True)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payouts_batch"
        constraints = [
            models.CheckConstraint(
                name="batch_state_is_known", condition=Q(state__in=[s.value for s in BatchState])
            ),
            models.CheckConstraint(
                name="a_batch_holds_legs", condition=Q(legs_count__gt=0, total_minor__gt=0)
            ),
            # Whoever gathers the money does not also let it go.
            models.CheckConstraint(
                name="a_batch_is_released_by_a_second_person",
                condition=~Q(released_by=F("built_by")) & ~Q(built_by=""),
            ),
            models.CheckConstraint(
                name="a_released_batch_says_who_when_and_for_which_day",
                condition=Q(
                    ~Q(released_by=""),
                    state=BatchState.RELEASED,
                    released_at__isnull=False,
                    execute_on__isnull=False,
                )
                | Q(
                    ~Q(state=BatchState.RELEASED),
                    released_by="",
                    released_at=None,
                    execute_on=None,
                ),
            ),
        ]
        indexes = [models.Index(fields=["-built_at"], name="payouts_batch_newest")]

    def __str__(self) -> str:
        return self.public_id


class BatchLeg(models.Model):
    """One leg in one batch. `left_at`: called off, or refused for now and waiting for another batch."""

    id = models.BigAutoField(primary_key=True)
    batch = models.ForeignKey(PayoutBatch, on_delete=models.PROTECT, related_name="members")
    leg = models.ForeignKey(PayoutLeg, on_delete=models.PROTECT, related_name="batches")
    release_no = models.IntegerField()
    sent_at = models.DateTimeField(null=True)
    left_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payouts_batch_leg"
        constraints = [
            models.UniqueConstraint(fields=["batch", "leg"], name="a_leg_stands_in_a_batch_once"),
            # In two batches at once, a leg could be carried to the bank twice.
            models.UniqueConstraint(
                fields=["leg"], name="a_leg_is_in_one_batch_at_a_time", condition=Q(left_at=None)
            ),
            # The bank tells releases of one number apart by this count.
            models.UniqueConstraint(
                fields=["leg", "release_no"],
                name="a_release_has_its_own_count",
                condition=Q(sent_at__isnull=False),
            ),
            models.CheckConstraint(
                name="release_no_is_positive", condition=Q(release_no__gte=1, release_no__lte=99)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}/{self.leg_id}"
