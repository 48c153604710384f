"""Payouts, their legs and attempts, and what holds sending up."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.db.models import F, Q, Value

from kuaitui.kit.models import CallAttempt
from kuaitui.payouts.states import LIVE, LegState, PayoutState
from kuaitui.payouts.types import (
    AttemptKind,
    AttemptOutcome,
    HoldCause,
    WaitsFor,
)

LIVE_STATES = sorted(state.value for state in LIVE)
# What changes of a leg. All else is the instruction, and the database keeps it as it was approved.
MOVES: Final = (
    "state",
    "since",
    "fence",
    "lease_until",
    "next_check_at",
    "checks",
    "sends",
    "first_sent_at",
    "last_sent_at",
    "settled_at",
    "returned_at",
    "failed_at",
    "bank_reference",
    "code",
    "delayed_at",
    "set_aside_at",
    "set_aside_reason",
    "clear_since",
    "waits_for",
    "hand_over_sealed",
    "hand_over_key_id",
)
UNDER_WAY_STATES = sorted(state.value for state in LIVE - {LegState.READY})


class Payout(models.Model):
    """What is paid for one application."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=40, unique=True)
    application_id = models.CharField(max_length=40, unique=True)
    account_id = models.CharField(max_length=40)
    shop_key = models.BigIntegerField()
    book_id = models.BigIntegerField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    approval_hash = models.CharField(max_length=128)
    state = models.CharField(max_length=20, default=PayoutState.PAYING)
    begun_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payouts_payout"
        constraints = [
            models.CheckConstraint(
                name="payout_amount_is_positive", condition=Q(amount_minor__gt=0)
            ),
            models.CheckConstraint(
                name="payout_state_is_known", condition=Q(state__in=[s.value for s in PayoutState])
            ),
            models.CheckConstraint(
                name="a_payout_rests_on_an_approval", condition=~Q(approval_hash="")
            ),
        ]
        indexes = [models.Index(fields=["shop_key"], name="payouts_payout_of_shop")]

    def __str__(self) -> str:
        return self.public_id


