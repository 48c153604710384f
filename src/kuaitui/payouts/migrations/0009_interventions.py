"""What people decide about legs that a channel holds for a person, and that it stays so."""

import importlib

import django.db.models.deletion
from django.db import migrations, models

_GUARDS = importlib.import_module("kuaitui.payouts.migrations.0002_guards")

INTERVENTIONS = """
CREATE TRIGGER interventions_never_leave BEFORE DELETE OR TRUNCATE ON payouts_intervention
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();

CREATE FUNCTION payouts_check_intervention() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    deciding text[] := '{confirmed_by,confirmed_at,ended_at,ended_as}';
    leg payouts_leg;
    account deposits_destination;
    owner_key bigint;
    broken text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        broken := CASE
            WHEN OLD.ended_at IS NOT NULL
                THEN 'an_ended_intervention_stays'
            WHEN (to_jsonb(NEW) - deciding) IS DISTINCT FROM (to_jsonb(OLD) - deciding)
                OR (OLD.confirmed_at IS NOT NULL AND (NEW.confirmed_by, NEW.confirmed_at)
                    IS DISTINCT FROM (OLD.confirmed_by, OLD.confirmed_at))
                THEN 'an_intervention_stays_as_decided'
        END;
    ELSE
        SELECT * INTO leg FROM payouts_leg WHERE id = NEW.leg_id;
        SELECT shop_key INTO owner_key FROM payouts_payout WHERE id = leg.payout_id;
        SELECT * INTO account FROM deposits_destination WHERE public_id = NEW.destination_id;
        broken := CASE
            WHEN NEW.confirmed_at IS NOT NULL OR NEW.ended_at IS NOT NULL
                THEN 'an_intervention_begins_open'
            WHEN leg.state <> 'needs_action' OR (NEW.kind = 'cancel') <> (leg.code = 'user_confirm')
                THEN 'people_decide_about_what_waits_for_a_person'
            -- Money never leaves to an account that nobody checked, or that is another shop's.
            WHEN NEW.kind = 'hand_over' AND (account.id IS NULL OR account.verified_at IS NULL
                OR account.shop_key <> owner_key OR account.added_by <> NEW.destination_added_by)
                THEN 'a_hand_over_goes_to_a_checked_account_of_the_shop'
        END;
    END IF;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'intervention % breaks %', NEW.id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER interventions_follow_the_rules BEFORE INSERT OR UPDATE ON payouts_intervention
    FOR EACH ROW EXECUTE FUNCTION payouts_check_intervention();
"""
UNDO = """
DROP TRIGGER interventions_follow_the_rules ON payouts_intervention;
DROP TRIGGER interventions_never_leave ON payouts_intervention;
DROP FUNCTION payouts_check_intervention;
"""

# A channel is told what people decided, and asked before it is told again.
ATTEMPTS_BEFORE = _GUARDS.SEND_ONLY_WHAT_WAS_NOT_SENT.partition("CREATE TRIGGER")[0].replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
)
ATTEMPTS = ATTEMPTS_BEFORE.replace(
    "                THEN 'a_send_without_outcome_is_asked_about_first'\n",
    """                THEN 'a_send_without_outcome_is_asked_about_first'
            WHEN NEW.kind IN ('hand_over', 'cancel') AND (leg.state <> 'needs_action' OR NOT EXISTS (
                SELECT 1 FROM payouts_intervention AS decided WHERE decided.leg_id = NEW.leg_id
                    AND decided.kind = NEW.kind AND decided.ended_at IS NULL
                    AND (decided.kind = 'cancel' OR decided.confirmed_at IS NOT NULL)))
                THEN 'people_decide_before_a_channel_is_told'
            WHEN NEW.kind IN ('hand_over', 'cancel') AND EXISTS (
                SELECT 1 FROM payouts_attempt AS told WHERE told.leg_id = NEW.leg_id
                    AND told.kind IN ('hand_over', 'cancel')
                    AND (told.outcome IS NULL OR told.outcome = 'unknown')
                    AND NOT EXISTS (
                        SELECT 1 FROM payouts_attempt AS asked WHERE asked.leg_id = NEW.leg_id
                            AND asked.attempt_no > told.attempt_no AND asked.kind = 'query'
                            AND asked.outcome = 'needs_action'))
                THEN 'what_was_told_without_outcome_is_asked_about_first'
""",
)


