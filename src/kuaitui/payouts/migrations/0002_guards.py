"""What must be true of payouts, kept by the database whoever writes to it."""

from django.db import migrations

# Money that left is remembered for ever, and what was approved stays as it was approved.
NOTHING_LEAVES = """
CREATE FUNCTION payouts_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% keeps its rows: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER payouts_never_leave BEFORE DELETE OR TRUNCATE ON payouts_payout
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER legs_never_leave BEFORE DELETE OR TRUNCATE ON payouts_leg
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();
CREATE TRIGGER attempts_never_leave BEFORE DELETE OR TRUNCATE ON payouts_attempt
    FOR EACH STATEMENT EXECUTE FUNCTION payouts_refuse_change();

CREATE FUNCTION payouts_keep_payout() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(NEW) - 'state' - 'paid_at') IS DISTINCT FROM (to_jsonb(OLD) - 'state' - 'paid_at') THEN
        RAISE EXCEPTION 'a payout stays as it was approved'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_payout_stays_as_approved';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_payout_stays_as_approved BEFORE UPDATE ON payouts_payout
    FOR EACH ROW EXECUTE FUNCTION payouts_keep_payout();
"""

# The same table as states.TRANSITIONS; a test holds the two together.
LEGS_MOVE_BY_THE_TABLE = """
CREATE FUNCTION payouts_leg_may_move(p_from text, p_to text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT p_from = p_to OR CASE p_from
        WHEN 'ready' THEN p_to IN ('sending', 'failed', 'cancelled')
        WHEN 'sending' THEN p_to IN
            ('ready', 'unknown', 'accepted', 'needs_action', 'paid', 'returned', 'failed')
        WHEN 'unknown' THEN p_to IN
            ('ready', 'accepted', 'needs_action', 'paid', 'returned', 'failed')
        WHEN 'accepted' THEN p_to IN ('ready', 'unknown', 'needs_action', 'paid', 'returned', 'failed')
        WHEN 'needs_action' THEN p_to IN ('ready', 'unknown', 'accepted', 'paid', 'returned', 'failed')
        WHEN 'paid' THEN p_to = 'returned'
        ELSE false
    END
$$;

CREATE FUNCTION payouts_check_leg() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- What may change; all else is the instruction, and a channel compares resends with the first.
    moving text[] := '{state,since,fence,lease_until,next_check_at,checks,sends,first_sent_at,last_sent_at,'
        'settled_at,returned_at,failed_at,bank_reference,code,delayed_at,set_aside_at,set_aside_reason}';
    last_outcome text;
    broken text;
BEGIN
    SELECT outcome INTO last_outcome FROM payouts_attempt WHERE leg_id = NEW.id
        ORDER BY attempt_no DESC LIMIT 1;
    broken := CASE
        WHEN (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
            THEN 'a_leg_keeps_its_number_and_request'
        WHEN NOT payouts_leg_may_move(OLD.state, NEW.state)
            THEN 'a_leg_moves_by_the_table'
        -- A worker that lost its lease knows it by the fence; one that went back would let it in again.
        WHEN NEW.fence NOT IN (OLD.fence, OLD.fence + 1)
            THEN 'a_fence_grows_by_one'
        WHEN NEW.state = 'sending' AND OLD.state <> 'sending'
            AND (NEW.fence <> OLD.fence + 1 OR NEW.sends <> OLD.sends + 1)
            THEN 'a_send_is_claimed'
        WHEN NEW.first_sent_at IS DISTINCT FROM OLD.first_sent_at AND OLD.first_sent_at IS NOT NULL
            THEN 'a_leg_is_sent_first_once'
        -- Paid, failed and come back are the channel's words, never ours.
        WHEN NEW.state = 'paid' AND OLD.state <> 'paid' AND last_outcome IS DISTINCT FROM 'succeeded'
            THEN 'a_leg_is_paid_on_the_channels_word'
        WHEN NEW.state = 'returned' AND OLD.state <> 'returned'
            AND (last_outcome IS NULL OR last_outcome NOT IN ('returned', 'failed', 'failed_retryable'))
            THEN 'a_leg_returns_on_the_channels_word'
        WHEN NEW.state = 'failed' AND OLD.state NOT IN ('failed', 'ready')
            AND NOT EXISTS (SELECT 1 FROM payouts_attempt WHERE leg_id = NEW.id AND outcome = 'failed')
            THEN 'a_leg_fails_on_the_channels_word'
        WHEN NEW.state = 'ready' AND OLD.state <> 'ready' AND (last_outcome IS NULL OR last_outcome
            NOT IN ('not_sent', 'rejected_config', 'failed_retryable', 'not_found'))
            THEN 'a_leg_is_sent_again_only_when_no_send_took_effect'
        WHEN NEW.state = 'cancelled' AND NEW.sends <> 0
            THEN 'a_sent_leg_is_not_called_off'
    END;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'leg % breaks %', OLD.public_id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_leg_moves_by_the_rules BEFORE UPDATE ON payouts_leg
    FOR EACH ROW EXECUTE FUNCTION payouts_check_leg();
"""

