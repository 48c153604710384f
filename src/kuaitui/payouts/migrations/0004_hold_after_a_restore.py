"""After a restore nothing is sent before the channels were asked about everything (ADR-0014)."""

import importlib

from django.db import migrations, models

# A restore to a point in time and a fail-over begin a new timeline; another server has another
# identifier; a copy beside the original has another name. In recovery there is no timeline yet, and
# nothing can be written either.
INCARNATION = """
CREATE FUNCTION payouts_incarnation_now() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT (SELECT system_identifier FROM pg_control_system())::text
        || '/' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)
        || '/' || current_database()
$$;
-- What has sent already goes on; what never sent takes its first incarnation when it begins.
INSERT INTO payouts_incarnation (identity, seen_at)
    SELECT payouts_incarnation_now(), now() WHERE EXISTS (SELECT 1 FROM payouts_attempt);
CREATE TRIGGER incarnations_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON payouts_incarnation
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
"""

HOLDS_ARE_RELEASED_WHEN_NOTHING_IS_UNASKED = """
CREATE TRIGGER holds_never_leave BEFORE DELETE OR TRUNCATE ON payouts_hold
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();

CREATE FUNCTION payouts_check_hold() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken text;
BEGIN
    broken := CASE
        WHEN TG_OP = 'INSERT' THEN CASE WHEN NEW.released_at IS NOT NULL OR NEW.proposed_at IS NOT NULL
            THEN 'a_hold_begins_in_force' END
        WHEN OLD.released_at IS NOT NULL
            THEN 'a_hold_ends_once'
        WHEN (NEW.id, NEW.cause, NEW.reason, NEW.begun_by, NEW.begun_at)
            IS DISTINCT FROM (OLD.id, OLD.cause, OLD.reason, OLD.begun_by, OLD.begun_at)
            THEN 'a_hold_keeps_its_reason'
        -- Who proposes and releases in one breath was never looked at by a second person.
        WHEN NEW.released_at IS NOT NULL AND NEW.proposed_by <> OLD.proposed_by
            THEN 'a_release_confirms_what_was_proposed'
        WHEN NEW.released_at IS NOT NULL AND EXISTS (
            SELECT 1 FROM payouts_leg
            WHERE state IN ('ready', 'sending', 'unknown', 'accepted', 'needs_action')
                AND set_aside_at IS NULL
                AND COALESCE(clear_since, '-infinity') < NEW.begun_at)
            THEN 'a_hold_is_released_when_nothing_is_unasked'
    END;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'hold % breaks %', NEW.id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER holds_begin_and_end_by_the_rules BEFORE INSERT OR UPDATE ON payouts_hold
    FOR EACH ROW EXECUTE FUNCTION payouts_check_hold();

CREATE FUNCTION payouts_check_restored_send() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    clear timestamptz;
    broken text;
BEGIN
    SELECT COALESCE(clear_since, '-infinity') INTO clear FROM payouts_leg WHERE id = NEW.leg_id;
    broken := CASE
        WHEN EXISTS (SELECT 1 FROM payouts_hold WHERE released_at IS NULL)
            THEN 'nothing_is_sent_while_held'
        WHEN EXISTS (SELECT 1 FROM payouts_hold WHERE begun_at > clear)
            THEN 'after_a_restore_a_leg_is_asked_about_before_it_is_sent'
        WHEN payouts_incarnation_now() <> (
            SELECT identity FROM payouts_incarnation ORDER BY id DESC LIMIT 1)
            THEN 'another_incarnation_sends_nothing'
    END;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'a send of leg % breaks %', NEW.leg_id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER nothing_is_sent_after_a_restore_unasked BEFORE INSERT ON payouts_attempt
    FOR EACH ROW WHEN (NEW.kind = 'send') EXECUTE FUNCTION payouts_check_restored_send();

-- The word that clears a leg is the channel's, given in its last answer.
CREATE FUNCTION payouts_check_clear() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.clear_since IS NULL OR NEW.clear_since < OLD.clear_since OR NOT EXISTS (
        SELECT 1 FROM (SELECT outcome FROM payouts_attempt WHERE leg_id = NEW.id
            ORDER BY attempt_no DESC LIMIT 1) AS last
        WHERE outcome NOT IN ('unknown', 'not_sent', 'rejected_config')) THEN
        RAISE EXCEPTION 'leg % is cleared by nobody', NEW.public_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_leg_is_cleared_by_its_channel';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_leg_is_cleared_by_its_channel BEFORE UPDATE ON payouts_leg FOR EACH ROW
    WHEN (NEW.clear_since IS DISTINCT FROM OLD.clear_since) EXECUTE FUNCTION payouts_check_clear();
"""
UNDO = """
DROP TRIGGER a_leg_is_cleared_by_its_channel ON payouts_leg;
DROP TRIGGER nothing_is_sent_after_a_restore_unasked ON payouts_attempt;
DROP TRIGGER holds_begin_and_end_by_the_rules ON payouts_hold;
DROP TRIGGER holds_never_leave ON payouts_hold;
DROP TRIGGER incarnations_never_change ON payouts_incarnation;
DROP FUNCTION payouts_check_clear, payouts_check_restored_send, payouts_check_hold,
    payouts_incarnation_now;
"""

