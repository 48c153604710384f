"""Tables of facts. Keys begin with the shop's, so the tables can be spread by it.

`shop_key` is `Shop.id`; the constraints that say so are in migration 0002, with the triggers.
State and logs are written by the statements in `operations` only; `facts_summary` is written by
triggers (migration 0002) and by nothing else.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from kuaitui.facts.types import CaseKind, OrderStatus, ReportKind, ShopKind, Standing

CLOSED_CASE = 3  # AfterSaleStatus.CLOSED, DisputeStatus.CLOSED and ViolationStatus.SETTLED


class Shop(models.Model):
    """A shop of the marketplace, as it stands."""

    id = models.BigAutoField(primary_key=True)
    shop_id = models.TextField(unique=True)
    name = models.TextField(db_default="")
    kind = models.TextField(db_default=ShopKind.INDIVIDUAL.value)
    categories = ArrayField(models.TextField(), db_default=[])
    standing = models.TextField(db_default=Standing.NORMAL.value)
    currency = models.CharField(max_length=3)
    zone = models.TextField()
    opened_at = models.DateTimeField()
    closing_notice_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    expelled_at = models.DateTimeField(null=True)
    listings_on_sale = models.IntegerField(db_default=0)
    withdrawable_balance_minor = models.BigIntegerField(db_default=0)
    registered_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "facts_shop"
        constraints = [
            models.CheckConstraint(
                name="shop_kind_is_known", condition=Q(kind__in=[kind.value for kind in ShopKind])
            ),
            models.CheckConstraint(
                name="shop_standing_is_known",
                condition=Q(standing__in=[standing.value for standing in Standing]),
            ),
            models.CheckConstraint(
                name="listings_are_not_negative", condition=Q(listings_on_sale__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"shop {self.shop_id}"


class Intake(models.Model):
    """One delivery of reports: a call, or a file that is being imported."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.TextField(unique=True)
    source = models.TextField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    file_name = models.TextField(db_default="")
    file_digest = models.TextField(db_default="")
    rows_read = models.BigIntegerField(db_default=0)
    rows_recorded = models.BigIntegerField(db_default=0)
    rows_refused = models.BigIntegerField(db_default=0)

    class Meta:
        db_table = "facts_intake"
        constraints = [
            # The same file by the same mapping goes on where it stopped, or is done: never twice.
            models.UniqueConstraint(
                name="one_intake_per_file_and_mapping",
                fields=["source", "file_digest"],
                condition=~Q(file_digest=""),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class RefusedRow(models.Model):
    """A row of a file that could not be true, kept until the file of refused rows is written."""

    pk = models.CompositePrimaryKey("intake_key", "refusal_no")
    intake_key = models.BigIntegerField()
    refusal_no = models.BigIntegerField()
    file = models.TextField()
    line = models.BigIntegerField()
    reason = models.TextField()
    content = models.TextField()

    class Meta:
        db_table = "facts_refused_row"

    def __str__(self) -> str:
        return f"line {self.line}"


class ReportRow(models.Model):
    """Anything but an order as reported. Appended, never changed.

    Reports on orders are many: `facts_order_report` (migration 0002) has no key and no index.
    """

    pk = models.CompositePrimaryKey("shop_key", "report_no")
    shop_key = models.BigIntegerField()
    report_no = models.BigIntegerField()
    kind = models.SmallIntegerField()
    subject_id = models.TextField()
    rank = models.SmallIntegerField()
    status_at = models.DateTimeField()
    latest_at = models.DateTimeField(help_text="the latest instant the report names")
    content = models.JSONField()
    intake_key = models.BigIntegerField()
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "facts_report"
        constraints = [
            models.CheckConstraint(
                name="report_kind_is_known",
                condition=Q(kind__in=[int(kind) for kind in ReportKind]),
            ),
        ]
        indexes = [
            models.Index(fields=["shop_key", "kind", "subject_id"], name="facts_report_by_subject")
        ]

    def __str__(self) -> str:
        return f"report on {self.subject_id}"


class Order(models.Model):
    """An order as it stands."""

    pk = models.CompositePrimaryKey("shop_key", "order_id")
    shop_key = models.BigIntegerField()
    order_id = models.TextField()
    status = models.SmallIntegerField()
    status_at = models.DateTimeField()
    amount_minor = models.BigIntegerField()

    class Meta:
        db_table = "facts_order"
        constraints = [
            models.CheckConstraint(
                name="order_status_is_known",
                condition=Q(status__gte=OrderStatus.PLACED, status__lte=OrderStatus.CLOSED),
            ),
            models.CheckConstraint(
                name="order_amount_is_not_negative", condition=Q(amount_minor__gte=0)
            ),
        ]
        indexes = [
            # A shop has few open orders and a long history: only the open ones are looked at.
            models.Index(
                fields=["shop_key", "status_at"],
                name="facts_order_open",
                condition=Q(status__lt=OrderStatus.COMPLETED),
            ),
        ]

    def __str__(self) -> str:
        return f"order {self.order_id}"


class Case(models.Model):
    """An after-sale, a dispute or a violation as it stands."""

    pk = models.CompositePrimaryKey("shop_key", "kind", "case_id")
    shop_key = models.BigIntegerField()
    kind = models.SmallIntegerField()
    case_id = models.TextField()
    order_id = models.TextField(db_default="")
    status = models.SmallIntegerField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "facts_case"
        constraints = [
            models.CheckConstraint(
                name="case_kind_is_known", condition=Q(kind__in=[int(kind) for kind in CaseKind])
            ),
            models.CheckConstraint(
                name="a_case_has_an_end_if_it_is_closed",
                condition=Q(status=CLOSED_CASE, closed_at__isnull=False)
                | Q(status__lt=CLOSED_CASE, closed_at__isnull=True),
            ),
        ]
        indexes = [
            models.Index(
                fields=["shop_key", "kind"],
                name="facts_case_open",
                condition=Q(status__lt=CLOSED_CASE),
            ),
            models.Index(fields=["shop_key", "kind", "-closed_at"], name="facts_case_closed"),
        ]

    def __str__(self) -> str:
        return f"case {self.case_id}"


class Restriction(models.Model):
    """What a shop may not do, as it stands. `to_at` is not part of the period."""

    pk = models.CompositePrimaryKey("shop_key", "restriction_id")
    shop_key = models.BigIntegerField()
    restriction_id = models.TextField()
    kind = models.SmallIntegerField()
    from_at = models.DateTimeField()
    to_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "facts_restriction"
        constraints = [
            models.CheckConstraint(
                name="a_restriction_does_not_end_before_it_begins",
                condition=Q(to_at__isnull=True) | Q(to_at__gte=F("from_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"restriction {self.restriction_id}"


class Debt(models.Model):
    """What a shop owes the marketplace, as it stands."""

    pk = models.CompositePrimaryKey("shop_key", "debt_id")
    shop_key = models.BigIntegerField()
    debt_id = models.TextField()
    kind = models.SmallIntegerField()
    amount_minor = models.BigIntegerField()
    status = models.SmallIntegerField()
    status_at = models.DateTimeField()

    class Meta:
        db_table = "facts_debt"
        constraints = [
            models.CheckConstraint(
                name="debt_amount_is_not_negative", condition=Q(amount_minor__gte=0)
            ),
        ]

    def __str__(self) -> str:
        return f"debt {self.debt_id}"


class Summary(models.Model):
    """A shop in one row, for bulk assessment.

    Counts say how things stand by their last report. Those of orders hold at any instant from
    `latest_order_at` on, all others from `latest_at` on; `facts_shop_summary_at` knows.
    """

    shop_key = models.BigIntegerField(primary_key=True)
    kind = models.TextField()
    standing = models.TextField()
    currency = models.CharField(max_length=3)
    zone = models.TextField()
    opened_at = models.DateTimeField()
    closing_notice_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    expelled_at = models.DateTimeField(null=True)
    listings_on_sale = models.IntegerField()
    withdrawable_balance_minor = models.BigIntegerField()
    latest_order_at = models.DateTimeField()
    latest_at = models.DateTimeField()
    open_orders = models.IntegerField(db_default=0)
    last_completed_at = models.DateTimeField(null=True)
    last_completed_order_id = models.TextField(null=True)  # noqa: DJ001 - null with its time
    open_after_sales = models.IntegerField(db_default=0)
    open_disputes = models.IntegerField(db_default=0)
    last_dispute_closed_at = models.DateTimeField(null=True)
    open_violations = models.IntegerField(db_default=0)
    listing_restrictions = models.IntegerField(db_default=0)
    sales_restrictions = models.IntegerField(db_default=0)
    withdrawal_restrictions = models.IntegerField(db_default=0)
    live_restrictions = models.IntegerField(db_default=0)
    open_debts = models.IntegerField(db_default=0)
    owed_minor = models.BigIntegerField(db_default=0)

    class Meta:
        db_table = "facts_summary"
        constraints = [
            models.CheckConstraint(
                name="summary_counts_are_not_negative",
                condition=Q(
                    open_orders__gte=0,
                    open_after_sales__gte=0,
                    open_disputes__gte=0,
                    open_violations__gte=0,
                    open_debts__gte=0,
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"summary of shop {self.pk}"
