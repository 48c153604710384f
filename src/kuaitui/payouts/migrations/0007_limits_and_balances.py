"""Limits that two people set, what lies at the channels, and a switch that two people release."""

import importlib

from django.db import migrations, models

# A limit that one person set before stays in force, confirmed by the change itself.
CARRY_OVER = """
INSERT INTO payouts_limit (scope, channel, currency, amount_minor, proposed_by, proposed_at,
        confirmed_by, confirmed_at)
    SELECT scope, channel, currency, amount_minor, set_by, set_at, 'system:migration', set_at
    FROM payouts_channel_limit, LATERAL (VALUES ('channel_leg', leg_max_minor),
        ('channel_day', day_max_minor)) AS limits (scope, amount_minor)
    WHERE amount_minor IS NOT NULL;
UPDATE payouts_channel_switch SET release_proposed_by = 'system:migration',
    release_proposed_at = set_at, release_reason = 'released before two people were needed'
    WHERE NOT is_stopped;
"""

GUARDS = """
CREATE TRIGGER limits_never_leave BEFORE DELETE OR TRUNCATE ON payouts_limit
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER balances_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON payouts_balance
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
-- Without its row a channel is not stopped.
CREATE TRIGGER switches_never_leave BEFORE DELETE OR TRUNCATE ON payouts_channel_switch
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();

CREATE FUNCTION payouts_check_limit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken text;
BEGIN
    broken := CASE
        WHEN TG_OP = 'INSERT' THEN CASE WHEN NEW.confirmed_at IS NOT NULL
            THEN 'a_limit_begins_as_a_proposal' END
        WHEN OLD.confirmed_at IS NOT NULL
            THEN 'a_confirmed_limit_stays'
        WHEN (NEW.id, NEW.scope, NEW.channel, NEW.currency)
            IS DISTINCT FROM (OLD.id, OLD.scope, OLD.channel, OLD.currency)
            THEN 'a_proposal_stays_the_limit_it_is_of'
        WHEN NEW.confirmed_at IS NOT NULL AND (NEW.amount_minor, NEW.proposed_by)
            IS DISTINCT FROM (OLD.amount_minor, OLD.proposed_by)
            THEN 'what_is_confirmed_was_proposed'
    END;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'limit % breaks %', NEW.id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER limits_are_proposed_then_confirmed BEFORE INSERT OR UPDATE ON payouts_limit
    FOR EACH ROW EXECUTE FUNCTION payouts_check_limit();

CREATE FUNCTION payouts_check_switch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT NEW.is_stopped AND (TG_OP = 'INSERT' OR OLD.is_stopped AND (
        OLD.release_proposed_at IS NULL OR (OLD.release_proposed_by, OLD.release_reason)
            IS DISTINCT FROM (NEW.release_proposed_by, NEW.release_reason))) THEN
        RAISE EXCEPTION 'nobody proposed to release %', NEW.channel
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_release_of_sending_was_proposed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_release_of_sending_was_proposed BEFORE INSERT OR UPDATE ON payouts_channel_switch
    FOR EACH ROW EXECUTE FUNCTION payouts_check_switch();
"""
UNDO = """
DROP TRIGGER a_release_of_sending_was_proposed ON payouts_channel_switch;
DROP TRIGGER limits_are_proposed_then_confirmed ON payouts_limit;
DROP TRIGGER switches_never_leave ON payouts_channel_switch;
DROP TRIGGER balances_never_change ON payouts_balance;
DROP TRIGGER limits_never_leave ON payouts_limit;
DROP FUNCTION payouts_check_switch, payouts_check_limit;
"""

# What a leg waits for moves with it.
MOVES_BEFORE = importlib.import_module("kuaitui.payouts.migrations.0004_hold_after_a_restore").MOVES
MOVES = MOVES_BEFORE.replace("clear_since,set_aside_at,", "clear_since,waits_for,set_aside_at,")