# A leg that waits may turn out to have been sent: then the channel's answer to a question moves it.
_GUARDS = importlib.import_module("kuaitui.payouts.migrations.0002_guards")
MOVES_BEFORE = _GUARDS.LEGS_MOVE_BY_THE_TABLE.partition("CREATE TRIGGER")[0].replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
)
MOVES = (
    MOVES_BEFORE.replace(
        "WHEN 'ready' THEN p_to IN ('sending', 'failed', 'cancelled')",
        "WHEN 'ready' THEN p_to IN"
        " ('sending', 'failed', 'cancelled', 'accepted', 'needs_action', 'paid', 'returned')",
    )
    .replace("delayed_at,set_aside_at,", "delayed_at,clear_since,set_aside_at,")
    .replace(
        "        WHEN NEW.state = 'cancelled'",
        "        WHEN OLD.state = 'ready' AND NEW.state IN ('accepted', 'needs_action')"
        " AND last_outcome IS DISTINCT FROM NEW.state\n"
        "            THEN 'a_ready_leg_moves_on_by_the_channels_word'\n"
        "        WHEN NEW.state = 'cancelled'",
    )
)


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0003_channel_limits"),
    ]

    operations = [
        migrations.CreateModel(
            name="Incarnation",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("identity", models.CharField(max_length=120)),
                ("seen_at", models.DateTimeField()),
            ],
            options={
                "db_table": "payouts_incarnation",
            },
        ),
        migrations.CreateModel(
            name="SendingHold",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("cause", models.CharField(max_length=20)),
                ("reason", models.CharField(max_length=200)),
                ("begun_by", models.CharField(max_length=80)),
                ("begun_at", models.DateTimeField()),
                (
                    "proposed_by",
                    models.CharField(blank=True, db_default="", default="", max_length=80),
                ),
                ("proposed_at", models.DateTimeField(null=True)),
                (
                    "finding",
                    models.CharField(blank=True, db_default="", default="", max_length=200),
                ),
                (
                    "released_by",
                    models.CharField(blank=True, db_default="", default="", max_length=80),
                ),
                ("released_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "payouts_hold",
            },
        ),
        migrations.RemoveConstraint(
            model_name="payoutleg",
            name="a_channel_number_names_one_leg",
        ),
        migrations.AddField(
            model_name="payoutleg",
            name="clear_since",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name="payoutleg",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    models.Q(("state", "cancelled"), _negated=True),
                    models.Q(("first_sent_at", None), ("state", "failed"), _negated=True),
                ),
                fields=("channel", "channel_number"),
                name="a_channel_number_names_one_leg",
            ),
        ),
        migrations.AddConstraint(
            model_name="sendinghold",
            constraint=models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(("released_at", None)),
                name="one_hold_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="sendinghold",
            constraint=models.CheckConstraint(
                condition=models.Q(("cause__in", ["incarnation", "mark", "person"])),
                name="hold_cause_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="sendinghold",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="a_hold_says_why"
            ),
        ),
        migrations.AddConstraint(
            model_name="sendinghold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("proposed_at", None), ("proposed_by", "")),
                    models.Q(
                        ("proposed_at__isnull", False),
                        models.Q(("proposed_by", ""), _negated=True),
                        models.Q(("finding", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="a_release_is_proposed_with_a_finding",
            ),
        ),
        migrations.AddConstraint(
            model_name="sendinghold",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("released_at", None), ("released_by", "")),
                    models.Q(
                        ("proposed_at__isnull", False),
                        ("released_at__isnull", False),
                        models.Q(("released_by", ""), _negated=True),
                        models.Q(("released_by", models.F("proposed_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="a_hold_is_released_by_a_second_person",
            ),
        ),
        migrations.RunSQL(MOVES, MOVES_BEFORE),
        migrations.RunSQL([INCARNATION, HOLDS_ARE_RELEASED_WHEN_NOTHING_IS_UNASKED], UNDO),
    ]
