"""Tables of money coming in: orders, the calls about them, payments without a place.

The rules that a constraint cannot say are triggers in migration 0006.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from kuaitui.channels.port import PayInMethod
from kuaitui.deposits.models.deposits import DepositAccount
from kuaitui.deposits.states import OPEN, PayInState, SuspenseState
from kuaitui.deposits.types import (
    FoundBy,
    PayInAnswer,
    PayInCall,
    Resolution,
    SuspenseReason,
)
from kuaitui.kit.models import CallAttempt

OPEN_STATES = sorted(state.value for state in OPEN)


class PayInOrderRow(models.Model):
    """What a seller is to pay, under one number for ever."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=40, unique=True)
    account = models.ForeignKey(
        DepositAccount, on_delete=models.PROTECT, db_index=False, related_name="pay_in_orders"
    )
    shop_key = models.BigIntegerField()
    request_key = models.CharField(max_length=64)
    channel = models.CharField(max_length=40)
    number = models.CharField(max_length=32)
    method = models.CharField(max_length=20)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    description = models.CharField(max_length=80)
    return_url = models.CharField(max_length=300, blank=True)
    payer_ip = models.CharField(max_length=45, blank=True)
    expires_at = models.DateTimeField()
    created_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()

    state = models.CharField(max_length=20, default=PayInState.CREATED)
    since = models.DateTimeField()
    fence = models.IntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    next_check_at = models.DateTimeField(null=True)
    checks = models.IntegerField(default=0)
    opens = models.IntegerField(default=0)
    called_off_at = models.DateTimeField(null=True)
    pay_url = models.CharField(max_length=2000, default="", blank=True)
    usable_until = models.DateTimeField(null=True)
    paid_minor = models.BigIntegerField(null=True)
    paid_at = models.DateTimeField(null=True)
    channel_reference = models.CharField(max_length=80, default="", blank=True)
    lot_id = models.CharField(max_length=40, default="", blank=True)
    code = models.CharField(max_length=80, default="", blank=True)
    set_aside_at = models.DateTimeField(null=True)
    set_aside_reason = models.CharField(max_length=200, default="", blank=True)

    class Meta:
        db_table = "deposits_pay_in_order"
        constraints = [
            # A channel collects a number once: two orders under one number would be one payment.
            models.UniqueConstraint(
                fields=["channel", "number"], name="a_number_names_one_pay_in_order"
            ),
            models.UniqueConstraint(
                fields=["account", "request_key"], name="a_pay_in_request_is_heard_once"
            ),
            # Two codes on two screens are how somebody pays twice.
            models.UniqueConstraint(
                fields=["account"],
                name="one_open_pay_in_per_deposit_account",
                condition=Q(state__in=OPEN_STATES),
            ),
            models.CheckConstraint(
                name="pay_in_amount_is_positive", condition=Q(amount_minor__gt=0)
            ),
            models.CheckConstraint(
                name="pay_in_number_is_letters_and_digits",
                condition=Q(number__regex=r"^[0-9A-Za-z]{6,32}$"),
            ),
            models.CheckConstraint(
                name="pay_in_method_is_known",
                condition=Q(method__in=[method.value for method in PayInMethod]),
            ),
            models.CheckConstraint(
                name="pay_in_state_is_known",
                condition=Q(state__in=[state.value for state in PayInState]),
            ),
            # Otherwise an order could wait for ever without anybody noticing.
            models.CheckConstraint(
                name="no_open_pay_in_is_forgotten",
                condition=~Q(state__in=OPEN_STATES)
                | Q(next_check_at__isnull=False)
                | Q(set_aside_at__isnull=False),
            ),
            models.CheckConstraint(
                name="a_paid_pay_in_says_what_and_when",
                condition=~Q(state__in=["paid", "paid_other_amount", "in_suspense"])
                | Q(paid_minor__isnull=False, paid_minor__gt=0, paid_at__isnull=False)
                & ~Q(channel_reference=""),
            ),
            models.CheckConstraint(
                name="a_paid_pay_in_is_a_lot_of_that_amount",
                condition=~Q(state__in=["paid", "paid_other_amount"])
                | ~Q(lot_id="") & (~Q(state="paid") | Q(paid_minor=F("amount_minor"))),
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                name="deposits_pay_in_due",
                condition=Q(next_check_at__isnull=False, set_aside_at=None),
            ),
            models.Index(fields=["account", "-id"], name="deposits_pay_in_of_account"),
        ]

    def __str__(self) -> str:
        return self.public_id


class PayInAttempt(CallAttempt):
    """One call about an order: written before the call, completed once after it."""

    order = models.ForeignKey(
        PayInOrderRow, on_delete=models.PROTECT, db_index=False, related_name="attempts"
    )
    kind = models.CharField(max_length=10)

    class Meta:
        db_table = "deposits_pay_in_attempt"
        constraints = [
            models.UniqueConstraint(
                fields=["order", "attempt_no"], name="pay_in_attempts_are_numbered"
            ),
            models.UniqueConstraint(
                fields=["order"],
                name="a_pay_in_has_one_live_attempt",
                condition=Q(outcome=None),
            ),
            models.CheckConstraint(
                name="pay_in_attempt_kind_is_known",
                condition=Q(kind__in=[kind.value for kind in PayInCall]),
            ),
            models.CheckConstraint(
                name="pay_in_attempt_ends_with_its_outcome",
                condition=Q(outcome=None, finished_at=None)
                | Q(
                    outcome__isnull=False,
                    outcome__in=[answer.value for answer in PayInAnswer],
                    finished_at__isnull=False,
                ),
            ),
        ]


