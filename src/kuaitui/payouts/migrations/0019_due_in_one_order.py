"""Legs that are due at the same moment are due in the order in which they were made."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payouts", "0018_hand_over_again")]

    operations = [
        migrations.RemoveIndex(model_name="payoutleg", name="payouts_leg_due"),
        migrations.AddIndex(
            model_name="payoutleg",
            index=models.Index(
                condition=models.Q(("next_check_at__isnull", False), ("set_aside_at", None)),
                fields=["next_check_at", "id"],
                name="payouts_leg_due",
            ),
        ),
    ]
