"""A channel's day of settled and of returned legs is found without reading all legs."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built while the worker goes on

    dependencies = [("payouts", "0012_send_backs")]

    operations = [
        AddIndexConcurrently(
            "payoutleg",
            models.Index(
                fields=["channel", "settled_at"],
                name="payouts_leg_settled",
                condition=models.Q(settled_at__isnull=False),
            ),
        ),
        AddIndexConcurrently(
            "payoutleg",
            models.Index(
                fields=["channel", "returned_at"],
                name="payouts_leg_returned",
                condition=models.Q(returned_at__isnull=False),
            ),
        ),
    ]
