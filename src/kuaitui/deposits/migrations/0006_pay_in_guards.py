"""What must be true of money coming in, kept by the database whoever writes to it."""

from django.db import migrations

NOTHING_LEAVES = """
CREATE TRIGGER pay_in_orders_never_leave BEFORE DELETE OR TRUNCATE ON deposits_pay_in_order
    FOR EACH STATEMENT EXECUTE FUNCTION deposits_refuse_change();
CREATE TRIGGER pay_in_attempts_never_leave BEFORE DELETE OR TRUNCATE ON deposits_pay_in_attempt
    FOR EACH STATEMENT EXECUTE FUNCTION deposits_refuse_change();
CREATE TRIGGER suspense_never_leaves BEFORE DELETE OR TRUNCATE ON deposits_suspense
    FOR EACH STATEMENT EXECUTE FUNCTION deposits_refuse_change();
"""

# The same table as states.TRANSITIONS; a test holds the two together.
ORDERS_MOVE_BY_THE_TABLE = """
CREATE FUNCTION deposits_pay_in_may_move(p_from text, p_to text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT p_from = p_to OR CASE p_from
        WHEN 'created' THEN p_to IN ('opening', 'closed', 'expired')
        WHEN 'opening' THEN p_to IN ('created', 'unknown', 'waiting', 'paid', 'paid_other_amount',
            'in_suspense', 'closed', 'expired', 'failed')
        WHEN 'unknown' THEN p_to IN ('created', 'waiting', 'paid', 'paid_other_amount',
            'in_suspense', 'closed', 'expired', 'failed')
        WHEN 'waiting' THEN p_to IN ('created', 'opening', 'unknown', 'paid', 'paid_other_amount',
            'in_suspense', 'closed', 'expired', 'failed')
        WHEN 'closed' THEN p_to = 'in_suspense'
        WHEN 'expired' THEN p_to = 'in_suspense'
        WHEN 'failed' THEN p_to = 'in_suspense'
        ELSE false
    END
$$;

CREATE FUNCTION deposits_check_pay_in() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- What may change; all else is the request, and a channel compares a repetition with the first.
    moving text[] := '{state,since,fence,lease_until,next_check_at,checks,opens,called_off_at,pay_url,'
        'usable_until,paid_minor,paid_at,channel_reference,lot_id,code,set_aside_at,set_aside_reason,'
        'payer_ip}';
    paid text[] := '{paid,paid_other_amount,in_suspense}';
    last_outcome text;
    broken text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'created' OR NEW.fence <> 0 OR NEW.opens <> 0 OR NEW.pay_url <> ''
            OR NEW.currency <> (SELECT currency FROM deposits_account WHERE id = NEW.account_id) THEN
            broken := 'a_pay_in_begins_created';
        END IF;
    ELSE
        SELECT outcome INTO last_outcome FROM deposits_pay_in_attempt WHERE order_id = NEW.id
            ORDER BY attempt_no DESC LIMIT 1;
        broken := CASE
            WHEN (to_jsonb(NEW) - moving) IS DISTINCT FROM (to_jsonb(OLD) - moving)
                THEN 'a_pay_in_keeps_its_number_and_request'
            -- The payer's address is forgotten when the order ends, and never another one.
            WHEN NEW.payer_ip <> OLD.payer_ip AND NEW.payer_ip <> ''
                THEN 'a_pay_in_keeps_its_number_and_request'
            WHEN NOT deposits_pay_in_may_move(OLD.state, NEW.state)
                THEN 'a_pay_in_moves_by_the_table'
            WHEN NEW.fence NOT IN (OLD.fence, OLD.fence + 1)
                THEN 'a_pay_in_fence_grows_by_one'
            WHEN NEW.state = 'opening' AND OLD.state <> 'opening'
                AND (NEW.fence <> OLD.fence + 1 OR NEW.opens <> OLD.opens + 1)
                THEN 'an_opening_is_claimed'
            -- Paid and ended are the channel's words, never ours.
            WHEN NEW.state = ANY (paid) AND OLD.state <> NEW.state
                AND last_outcome IS DISTINCT FROM 'paid'
                THEN 'a_pay_in_is_paid_on_the_channels_word'
            WHEN NEW.state IN ('closed', 'expired') AND OLD.state <> NEW.state AND NEW.opens > 0
                AND (last_outcome IS NULL OR last_outcome NOT IN
                    ('closed', 'not_found', 'not_sent', 'rejected_config', 'failed_retryable'))
                THEN 'a_pay_in_ends_on_the_channels_word'
            WHEN NEW.state = 'failed' AND OLD.state <> 'failed'
                AND last_outcome IS DISTINCT FROM 'failed'
                THEN 'a_pay_in_fails_on_the_channels_word'
            WHEN OLD.state = ANY (paid)
                AND (OLD.paid_minor, OLD.paid_at, OLD.channel_reference, OLD.lot_id)
                    IS DISTINCT FROM
                    (NEW.paid_minor, NEW.paid_at, NEW.channel_reference, NEW.lot_id)
                THEN 'a_paid_pay_in_stays_as_it_was_paid'
            WHEN NEW.state IN ('paid', 'paid_other_amount') AND NOT EXISTS (
                SELECT 1 FROM deposits_lot WHERE account_id = NEW.account_id
                    AND public_id = NEW.lot_id AND amount_minor = NEW.paid_minor)
                THEN 'a_paid_pay_in_is_a_lot'
        END;
    END IF;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'pay-in order % breaks %', NEW.public_id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER pay_ins_move_by_the_rules BEFORE INSERT OR UPDATE ON deposits_pay_in_order
    FOR EACH ROW EXECUTE FUNCTION deposits_check_pay_in();
"""

