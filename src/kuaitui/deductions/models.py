"""Tables of deduction cases. Private to this context.

The rules that a constraint cannot say are triggers in migration 0002.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from kuaitui.deductions.states import CaseState
from kuaitui.deductions.types import SWEEP, Reply
from kuaitui.deposits.types import DeductionPurpose


class DeductionCase(models.Model):
    """What the marketplace wants to deduct, what the seller said, and what was decided."""

    id = models.BigAutoField(primary_key=True)
    public_id = models.CharField(max_length=40, unique=True)
    account_id = models.CharField(max_length=40)
    shop_key = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reference = models.CharField(max_length=80)
    purpose = models.CharField(max_length=20)
    reason = models.CharField(max_length=500)
    clause = models.CharField(max_length=200)
    amount_minor = models.BigIntegerField()
    set_aside_minor = models.BigIntegerField()
    policy_digest = models.CharField(max_length=64)
    """The terms that set its dates, which `refunds` keeps word for word."""
    announced_by = models.CharField(max_length=80)
    announced_at = models.DateTimeField()
    reply_until = models.DateTimeField()
    lapses_at = models.DateTimeField()

    state = models.CharField(max_length=20, default=CaseState.ANNOUNCED)
    version = models.IntegerField(default=1)
    decide_by = models.DateTimeField()
    remind_at = models.DateTimeField(null=True)
    reply = models.CharField(max_length=20, default="", blank=True)
    reply_text = models.CharField(max_length=1000, default="", blank=True)
    replied_by = models.CharField(max_length=80, default="", blank=True)
    replied_at = models.DateTimeField(null=True)
    decision_text = models.CharField(max_length=1000, default="", blank=True)
    decided_by = models.CharField(max_length=80, default="", blank=True)
    decided_at = models.DateTimeField(null=True)
    taken = ArrayField(models.SmallIntegerField(), default=list, blank=True)
    """Numbers of the items that were taken."""
    deduction_id = models.CharField(max_length=40, default="", blank=True)
    appeal_until = models.DateTimeField(null=True)
    appeal_text = models.CharField(max_length=1000, default="", blank=True)
    appealed_by = models.CharField(max_length=80, default="", blank=True)
    appealed_at = models.DateTimeField(null=True)
    answer_by = models.DateTimeField(null=True)
    answer_lapses_at = models.DateTimeField(null=True)
    answer_text = models.CharField(max_length=1000, default="", blank=True)
    answered_by = models.CharField(max_length=80, default="", blank=True)
    answered_at = models.DateTimeField(null=True)
    given_back = ArrayField(models.SmallIntegerField(), default=list, blank=True)
    """Numbers of the items that were given back."""

    class Meta:
        db_table = "deductions_case"
        constraints = [
            models.UniqueConstraint(
                fields=["account_id", "reference"], name="a_deduction_is_announced_once"
            ),
            models.CheckConstraint(
                name="case_amounts_are_possible",
                condition=Q(amount_minor__gt=0, set_aside_minor__gte=0)
                & Q(set_aside_minor__lte=F("amount_minor")),
            ),
            models.CheckConstraint(
                name="case_purpose_is_known",
                condition=Q(purpose__in=[purpose.value for purpose in DeductionPurpose]),
            ),
            models.CheckConstraint(
                name="case_state_is_known",
                condition=Q(state__in=[state.value for state in CaseState]),
            ),
            models.CheckConstraint(
                name="case_says_why", condition=~Q(reason="") & ~Q(clause="") & ~Q(reference="")
            ),
            models.CheckConstraint(
                name="case_dates_follow_each_other",
                condition=Q(announced_at__lt=F("reply_until"), reply_until__lte=F("lapses_at")),
            ),
            models.CheckConstraint(
                name="case_is_replied_in_full",
                condition=Q(reply="", reply_text="", replied_by="", replied_at=None)
                | Q(
                    reply__in=[reply.value for reply in Reply],
                    replied_at__isnull=False,
                    replied_at__lt=F("reply_until"),
                )
                & ~Q(replied_by="")
                & (~Q(reply_text="") | Q(reply=Reply.ACCEPTS.value)),
            ),
            models.CheckConstraint(
                name="only_who_can_reply_is_reminded",
                condition=Q(remind_at=None)
                | Q(state="announced", reply="", remind_at__lt=F("reply_until")),
            ),
            # Nothing is taken before its seller was heard, nor too late, nor by whoever wants it taken.
            models.CheckConstraint(
                name="taken_after_a_hearing_in_time_by_another_person",
                condition=Q(state__in=["announced", "dropped", "lapsed"], taken=[], deduction_id="")
                | Q(decided_at__isnull=False, appeal_until__isnull=False)
                & Q(appeal_until__gt=F("decided_at"))
                & ~Q(taken=[])
                & ~Q(deduction_id="")
                & ~Q(decided_by="")
                & ~Q(decided_by=F("announced_by"))
                & ~Q(decided_by=F("replied_by"))
                & Q(decided_at__lt=F("lapses_at"))
                & (Q(replied_at__isnull=False) | Q(decided_at__gte=F("reply_until"))),
            ),
            models.CheckConstraint(
                name="case_is_decided_or_not",
                condition=Q(state="announced", decided_by="", decided_at=None, decision_text="")
                | ~Q(state="announced")
                & Q(decided_at__isnull=False)
                & ~Q(decided_by="")
                & (Q(state="lapsed") | ~Q(decision_text="")),
            ),
            models.CheckConstraint(
                name="case_is_appealed_in_time",
                condition=Q(appealed_at=None, appealed_by="", appeal_text="")
                & ~Q(state__in=["appealed", "given_back", "upheld"])
                | Q(
                    state__in=["appealed", "given_back", "upheld"],
                    appealed_at__isnull=False,
                    appealed_at__lt=F("appeal_until"),
                    answer_by__isnull=False,
                    answer_lapses_at__isnull=False,
                    answer_lapses_at__gte=F("answer_by"),
                )
                & ~Q(appealed_by="")
                & ~Q(appeal_text=""),
            ),
            models.CheckConstraint(
                name="an_appeal_is_decided_by_a_third_person",
                condition=~Q(state__in=["given_back", "upheld"])
                & Q(answered_at=None, answered_by="", given_back=[])
                | Q(state__in=["given_back", "upheld"], answered_at__isnull=False)
                & ~Q(answered_by="")
                # Only what nobody answered in time says nothing, and all of it is given back then.
                & (
                    ~Q(answer_text="")
                    | Q(
                        state="given_back",
                        answered_by=SWEEP.id,
                        answered_at__gte=F("answer_lapses_at"),
                        given_back=F("taken"),
                    )
                )
                & ~Q(answered_by=F("announced_by"))
                & ~Q(answered_by=F("replied_by"))
                & ~Q(answered_by=F("decided_by"))
                & ~Q(answered_by=F("appealed_by")),
            ),
            models.CheckConstraint(
                name="given_back_as_the_state_says",
                condition=Q(state="given_back") & ~Q(given_back=[])
                | ~Q(state="given_back") & Q(given_back=[]),
            ),
        ]
        indexes = [
            models.Index(
                fields=["lapses_at"],
                name="deductions_case_lapses",
                condition=Q(state="announced"),
            ),
            models.Index(
                fields=["answer_lapses_at"],
                name="deductions_appeal_lapses",
                condition=Q(state="appealed"),
            ),
            models.Index(
                fields=["remind_at"],
                name="deductions_case_to_remind",
                condition=Q(remind_at__isnull=False),
            ),
            models.Index(fields=["state", "decide_by"], name="deductions_case_waiting"),
            models.Index(fields=["shop_key", "-announced_at"], name="deductions_case_of_shop"),
        ]

    def __str__(self) -> str:
        return self.public_id


class DeductionCaseLine(models.Model):
    """One item of what was announced. Never changes."""

    pk = models.CompositePrimaryKey("case_id", "number")
    case = models.ForeignKey(
        DeductionCase, on_delete=models.PROTECT, db_index=False, related_name="lines"
    )
    number = models.SmallIntegerField()
    description = models.CharField(max_length=200)
    quantity = models.IntegerField()
    unit_minor = models.BigIntegerField()
    evidence = models.JSONField()

    class Meta:
        db_table = "deductions_case_line"
        constraints = [
            models.CheckConstraint(
                name="case_line_is_positive",
                condition=Q(number__gt=0, quantity__gt=0, unit_minor__gt=0),
            ),
            models.CheckConstraint(
                name="case_line_is_explained", condition=~Q(description="") & ~Q(evidence=[])
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.number}"
