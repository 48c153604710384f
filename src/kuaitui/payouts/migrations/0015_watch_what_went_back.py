"""What went back out of suspense is watched like what was paid out: it may come back (退票)."""

import importlib

from django.db import migrations, models

_GUARDS = importlib.import_module("kuaitui.payouts.migrations.0012_send_backs").GUARDS


def _function(name: str) -> str:
    begin = _GUARDS.index(f"CREATE FUNCTION {name}")
    end = _GUARDS.index("END $$;", begin) + len("END $$;")
    return _GUARDS[begin:end].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


MOVES_BEFORE = _function("payouts_check_send_back()")
MOVES = MOVES_BEFORE.replace(
    "last_sent_at,clear_since,settled_at,", "last_sent_at,clear_since,settled_at,returned_at,"
).replace(
    "                THEN 'a_payment_is_back_on_the_channels_word'\n",
    """                THEN 'a_payment_is_back_on_the_channels_word'
            WHEN OLD.state IN ('paid', 'returned') AND NEW.settled_at IS DISTINCT FROM OLD.settled_at
                THEN 'a_paid_send_back_stays_as_it_was_paid'
            -- Some channels call that failed, others returned.
            WHEN NEW.state = 'returned' AND OLD.state <> 'returned' AND (OLD.state <> 'paid'
                OR last_outcome IS NULL
                OR last_outcome NOT IN ('returned', 'failed', 'failed_retryable'))
                THEN 'a_payment_comes_back_on_the_channels_word'
""",
)
CASES_BEFORE = _function("payouts_check_case_went_back()")
CASES = CASES_BEFORE.replace(
    "        WHEN NEW.state = 'open' AND (\n",
    """        WHEN OLD.state = 'sent_back' THEN CASE WHEN NOT EXISTS (SELECT 1 FROM payouts_send_back
            WHERE suspense_id = NEW.public_id AND state = 'returned'
                AND number = OLD.refund_reference)
            THEN 'a_case_opens_again_when_its_payment_came_back' END
        WHEN NEW.state = 'open' AND (
""",
).replace("state <> 'failed')", "state NOT IN ('failed', 'returned'))")
DROP_TRIGGER = "DROP TRIGGER a_case_ends_as_its_send_back_did ON deposits_suspense;"
TRIGGER_BEFORE = """
CREATE TRIGGER a_case_ends_as_its_send_back_did BEFORE UPDATE ON deposits_suspense
    FOR EACH ROW WHEN (OLD.state = 'to_send_back' AND NEW.state <> 'to_send_back')
    EXECUTE FUNCTION payouts_check_case_went_back();
"""
TRIGGER = """
CREATE TRIGGER a_case_ends_as_its_send_back_did BEFORE UPDATE ON deposits_suspense
    FOR EACH ROW WHEN (OLD.state IN ('to_send_back', 'sent_back') AND NEW.state <> OLD.state)
    EXECUTE FUNCTION payouts_check_case_went_back();
"""
# Whatever went back before was not watched: one look tells whether it came back, and whether there
# is more to wait for.
WATCH = """
UPDATE payouts_send_back SET next_check_at = settled_at + interval '1 day' WHERE state = 'paid';
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0014_send_backs_after_a_restore"),
        ("deposits", "0009_payments_that_come_back"),
    ]

    operations = [
        migrations.RunSQL(MOVES, MOVES_BEFORE),
        migrations.RunSQL(
            [CASES, DROP_TRIGGER, TRIGGER], [CASES_BEFORE, DROP_TRIGGER, TRIGGER_BEFORE]
        ),
        migrations.RunSQL(WATCH, migrations.RunSQL.noop),
        migrations.AddField("sendback", "returned_at", models.DateTimeField(null=True)),
        migrations.RemoveConstraint("sendback", "send_back_state_is_known"),
        migrations.RemoveConstraint("sendback", "a_paid_send_back_says_when"),
        migrations.AddConstraint(
            "sendback",
            models.CheckConstraint(
                name="send_back_state_is_known",
                condition=models.Q(
                    state__in=[
                        "accepted",
                        "failed",
                        "needs_action",
                        "paid",
                        "ready",
                        "returned",
                        "sending",
                        "unknown",
                    ]
                ),
            ),
        ),
        migrations.AddConstraint(
            "sendback",
            models.CheckConstraint(
                name="a_paid_send_back_says_when",
                condition=~models.Q(state__in=["paid", "returned"])
                | models.Q(settled_at__isnull=False),
            ),
        ),
        migrations.AddConstraint(
            "sendback",
            models.CheckConstraint(
                name="a_returned_send_back_says_when",
                condition=models.Q(state="returned", returned_at__isnull=False)
                | ~models.Q(state="returned") & models.Q(returned_at=None),
            ),
        ),
        migrations.AddConstraint(
            "sendback",
            models.CheckConstraint(
                name="a_send_back_that_ended_is_not_checked",
                condition=~models.Q(state__in=["returned", "failed"])
                | models.Q(next_check_at=None, lease_until=None),
            ),
        ),
    ]
