"""Two people may say that a number never arrived, where its channel does not know it any more."""

import importlib

from django.db import migrations, models

MOVES_BEFORE = importlib.import_module(
    "kuaitui.payouts.migrations.0008_hand_over_kept_for_the_payee"
).MOVES
MOVES = MOVES_BEFORE.replace(
    "outcome = 'failed')\n",
    """outcome = 'failed')
            -- Or its channel does not know it, and two people say what that means.
            AND NOT (last_outcome IS NOT DISTINCT FROM 'not_found'
                AND EXISTS (SELECT 1 FROM payouts_intervention AS decided WHERE decided.leg_id = NEW.id
                    AND decided.kind = 'give_up' AND decided.ended_at IS NULL
                    AND decided.confirmed_at IS NOT NULL))
""",
)

_INTERVENTIONS = importlib.import_module("kuaitui.payouts.migrations.0009_interventions")
RULES_BEFORE = (
    "CREATE OR REPLACE FUNCTION payouts_check_intervention()"
    + _INTERVENTIONS.INTERVENTIONS.partition("CREATE FUNCTION payouts_check_intervention()")[
        2
    ].partition("CREATE TRIGGER")[0]
)
RULES = RULES_BEFORE.replace(
    "            WHEN leg.state <> 'needs_action' OR (NEW.kind",
    """            WHEN NEW.kind = 'give_up' AND (leg.state NOT IN ('unknown', 'accepted')
                OR leg.delayed_at IS NULL OR 'not_found' IS DISTINCT FROM (
                    SELECT outcome FROM payouts_attempt WHERE leg_id = NEW.leg_id
                    ORDER BY attempt_no DESC LIMIT 1))
                THEN 'people_give_up_what_its_channel_does_not_know'
            WHEN NEW.kind <> 'give_up' AND (leg.state <> 'needs_action' OR (NEW.kind""",
).replace(
    "<> (leg.code = 'user_confirm')\n",
    "<> (leg.code = 'user_confirm'))\n",
)

WHERE_TO = models.Q(
    ~models.Q(destination_id=""),
    ~models.Q(destination_added_by=""),
    ~models.Q(payee_key_id=""),
    kind="hand_over",
    payee_sealed__isnull=False,
) | models.Q(
    kind__in=["cancel", "give_up"],
    destination_id="",
    destination_added_by="",
    payee_key_id="",
    payee_sealed=None,
)
TWO_PEOPLE = models.Q(confirmed_by="", confirmed_at=None) | models.Q(
    ~models.Q(confirmed_by=""),
    ~models.Q(confirmed_by=models.F("proposed_by")),
    kind__in=["hand_over", "give_up"],
    confirmed_at__isnull=False,
)


class Migration(migrations.Migration):
    dependencies = [("payouts", "0015_watch_what_went_back")]

    operations = [
        migrations.RunSQL(MOVES, MOVES_BEFORE),
        migrations.RunSQL(RULES, RULES_BEFORE),
        migrations.RemoveConstraint("legintervention", "intervention_kind_is_known"),
        migrations.AddConstraint(
            "legintervention",
            models.CheckConstraint(
                name="intervention_kind_is_known",
                condition=models.Q(kind__in=["hand_over", "cancel", "give_up"]),
            ),
        ),
        migrations.RemoveConstraint("legintervention", "a_hand_over_says_where_to"),
        migrations.AddConstraint(
            "legintervention",
            models.CheckConstraint(name="a_hand_over_says_where_to", condition=WHERE_TO),
        ),
        migrations.RemoveConstraint(
            "legintervention", "a_hand_over_is_confirmed_by_a_second_person"
        ),
        migrations.AddConstraint(
            "legintervention",
            models.CheckConstraint(
                name="what_moves_money_is_confirmed_by_a_second_person", condition=TWO_PEOPLE
            ),
        ),
    ]