# Nobody opens an order while an earlier call to open it may have taken effect: first ask.
ASK_BEFORE_OPENING_AGAIN = """
CREATE FUNCTION deposits_check_pay_in_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    asked deposits_pay_in_order;
    last_open deposits_pay_in_attempt;
    broken text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.outcome IS NOT NULL OR (to_jsonb(NEW) - '{outcome,cause,finished_at}'::text[])
            IS DISTINCT FROM (to_jsonb(OLD) - '{outcome,cause,finished_at}'::text[]) THEN
            broken := 'a_pay_in_attempt_is_completed_once';
        END IF;
    ELSE
        SELECT * INTO asked FROM deposits_pay_in_order WHERE id = NEW.order_id;
        SELECT * INTO last_open FROM deposits_pay_in_attempt
            WHERE order_id = NEW.order_id AND kind = 'open' ORDER BY attempt_no DESC LIMIT 1;
        broken := CASE
            WHEN NEW.outcome IS NOT NULL
                THEN 'a_pay_in_attempt_begins_before_its_outcome'
            WHEN NEW.fence <> asked.fence OR EXISTS (SELECT 1 FROM deposits_pay_in_attempt
                WHERE order_id = NEW.order_id AND fence >= NEW.fence)
                THEN 'a_pay_in_attempt_carries_a_fresh_fence'
            WHEN NEW.attempt_no <> 1 + (
                SELECT count(*) FROM deposits_pay_in_attempt WHERE order_id = NEW.order_id)
                THEN 'pay_in_attempts_have_no_gaps'
            WHEN NEW.kind = 'open' AND asked.state <> 'opening'
                THEN 'only_a_claimed_pay_in_is_opened'
            WHEN NEW.kind = 'open' AND last_open.id IS NOT NULL
                AND NOT (last_open.outcome IS NOT NULL AND last_open.outcome
                    IN ('not_sent', 'rejected_config', 'failed_retryable'))
                AND NOT EXISTS (
                    SELECT 1 FROM deposits_pay_in_attempt AS query
                    WHERE query.order_id = NEW.order_id AND query.attempt_no > last_open.attempt_no
                        AND query.kind = 'query' AND query.outcome IN ('not_found', 'waiting'))
                THEN 'an_opening_without_outcome_is_asked_about_first'
        END;
    END IF;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'attempt % of pay-in order % breaks %', NEW.attempt_no, NEW.order_id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER pay_in_attempts_follow_the_protocol
    BEFORE INSERT OR UPDATE ON deposits_pay_in_attempt
    FOR EACH ROW EXECUTE FUNCTION deposits_check_pay_in_attempt();
"""

# One payment of a channel has one place: a lot of a deposit, or suspense. Whoever opens a lot shares
# a lock that whoever puts something into suspense, which is rare, takes alone: so no two writers can
# both find the other's place empty, and lots do not wait for each other.
ONE_PAYMENT_ONE_PLACE = """
CREATE FUNCTION deposits_check_payment_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME = 'deposits_suspense' THEN
        PERFORM pg_advisory_xact_lock(x'6b7470617969'::bigint);
        IF EXISTS (SELECT 1 FROM deposits_channel_payment
            WHERE channel = NEW.channel AND reference = NEW.reference) THEN
            RAISE EXCEPTION 'payment % of % is a lot: one_payment_has_one_place', NEW.reference, NEW.channel
                USING ERRCODE = 'check_violation', CONSTRAINT = 'one_payment_has_one_place';
        END IF;
        RETURN NEW;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(x'6b7470617969'::bigint);
    IF EXISTS (SELECT 1 FROM deposits_suspense
        WHERE channel = NEW.channel AND reference = NEW.reference AND NOT (
            state = 'proposed' AND resolution = 'attribute'
            AND account_id = (to_jsonb(NEW)->>'account_id')::bigint)) THEN
        RAISE EXCEPTION 'payment % of % is in suspense: one_payment_has_one_place',
            NEW.reference, NEW.channel
            USING ERRCODE = 'check_violation', CONSTRAINT = 'one_payment_has_one_place';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER a_lots_payment_is_not_in_suspense BEFORE INSERT ON deposits_channel_payment
    FOR EACH ROW EXECUTE FUNCTION deposits_check_payment_place();
CREATE TRIGGER a_payment_in_suspense_is_no_lot BEFORE INSERT ON deposits_suspense
    FOR EACH ROW EXECUTE FUNCTION deposits_check_payment_place();
"""

