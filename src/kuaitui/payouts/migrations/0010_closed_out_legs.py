"""What failed or came back and nobody repaired has an end."""

import django.db.models.deletion
from django.db import migrations, models

# A leg that was given up and one that may still be paid must never be two of one payout: the money
# given back to the deposit would leave it a second time. The payout's row is what both wait for.
GUARDS = """
CREATE FUNCTION payouts_check_close_out() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    given_up payouts_leg;
    broken text;
BEGIN
    SELECT * INTO given_up FROM payouts_leg WHERE id = NEW.leg_id;
    PERFORM 1 FROM payouts_payout WHERE id = given_up.payout_id FOR UPDATE;
    SELECT * INTO given_up FROM payouts_leg WHERE id = NEW.leg_id;
    broken := CASE
        WHEN given_up.state NOT IN ('failed', 'returned')
            OR EXISTS (SELECT 1 FROM payouts_leg WHERE replaces_id = NEW.leg_id)
            THEN 'only_what_came_back_is_closed_out'
        WHEN EXISTS (SELECT 1 FROM payouts_leg WHERE payout_id = given_up.payout_id
            AND state NOT IN ('paid', 'returned', 'failed', 'cancelled'))
            THEN 'nothing_is_closed_out_while_a_leg_may_be_paid'
    END;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'closing out leg % breaks %', given_up.public_id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER legs_are_closed_out_by_the_rules BEFORE INSERT ON payouts_close_out
    FOR EACH ROW EXECUTE FUNCTION payouts_check_close_out();
CREATE TRIGGER close_outs_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON payouts_close_out
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();

CREATE FUNCTION payouts_check_replaced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM payouts_payout WHERE id = NEW.payout_id FOR UPDATE;
    IF EXISTS (SELECT 1 FROM payouts_close_out WHERE leg_id = NEW.replaces_id) THEN
        RAISE EXCEPTION 'leg % would pay again what was closed out', NEW.public_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_closed_out_leg_is_not_replaced';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_closed_out_leg_is_not_replaced BEFORE INSERT ON payouts_leg
    FOR EACH ROW WHEN (NEW.replaces_id IS NOT NULL) EXECUTE FUNCTION payouts_check_replaced();
"""
UNDO = """
DROP TRIGGER a_closed_out_leg_is_not_replaced ON payouts_leg;
DROP TRIGGER close_outs_never_change ON payouts_close_out;
DROP TRIGGER legs_are_closed_out_by_the_rules ON payouts_close_out;
DROP FUNCTION payouts_check_replaced, payouts_check_close_out;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0009_interventions"),
    ]

    operations = [
        migrations.CreateModel(
            name="LegCloseOut",
            fields=[
                (
                    "leg",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="close_out",
                        serialize=False,
                        to="payouts.payoutleg",
                    ),
                ),
                ("closed_out_at", models.DateTimeField()),
            ],
            options={
                "db_table": "payouts_close_out",
            },
        ),
        migrations.RemoveConstraint(
            model_name="payout",
            name="payout_state_is_known",
        ),
        migrations.AddConstraint(
            model_name="payout",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["paying", "needs_repair", "paid", "cancelled", "closed_out"])
                ),
                name="payout_state_is_known",
            ),
        ),
        migrations.RunSQL(GUARDS, UNDO),
    ]
