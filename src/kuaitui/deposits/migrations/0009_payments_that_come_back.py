"""A payment that was sent back out of suspense may come back: then people decide anew."""

import importlib

from django.db import migrations, models

BEFORE = importlib.import_module("kuaitui.deposits.migrations.0007_ways_back_out_of_suspense").AFTER
AFTER = (
    BEFORE.replace(
        "        ELSE false\n",
        "        WHEN 'sent_back' THEN p_to = 'open'\n        ELSE false\n",
    )
    .replace(
        "lot_id,refund_reference,sent_back_by,sent_back_at,version",
        "lot_id,refund_reference,sent_back_by,sent_back_at,returns,version",
    )
    .replace("OR NEW.version <> 0 THEN", "OR NEW.version <> 0 OR NEW.returns <> 0 THEN")
    .replace(
        "AND NOT (OLD.state = 'to_send_back' AND NEW.state = 'open')",
        "AND NOT (OLD.state IN ('to_send_back', 'sent_back') AND NEW.state = 'open')",
    )
    .replace(
        "            -- What one person proposed is what the other confirms.\n",
        """            -- By it the journals of each way back are told apart.
            WHEN NEW.returns - OLD.returns
                <> (OLD.state = 'sent_back' AND NEW.state = 'open')::int
                THEN 'a_case_counts_what_came_back'
            -- What one person proposed is what the other confirms.
""",
    )
)


class Migration(migrations.Migration):
    dependencies = [("deposits", "0008_a_channels_day")]

    operations = [
        migrations.AddField("suspenserow", "returns", models.IntegerField(db_default=0, default=0)),
        migrations.RunSQL(AFTER, BEFORE),
    ]