# A new number is a second payment unless the first certainly did not, or no longer does, exist.
LEGS_BEGIN_READY = """
CREATE FUNCTION payouts_check_new_leg() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner payouts_payout;
    old_leg payouts_leg;
    broken text;
BEGIN
    SELECT * INTO owner FROM payouts_payout WHERE id = NEW.payout_id;
    SELECT * INTO old_leg FROM payouts_leg WHERE id = NEW.replaces_id;
    broken := CASE
        WHEN NEW.state <> 'ready' OR NEW.fence <> 0 OR NEW.sends <> 0 OR NEW.first_sent_at IS NOT NULL
            THEN 'a_leg_begins_ready'
        WHEN NEW.book_id <> owner.book_id OR NEW.currency <> owner.currency
            THEN 'a_leg_stays_in_its_payouts_book'
        WHEN NEW.replaces_id IS NOT NULL AND old_leg.state NOT IN ('failed', 'returned')
            THEN 'only_a_failed_or_returned_leg_is_replaced'
        WHEN NEW.replaces_id IS NOT NULL AND (old_leg.payout_id, old_leg.lot_id, old_leg.amount_minor)
            IS DISTINCT FROM (NEW.payout_id, NEW.lot_id, NEW.amount_minor)
            THEN 'a_replacement_pays_the_same'
    END;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'leg % breaks %', NEW.public_id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_leg_begins_by_the_rules BEFORE INSERT ON payouts_leg
    FOR EACH ROW EXECUTE FUNCTION payouts_check_new_leg();

CREATE FUNCTION payouts_check_sum() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owner_id bigint := CASE TG_TABLE_NAME WHEN 'payouts_leg' THEN (to_jsonb(NEW)->>'payout_id')::bigint
        ELSE (to_jsonb(NEW)->>'id')::bigint END;
BEGIN
    PERFORM 1 FROM payouts_payout AS owner WHERE owner.id = owner_id AND owner.amount_minor <> (
        SELECT COALESCE(sum(leg.amount_minor), 0) FROM payouts_leg AS leg
        WHERE leg.payout_id = owner.id
            AND NOT EXISTS (SELECT 1 FROM payouts_leg AS newer WHERE newer.replaces_id = leg.id));
    IF FOUND THEN
        RAISE EXCEPTION 'the legs that stand do not add up to payout %', owner_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'legs_add_up_to_the_payout';
    END IF;
    RETURN NULL;
END $$;
-- Deferred, since a payout and its legs are written one after the other.
CREATE CONSTRAINT TRIGGER legs_add_up_to_the_payout AFTER INSERT ON payouts_leg
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payouts_check_sum();
CREATE CONSTRAINT TRIGGER a_payout_has_legs AFTER INSERT ON payouts_payout
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payouts_check_sum();
"""

