"""Payments in suspense go back through the channel, by a machine that obeys the payout protocol."""

import django.db.models.deletion
from django.db import migrations, models

GUARDS = """
CREATE TRIGGER send_backs_never_leave BEFORE DELETE OR TRUNCATE ON payouts_send_back
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER send_back_attempts_never_leave BEFORE DELETE OR TRUNCATE ON payouts_send_back_attempt
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();

CREATE FUNCTION payouts_check_send_back() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- What may change; all else is the instruction, and a channel compares resends with the first.
    moving text[] := '{state,since,fence,lease_until,next_check_at,checks,sends,first_sent_at,'
        'last_sent_at,clear_since,settled_at,channel_reference,code,delayed_at,set_aside_at,'
        'set_aside_reason}';
    kept deposits_suspense;
    last_outcome text;
    broken text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT * INTO kept FROM deposits_suspense WHERE public_id = NEW.suspense_id;
        broken := CASE
            WHEN NEW.state <> 'ready' OR NEW.fence <> 0 OR NEW.sends <> 0
                OR NEW.first_sent_at IS NOT NULL
                THEN 'a_send_back_begins_ready'
            -- Whole, along itself, out of its own book, and by the order of two people.
            WHEN kept.id IS NULL OR kept.state <> 'to_send_back'
                OR (kept.channel, kept.reference, kept.amount_minor, kept.currency, kept.book_id)
                    IS DISTINCT FROM (NEW.channel, NEW.payment_reference, NEW.amount_minor,
                        NEW.currency, NEW.book_id)
                THEN 'two_people_order_a_payment_back'
        END;
    ELSE
        SELECT outcome INTO last_outcome FROM payouts_send_back_attempt
            WHERE send_back_id = NEW.id ORDER BY attempt_no DESC LIMIT 1;
        broken := CASE
            WHEN (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
                THEN 'a_send_back_keeps_its_number_and_request'
            WHEN NOT payouts_leg_may_move(OLD.state, NEW.state)
                THEN 'a_send_back_moves_by_the_table'
            WHEN NEW.fence NOT IN (OLD.fence, OLD.fence + 1)
                THEN 'a_send_back_fence_grows_by_one'
            WHEN NEW.state = 'sending' AND OLD.state <> 'sending'
                AND (NEW.fence <> OLD.fence + 1 OR NEW.sends <> OLD.sends + 1)
                THEN 'a_send_back_is_claimed'
            WHEN OLD.first_sent_at IS NOT NULL
                AND NEW.first_sent_at IS DISTINCT FROM OLD.first_sent_at
                THEN 'a_send_back_is_sent_first_once'
            WHEN NEW.state = 'paid' AND OLD.state <> 'paid'
                AND last_outcome IS DISTINCT FROM 'succeeded'
                THEN 'a_payment_is_back_on_the_channels_word'
            WHEN NEW.state = 'failed' AND OLD.state NOT IN ('failed', 'ready') AND NOT EXISTS (
                SELECT 1 FROM payouts_send_back_attempt WHERE send_back_id = NEW.id
                    AND outcome IN ('failed', 'returned'))
                THEN 'a_send_back_fails_on_the_channels_word'
            WHEN NEW.state = 'ready' AND OLD.state <> 'ready' AND (last_outcome IS NULL
                OR last_outcome NOT IN
                    ('not_sent', 'rejected_config', 'failed_retryable', 'not_found'))
                THEN 'a_payment_goes_back_again_only_when_no_send_took_effect'
        END;
    END IF;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'send-back % breaks %', NEW.public_id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER send_backs_follow_the_rules BEFORE INSERT OR UPDATE ON payouts_send_back
    FOR EACH ROW EXECUTE FUNCTION payouts_check_send_back();

-- Nobody sends while an earlier send may have taken effect, nor before a hold's question is answered.
CREATE FUNCTION payouts_check_send_back_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    going payouts_send_back;
    last_send payouts_send_back_attempt;
    broken text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.outcome IS NOT NULL OR (to_jsonb(NEW) - '{outcome,cause,finished_at}'::text[])
            IS DISTINCT FROM (to_jsonb(OLD) - '{outcome,cause,finished_at}'::text[]) THEN
            broken := 'a_send_back_attempt_is_completed_once';
        END IF;
    ELSE
        SELECT * INTO going FROM payouts_send_back WHERE id = NEW.send_back_id;
        SELECT * INTO last_send FROM payouts_send_back_attempt
            WHERE send_back_id = NEW.send_back_id AND kind = 'send'
            ORDER BY attempt_no DESC LIMIT 1;
        broken := CASE
            WHEN NEW.outcome IS NOT NULL
                THEN 'a_send_back_attempt_begins_before_its_outcome'
            WHEN NEW.fence <> going.fence OR EXISTS (SELECT 1 FROM payouts_send_back_attempt
                WHERE send_back_id = NEW.send_back_id AND fence >= NEW.fence)
                THEN 'a_send_back_attempt_carries_a_fresh_fence'
            WHEN NEW.attempt_no <> 1 + (SELECT count(*) FROM payouts_send_back_attempt
                WHERE send_back_id = NEW.send_back_id)
                THEN 'send_back_attempts_have_no_gaps'
            WHEN NEW.kind = 'send' AND going.state <> 'sending'
                THEN 'only_a_claimed_send_back_is_sent'
            WHEN NEW.kind = 'send' AND (EXISTS (SELECT 1 FROM payouts_hold WHERE released_at IS NULL)
                OR EXISTS (SELECT 1 FROM payouts_hold WHERE going.clear_since IS NULL
                    OR begun_at > going.clear_since))
                THEN 'a_payment_goes_back_after_a_hold_only_when_asked_about'
            WHEN NEW.kind = 'send' AND last_send.id IS NOT NULL
                AND NOT (last_send.outcome IS NOT NULL AND last_send.outcome
                    IN ('not_sent', 'rejected_config', 'failed_retryable'))
                AND NOT EXISTS (
                    SELECT 1 FROM payouts_send_back_attempt AS asked
                    WHERE asked.send_back_id = NEW.send_back_id
                        AND asked.attempt_no > last_send.attempt_no AND asked.kind = 'query'
                        AND asked.outcome IN ('not_found', 'failed_retryable'))
                THEN 'a_send_back_without_outcome_is_asked_about_first'
        END;
    END IF;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'attempt % of send-back % breaks %',
            NEW.attempt_no, NEW.send_back_id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER send_back_attempts_follow_the_protocol
    BEFORE INSERT OR UPDATE ON payouts_send_back_attempt
    FOR EACH ROW EXECUTE FUNCTION payouts_check_send_back_attempt();

-- A case that was ordered back ends as its send-back did, never otherwise.
CREATE FUNCTION payouts_check_case_went_back() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken text := CASE
        WHEN NEW.state = 'sent_back' AND NOT EXISTS (SELECT 1 FROM payouts_send_back
            WHERE suspense_id = NEW.public_id AND state = 'paid' AND number = NEW.refund_reference)
            THEN 'a_case_is_sent_back_by_its_send_back'
        WHEN NEW.state = 'open' AND (
            EXISTS (SELECT 1 FROM payouts_send_back
                WHERE suspense_id = NEW.public_id AND state <> 'failed')
            OR NOT EXISTS (SELECT 1 FROM payouts_send_back WHERE suspense_id = NEW.public_id))
            THEN 'a_case_opens_again_when_it_certainly_did_not_go_back'
    END;
BEGIN
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'suspense % breaks %', NEW.public_id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_case_ends_as_its_send_back_did BEFORE UPDATE ON deposits_suspense
    FOR EACH ROW WHEN (OLD.state = 'to_send_back' AND NEW.state <> 'to_send_back')
    EXECUTE FUNCTION payouts_check_case_went_back();
"""
UNDO = """
DROP TRIGGER a_case_ends_as_its_send_back_did ON deposits_suspense;
DROP TRIGGER send_back_attempts_follow_the_protocol ON payouts_send_back_attempt;
DROP TRIGGER send_backs_follow_the_rules ON payouts_send_back;
DROP TRIGGER send_back_attempts_never_leave ON payouts_send_back_attempt;
DROP TRIGGER send_backs_never_leave ON payouts_send_back;
DROP FUNCTION payouts_check_case_went_back, payouts_check_send_back_attempt,
    payouts_check_send_back;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0011_a_day_of_the_rule"),
        ("deposits", "0007_ways_back_out_of_suspense"),
    ]

    operations = [
        migrations.CreateModel(
            name="SendBack",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("public_id", models.CharField(max_length=40, unique=True)),
                ("suspense_id", models.CharField(max_length=40)),
                ("nth", models.IntegerField()),
                ("book_id", models.BigIntegerField()),
                ("channel", models.CharField(max_length=40)),
                ("number", models.CharField(max_length=32)),
                ("payment_reference", models.CharField(max_length=80)),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("open_until", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField()),
                ("state", models.CharField(default="ready", max_length=20)),
                ("since", models.DateTimeField()),
                ("fence", models.IntegerField(default=0)),
                ("lease_until", models.DateTimeField(null=True)),
                ("next_check_at", models.DateTimeField(null=True)),
                ("checks", models.IntegerField(default=0)),
                ("sends", models.IntegerField(default=0)),
                ("first_sent_at", models.DateTimeField(null=True)),
                ("last_sent_at", models.DateTimeField(null=True)),
                ("clear_since", models.DateTimeField(null=True)),
                ("settled_at", models.DateTimeField(null=True)),
                ("channel_reference", models.CharField(blank=True, default="", max_length=80)),
                ("code", models.CharField(blank=True, default="", max_length=80)),
                ("delayed_at", models.DateTimeField(null=True)),
                ("set_aside_at", models.DateTimeField(null=True)),
                ("set_aside_reason", models.CharField(blank=True, default="", max_length=200)),
            ],
            options={
                "db_table": "payouts_send_back",
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("next_check_at__isnull", False), ("set_aside_at", None)
                        ),
                        fields=["next_check_at"],
                        name="payouts_send_back_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("first_sent_at", None), ("state", "failed"), _negated=True
                        ),
                        fields=("channel", "number"),
                        name="a_number_sends_back_once",
                    ),
                    models.UniqueConstraint(
                        fields=("suspense_id", "nth"), name="send_backs_of_a_case_are_numbered"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                ["ready", "sending", "unknown", "accepted", "needs_action", "paid"],
                            )
                        ),
                        fields=("suspense_id",),
                        name="a_case_is_sent_back_one_way_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gt", 0)),
                        name="send_back_amount_is_positive",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "state__in",
                                [
                                    "accepted",
                                    "failed",
                                    "needs_action",
                                    "paid",
                                    "ready",
                                    "sending",
                                    "unknown",
                                ],
                            )
                        ),
                        name="send_back_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                (
                                    "state__in",
                                    ["ready", "sending", "unknown", "accepted", "needs_action"],
                                ),
                                _negated=True,
                            ),
                            ("next_check_at__isnull", False),
                            ("set_aside_at__isnull", False),
                            _connector="OR",
                        ),
                        name="no_live_send_back_is_forgotten",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "paid"), _negated=True),
                            ("settled_at__isnull", False),
                            _connector="OR",
                        ),
                        name="a_paid_send_back_says_when",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SendBackAttempt",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("attempt_no", models.IntegerField()),
                ("kind", models.CharField(max_length=20)),
                ("fence", models.IntegerField()),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("outcome", models.CharField(max_length=20, null=True)),
                ("cause", models.CharField(blank=True, default="", max_length=80)),
                (
                    "send_back",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attempts",
                        to="payouts.sendback",
                    ),
                ),
            ],
            options={
                "db_table": "payouts_send_back_attempt",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("send_back", "attempt_no"), name="send_back_attempts_are_numbered"
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("outcome", None)),
                        fields=("send_back",),
                        name="a_send_back_has_one_live_attempt",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["send", "query"])),
                        name="send_back_attempt_kind_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finished_at", None), ("outcome", None)),
                            models.Q(
                                ("finished_at__isnull", False),
                                (
                                    "outcome__in",
                                    [
                                        "accepted",
                                        "succeeded",
                                        "failed",
                                        "failed_retryable",
                                        "rejected_config",
                                        "needs_action",
                                        "returned",
                                        "not_found",
                                        "not_sent",
                                        "unknown",
                                    ],
                                ),
                                ("outcome__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="send_back_attempt_ends_with_its_outcome",
                    ),
                ],
            },
        ),
        migrations.RunSQL(GUARDS, UNDO),
    ]
