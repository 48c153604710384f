"""Tables of refunds. Private to this context.

Which state may follow which, who may decide what, and what never changes again: migration 0002.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from kuaitui.refunds.states import BOUND, OPEN, State

OPEN_STATES = sorted(state.value for state in OPEN)
BOUND_STATES = sorted(state.value for state in BOUND)


class PolicyVersion(models.Model):
    """The exact text of a policy that applications were made under."""

    digest = models.CharField(max_length=64, primary_key=True)
    pack = models.CharField(max_length=64)
    version = models.CharField(max_length=32)
    source = models.TextField()
    first_used_at = models.DateTimeField()

    class Meta:
        db_table = "refunds_policy_version"

    def __str__(self) -> str:
        return f"{self.pack}@{self.version}"


class RefundApplication(models.Model):
    """What a seller asks for, and where it stands."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=40, unique=True)
    shop_key = models.BigIntegerField()
    account_id = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=30, default=State.DRAFT)
    version = models.IntegerField(default=1)
    revision = models.IntegerField(default=1)
    """Counts what an approval binds; an approval of an older revision is worth nothing."""

    choice = models.CharField(max_length=10)
    kind = models.CharField(max_length=12, blank=True)
    requested_minor = models.BigIntegerField(null=True)
    amount_minor = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=40, blank=True)
    note = models.CharField(max_length=500, blank=True)
    destination_id = models.CharField(max_length=40, blank=True)
    destination_set_by = models.CharField(max_length=80, blank=True)
    previous_destination_id = models.CharField(max_length=40, blank=True)
    route_plan = models.JSONField(default=list)

    created_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    request_key = models.CharField(max_length=80, null=True)  # noqa: DJ001 - drafts have none, and "" would be taken once
    submitted_at = models.DateTimeField(null=True)
    state_since = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    review_due_at = models.DateTimeField(null=True)
    remind_at = models.DateTimeField(null=True)
    """When the seller is told once more that money came back and waits for another account."""

    paid_at = models.DateTimeField(null=True)

    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, null=True)
    auto_approval_limit_minor = models.BigIntegerField(null=True)
    second_approval_from_minor = models.BigIntegerField(null=True)
    second_approval_forced = models.BooleanField(default=False)
    approval_hash = models.CharField(max_length=64, blank=True)
    hold_occasion = models.SmallIntegerField(default=0)
    repairs = models.SmallIntegerField(default=0)
    appeals = models.SmallIntegerField(default=0)
    reopened = models.BooleanField(default=False)
    """Its money came back after it was paid; the deposit may have another application by then."""

    class Meta:
        db_table = "refunds_application"
        constraints = [
            # Two open applications would promise the same money twice.
            models.UniqueConstraint(
                fields=["account_id"],
                condition=Q(state__in=OPEN_STATES, reopened=False),
                name="one_open_application_per_deposit_account",
            ),
            models.UniqueConstraint(
                fields=["account_id"],
                condition=Q(state=State.DRAFT.value),
                name="one_draft_per_deposit_account",
            ),
            # A double click or a second tab sends the same key: it finds the first application.
            models.UniqueConstraint(
                fields=["account_id", "request_key"], name="a_form_is_submitted_once"
            ),
            models.CheckConstraint(
                name="application_state_is_known",
                condition=Q(state__in=[state.value for state in State]),
            ),
            models.CheckConstraint(
                name="application_amount_is_positive",
                condition=Q(amount_minor=None) | Q(amount_minor__gt=0),
            ),
            models.CheckConstraint(
                name="a_submitted_application_is_complete",
                condition=Q(state__in=[State.DRAFT.value, State.EXPIRED.value])
                | Q(
                    amount_minor__isnull=False,
                    requested_minor__isnull=False,
                    submitted_at__isnull=False,
                    policy__isnull=False,
                    auto_approval_limit_minor__isnull=False,
                    second_approval_from_minor__isnull=False,
                    request_key__isnull=False,
                )
                & ~Q(kind="")
                & ~Q(route_plan=[]),
            ),
            models.CheckConstraint(
                name="an_approval_stands_while_and_only_while_it_binds",
                condition=(Q(state__in=BOUND_STATES) & ~Q(approval_hash=""))
                | (~Q(state__in=BOUND_STATES) & Q(approval_hash="")),
            ),
            models.CheckConstraint(
                name="paid_at_is_known_when_paid",
                condition=~Q(state=State.PAID.value) | Q(paid_at__isnull=False),
            ),
            models.CheckConstraint(
                name="only_money_that_came_back_is_reminded_of",
                condition=Q(remind_at=None) | Q(state=State.RETURNED.value),
            ),
        ]
        indexes = [
            # Ended applications pile up over the years; the queue and the work list read open ones.
            models.Index(
                fields=["submitted_at", "id"],
                condition=Q(state__in=OPEN_STATES),
                name="refunds_queue",
            ),
            models.Index(
                fields=["state", "state_since"],
                condition=Q(state__in=OPEN_STATES),
                name="refunds_open_by_state",
            ),
            models.Index(fields=["shop_key", "id"], name="refunds_of_shop"),
            models.Index(
                fields=["due_at"],
                condition=Q(due_at__isnull=False),
                name="refunds_due",
            ),
            models.Index(
                fields=["remind_at"],
                condition=Q(remind_at__isnull=False),
                name="refunds_to_remind",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class ApplicationEvent(models.Model):
    """One line of an application's timeline. Its number is the version it made."""

    pk = models.CompositePrimaryKey("application_id", "number")
    application = models.ForeignKey(
        RefundApplication, on_delete=models.PROTECT, db_index=False, related_name="events"
    )
    number = models.IntegerField()
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=80)
    code = models.CharField(max_length=40)
    from_state = models.CharField(max_length=30)
    to_state = models.CharField(max_length=30)
    details = models.JSONField(default=dict)

    class Meta:
        db_table = "refunds_event"

    def __str__(self) -> str:
        return f"{self.code} {self.number}"


class ApplicationSnapshot(models.Model):
    """Facts and assessment as they were at a moment that mattered."""

    pk = models.CompositePrimaryKey("application_id", "number")
    application = models.ForeignKey(
        RefundApplication, on_delete=models.PROTECT, db_index=False, related_name="snapshots"
    )
    number = models.IntegerField()
    taken_at = models.DateTimeField()
    facts = models.JSONField()
    assessment = models.JSONField()

    class Meta:
        db_table = "refunds_snapshot"

    def __str__(self) -> str:
        return f"snapshot {self.number}"


class Decision(models.Model):
    """What somebody decided about an application, and what exactly that decision bound."""

    class Kind(models.TextChoices):
        """What was decided."""

        APPROVE_BY_RULE = "approve_by_rule"
        APPROVE = "approve"
        CONFIRM = "confirm"
        SEND_BACK = "send_back"
        REQUEST_INFORMATION = "request_information"
        REJECT = "reject"
        GRANT_APPEAL = "grant_appeal"
        DISMISS_APPEAL = "dismiss_appeal"
        REFUSE_REPAIR = "refuse_repair"
        PROPOSE_CLOSE_OUT = "propose_close_out"
        CONFIRM_CLOSE_OUT = "confirm_close_out"

    pk = models.CompositePrimaryKey("application_id", "number")
    application = models.ForeignKey(
        RefundApplication, on_delete=models.PROTECT, db_index=False, related_name="decisions"
    )
    number = models.IntegerField()
    kind = models.CharField(max_length=20, choices=Kind.choices)
    actor_kind = models.CharField(max_length=10)
    actor_id = models.CharField(max_length=80)
    decided_at = models.DateTimeField()
    approval_hash = models.CharField(max_length=64, blank=True)
    reasons = models.JSONField(default=list)
    text = models.CharField(max_length=1000, blank=True)

    class Meta:
        db_table = "refunds_decision"
        constraints = [
            models.CheckConstraint(
                name="decision_kind_is_known",
                condition=Q(
                    kind__in=[
                        "approve_by_rule", "approve", "confirm", "send_back",
                        "request_information", "reject", "grant_appeal", "dismiss_appeal",
                        "refuse_repair", "propose_close_out", "confirm_close_out",
                    ]
                ),
            ),
            models.CheckConstraint(
                name="an_approval_names_what_it_binds",
                condition=~Q(kind__in=["approve_by_rule", "approve", "confirm"])
                | ~Q(approval_hash=""),
            ),
            # People are told why.
            models.CheckConstraint(
                name="a_rejection_has_a_reason",
                condition=~Q(kind="reject") | (~Q(reasons=[]) & ~Q(text="")),
            ),
            # The seller is told why nothing of it is sent again.
            models.CheckConstraint(
                name="a_close_out_has_a_reason",
                condition=~Q(kind="propose_close_out") | ~Q(text=""),
            ),
            models.CheckConstraint(
                name="only_the_rule_decides_without_a_person",
                condition=Q(kind="approve_by_rule", actor_kind="system")
                | (~Q(kind="approve_by_rule") & Q(actor_kind="staff"))
                | Q(kind="reject", actor_kind="system"),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"
