"""What a channel told us is not rewritten; that it was acted on is noted once."""

from django.db import migrations

STAYS_AS_IT_CAME = """
CREATE FUNCTION kit_check_notification() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - '{taken_at,repeats_count}'::text[])
        IS DISTINCT FROM (to_jsonb(OLD) - '{taken_at,repeats_count}'::text[])
        OR OLD.taken_at IS NOT NULL AND NEW.taken_at IS DISTINCT FROM OLD.taken_at
        OR NEW.repeats_count < OLD.repeats_count THEN
        RAISE EXCEPTION 'a notification stays as it came: % is refused', TG_OP
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'a_notification_stays_as_it_came';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_notification_stays_as_it_came BEFORE UPDATE ON kit_notification
    FOR EACH ROW EXECUTE FUNCTION kit_check_notification();
"""
UNDO = """
DROP TRIGGER a_notification_stays_as_it_came ON kit_notification;
DROP FUNCTION kit_check_notification;
"""


class Migration(migrations.Migration):
    dependencies = [("kit", "0002_inbox")]

    operations = [migrations.RunSQL(STAYS_AS_IT_CAME, UNDO)]
