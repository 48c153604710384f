"""A channel is handed an order once more at its word, and only then."""

import importlib

from django.db import migrations, models

ATTEMPTS_BEFORE = importlib.import_module("kuaitui.payouts.migrations.0009_interventions").ATTEMPTS
ATTEMPTS = ATTEMPTS_BEFORE.replace(
    "            WHEN NEW.kind IN ('hand_over', 'cancel') AND (leg.state <> 'needs_action'",
    """            -- It has the number, by its own last word: the same order again is no second payment.
            WHEN NEW.kind = 'send_again' AND (leg.state <> 'accepted' OR 'wants_again' IS DISTINCT FROM (
                SELECT told.outcome FROM payouts_attempt AS told WHERE told.leg_id = NEW.leg_id
                    ORDER BY told.attempt_no DESC LIMIT 1))
                THEN 'an_order_is_repeated_at_its_channels_word'
            WHEN NEW.kind IN ('hand_over', 'cancel') AND (leg.state <> 'needs_action'""",
)
# After a restore a leg that was to be sent may turn out to be there, and wanted again.
MOVES_BEFORE = importlib.import_module(
    "kuaitui.payouts.migrations.0016_give_up_what_never_arrived"
).MOVES
MOVES = MOVES_BEFORE.replace(
    " AND last_outcome IS DISTINCT FROM NEW.state\n",
    " AND NEW.state IS DISTINCT FROM"
    " (CASE last_outcome WHEN 'wants_again' THEN 'accepted' ELSE last_outcome END)\n",
)
OUTCOMES = [
    "accepted",
    "wants_again",
    "succeeded",
    "failed",
    "failed_retryable",
    "rejected_config",
    "needs_action",
    "returned",
    "not_found",
    "not_sent",
    "unknown",
]
KNOWN = models.Q(outcome=None) | models.Q(outcome__in=OUTCOMES)


class Migration(migrations.Migration):
    dependencies = [("payouts", "0017_what_a_restore_surely_knows")]

    operations = [
        migrations.RunSQL(ATTEMPTS, ATTEMPTS_BEFORE),
        migrations.RunSQL(MOVES, MOVES_BEFORE),
        migrations.RemoveConstraint("payoutattempt", "attempt_kind_is_known"),
        migrations.AddConstraint(
            "payoutattempt",
            models.CheckConstraint(
                name="attempt_kind_is_known",
                condition=models.Q(kind__in=["send", "query", "send_again", "hand_over", "cancel"]),
            ),
        ),
        migrations.RemoveConstraint("payoutattempt", "attempt_outcome_is_known"),
        migrations.AddConstraint(
            "payoutattempt",
            models.CheckConstraint(name="attempt_outcome_is_known", condition=KNOWN),
        ),
        migrations.RemoveConstraint("sendbackattempt", "send_back_attempt_ends_with_its_outcome"),
        migrations.AddConstraint(
            "sendbackattempt",
            models.CheckConstraint(
                name="send_back_attempt_ends_with_its_outcome",
                condition=models.Q(outcome=None, finished_at=None)
                | models.Q(outcome__isnull=False, outcome__in=OUTCOMES, finished_at__isnull=False),
            ),
        ),
    ]