class Migration(migrations.Migration):
    dependencies = [
        ("payouts", "0006_guards_of_batches"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChannelBalance",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("channel", models.CharField(max_length=40)),
                ("currency", models.CharField(max_length=3)),
                ("balance_minor", models.BigIntegerField()),
                ("as_of", models.DateTimeField()),
                ("source", models.CharField(max_length=20)),
                ("told_by", models.CharField(max_length=80)),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "db_table": "payouts_balance",
            },
        ),
        migrations.CreateModel(
            name="PayoutLimit",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("scope", models.CharField(max_length=20)),
                ("channel", models.CharField(max_length=40)),
                ("currency", models.CharField(max_length=3)),
                ("amount_minor", models.BigIntegerField(null=True)),
                ("proposed_by", models.CharField(max_length=80)),
                ("proposed_at", models.DateTimeField()),
                (
                    "confirmed_by",
                    models.CharField(blank=True, db_default="", default="", max_length=80),
                ),
                ("confirmed_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "payouts_limit",
            },
        ),
        migrations.AddField(
            model_name="channelswitch",
            name="release_proposed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="channelswitch",
            name="release_proposed_by",
            field=models.CharField(blank=True, db_default="", default="", max_length=80),
        ),
        migrations.AddField(
            model_name="channelswitch",
            name="release_reason",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="payoutleg",
            name="waits_for",
            field=models.CharField(blank=True, db_default="", default="", max_length=20),
        ),
        migrations.RunSQL(CARRY_OVER, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="payout",
            index=models.Index(fields=["shop_key"], name="payouts_payout_of_shop"),
        ),
        migrations.AddIndex(
            model_name="payoutattempt",
            index=models.Index(
                condition=models.Q(("kind", "send")),
                fields=["started_at"],
                name="payouts_attempt_sends",
            ),
        ),
        migrations.AddIndex(
            model_name="payoutleg",
            index=models.Index(
                condition=models.Q(("first_sent_at__isnull", False)),
                fields=["currency", "first_sent_at"],
                name="payouts_leg_sent_by_day",
            ),
        ),
        migrations.AddIndex(
            model_name="payoutleg",
            index=models.Index(fields=["book_id", "lot_id"], name="payouts_leg_of_lot"),
        ),
        migrations.AddConstraint(
            model_name="channelswitch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_stopped", True),
                    models.Q(
                        ("release_proposed_at__isnull", False),
                        models.Q(("release_proposed_by", ""), _negated=True),
                        models.Q(("release_reason", ""), _negated=True),
                        models.Q(("set_by", models.F("release_proposed_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="sending_is_released_by_a_second_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutleg",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("waits_for", ""),
                    models.Q(
                        ("state", "ready"),
                        (
                            "waits_for__in",
                            [
                                "payout_limit",
                                "leg_limit",
                                "shop_day_limit",
                                "operator_day_limit",
                                "day_limit",
                                "balance_floor",
                                "balance_unknown",
                            ],
                        ),
                    ),
                    _connector="OR",
                ),
                name="what_a_leg_waits_for_is_known",
            ),
        ),
        migrations.AddIndex(
            model_name="channelbalance",
            index=models.Index(
                fields=["channel", "currency", "as_of"], name="payouts_balance_last"
            ),
        ),
        migrations.AddConstraint(
            model_name="channelbalance",
            constraint=models.CheckConstraint(
                condition=models.Q(("source__in", ["person", "statement", "channel"])),
                name="balance_source_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="channelbalance",
            constraint=models.CheckConstraint(
                condition=models.Q(("as_of__lte", models.F("recorded_at"))),
                name="a_balance_is_not_of_the_future",
            ),
        ),
        migrations.AddIndex(
            model_name="payoutlimit",
            index=models.Index(
                fields=["currency", "channel", "scope", "id"], name="payouts_limit_last"
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutlimit",
            constraint=models.UniqueConstraint(
                condition=models.Q(("confirmed_at", None)),
                fields=("scope", "channel", "currency"),
                name="a_limit_has_one_open_proposal",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutlimit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "scope__in",
                        [
                            "payout",
                            "shop_day",
                            "operator_day",
                            "channel_leg",
                            "channel_day",
                            "channel_floor",
                        ],
                    )
                ),
                name="limit_scope_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutlimit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount_minor", None), ("amount_minor__gt", 0), _connector="OR"
                ),
                name="limit_amount_is_positive",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutlimit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("scope__startswith", "channel_"), models.Q(("channel", "*"), _negated=True)
                    ),
                    models.Q(
                        models.Q(("scope__startswith", "channel_"), _negated=True), ("channel", "*")
                    ),
                    _connector="OR",
                ),
                name="a_limit_is_of_a_channel_or_of_all",
            ),
        ),
        migrations.AddConstraint(
            model_name="payoutlimit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("confirmed_at", None), ("confirmed_by", "")),
                    models.Q(
                        ("confirmed_at__isnull", False),
                        models.Q(("confirmed_by", ""), _negated=True),
                        models.Q(("confirmed_by", models.F("proposed_by")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="a_limit_is_confirmed_by_a_second_person",
            ),
        ),
        migrations.DeleteModel(
            name="ChannelLimit",
        ),
        migrations.RunSQL(MOVES, MOVES_BEFORE),
        migrations.RunSQL(GUARDS, UNDO),
    ]
