"""A reading keeps what its bill says lay on the account at the end of the day."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0005_several_lines_of_one_row")]

    operations = [
        migrations.AddField(
            "statementreading",
            "closing_currency",
            models.CharField(blank=True, db_default="", default="", max_length=3),
        ),
        migrations.AddField("statementreading", "closing_minor", models.BigIntegerField(null=True)),
        migrations.AddConstraint(
            "statementreading",
            models.CheckConstraint(
                condition=Q(closing_currency="", closing_minor=None)
                | (Q(closing_minor__isnull=False, state="read") & ~Q(closing_currency="")),
                name="a_closing_balance_has_its_currency",
            ),
        ),
    ]
