"""What the rule may let go in a day, and what is larger than a day by itself."""

from django.db import migrations, models

WAITS_FOR = [
    "payout_limit", "leg_limit", "shop_day_limit", "operator_day_limit", "rule_day_limit", "day_limit",
    "above_shop_day", "above_operator_day", "above_rule_day", "above_day", "balance_floor",
    "balance_unknown",
]  # fmt: skip
SCOPES = [
    "payout", "shop_day", "operator_day", "rule_day", "channel_leg", "channel_day", "channel_floor",
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("payouts", "0010_closed_out_legs")]

    operations = [
        migrations.RemoveConstraint(model_name="payoutleg", name="what_a_leg_waits_for_is_known"),
        migrations.AddConstraint(
            model_name="payoutleg",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("waits_for", ""),
                    models.Q(("state", "ready"), ("waits_for__in", WAITS_FOR)),
                    _connector="OR",
                ),
                name="what_a_leg_waits_for_is_known",
            ),
        ),
        migrations.RemoveConstraint(model_name="payoutlimit", name="limit_scope_is_known"),
        migrations.AddConstraint(
            model_name="payoutlimit",
            constraint=models.CheckConstraint(
                condition=models.Q(("scope__in", SCOPES)), name="limit_scope_is_known"
            ),
        ),
    ]
