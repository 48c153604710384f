"""What a channel gives us for its payee is kept with the leg while it is under way."""

import importlib

from django.db import migrations, models

MOVES_BEFORE = importlib.import_module("kuaitui.payouts.migrations.0007_limits_and_balances").MOVES
# It may come, and is not lost while it is needed.
MOVES = MOVES_BEFORE.replace(
    "clear_since,waits_for,", "clear_since,waits_for,hand_over_sealed,hand_over_key_id,"
).replace(
    "        WHEN NEW.state = 'cancelled'",
    "        WHEN NEW.state = 'needs_action' AND OLD.hand_over_key_id <> '' AND NEW.hand_over_key_id = ''\n"
    "            THEN 'a_hand_over_is_kept_while_it_is_needed'\n"
    "        WHEN NEW.state = 'cancelled'",
)


class Migration(migrations.Migration):
    dependencies = [("payouts", "0007_limits_and_balances")]

    operations = [
        migrations.AddField(
            model_name="payoutleg",
            name="hand_over_sealed",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="payoutleg",
            name="hand_over_key_id",
            field=models.CharField(blank=True, db_default="", default="", max_length=20),
        ),
        migrations.AddConstraint(
            model_name="payoutleg",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("hand_over_key_id", ""), ("hand_over_sealed", None)),
                    models.Q(
                        models.Q(("hand_over_key_id", ""), _negated=True),
                        ("hand_over_sealed__isnull", False),
                        ("state__in", ["accepted", "needs_action", "sending", "unknown"]),
                    ),
                    _connector="OR",
                ),
                name="only_a_leg_under_way_keeps_a_hand_over",
            ),
        ),
        migrations.RunSQL(MOVES, MOVES_BEFORE),
    ]
