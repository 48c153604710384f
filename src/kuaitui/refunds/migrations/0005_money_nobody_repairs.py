"""Money that came back and nobody repairs: two people give it back to the deposit."""

from django.db import migrations, models

STEPS = """
INSERT INTO refunds_transition VALUES ('returned', 'closed_out'), ('closed_out', 'returned');

-- The proposal made the version before, so nothing at all has changed between the two people.
CREATE FUNCTION refunds_check_close_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM refunds_decision AS proposed
        JOIN refunds_decision AS confirmed ON confirmed.application_id = proposed.application_id
        WHERE proposed.application_id = NEW.id
            AND proposed.kind = 'propose_close_out' AND proposed.number = OLD.version
            AND confirmed.kind = 'confirm_close_out' AND confirmed.number = NEW.version
            AND confirmed.actor_id <> proposed.actor_id
    ) THEN
        RAISE EXCEPTION 'what came back is closed out by two people, one after the other'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'two_people_close_out';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER two_people_close_out BEFORE UPDATE ON refunds_application FOR EACH ROW
    WHEN (NEW.state = 'closed_out' AND OLD.state <> 'closed_out')
    EXECUTE FUNCTION refunds_check_close_out();
"""
UNDO = """
DROP TRIGGER two_people_close_out ON refunds_application;
DROP FUNCTION refunds_check_close_out;
ALTER TABLE refunds_transition DISABLE TRIGGER transitions_never_change;
DELETE FROM refunds_transition WHERE 'closed_out' IN (from_state, to_state);
ALTER TABLE refunds_transition ENABLE TRIGGER transitions_never_change;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("refunds", "0004_a_repair_is_looked_at_again"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="decision",
            name="decision_kind_is_known",
        ),
        migrations.RemoveConstraint(
            model_name="refundapplication",
            name="application_state_is_known",
        ),
        migrations.AddField(
            model_name="refundapplication",
            name="remind_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="decision",
            name="kind",
            field=models.CharField(
                choices=[
                    ("approve_by_rule", "Approve By Rule"),
                    ("approve", "Approve"),
                    ("confirm", "Confirm"),
                    ("send_back", "Send Back"),
                    ("request_information", "Request Information"),
                    ("reject", "Reject"),
                    ("grant_appeal", "Grant Appeal"),
                    ("dismiss_appeal", "Dismiss Appeal"),
                    ("refuse_repair", "Refuse Repair"),
                    ("propose_close_out", "Propose Close Out"),
                    ("confirm_close_out", "Confirm Close Out"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddIndex(
            model_name="refundapplication",
            index=models.Index(
                condition=models.Q(("remind_at__isnull", False)),
                fields=["remind_at"],
                name="refunds_to_remind",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "approve_by_rule",
                            "approve",
                            "confirm",
                            "send_back",
                            "request_information",
                            "reject",
                            "grant_appeal",
                            "dismiss_appeal",
                            "refuse_repair",
                            "propose_close_out",
                            "confirm_close_out",
                        ],
                    )
                ),
                name="decision_kind_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "propose_close_out"), _negated=True),
                    models.Q(("text", ""), _negated=True),
                    _connector="OR",
                ),
                name="a_close_out_has_a_reason",
            ),
        ),
        migrations.AddConstraint(
            model_name="refundapplication",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "draft",
                            "submitted",
                            "checking",
                            "in_review",
                            "more_information",
                            "awaiting_second_approval",
                            "approved",
                            "paying",
                            "paid",
                            "returned",
                            "destination_repaired",
                            "withdrawn",
                            "rejected",
                            "appealed",
                            "expired",
                            "closed_out",
                        ],
                    )
                ),
                name="application_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="refundapplication",
            constraint=models.CheckConstraint(
                condition=models.Q(("remind_at", None), ("state", "returned"), _connector="OR"),
                name="only_money_that_came_back_is_reminded_of",
            ),
        ),
        migrations.RunSQL(STEPS, UNDO),
    ]
