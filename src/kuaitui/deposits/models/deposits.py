"""Tables of deposits. Private to this context.

Keys of the heavy tables (lots, holds, shares) begin with the account, so they can be distributed
by it. The rules that a constraint cannot say are triggers in migration 0002.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from kuaitui.channels.port import PayeeKind
from kuaitui.deposits.types import DeductionPurpose, DepositKind, HoldKind


class DepositAccount(models.Model):
    """One shop's deposit of one kind and currency."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=40, unique=True)
    shop_key = models.BigIntegerField()
    kind = models.CharField(max_length=20)
    currency = models.CharField(max_length=3)
    book_id = models.BigIntegerField(unique=True)
    required_minor = models.BigIntegerField()
    is_open = models.BooleanField(default=True, db_default=True)
    lots_count = models.IntegerField(default=0, db_default=0)
    opened_at = models.DateTimeField()

    class Meta:
        db_table = "deposits_account"
        constraints = [
            models.UniqueConstraint(
                fields=["shop_key", "kind", "currency"],
                name="one_deposit_per_shop_kind_and_currency",
            ),
            models.CheckConstraint(
                name="required_amount_is_not_negative", condition=Q(required_minor__gte=0)
            ),
            models.CheckConstraint(
                name="deposit_kind_is_known",
                condition=Q(kind__in=[kind.value for kind in DepositKind]),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class DepositLot(models.Model):
    """One payment into a deposit."""

    pk = models.CompositePrimaryKey("account_id", "number")
    account = models.ForeignKey(
        DepositAccount, on_delete=models.PROTECT, db_index=False, related_name="lots"
    )
    number = models.IntegerField()
    public_id = models.CharField(max_length=40)
    amount_minor = models.BigIntegerField()
    paid_at = models.DateTimeField()
    channel = models.CharField(max_length=40)
    channel_reference = models.CharField(max_length=80)
    refundable_until = models.DateTimeField(null=True)
    reserved_minor = models.BigIntegerField(default=0, db_default=0)
    refunded_minor = models.BigIntegerField(default=0, db_default=0)
    deducted_minor = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        db_table = "deposits_lot"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "public_id"], name="a_lot_has_one_public_id"
            ),
            models.CheckConstraint(name="lot_amount_is_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="lot_parts_are_not_negative",
                condition=Q(reserved_minor__gte=0, refunded_minor__gte=0, deducted_minor__gte=0),
            ),
            # Otherwise one payment could be refunded and deducted at once.
            models.CheckConstraint(
                name="lot_parts_do_not_exceed_the_lot",
                condition=Q(
                    amount_minor__gte=F("reserved_minor")
                    + F("refunded_minor")
                    + F("deducted_minor")
                ),
            ),
        ]
        # Reconciliation asks for a channel's day.
        indexes = [models.Index(fields=["channel", "paid_at"], name="deposits_lot_paid")]

    def __str__(self) -> str:
        return self.public_id


class ChannelPayment(models.Model):
    """Which deposit a channel's payment went to. Keyed by the channel, so it is counted once."""

    pk = models.CompositePrimaryKey("channel", "reference")
    channel = models.CharField(max_length=40)
    reference = models.CharField(max_length=80)
    account_id = models.BigIntegerField()
    lot_number = models.IntegerField()

    class Meta:
        db_table = "deposits_channel_payment"

    def __str__(self) -> str:
        return f"{self.channel} {self.reference}"


