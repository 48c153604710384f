"""Deduction cases and their items."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import kuaitui.deductions.states


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="DeductionCase",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.CharField(max_length=40, unique=True)),
                ("account_id", models.CharField(max_length=40)),
                ("shop_key", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("reference", models.CharField(max_length=80)),
                ("purpose", models.CharField(max_length=20)),
                ("reason", models.CharField(max_length=500)),
                ("clause", models.CharField(max_length=200)),
                ("amount_minor", models.BigIntegerField()),
                ("set_aside_minor", models.BigIntegerField()),
                ("policy_digest", models.CharField(max_length=64)),
                ("announced_by", models.CharField(max_length=80)),
                ("announced_at", models.DateTimeField()),
                ("reply_until", models.DateTimeField()),
                ("lapses_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        default=kuaitui.deductions.states.CaseState["ANNOUNCED"], max_length=20
                    ),
                ),
                ("version", models.IntegerField(default=1)),
                ("decide_by", models.DateTimeField()),
                ("remind_at", models.DateTimeField(null=True)),
                ("reply", models.CharField(blank=True, default="", max_length=20)),
                ("reply_text", models.CharField(blank=True, default="", max_length=1000)),
                ("replied_by", models.CharField(blank=True, default="", max_length=80)),
                ("replied_at", models.DateTimeField(null=True)),
                ("decision_text", models.CharField(blank=True, default="", max_length=1000)),
                ("decided_by", models.CharField(blank=True, default="", max_length=80)),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "taken",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SmallIntegerField(), blank=True, default=list, size=None
                    ),
                ),
                ("deduction_id", models.CharField(blank=True, default="", max_length=40)),
                ("appeal_until", models.DateTimeField(null=True)),
                ("appeal_text", models.CharField(blank=True, default="", max_length=1000)),
                ("appealed_by", models.CharField(blank=True, default="", max_length=80)),
                ("appealed_at", models.DateTimeField(null=True)),
                ("answer_by", models.DateTimeField(null=True)),
                ("answer_lapses_at", models.DateTimeField(null=True)),
                ("answer_text", models.CharField(blank=True, default="", max_length=1000)),
                ("answered_by", models.CharField(blank=True, default="", max_length=80)),
                ("answered_at", models.DateTimeField(null=True)),
                (
                    "given_back",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.SmallIntegerField(), blank=True, default=list, size=None
                    ),
                ),
            ],
            options={
                "db_table": "deductions_case",
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "announced")),
                        fields=["lapses_at"],
                        name="deductions_case_lapses",
                    ),
                    models.Index(
                        condition=models.Q(("state", "appealed")),
                        fields=["answer_lapses_at"],
                        name="deductions_appeal_lapses",
                    ),
                    models.Index(
                        condition=models.Q(("remind_at__isnull", False)),
                        fields=["remind_at"],
                        name="deductions_case_to_remind",
                    ),
                    models.Index(fields=["state", "decide_by"], name="deductions_case_waiting"),
                    models.Index(
                        fields=["shop_key", "-announced_at"], name="deductions_case_of_shop"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account_id", "reference"), name="a_deduction_is_announced_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("amount_minor__gt", 0),
                            ("set_aside_minor__gte", 0),
                            ("set_aside_minor__lte", models.F("amount_minor")),
                        ),
                        name="case_amounts_are_possible",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("purpose__in", ["compensation", "penalty"])),
                        name="case_purpose_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "announced",
                                    "taken",
                                    "dropped",
                                    "lapsed",
                                    "appealed",
                                    "given_back",
                                    "upheld",
                                ],
                            )
                        ),
                        name="case_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("reason", ""), _negated=True),
                            models.Q(("clause", ""), _negated=True),
                            models.Q(("reference", ""), _negated=True),
                        ),
                        name="case_says_why",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("announced_at__lt", models.F("reply_until")),
                            ("reply_until__lte", models.F("lapses_at")),
                        ),
                        name="case_dates_follow_each_other",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("replied_at", None),
                                ("replied_by", ""),
                                ("reply", ""),
                                ("reply_text", ""),
                            ),
                            models.Q(
                                ("replied_at__isnull", False),
                                ("replied_at__lt", models.F("reply_until")),
                                ("reply__in", ["accepts", "objects"]),
                                models.Q(("replied_by", ""), _negated=True),
                                models.Q(
                                    models.Q(("reply_text", ""), _negated=True),
                                    ("reply", "accepts"),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="case_is_replied_in_full",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("remind_at", None),
                            models.Q(
                                ("remind_at__lt", models.F("reply_until")),
                                ("reply", ""),
                                ("state", "announced"),
                            ),
                            _connector="OR",
                        ),
                        name="only_who_can_reply_is_reminded",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("deduction_id", ""),
                                ("state__in", ["announced", "dropped", "lapsed"]),
                                ("taken", []),
                            ),
                            models.Q(
                                ("appeal_until__isnull", False),
                                ("decided_at__isnull", False),
                                ("appeal_until__gt", models.F("decided_at")),
                                models.Q(("taken", []), _negated=True),
                                models.Q(("deduction_id", ""), _negated=True),
                                models.Q(("decided_by", ""), _negated=True),
                                models.Q(("decided_by", models.F("announced_by")), _negated=True),
                                models.Q(("decided_by", models.F("replied_by")), _negated=True),
                                ("decided_at__lt", models.F("lapses_at")),
                                models.Q(
                                    ("replied_at__isnull", False),
                                    ("decided_at__gte", models.F("reply_until")),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="taken_after_a_hearing_in_time_by_another_person",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at", None),
                                ("decided_by", ""),
                                ("decision_text", ""),
                                ("state", "announced"),
                            ),
                            models.Q(
                                models.Q(("state", "announced"), _negated=True),
                                ("decided_at__isnull", False),
                                models.Q(("decided_by", ""), _negated=True),
                                models.Q(
                                    ("state", "lapsed"),
                                    models.Q(("decision_text", ""), _negated=True),
                                    _connector="OR",
                                ),
                            ),
                            _connector="OR",
                        ),
                        name="case_is_decided_or_not",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("appeal_text", ""),
                                ("appealed_at", None),
                                ("appealed_by", ""),
                                models.Q(
                                    ("state__in", ["appealed", "given_back", "upheld"]),
                                    _negated=True,
                                ),
                            ),
                            models.Q(
                                ("answer_by__isnull", False),
                                ("answer_lapses_at__gte", models.F("answer_by")),
                                ("answer_lapses_at__isnull", False),
                                ("appealed_at__isnull", False),
                                ("appealed_at__lt", models.F("appeal_until")),
                                ("state__in", ["appealed", "given_back", "upheld"]),
                                models.Q(("appealed_by", ""), _negated=True),
                                models.Q(("appeal_text", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="case_is_appealed_in_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                models.Q(("state__in", ["given_back", "upheld"]), _negated=True),
                                ("answered_at", None),
                                ("answered_by", ""),
                                ("given_back", []),
                            ),
                            models.Q(
                                ("answered_at__isnull", False),
                                ("state__in", ["given_back", "upheld"]),
                                models.Q(("answered_by", ""), _negated=True),
                                models.Q(
                                    models.Q(("answer_text", ""), _negated=True),
                                    models.Q(
                                        ("answered_at__gte", models.F("answer_lapses_at")),
                                        ("answered_by", "deductions.sweep_due"),
                                        ("given_back", models.F("taken")),
                                        ("state", "given_back"),
                                    ),
                                    _connector="OR",
                                ),
                                models.Q(("answered_by", models.F("announced_by")), _negated=True),
                                models.Q(("answered_by", models.F("replied_by")), _negated=True),
                                models.Q(("answered_by", models.F("decided_by")), _negated=True),
                                models.Q(("answered_by", models.F("appealed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="an_appeal_is_decided_by_a_third_person",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("state", "given_back"), models.Q(("given_back", []), _negated=True)
                            ),
                            models.Q(
                                models.Q(("state", "given_back"), _negated=True), ("given_back", [])
                            ),
                            _connector="OR",
                        ),
                        name="given_back_as_the_state_says",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DeductionCaseLine",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "case_id",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.SmallIntegerField()),
                ("description", models.CharField(max_length=200)),
                ("quantity", models.IntegerField()),
                ("unit_minor", models.BigIntegerField()),
                ("evidence", models.JSONField()),
                (
                    "case",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lines",
                        to="deductions.deductioncase",
                    ),
                ),
            ],
            options={
                "db_table": "deductions_case_line",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("number__gt", 0), ("quantity__gt", 0), ("unit_minor__gt", 0)
                        ),
                        name="case_line_is_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("description", ""), _negated=True),
                            models.Q(("evidence", []), _negated=True),
                        ),
                        name="case_line_is_explained",
                    ),
                ],
            },
        ),
    ]
