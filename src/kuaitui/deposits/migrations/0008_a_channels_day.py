"""A channel's day of payments is found without reading all lots."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built while payments come in

    dependencies = [("deposits", "0007_ways_back_out_of_suspense")]

    operations = [
        AddIndexConcurrently(
            "depositlot",
            models.Index(fields=["channel", "paid_at"], name="deposits_lot_paid"),
        ),
    ]
