"""What people decided about legs that a channel holds for a person."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from kuaitui.payouts.models.legs import PayoutLeg
from kuaitui.payouts.types import InterventionEnd, InterventionKind


class LegIntervention(models.Model):
    """One decision about a leg: to hand a stuck refund over, to call a payout back, or to give it up.

    A hand-over lets money go to another account than the approval named, so two people decide it and
    neither of them entered the account. Giving up says that nothing was paid, and takes two as well.
    Calling back moves nothing out and takes one.
    """

    id = models.BigAutoField(primary_key=True)
    leg = models.ForeignKey(PayoutLeg, on_delete=models.PROTECT, related_name="interventions")
    kind = models.CharField(max_length=10)
    reason = models.CharField(max_length=200)
    destination_id = models.CharField(max_length=40, default="", blank=True)
    destination_added_by = models.CharField(max_length=80, default="", blank=True)
    payee_sealed = models.BinaryField(null=True)
    payee_key_id = models.CharField(max_length=20, default="", blank=True)
    proposed_by = models.CharField(max_length=80)
    proposed_at = models.DateTimeField()
    confirmed_by = models.CharField(max_length=80, default="", blank=True)
    confirmed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_as = models.CharField(max_length=10, default="", blank=True)

    class Meta:
        db_table = "payouts_intervention"
        constraints = [
            models.CheckConstraint(
                name="intervention_kind_is_known",
                condition=Q(kind__in=[k.value for k in InterventionKind]),
            ),
            models.CheckConstraint(name="an_intervention_says_why", condition=~Q(reason="")),
            # Two decisions at once could name two accounts.
            models.UniqueConstraint(
                fields=["leg"], name="a_leg_has_one_open_intervention", condition=Q(ended_at=None)
            ),
            models.CheckConstraint(
                name="a_hand_over_says_where_to",
                condition=Q(
                    ~Q(destination_id=""),
                    ~Q(destination_added_by=""),
                    ~Q(payee_key_id=""),
                    kind="hand_over",
                    payee_sealed__isnull=False,
                )
                | Q(
                    kind__in=["cancel", "give_up"],
                    destination_id="",
                    destination_added_by="",
                    payee_key_id="",
                    payee_sealed=None,
                ),
            ),
            models.CheckConstraint(
                name="what_moves_money_is_confirmed_by_a_second_person",
                condition=Q(confirmed_by="", confirmed_at=None)
                | Q(
                    ~Q(confirmed_by=""),
                    ~Q(confirmed_by=F("proposed_by")),
                    kind__in=["hand_over", "give_up"],
                    confirmed_at__isnull=False,
                ),
            ),
            models.CheckConstraint(
                name="whoever_entered_the_account_does_not_hand_over",
                condition=~Q(proposed_by=F("destination_added_by"))
                & (Q(confirmed_by="") | ~Q(confirmed_by=F("destination_added_by"))),
            ),
            models.CheckConstraint(
                name="an_intervention_ends_with_a_word",
                condition=Q(ended_at=None, ended_as="")
                | Q(ended_at__isnull=False, ended_as__in=[e.value for e in InterventionEnd]),
            ),
        ]

    def __str__(self) -> str:
        return f"intervention {self.id}"
