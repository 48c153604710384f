"""Refunds that are not done, and money that is no payment, are lines of kinds of their own."""

from django.db import migrations, models

KINDS = [
    "pay_in", "refund", "begun", "failed", "payout", "return", "fee", "fee_return", "transfer",
    "other", "strange",
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0006_closing_balances")]

    operations = [
        migrations.RemoveConstraint("linerow", "line_kind_is_known"),
        migrations.AddConstraint(
            "linerow",
            models.CheckConstraint(name="line_kind_is_known", condition=models.Q(kind__in=KINDS)),
        ),
    ]
