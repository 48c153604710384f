"""After a restore payments go back out of suspense only as payouts go out (ADR-0014)."""

import importlib

from django.db import migrations


def _function(module: str, texts: str, name: str) -> str:
    """A function of an earlier migration, to be put in its place again."""
    text = getattr(importlib.import_module(f"kuaitui.payouts.migrations.{module}"), texts)
    begin = text.index(f"CREATE FUNCTION {name}")
    end = text.index("END $$;", begin) + len("END $$;")
    return text[begin:end].replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")


HOLD_BEFORE = _function(
    "0004_hold_after_a_restore",
    "HOLDS_ARE_RELEASED_WHEN_NOTHING_IS_UNASKED",
    "payouts_check_hold",
)
HOLD = HOLD_BEFORE.replace(
    "            THEN 'a_hold_is_released_when_nothing_is_unasked'\n",
    "            THEN 'a_hold_is_released_when_nothing_is_unasked'\n"
    "        WHEN NEW.released_at IS NOT NULL AND EXISTS (\n"
    "            SELECT 1 FROM payouts_send_back\n"
    "            WHERE state IN ('ready', 'sending', 'unknown', 'accepted', 'needs_action')\n"
    "                AND set_aside_at IS NULL\n"
    "                AND COALESCE(clear_since, '-infinity') < NEW.begun_at)\n"
    "            THEN 'a_hold_is_released_when_no_send_back_is_unasked'\n",
)
ATTEMPT_BEFORE = _function("0012_send_backs", "GUARDS", "payouts_check_send_back_attempt")
ATTEMPT = ATTEMPT_BEFORE.replace(
    "            WHEN NEW.kind = 'send' AND last_send.id IS NOT NULL\n",
    "            WHEN NEW.kind = 'send' AND payouts_incarnation_now() <> (\n"
    "                SELECT identity FROM payouts_incarnation ORDER BY id DESC LIMIT 1)\n"
    "                THEN 'another_incarnation_sends_nothing'\n"
    "            WHEN NEW.kind = 'send' AND last_send.id IS NOT NULL\n",
)
# The word that clears a send-back is its channel's, given in its last answer.
CLEARED = """
CREATE FUNCTION payouts_check_send_back_clear() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.clear_since IS NULL OR NEW.clear_since < OLD.clear_since OR NOT EXISTS (
        SELECT 1 FROM (SELECT outcome FROM payouts_send_back_attempt WHERE send_back_id = NEW.id
            ORDER BY attempt_no DESC LIMIT 1) AS last
        WHERE outcome NOT IN ('unknown', 'not_sent', 'rejected_config')) THEN
        RAISE EXCEPTION 'send-back % breaks a_send_back_is_cleared_by_its_channel', NEW.public_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_send_back_is_cleared_by_its_channel';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_send_back_is_cleared_by_its_channel BEFORE UPDATE ON payouts_send_back FOR EACH ROW
    WHEN (NEW.clear_since IS DISTINCT FROM OLD.clear_since)
    EXECUTE FUNCTION payouts_check_send_back_clear();
"""
UNDO_CLEARED = """
DROP TRIGGER a_send_back_is_cleared_by_its_channel ON payouts_send_back;
DROP FUNCTION payouts_check_send_back_clear;
"""


class Migration(migrations.Migration):
    dependencies = [("payouts", "0013_a_channels_day")]

    operations = [
        migrations.RunSQL(HOLD, HOLD_BEFORE),
        migrations.RunSQL(ATTEMPT, ATTEMPT_BEFORE),
        migrations.RunSQL(CLEARED, UNDO_CLEARED),
    ]