# The same table as states.SUSPENSE_TRANSITIONS.
SUSPENSE_MOVES_BY_THE_TABLE = """
CREATE FUNCTION deposits_suspense_may_move(p_from text, p_to text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT p_from = p_to OR CASE p_from
        WHEN 'open' THEN p_to = 'proposed'
        WHEN 'proposed' THEN p_to IN ('open', 'attributed', 'to_send_back')
        WHEN 'to_send_back' THEN p_to = 'sent_back'
        ELSE false
    END
$$;

CREATE FUNCTION deposits_check_suspense() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    deciding text[] := '{state,resolution,account_id,reason,proposed_by,proposed_at,decided_by,'
        'decided_at,lot_id,refund_reference,sent_back_by,sent_back_at,version}';
    after_decision text[] := '{state,refund_reference,sent_back_by,sent_back_at,version}';
    broken text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' OR NEW.version <> 0 THEN
            broken := 'suspense_begins_open';
        END IF;
    ELSE
        broken := CASE
            WHEN (to_jsonb(NEW) - deciding) IS DISTINCT FROM (to_jsonb(OLD) - deciding)
                THEN 'a_payment_in_suspense_stays_as_it_came'
            WHEN NOT deposits_suspense_may_move(OLD.state, NEW.state)
                THEN 'suspense_moves_by_the_table'
            WHEN NEW.version <> OLD.version + 1
                THEN 'a_suspense_version_grows_by_one'
            -- What one person proposed is what the other confirms.
            WHEN OLD.state = 'proposed' AND NEW.state <> 'open'
                AND (OLD.resolution, OLD.account_id, OLD.reason, OLD.proposed_by)
                    IS DISTINCT FROM (NEW.resolution, NEW.account_id, NEW.reason, NEW.proposed_by)
                THEN 'what_is_confirmed_is_what_was_proposed'
            WHEN OLD.state IN ('attributed', 'to_send_back', 'sent_back')
                AND (to_jsonb(NEW) - after_decision) IS DISTINCT FROM (to_jsonb(OLD) - after_decision)
                THEN 'a_decision_about_suspense_stands'
            WHEN NEW.state = 'attributed' AND OLD.state <> 'attributed' AND NOT EXISTS (
                SELECT 1 FROM deposits_channel_payment AS payment JOIN deposits_lot AS lot
                    ON lot.account_id = payment.account_id AND lot.number = payment.lot_number
                WHERE payment.channel = NEW.channel AND payment.reference = NEW.reference
                    AND lot.account_id = NEW.account_id AND lot.public_id = NEW.lot_id
                    AND lot.amount_minor = NEW.amount_minor)
                THEN 'attributed_suspense_is_a_lot'
        END;
    END IF;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'suspense % breaks %', NEW.public_id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER suspense_moves_by_the_rules BEFORE INSERT OR UPDATE ON deposits_suspense
    FOR EACH ROW EXECUTE FUNCTION deposits_check_suspense();
"""

UNDO = """
DROP TRIGGER suspense_moves_by_the_rules ON deposits_suspense;
DROP TRIGGER a_payment_in_suspense_is_no_lot ON deposits_suspense;
DROP TRIGGER a_lots_payment_is_not_in_suspense ON deposits_channel_payment;
DROP TRIGGER pay_in_attempts_follow_the_protocol ON deposits_pay_in_attempt;
DROP TRIGGER pay_ins_move_by_the_rules ON deposits_pay_in_order;
DROP TRIGGER suspense_never_leaves ON deposits_suspense;
DROP TRIGGER pay_in_attempts_never_leave ON deposits_pay_in_attempt;
DROP TRIGGER pay_in_orders_never_leave ON deposits_pay_in_order;
DROP FUNCTION deposits_check_suspense, deposits_suspense_may_move, deposits_check_payment_place,
    deposits_check_pay_in_attempt, deposits_check_pay_in,
    deposits_pay_in_may_move;
"""


class Migration(migrations.Migration):
    dependencies = [("deposits", "0005_pay_ins_and_suspense")]

    operations = [
        migrations.RunSQL(
            [
                NOTHING_LEAVES,
                ORDERS_MOVE_BY_THE_TABLE,
                ASK_BEFORE_OPENING_AGAIN,
                ONE_PAYMENT_ONE_PLACE,
                SUSPENSE_MOVES_BY_THE_TABLE,
            ],
            UNDO,
        )
    ]
