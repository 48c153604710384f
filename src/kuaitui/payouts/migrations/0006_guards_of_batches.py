"""What must be true of batches and of what banks wrote, kept by the database whoever writes."""

from django.db import migrations

NOTHING_LEAVES = """
CREATE TRIGGER batches_never_leave BEFORE DELETE OR TRUNCATE ON payouts_batch
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER batch_legs_never_leave BEFORE DELETE OR TRUNCATE ON payouts_batch_leg
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER bank_messages_never_leave BEFORE DELETE OR TRUNCATE ON payouts_bank_message
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER bank_words_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON payouts_bank_word
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER bank_statement_days_never_change
    BEFORE UPDATE OR DELETE OR TRUNCATE ON payouts_bank_statement_day
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
"""

# The same digest as rules.batch_hash; a test holds the two together.
BATCHES = """
CREATE FUNCTION payouts_batch_hash(p_batch bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(string_agg(
        leg.channel_number || ' ' || leg.amount_minor || ' ' || leg.currency || ' ' || leg.approval_hash
            || ' ' || member.release_no,
        E'\\n' ORDER BY leg.channel_number COLLATE "C"), 'UTF8')), 'hex')
    FROM payouts_batch_leg AS member JOIN payouts_leg AS leg ON leg.id = member.leg_id
    WHERE member.batch_id = p_batch
$$;

CREATE FUNCTION payouts_check_batch() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    deciding text[] := '{state,released_by,released_at,execute_on,cancelled_by,cancelled_at}';
    broken text;
BEGIN
    broken := CASE
        WHEN TG_OP = 'INSERT' AND NEW.state <> 'open' THEN 'a_batch_begins_open'
        WHEN TG_OP = 'INSERT' THEN NULL
        WHEN (to_jsonb(NEW) - deciding) IS DISTINCT FROM (to_jsonb(OLD) - deciding)
            THEN 'a_batch_stays_as_it_was_built'
        WHEN OLD.state <> 'open' THEN 'a_batch_is_decided_once'
    END;
    IF broken IS NULL AND TG_OP = 'UPDATE' AND NEW.state = 'released' THEN
        -- What is released is what was looked at: every leg of it, waiting, and nothing else.
        broken := CASE
            WHEN payouts_batch_hash(NEW.id) IS DISTINCT FROM NEW.content_hash
                THEN 'a_batch_is_released_as_it_was_built'
            WHEN EXISTS (SELECT 1 FROM payouts_batch_leg AS member
                JOIN payouts_leg AS leg ON leg.id = member.leg_id WHERE member.batch_id = NEW.id
                AND (member.left_at IS NOT NULL OR leg.state <> 'ready'))
                THEN 'a_released_batch_is_whole'
            WHEN EXISTS (SELECT 1 FROM payouts_batch_leg AS member
                JOIN payouts_leg AS leg ON leg.id = member.leg_id WHERE member.batch_id = NEW.id
                AND leg.approved_by ? NEW.released_by)
                THEN 'an_approver_does_not_release'
        END;
    END IF;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'batch % breaks %', NEW.public_id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_batch_moves_by_the_rules BEFORE INSERT OR UPDATE ON payouts_batch
    FOR EACH ROW EXECUTE FUNCTION payouts_check_batch();

CREATE FUNCTION payouts_check_batch_sum() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM payouts_batch AS batch WHERE batch.id = NEW.id
        AND (batch.legs_count, batch.total_minor, batch.content_hash) <> (
            SELECT count(*)::int, COALESCE(sum(leg.amount_minor), 0)::bigint, COALESCE(payouts_batch_hash(batch.id), '')
            FROM payouts_batch_leg AS member JOIN payouts_leg AS leg ON leg.id = member.leg_id
            WHERE member.batch_id = batch.id);
    IF FOUND THEN
        RAISE EXCEPTION 'batch % breaks legs_add_up_to_the_batch', NEW.public_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'legs_add_up_to_the_batch';
    END IF;
    RETURN NULL;
END $$;
-- Deferred, since a batch and its legs are written one after the other.
CREATE CONSTRAINT TRIGGER legs_add_up_to_the_batch AFTER INSERT ON payouts_batch
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payouts_check_batch_sum();
"""

