"""Payments in suspense on their way back: one number each, and every call about it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from kuaitui.kit.models import CallAttempt
from kuaitui.payouts.states import SEND_BACK_STATES, LegState
from kuaitui.payouts.types import AttemptKind, AttemptOutcome

LIVE = ["ready", "sending", "unknown", "accepted", "needs_action"]


class SendBack(models.Model):
    """One order to send a payment in suspense back along itself, under one number for ever."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=40, unique=True)
    suspense_id = models.CharField(max_length=40)
    nth = models.IntegerField()
    book_id = models.BigIntegerField()
    channel = models.CharField(max_length=40)
    number = models.CharField(max_length=32)
    payment_reference = models.CharField(max_length=80)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    open_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    state = models.CharField(max_length=20, default=LegState.READY)
    since = models.DateTimeField()
    fence = models.IntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    next_check_at = models.DateTimeField(null=True)
    checks = models.IntegerField(default=0)
    sends = models.IntegerField(default=0)
    first_sent_at = models.DateTimeField(null=True)
    last_sent_at = models.DateTimeField(null=True)
    clear_since = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)
    channel_reference = models.CharField(max_length=80, default="", blank=True)
    code = models.CharField(max_length=80, default="", blank=True)
    delayed_at = models.DateTimeField(null=True)
    set_aside_at = models.DateTimeField(null=True)
    set_aside_reason = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        db_table = "payouts_send_back"
        constraints = [
            # A number that never left may be used by the next order; one that did is for ever.
            models.UniqueConstraint(
                fields=["channel", "number"],
                name="a_number_sends_back_once",
                condition=~Q(state="failed", first_sent_at=None),
            ),
            models.UniqueConstraint(
                fields=["suspense_id", "nth"], name="send_backs_of_a_case_are_numbered"
            ),
            models.UniqueConstraint(
                fields=["suspense_id"],
                name="a_case_is_sent_back_one_way_at_a_time",
                condition=Q(state__in=[*LIVE, "paid"]),
            ),
            models.CheckConstraint(
                name="send_back_amount_is_positive", condition=Q(amount_minor__gt=0)
            ),
            models.CheckConstraint(
                name="send_back_state_is_known",
                condition=Q(state__in=sorted(state.value for state in SEND_BACK_STATES)),
            ),
            models.CheckConstraint(
                name="no_live_send_back_is_forgotten",
                condition=~Q(state__in=LIVE)
                | Q(next_check_at__isnull=False)
                | Q(set_aside_at__isnull=False),
            ),
            models.CheckConstraint(
                name="a_paid_send_back_says_when",
                condition=~Q(state__in=["paid", "returned"]) | Q(settled_at__isnull=False),
            ),
            models.CheckConstraint(
                name="a_returned_send_back_says_when",
                condition=Q(state="returned", returned_at__isnull=False)
                | ~Q(state="returned") & Q(returned_at=None),
            ),
            models.CheckConstraint(
                name="a_send_back_that_ended_is_not_checked",
                condition=~Q(state__in=["returned", "failed"])
                | Q(next_check_at=None, lease_until=None),
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                name="payouts_send_back_due",
                condition=Q(next_check_at__isnull=False, set_aside_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class SendBackAttempt(CallAttempt):
    """One call about a send-back: written before the call, completed once after it."""

    send_back = models.ForeignKey(
        SendBack, on_delete=models.PROTECT, related_name="attempts", db_index=False
    )
    kind = models.CharField(max_length=20)

    class Meta:
        db_table = "payouts_send_back_attempt"
        constraints = [
            models.UniqueConstraint(
                fields=["send_back", "attempt_no"], name="send_back_attempts_are_numbered"
            ),
            models.UniqueConstraint(
                fields=["send_back"],
                name="a_send_back_has_one_live_attempt",
                condition=Q(outcome=None),
            ),
            models.CheckConstraint(
                name="send_back_attempt_kind_is_known",
                condition=Q(kind__in=[AttemptKind.SEND.value, AttemptKind.QUERY.value]),
            ),
            models.CheckConstraint(
                name="send_back_attempt_ends_with_its_outcome",
                condition=Q(outcome=None, finished_at=None)
                | Q(
                    outcome__isnull=False,
                    outcome__in=[word.value for word in AttemptOutcome],
                    finished_at__isnull=False,
                ),
            ),
        ]