class DepositHold(models.Model):
    """Money set aside for one application, or for one deduction that was announced."""

    pk = models.CompositePrimaryKey("account_id", "reference")
    account = models.ForeignKey(
        DepositAccount, on_delete=models.PROTECT, db_index=False, related_name="holds"
    )
    reference = models.CharField(max_length=80)
    amount_minor = models.BigIntegerField()
    settled_minor = models.BigIntegerField(default=0, db_default=0)
    released_minor = models.BigIntegerField(default=0, db_default=0)
    deducted_minor = models.BigIntegerField(default=0, db_default=0)
    rounds = models.IntegerField(default=1, db_default=1)
    kind = models.CharField(
        max_length=20, default=HoldKind.APPLICATION.value, db_default=HoldKind.APPLICATION.value
    )
    frozen_at = models.DateTimeField()

    class Meta:
        db_table = "deposits_hold"
        constraints = [
            models.CheckConstraint(
                name="hold_kind_is_known",
                condition=Q(kind__in=[kind.value for kind in HoldKind]),
            ),
            models.CheckConstraint(name="hold_amount_is_positive", condition=Q(amount_minor__gt=0)),
            models.CheckConstraint(
                name="hold_parts_are_not_negative",
                condition=Q(settled_minor__gte=0, released_minor__gte=0, deducted_minor__gte=0),
            ),
            models.CheckConstraint(
                name="hold_parts_do_not_exceed_the_hold",
                condition=Q(
                    amount_minor__gte=F("settled_minor") + F("released_minor") + F("deducted_minor")
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"hold {self.reference}"


class LotShare(models.Model):
    """The part of a lot that one payout leg carries."""

    class State(models.TextChoices):
        """Where the share stands."""

        RESERVED = "reserved"
        SETTLED = "settled"
        RELEASED = "released"

    pk = models.CompositePrimaryKey("account_id", "leg_id")
    account = models.ForeignKey(
        DepositAccount, on_delete=models.PROTECT, db_index=False, related_name="shares"
    )
    leg_id = models.CharField(max_length=40)
    lot_number = models.IntegerField()
    hold_reference = models.CharField(max_length=80)
    amount_minor = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State.choices)

    class Meta:
        db_table = "deposits_lot_share"
        constraints = [
            models.CheckConstraint(
                name="share_amount_is_positive", condition=Q(amount_minor__gt=0)
            ),
            models.CheckConstraint(
                name="share_state_is_known",
                condition=Q(state__in=["reserved", "settled", "released"]),
            ),
        ]

    def __str__(self) -> str:
        return f"share of {self.leg_id}"


class LotTaking(models.Model):
    """What a deduction, or the settling of an older debt, took from a lot."""

    pk = models.CompositePrimaryKey("account_id", "lot_number", "reference")
    account = models.ForeignKey(
        DepositAccount, on_delete=models.PROTECT, db_index=False, related_name="takings"
    )
    lot_number = models.IntegerField()
    reference = models.CharField(max_length=80)
    amount_minor = models.BigIntegerField()

    class Meta:
        db_table = "deposits_lot_taking"
        constraints = [
            models.CheckConstraint(
                name="taking_amount_is_positive", condition=Q(amount_minor__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"taking of {self.reference}"


class LotGiving(models.Model):
    """What was given back to a lot of what had been taken from it."""

    pk = models.CompositePrimaryKey("account_id", "lot_number", "reference")
    account = models.ForeignKey(
        DepositAccount, on_delete=models.PROTECT, db_index=False, related_name="givings"
    )
    lot_number = models.IntegerField()
    reference = models.CharField(max_length=80)
    amount_minor = models.BigIntegerField()

    class Meta:
        db_table = "deposits_lot_giving"
        constraints = [
            models.CheckConstraint(
                name="giving_amount_is_positive", condition=Q(amount_minor__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"giving of {self.reference}"


class Deduction(models.Model):
    """A decided deduction. Never rewritten; an appeal that succeeds pays back by a new journal."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=40, unique=True)
    account = models.ForeignKey(
        DepositAccount, on_delete=models.PROTECT, db_index=False, related_name="deductions"
    )
    reference = models.CharField(max_length=80)
    purpose = models.CharField(max_length=20)
    reason = models.CharField(max_length=500)
    clause = models.CharField(max_length=200)
    amount_minor = models.BigIntegerField()
    from_available_minor = models.BigIntegerField()
    from_frozen_minor = models.BigIntegerField()
    still_owed_minor = models.BigIntegerField()
    decided_by = models.CharField(max_length=80)
    decided_at = models.DateTimeField()

    class Meta:
        db_table = "deposits_deduction"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "reference"], name="a_deduction_is_decided_once"
            ),
            models.CheckConstraint(
                name="deduction_is_the_sum_of_its_sources",
                condition=Q(
                    amount_minor=F("from_available_minor")
                    + F("from_frozen_minor")
                    + F("still_owed_minor"),
                    from_available_minor__gte=0,
                    from_frozen_minor__gte=0,
                    still_owed_minor__gte=0,
                    amount_minor__gt=0,
                ),
            ),
            models.CheckConstraint(
                name="deduction_purpose_is_known",
                condition=Q(purpose__in=[purpose.value for purpose in DeductionPurpose]),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class DeductionLine(models.Model):
    """One item of a deduction: what, how many, at how much, on which evidence."""

    pk = models.CompositePrimaryKey("deduction_id", "number")
    deduction = models.ForeignKey(
        Deduction, on_delete=models.PROTECT, db_index=False, related_name="lines"
    )
    number = models.SmallIntegerField()
    description = models.CharField(max_length=200)
    quantity = models.IntegerField()
    unit_minor = models.BigIntegerField()
    evidence = models.JSONField()

    class Meta:
        db_table = "deposits_deduction_line"
        constraints = [
            models.CheckConstraint(
                name="deduction_line_is_positive", condition=Q(quantity__gt=0, unit_minor__gt=0)
            ),
            models.CheckConstraint(
                name="deduction_line_is_explained",
                condition=~Q(description="") & ~Q(evidence=[]),
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.number}"


class DeductionReturn(models.Model):
    """What of a deduction was given back, once: first it makes a debt less, the rest is free again."""

    deduction = models.OneToOneField(
        Deduction, on_delete=models.PROTECT, primary_key=True, related_name="given_back"
    )
    amount_minor = models.BigIntegerField()
    off_the_debt_minor = models.BigIntegerField()
    to_available_minor = models.BigIntegerField()
    decided_by = models.CharField(max_length=80)
    decided_at = models.DateTimeField()

    class Meta:
        db_table = "deposits_deduction_return"
        constraints = [
            models.CheckConstraint(
                name="deduction_return_is_the_sum_of_its_parts",
                condition=Q(
                    amount_minor=F("off_the_debt_minor") + F("to_available_minor"),
                    off_the_debt_minor__gte=0,
                    to_available_minor__gte=0,
                    amount_minor__gt=0,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"return of {self.deduction_id}"


class DestinationRow(models.Model):
    """A payee account of a shop's owner. The number is sealed; people see its last four digits."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=40, unique=True)
    shop_key = models.BigIntegerField()
    holder_name = models.CharField(max_length=120)
    bank_name = models.CharField(max_length=120)
    number_sealed = models.BinaryField()
    number_key_id = models.CharField(max_length=20)
    number_blind = models.CharField(max_length=64, db_index=True)
    tail4 = models.CharField(max_length=4)
    kind = models.CharField(
        max_length=20, default=PayeeKind.BANK_ACCOUNT.value, db_default=PayeeKind.BANK_ACCOUNT.value
    )
    bank_code = models.CharField(max_length=12, default="", db_default="", blank=True)
    is_company = models.BooleanField(default=False, db_default=False)
    fingerprint = models.CharField(max_length=64)
    added_by = models.CharField(max_length=80)
    added_at = models.DateTimeField()
    usable_from = models.DateTimeField()
    verified_by = models.CharField(max_length=80, default="", db_default="", blank=True)
    verified_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "deposits_destination"
        constraints = [
            models.UniqueConstraint(
                fields=["shop_key", "fingerprint"], name="a_shop_lists_an_account_once"
            ),
            models.CheckConstraint(
                name="destination_kind_is_known",
                condition=Q(kind__in=[kind.value for kind in PayeeKind]),
            ),
            # 联行号: 12 digits. BIC: 8 or 11 letters and digits (ISO 9362).
            models.CheckConstraint(
                name="bank_code_is_one",
                condition=Q(bank_code__regex=r"^([0-9]{12}|[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?)?$"),
            ),
            # Whoever enters an account may not vouch for it.
            models.CheckConstraint(
                name="destination_is_verified_by_somebody_else",
                condition=(Q(verified_at=None) & Q(verified_by=""))
                | (
                    Q(verified_at__isnull=False)
                    & ~Q(verified_by="")
                    & ~Q(verified_by=F("added_by"))
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