MEMBERS = """
CREATE FUNCTION payouts_check_batch_leg() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner payouts_batch;
    leg payouts_leg;
    last_outcome text;
    broken text;
BEGIN
    SELECT * INTO owner FROM payouts_batch WHERE id = NEW.batch_id;
    SELECT * INTO leg FROM payouts_leg WHERE id = NEW.leg_id;
    SELECT outcome INTO last_outcome FROM payouts_attempt WHERE leg_id = NEW.leg_id
        ORDER BY attempt_no DESC LIMIT 1;
    broken := CASE
        WHEN TG_OP = 'INSERT' AND (owner.state <> 'open' OR NEW.sent_at IS NOT NULL OR NEW.left_at IS NOT NULL)
            THEN 'a_batch_is_filled_while_it_is_built'
        WHEN TG_OP = 'INSERT' AND NOT (leg.needs_batch AND leg.state = 'ready'
            AND leg.channel = owner.channel AND leg.currency = owner.currency)
            THEN 'a_batch_gathers_what_waits_for_it'
        WHEN TG_OP = 'INSERT' THEN NULL
        WHEN (to_jsonb(NEW) - '{sent_at,left_at}'::text[]) IS DISTINCT FROM
            (to_jsonb(OLD) - '{sent_at,left_at}'::text[])
            OR (OLD.sent_at IS NOT NULL AND NEW.sent_at IS DISTINCT FROM OLD.sent_at)
            OR OLD.left_at IS NOT NULL
            THEN 'a_batch_remembers_its_legs'
        WHEN NEW.sent_at IS DISTINCT FROM OLD.sent_at AND owner.state <> 'released'
            THEN 'a_batch_is_sent_after_its_release'
        -- A sent leg may wait for another batch only when the bank certainly did not execute this one.
        WHEN NEW.left_at IS NOT NULL AND NEW.sent_at IS NOT NULL
            AND last_outcome IS DISTINCT FROM 'failed_retryable'
            THEN 'a_sent_leg_leaves_on_the_banks_word'
        WHEN NEW.left_at IS NOT NULL AND leg.state NOT IN ('ready', 'cancelled')
            THEN 'a_leg_under_way_stays_in_its_batch'
    END;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'batch leg % breaks %', NEW.id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER batch_legs_follow_the_rules BEFORE INSERT OR UPDATE ON payouts_batch_leg
    FOR EACH ROW EXECUTE FUNCTION payouts_check_batch_leg();

CREATE FUNCTION payouts_check_batched_send() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.needs_batch AND NEW.state = 'sending' AND OLD.state <> 'sending' AND NOT EXISTS (
        SELECT 1 FROM payouts_batch_leg AS member JOIN payouts_batch AS batch ON batch.id = member.batch_id
        WHERE member.leg_id = NEW.id AND member.left_at IS NULL AND batch.state = 'released') THEN
        RAISE EXCEPTION 'leg % breaks a_batched_leg_is_sent_inside_a_released_batch', NEW.public_id
            USING ERRCODE = 'check_violation',
                CONSTRAINT = 'a_batched_leg_is_sent_inside_a_released_batch';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_batched_leg_is_sent_inside_a_released_batch BEFORE UPDATE ON payouts_leg
    FOR EACH ROW WHEN (NEW.needs_batch) EXECUTE FUNCTION payouts_check_batched_send();
"""

MESSAGES = """
CREATE FUNCTION payouts_check_bank_message() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    deciding text[] := '{confirmed_by,confirmed_at}';
    broken text;
BEGIN
    broken := CASE
        WHEN NEW.content_hash <> encode(sha256(NEW.content), 'hex')
            THEN 'a_message_is_known_by_its_hash'
        WHEN TG_OP = 'INSERT' AND NEW.source <> 'mailbox' AND NEW.confirmed_at IS NOT NULL
            THEN 'a_brought_message_waits_for_a_second_person'
        WHEN TG_OP = 'UPDATE' AND ((to_jsonb(NEW) - deciding) IS DISTINCT FROM (to_jsonb(OLD) - deciding)
            OR OLD.confirmed_at IS NOT NULL)
            THEN 'a_message_stays_as_it_came'
    END;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'bank message % breaks %', NEW.id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bank_messages_stay_as_they_came BEFORE INSERT OR UPDATE ON payouts_bank_message
    FOR EACH ROW EXECUTE FUNCTION payouts_check_bank_message();
"""

UNDO = """
DROP TRIGGER bank_messages_stay_as_they_came ON payouts_bank_message;
DROP TRIGGER a_batched_leg_is_sent_inside_a_released_batch ON payouts_leg;
DROP TRIGGER batch_legs_follow_the_rules ON payouts_batch_leg;
DROP TRIGGER legs_add_up_to_the_batch ON payouts_batch;
DROP TRIGGER a_batch_moves_by_the_rules ON payouts_batch;
DROP TRIGGER bank_statement_days_never_change ON payouts_bank_statement_day;
DROP TRIGGER bank_words_never_change ON payouts_bank_word;
DROP TRIGGER bank_messages_never_leave ON payouts_bank_message;
DROP TRIGGER batch_legs_never_leave ON payouts_batch_leg;
DROP TRIGGER batches_never_leave ON payouts_batch;
DROP FUNCTION payouts_check_bank_message, payouts_check_batched_send, payouts_check_batch_leg,
    payouts_check_batch_sum, payouts_check_batch, payouts_batch_hash;
"""


class Migration(migrations.Migration):
    dependencies = [("payouts", "0005_batches_and_bank_messages")]

    operations = [migrations.RunSQL([NOTHING_LEAVES, BATCHES, MEMBERS, MESSAGES], UNDO)]