class StrayNumber(models.Model):
    """A number that a channel spoke of and that no order of ours has: it is asked about."""

    pk = models.CompositePrimaryKey("channel", "number")
    channel = models.CharField(max_length=40)
    number = models.CharField(max_length=64)
    found_by = models.CharField(max_length=20)
    heard_at = models.DateTimeField()
    next_check_at = models.DateTimeField(null=True)
    checks = models.IntegerField(default=0)
    outcome = models.CharField(max_length=20, default="", blank=True)

    class Meta:
        db_table = "deposits_stray_number"
        constraints = [
            models.CheckConstraint(
                name="stray_number_found_by_is_known",
                condition=Q(found_by__in=[by.value for by in FoundBy]),
            ),
        ]
        indexes = [
            models.Index(
                fields=["next_check_at"],
                name="deposits_stray_number_due",
                condition=Q(next_check_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.number}"


class SuspenseRow(models.Model):
    """A payment without a place (挂账). It has a book of its own that comes back to zero."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=40, unique=True)
    channel = models.CharField(max_length=40)
    reference = models.CharField(max_length=80)
    number = models.CharField(max_length=64, blank=True)
    order = models.ForeignKey(
        PayInOrderRow, on_delete=models.PROTECT, null=True, related_name="suspense"
    )
    book_id = models.BigIntegerField(unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    why = models.CharField(max_length=30)
    found_by = models.CharField(max_length=20)
    paid_at = models.DateTimeField()
    found_at = models.DateTimeField()
    refundable_until = models.DateTimeField(null=True)

    state = models.CharField(max_length=20, default=SuspenseState.OPEN)
    resolution = models.CharField(max_length=20, default="", blank=True)
    account = models.ForeignKey(DepositAccount, on_delete=models.PROTECT, null=True)
    reason = models.CharField(max_length=500, default="", blank=True)
    proposed_by = models.CharField(max_length=80, default="", blank=True)
    proposed_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=80, default="", blank=True)
    decided_at = models.DateTimeField(null=True)
    lot_id = models.CharField(max_length=40, default="", blank=True)
    refund_reference = models.CharField(max_length=80, default="", blank=True)
    sent_back_by = models.CharField(max_length=80, default="", blank=True)
    sent_back_at = models.DateTimeField(null=True)
    returns = models.IntegerField(default=0, db_default=0)
    """How often it was sent back and came back (退票)."""
    version = models.IntegerField(default=0)

    class Meta:
        db_table = "deposits_suspense"
        constraints = [
            # One payment lies in suspense once, however often we are told of it.
            models.UniqueConstraint(
                fields=["channel", "reference"], name="a_payment_is_in_suspense_once"
            ),
            models.CheckConstraint(
                name="suspense_amount_is_positive", condition=Q(amount_minor__gt=0)
            ),
            models.CheckConstraint(
                name="suspense_state_is_known",
                condition=Q(state__in=[state.value for state in SuspenseState]),
            ),
            models.CheckConstraint(
                name="suspense_why_is_known",
                condition=Q(why__in=[why.value for why in SuspenseReason]),
            ),
            models.CheckConstraint(
                name="suspense_found_by_is_known",
                condition=Q(found_by__in=[by.value for by in FoundBy]),
            ),
            models.CheckConstraint(
                name="suspense_is_proposed_in_full",
                condition=Q(state="open")
                | Q(
                    resolution__in=[one.value for one in Resolution],
                    proposed_at__isnull=False,
                )
                & ~Q(proposed_by="")
                & ~Q(reason="")
                & (~Q(resolution="attribute") | Q(account__isnull=False))
                & (~Q(resolution="by_hand") | ~Q(refund_reference="")),
            ),
            # Whoever proposes may not confirm.
            models.CheckConstraint(
                name="suspense_is_decided_by_two",
                condition=Q(state__in=["open", "proposed"], decided_by="")
                | Q(
                    state__in=["attributed", "to_send_back", "sent_back"],
                    decided_at__isnull=False,
                )
                & ~Q(decided_by="")
                & ~Q(decided_by=F("proposed_by")),
            ),
            models.CheckConstraint(
                name="suspense_ends_as_decided",
                condition=Q(state__in=["open", "proposed"])
                | Q(state="attributed", resolution="attribute") & ~Q(lot_id="")
                | Q(state="to_send_back", resolution="send_back")
                | Q(
                    state="sent_back",
                    resolution__in=["send_back", "by_hand"],
                    sent_back_at__isnull=False,
                )
                & ~Q(refund_reference=""),
            ),
            # A refund of the channel that closed two cases would hide that one is still owed.
            models.UniqueConstraint(
                fields=["channel", "refund_reference"],
                name="a_refund_sends_one_payment_back",
                condition=Q(state="sent_back"),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "found_at"], name="deposits_suspense_waiting"),
        ]

    def __str__(self) -> str:
        return self.public_id