# The heart of the protocol: nobody sends while an earlier send may have taken effect.
SEND_ONLY_WHAT_WAS_NOT_SENT = """
CREATE FUNCTION payouts_check_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    leg payouts_leg;
    last_send payouts_attempt;
    broken text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.outcome IS NOT NULL OR (to_jsonb(NEW) - '{outcome,cause,finished_at}'::text[])
            IS DISTINCT FROM (to_jsonb(OLD) - '{outcome,cause,finished_at}'::text[]) THEN
            broken := 'an_attempt_is_completed_once';
        END IF;
    ELSE
        SELECT * INTO leg FROM payouts_leg WHERE id = NEW.leg_id;
        SELECT * INTO last_send FROM payouts_attempt
            WHERE leg_id = NEW.leg_id AND kind = 'send' ORDER BY attempt_no DESC LIMIT 1;
        broken := CASE
            WHEN NEW.outcome IS NOT NULL
                THEN 'an_attempt_begins_before_its_outcome'
            WHEN NEW.fence <> leg.fence OR EXISTS (
                SELECT 1 FROM payouts_attempt WHERE leg_id = NEW.leg_id AND fence >= NEW.fence)
                THEN 'an_attempt_carries_a_fresh_fence'
            WHEN NEW.attempt_no <> 1 + (
                SELECT count(*) FROM payouts_attempt WHERE leg_id = NEW.leg_id)
                THEN 'attempts_have_no_gaps'
            WHEN NEW.kind = 'send' AND leg.state <> 'sending'
                THEN 'only_a_claimed_leg_is_sent'
            WHEN NEW.kind = 'send' AND last_send.id IS NOT NULL
                AND NOT (last_send.outcome IS NOT NULL AND last_send.outcome
                    IN ('not_sent', 'rejected_config', 'failed_retryable'))
                AND NOT EXISTS (
                    SELECT 1 FROM payouts_attempt AS asked WHERE asked.leg_id = NEW.leg_id
                        AND asked.attempt_no > last_send.attempt_no AND asked.kind = 'query'
                        AND asked.outcome IN ('not_found', 'failed_retryable'))
                THEN 'a_send_without_outcome_is_asked_about_first'
        END;
    END IF;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'attempt % of leg % breaks %', NEW.attempt_no, NEW.leg_id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER attempts_follow_the_protocol BEFORE INSERT OR UPDATE ON payouts_attempt
    FOR EACH ROW EXECUTE FUNCTION payouts_check_attempt();
"""

UNDO = """
DROP TRIGGER attempts_follow_the_protocol ON payouts_attempt;
DROP TRIGGER a_payout_has_legs ON payouts_payout;
DROP TRIGGER legs_add_up_to_the_payout ON payouts_leg;
DROP TRIGGER a_leg_begins_by_the_rules ON payouts_leg;
DROP TRIGGER a_leg_moves_by_the_rules ON payouts_leg;
DROP TRIGGER a_payout_stays_as_approved ON payouts_payout;
DROP TRIGGER attempts_never_leave ON payouts_attempt;
DROP TRIGGER legs_never_leave ON payouts_leg;
DROP TRIGGER payouts_never_leave ON payouts_payout;
DROP FUNCTION payouts_check_attempt, payouts_check_sum, payouts_check_new_leg, payouts_check_leg,
    payouts_leg_may_move, payouts_keep_payout, payouts_refuse_change;
"""


class Migration(migrations.Migration):
    dependencies = [("payouts", "0001_payouts_legs_attempts")]

    operations = [
        migrations.RunSQL(
            [
                NOTHING_LEAVES,
                LEGS_MOVE_BY_THE_TABLE,
                LEGS_BEGIN_READY,
                SEND_ONLY_WHAT_WAS_NOT_SENT,
            ],
            UNDO,
        )
    ]
