"""Money in suspense goes back through the channel, or two people note that it has gone by hand."""

import importlib

from django.db import migrations, models

_GUARDS = importlib.import_module("kuaitui.deposits.migrations.0006_pay_in_guards")

BEFORE = _GUARDS.SUSPENSE_MOVES_BY_THE_TABLE.partition("CREATE TRIGGER")[0].replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
)
AFTER = (
    BEFORE.replace(
        "p_to IN ('open', 'attributed', 'to_send_back')",
        "p_to IN ('open', 'attributed', 'to_send_back', 'sent_back')",
    )
    .replace("THEN p_to = 'sent_back'", "THEN p_to IN ('sent_back', 'open')")
    .replace(
        "            WHEN OLD.state IN ('attributed', 'to_send_back', 'sent_back')\n",
        """            -- What went by hand is noted as it was proposed; all else goes through the channel.
            WHEN OLD.state = 'proposed' AND NEW.state <> 'open'
                AND NEW.refund_reference <> OLD.refund_reference
                THEN 'what_is_confirmed_is_what_was_proposed'
            WHEN OLD.state = 'proposed' AND NEW.state = 'sent_back' AND NEW.resolution <> 'by_hand'
                THEN 'only_what_went_by_hand_is_noted_at_once'
            WHEN OLD.state IN ('attributed', 'to_send_back', 'sent_back')
                AND NOT (OLD.state = 'to_send_back' AND NEW.state = 'open')
""",
    )
)
# Who ordered a way back before there was a machine for it may have gone it by hand, or not: only
# people know, and they decide again.
LEGACY = """
UPDATE deposits_suspense SET state = 'open', resolution = '', reason = '', proposed_by = '',
    proposed_at = NULL, decided_by = '', decided_at = NULL, version = version + 1
WHERE state = 'to_send_back';
"""


class Migration(migrations.Migration):
    dependencies = [("deposits", "0006_pay_in_guards")]

    operations = [
        migrations.RunSQL(AFTER, BEFORE),
        migrations.RunSQL(LEGACY, migrations.RunSQL.noop),
        migrations.RemoveConstraint(model_name="suspenserow", name="suspense_is_proposed_in_full"),
        migrations.RemoveConstraint(model_name="suspenserow", name="suspense_ends_as_decided"),
        migrations.AddConstraint(
            model_name="suspenserow",
            constraint=models.CheckConstraint(
                name="suspense_is_proposed_in_full",
                condition=models.Q(state="open")
                | models.Q(
                    resolution__in=["attribute", "send_back", "by_hand"], proposed_at__isnull=False
                )
                & ~models.Q(proposed_by="")
                & ~models.Q(reason="")
                & (~models.Q(resolution="attribute") | models.Q(account__isnull=False))
                & (~models.Q(resolution="by_hand") | ~models.Q(refund_reference="")),
            ),
        ),
        migrations.AddConstraint(
            model_name="suspenserow",
            constraint=models.CheckConstraint(
                name="suspense_ends_as_decided",
                condition=models.Q(state__in=["open", "proposed"])
                | models.Q(state="attributed", resolution="attribute") & ~models.Q(lot_id="")
                | models.Q(state="to_send_back", resolution="send_back")
                | models.Q(
                    state="sent_back",
                    resolution__in=["send_back", "by_hand"],
                    sent_back_at__isnull=False,
                )
                & ~models.Q(refund_reference=""),
            ),
        ),
        migrations.AddConstraint(
            model_name="suspenserow",
            constraint=models.UniqueConstraint(
                fields=["channel", "refund_reference"],
                name="a_refund_sends_one_payment_back",
                condition=models.Q(state="sent_back"),
            ),
        ),
    ]