class PayoutLeg(models.Model):
    """The part of a payout that leaves one lot by one route, under one number for ever."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=40, unique=True)
    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="legs")
    replaces = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, related_name="replaced_by"
    )
    book_id = models.BigIntegerField()
    lot_id = models.CharField(max_length=40)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    route = models.CharField(max_length=20)
    route_open_until = models.DateTimeField(null=True)
    destination_id = models.CharField(max_length=40, blank=True)
    tail = models.CharField(max_length=4)
    channel = models.CharField(max_length=40)
    channel_number = models.CharField(max_length=64)
    request_sealed = models.BinaryField()
    request_key_id = models.CharField(max_length=20)
    approval_hash = models.CharField(max_length=128)
    approved_by = models.JSONField(default=list, db_default=[])
    """Ids of the people whose approval this rests on, for whoever may not also release it."""
    needs_batch = models.BooleanField(default=False, db_default=False)
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
    settled_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    bank_reference = models.CharField(max_length=80, default="", blank=True)
    code = models.CharField(max_length=80, default="", blank=True)
    delayed_at = models.DateTimeField(null=True)
    set_aside_at = models.DateTimeField(null=True)
    set_aside_reason = models.CharField(max_length=200, default="", blank=True)
    clear_since = models.DateTimeField(null=True)
    waits_for = models.CharField(max_length=20, default="", db_default="", blank=True)
    hand_over_sealed = models.BinaryField(null=True)
    hand_over_key_id = models.CharField(max_length=20, default="", db_default="", blank=True)

    class Meta:
        db_table = "payouts_leg"
        constraints = [
            # A channel pays a number once: two legs under one number would be one payment. A number
            # that was certainly never sent is free again.
            models.UniqueConstraint(
                fields=["channel", "channel_number"],
                name="a_channel_number_names_one_leg",
                condition=~Q(state="cancelled") & ~Q(state="failed", first_sent_at=None),
            ),
            # Channels take refunds of one payment one after the other (WeChat: a minute apart).
            models.UniqueConstraint(
                fields=["book_id", "lot_id"],
                name="a_lot_has_one_live_leg",
                condition=Q(state__in=LIVE_STATES),
            ),
            models.CheckConstraint(name="leg_amount_is_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="leg_state_is_known", condition=Q(state__in=[s.value for s in LegState])
            ),
            models.CheckConstraint(
                name="a_leg_rests_on_an_approval", condition=~Q(approval_hash="")
            ),
            # Otherwise a leg could wait for ever without anybody noticing.
            models.CheckConstraint(
                name="no_live_leg_is_forgotten",
                condition=~Q(state__in=LIVE_STATES)
                | Q(next_check_at__isnull=False)
                | Q(set_aside_at__isnull=False),
            ),
            models.CheckConstraint(
                name="what_a_leg_waits_for_is_known",
                condition=Q(waits_for="")
                | Q(waits_for__in=[w.value for w in WaitsFor], state="ready"),
            ),
            # With it whoever holds it opens the payee's confirm page: kept no longer than it is of use.
            models.CheckConstraint(
                name="only_a_leg_under_way_keeps_a_hand_over",
                condition=Q(hand_over_key_id="", hand_over_sealed=None)
                | (
                    ~Q(hand_over_key_id="")
                    & Q(hand_over_sealed__isnull=False, state__in=UNDER_WAY_STATES)
                ),
            ),
            models.CheckConstraint(
                name="a_leg_that_ended_is_not_checked",
                condition=~Q(state__in=["returned", "failed", "cancelled"])
                | Q(next_check_at=None, lease_until=None),
            ),
            models.CheckConstraint(
                name="a_settled_leg_knows_when",
                condition=~Q(state__in=["paid", "returned"]) | Q(settled_at__isnull=False),
            ),
            models.CheckConstraint(
                name="a_sent_leg_knows_when",
                condition=Q(state__in=["ready", "failed", "cancelled"])
                | Q(first_sent_at__isnull=False, last_sent_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at", "id"],
                name="payouts_leg_due",
                condition=Q(next_check_at__isnull=False, set_aside_at=None),
            ),
            models.Index(
                fields=["state", "channel"],
                name="payouts_leg_monitor",
                condition=~Q(state__in=["paid", "cancelled"]),
            ),
            models.Index(
                fields=["channel", "currency", "first_sent_at"],
                name="payouts_leg_sent",
                condition=Q(first_sent_at__isnull=False),
            ),
            models.Index(
                fields=["currency", "first_sent_at"],
                name="payouts_leg_sent_by_day",
                condition=Q(first_sent_at__isnull=False),
            ),
            models.Index(fields=["book_id", "lot_id"], name="payouts_leg_of_lot"),
            # Reconciliation asks for a channel's day.
            models.Index(
                fields=["channel", "settled_at"],
                name="payouts_leg_settled",
                condition=Q(settled_at__isnull=False),
            ),
            models.Index(
                fields=["channel", "returned_at"],
                name="payouts_leg_returned",
                condition=Q(returned_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class LegCloseOut(models.Model):
    """The end of a leg that failed or came back and that nobody repaired: it is never sent again."""

    leg = models.OneToOneField(
        PayoutLeg, on_delete=models.PROTECT, primary_key=True, related_name="close_out"
    )
    closed_out_at = models.DateTimeField()

    class Meta:
        db_table = "payouts_close_out"

    def __str__(self) -> str:
        return f"close-out of {self.leg_id}"


class PayoutAttempt(CallAttempt):
    """One call about a leg: written before the call, completed once after it."""

    leg = models.ForeignKey(PayoutLeg, on_delete=models.PROTECT, related_name="attempts")
    kind = models.CharField(max_length=10)

    class Meta:
        db_table = "payouts_attempt"
        constraints = [
            models.UniqueConstraint(fields=["leg", "attempt_no"], name="attempts_are_numbered"),
            # Two live attempts could be two sends.
            models.UniqueConstraint(
                fields=["leg"], name="a_leg_has_one_live_attempt", condition=Q(outcome=None)
            ),
            models.CheckConstraint(
                name="attempt_kind_is_known", condition=Q(kind__in=[k.value for k in AttemptKind])
            ),
            models.CheckConstraint(
                name="attempt_outcome_is_known",
                condition=Q(outcome=None) | Q(outcome__in=[o.value for o in AttemptOutcome]),
            ),
            models.CheckConstraint(
                name="an_attempt_ends_with_its_outcome",
                condition=Q(outcome=None, finished_at=None)
                | Q(outcome__isnull=False, finished_at__isnull=False),
            ),
            # An instruction just handed over cannot be unknown to who took it.
            models.CheckConstraint(
                name="only_a_query_finds_nothing",
                condition=~Q(outcome="not_found") | Q(kind="query"),
            ),
        ]
        indexes = [
            models.Index(
                fields=["started_at"], name="payouts_attempt_sends", condition=Q(kind="send")
            )
        ]


class ChannelSwitch(models.Model):
    """The kill switch: stops sending through one channel, or `*` through all. Never asking."""

    channel = models.CharField(max_length=40, primary_key=True)
    is_stopped = models.BooleanField()
    reason = models.CharField(max_length=200)
    set_by = models.CharField(max_length=80)
    set_at = models.DateTimeField()
    release_proposed_by = models.CharField(max_length=80, default="", db_default="", blank=True)
    release_proposed_at = models.DateTimeField(null=True)
    release_reason = models.CharField(max_length=200, default="", db_default="", blank=True)

    class Meta:
        db_table = "payouts_channel_switch"
        constraints = [
            models.CheckConstraint(
                name="sending_is_released_by_a_second_person",
                condition=Q(is_stopped=True)
                | (
                    Q(release_proposed_at__isnull=False)
                    & ~Q(release_proposed_by="")
                    & ~Q(release_reason="")
                    & ~Q(set_by=F("release_proposed_by"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"switch {self.channel}"


class SendingHold(models.Model):
    """From a restore, or a person's word, until two people have seen that nothing is unasked."""

    id = models.BigAutoField(primary_key=True)
    cause = models.CharField(max_length=20)
    reason = models.CharField(max_length=200)
    begun_by = models.CharField(max_length=80)
    begun_at = models.DateTimeField()
    known_until = models.DateTimeField(null=True)
    """When the last call in these books began. What a restore took from them came later."""
    proposed_by = models.CharField(max_length=80, default="", db_default="", blank=True)
    proposed_at = models.DateTimeField(null=True)
    finding = models.CharField(max_length=200, default="", db_default="", blank=True)
    released_by = models.CharField(max_length=80, default="", db_default="", blank=True)
    released_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "payouts_hold"
        constraints = [
            models.UniqueConstraint(
                Value(1), name="one_hold_at_a_time", condition=Q(released_at=None)
            ),
            models.CheckConstraint(
                name="hold_cause_is_known", condition=Q(cause__in=[c.value for c in HoldCause])
            ),
            models.CheckConstraint(name="a_hold_says_why", condition=~Q(reason="")),
            models.CheckConstraint(
                name="a_release_is_proposed_with_a_finding",
                condition=Q(proposed_at=None, proposed_by="")
                | (Q(proposed_at__isnull=False) & ~Q(proposed_by="") & ~Q(finding="")),
            ),
            # The most dangerous moment of all: payouts begin again on books that lost a part.
            models.CheckConstraint(
                name="a_hold_is_released_by_a_second_person",
                condition=Q(released_at=None, released_by="")
                | (
                    Q(released_at__isnull=False, proposed_at__isnull=False)
                    & ~Q(released_by="")
                    & ~Q(released_by=F("proposed_by"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"hold {self.id}"


class Incarnation(models.Model):
    """Which database server and history this database last sent from.

    A restore to another point in time, another server or another name is another incarnation, and
    sends nothing until people say so.
    """

    id = models.BigAutoField(primary_key=True)
    identity = models.CharField(max_length=120)
    """System identifier, timeline and name: see `payouts_incarnation_now()`."""
    seen_at = models.DateTimeField()

    class Meta:
        db_table = "payouts_incarnation"

    def __str__(self) -> str:
        return self.identity