class Migration(migrations.Migration):
    dependencies = [
        ("deposits", "0006_pay_in_guards"),
        ("payouts", "0008_hand_over_kept_for_the_payee"),
    ]

    operations = [
        migrations.CreateModel(
            name="LegIntervention",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=10)),
                ("reason", models.CharField(max_length=200)),
                ("destination_id", models.CharField(blank=True, default="", max_length=40)),
                ("destination_added_by", models.CharField(blank=True, default="", max_length=80)),
                ("payee_sealed", models.BinaryField(null=True)),
                ("payee_key_id", models.CharField(blank=True, default="", max_length=20)),
                ("proposed_by", models.CharField(max_length=80)),
                ("proposed_at", models.DateTimeField()),
                ("confirmed_by", models.CharField(blank=True, default="", max_length=80)),
                ("confirmed_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_as", models.CharField(blank=True, default="", max_length=10)),
            ],
            options={
                "db_table": "payouts_intervention",
            },
        ),
        migrations.RemoveConstraint(
            model_name="payoutattempt",
            name="attempt_kind_is_known",
        ),
        migrations.AddConstraint(
            model_name="payoutattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["send", "query", "hand_over", "cancel"])),
                name="attempt_kind_is_known",
            ),
        ),
        migrations.AddField(
            model_name="legintervention",
            name="leg",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="interventions",
                to="payouts.payoutleg",
            ),
        ),
        migrations.AddConstraint(
            model_name="legintervention",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["hand_over", "cancel"])),
                name="intervention_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="legintervention",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="an_intervention_says_why"
            ),
        ),
        migrations.AddConstraint(
            model_name="legintervention",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("leg",),
                name="a_leg_has_one_open_intervention",
            ),
        ),
        migrations.AddConstraint(
            model_name="legintervention",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        models.Q(("destination_id", ""), _negated=True),
                        models.Q(("destination_added_by", ""), _negated=True),
                        models.Q(("payee_key_id", ""), _negated=True),
                        ("kind", "hand_over"),
                        ("payee_sealed__isnull", False),
                    ),
                    models.Q(
                        ("destination_added_by", ""),
                        ("destination_id", ""),
                        ("kind", "cancel"),
                        ("payee_key_id", ""),
                        ("payee_sealed", None),
                    ),
                    _connector="OR",
                ),
                name="a_hand_over_says_where_to",
            ),
        ),
        migrations.AddConstraint(
            model_name="legintervention",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("confirmed_at", None), ("confirmed_by", "")),
                    models.Q(
                        models.Q(("confirmed_by", ""), _negated=True),
                        models.Q(("confirmed_by", models.F("proposed_by")), _negated=True),
                        ("confirmed_at__isnull", False),
                        ("kind", "hand_over"),
                    ),
                    _connector="OR",
                ),
                name="a_hand_over_is_confirmed_by_a_second_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="legintervention",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("proposed_by", models.F("destination_added_by")), _negated=True),
                    models.Q(
                        ("confirmed_by", ""),
                        models.Q(("confirmed_by", models.F("destination_added_by")), _negated=True),
                        _connector="OR",
                    ),
                ),
                name="whoever_entered_the_account_does_not_hand_over",
            ),
        ),
        migrations.AddConstraint(
            model_name="legintervention",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("ended_as", ""), ("ended_at", None)),
                    models.Q(
                        ("ended_as__in", ["went_on", "stuck", "withdrawn"]),
                        ("ended_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="an_intervention_ends_with_a_word",
            ),
        ),
        migrations.RunSQL(INTERVENTIONS, UNDO),
        migrations.RunSQL(ATTEMPTS, ATTEMPTS_BEFORE),
    ]
