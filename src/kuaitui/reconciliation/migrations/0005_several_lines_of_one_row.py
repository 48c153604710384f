"""One row of a bill may tell of a payment and of its fee: two lines, of two kinds, of one number."""

from django.db import migrations, models

# Lines are written once a day and never changed, so that the new key is built while nobody waits.
KEY = """
ALTER TABLE reconciliation_line DROP CONSTRAINT reconciliation_line_pkey,
    ADD CONSTRAINT reconciliation_line_pkey PRIMARY KEY (reading_id, line_no, kind);
"""
KEY_BEFORE = """
ALTER TABLE reconciliation_line DROP CONSTRAINT reconciliation_line_pkey,
    ADD CONSTRAINT reconciliation_line_pkey PRIMARY KEY (reading_id, line_no);
"""
KINDS = ["pay_in", "refund", "payout", "return", "fee", "fee_return", "transfer", "other"]


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0004_items_told_in_several_lines")]

    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(KEY, KEY_BEFORE)],
            [
                migrations.AlterField(
                    "linerow",
                    "pk",
                    models.CompositePrimaryKey(
                        "reading_id", "line_no", "kind",
                        blank=True, editable=False, primary_key=True, serialize=False,
                    ),
                )
            ],
        ),
        migrations.RemoveConstraint("linerow", "line_kind_is_known"),
        migrations.AddConstraint(
            "linerow",
            models.CheckConstraint(
                name="line_kind_is_known", condition=models.Q(kind__in=KINDS)
            ),
        ),
    ]  # fmt: skip
