"""Files that were once found damaged: the few whose bytes are looked at again whenever people look."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0007_lines_that_agree_with_nothing")]

    operations = [
        migrations.CreateModel(
            name="DamagedFile",
            fields=[
                (
                    "file",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="damage",
                        serialize=False,
                        to="reconciliation.statementfile",
                    ),
                ),
                ("found_at", models.DateTimeField()),
            ],
            options={"db_table": "reconciliation_damaged_file"},
        ),
    ]
