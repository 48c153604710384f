"""What a constraint cannot say: what never changes, what adds up, which steps a share may take."""

from django.db import migrations

BELONGING = """
ALTER TABLE deposits_lot_share ADD CONSTRAINT a_share_belongs_to_a_lot
    FOREIGN KEY (account_id, lot_number) REFERENCES deposits_lot (account_id, number);
ALTER TABLE deposits_lot_share ADD CONSTRAINT a_share_belongs_to_a_hold
    FOREIGN KEY (account_id, hold_reference) REFERENCES deposits_hold (account_id, reference);
ALTER TABLE deposits_lot_taking ADD CONSTRAINT a_taking_belongs_to_a_lot
    FOREIGN KEY (account_id, lot_number) REFERENCES deposits_lot (account_id, number);
"""

# What was paid in, taken, deducted or entered as a payee account is memory: it is never rewritten.
NOTHING_IS_REWRITTEN = """
CREATE FUNCTION deposits_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% keeps what it holds: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER channel_payments_never_change BEFORE UPDATE OR DELETE ON deposits_channel_payment
    FOR EACH ROW EXECUTE FUNCTION deposits_refuse_change();
CREATE TRIGGER takings_never_change BEFORE UPDATE OR DELETE ON deposits_lot_taking
    FOR EACH ROW EXECUTE FUNCTION deposits_refuse_change();
CREATE TRIGGER deductions_never_change BEFORE UPDATE OR DELETE ON deposits_deduction
    FOR EACH ROW EXECUTE FUNCTION deposits_refuse_change();
CREATE TRIGGER deduction_lines_never_change BEFORE UPDATE OR DELETE ON deposits_deduction_line
    FOR EACH ROW EXECUTE FUNCTION deposits_refuse_change();
CREATE TRIGGER accounts_never_leave BEFORE DELETE ON deposits_account
    FOR EACH ROW EXECUTE FUNCTION deposits_refuse_change();
CREATE TRIGGER lots_never_leave BEFORE DELETE ON deposits_lot
    FOR EACH ROW EXECUTE FUNCTION deposits_refuse_change();
CREATE TRIGGER holds_never_leave BEFORE DELETE ON deposits_hold
    FOR EACH ROW EXECUTE FUNCTION deposits_refuse_change();
CREATE TRIGGER shares_never_leave BEFORE DELETE ON deposits_lot_share
    FOR EACH ROW EXECUTE FUNCTION deposits_refuse_change();
CREATE TRIGGER destinations_never_leave BEFORE DELETE ON deposits_destination
    FOR EACH ROW EXECUTE FUNCTION deposits_refuse_change();

CREATE TRIGGER an_account_keeps_its_shop_and_book BEFORE UPDATE ON deposits_account FOR EACH ROW
    WHEN ((OLD.id, OLD.public_id, OLD.shop_key, OLD.kind, OLD.currency, OLD.book_id, OLD.opened_at)
        IS DISTINCT FROM
        (NEW.id, NEW.public_id, NEW.shop_key, NEW.kind, NEW.currency, NEW.book_id, NEW.opened_at))
    EXECUTE FUNCTION deposits_refuse_change();
CREATE TRIGGER a_lot_keeps_its_payment BEFORE UPDATE ON deposits_lot FOR EACH ROW
    WHEN ((OLD.account_id, OLD.number, OLD.public_id, OLD.amount_minor, OLD.paid_at, OLD.channel,
            OLD.channel_reference, OLD.refundable_until)
        IS DISTINCT FROM
        (NEW.account_id, NEW.number, NEW.public_id, NEW.amount_minor, NEW.paid_at, NEW.channel,
            NEW.channel_reference, NEW.refundable_until))
    EXECUTE FUNCTION deposits_refuse_change();
CREATE TRIGGER a_hold_keeps_its_reference BEFORE UPDATE ON deposits_hold FOR EACH ROW
    WHEN ((OLD.account_id, OLD.reference) IS DISTINCT FROM (NEW.account_id, NEW.reference))
    EXECUTE FUNCTION deposits_refuse_change();
-- A destination may be vouched for once; nothing else about it ever changes.
CREATE TRIGGER a_destination_keeps_its_account BEFORE UPDATE ON deposits_destination FOR EACH ROW
    WHEN ((OLD.id, OLD.public_id, OLD.shop_key, OLD.holder_name, OLD.bank_name, OLD.number_blind,
            OLD.tail4, OLD.fingerprint, OLD.added_by, OLD.added_at, OLD.usable_from)
        IS DISTINCT FROM
        (NEW.id, NEW.public_id, NEW.shop_key, NEW.holder_name, NEW.bank_name, NEW.number_blind,
            NEW.tail4, NEW.fingerprint, NEW.added_by, NEW.added_at, NEW.usable_from)
        OR OLD.verified_at IS NOT NULL
            AND (OLD.verified_at, OLD.verified_by) IS DISTINCT FROM (NEW.verified_at, NEW.verified_by))
    EXECUTE FUNCTION deposits_refuse_change();
"""

# The parts of a lot are sums of its shares and takings. They move with them and with nothing else:
# at depth 0 somebody writes the lot directly, a trigger on shares or takings does so at depth 1.
PARTS_MOVE_WITH_THEIR_REASONS = """
CREATE TRIGGER lots_begin_whole BEFORE INSERT ON deposits_lot FOR EACH ROW
    WHEN (NEW.reserved_minor <> 0 OR NEW.refunded_minor <> 0 OR NEW.deducted_minor <> 0)
    EXECUTE FUNCTION deposits_refuse_change();
CREATE TRIGGER only_shares_and_takings_move_parts BEFORE UPDATE ON deposits_lot FOR EACH ROW
    WHEN (pg_trigger_depth() = 0
        AND (OLD.reserved_minor, OLD.refunded_minor, OLD.deducted_minor)
            IS DISTINCT FROM (NEW.reserved_minor, NEW.refunded_minor, NEW.deducted_minor))
    EXECUTE FUNCTION deposits_refuse_change();

CREATE FUNCTION deposits_take_from_lot() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE deposits_lot SET deducted_minor = deducted_minor + NEW.amount_minor
        WHERE account_id = NEW.account_id AND number = NEW.lot_number;
    RETURN NULL;
END $$;
CREATE TRIGGER takings_move_lots AFTER INSERT ON deposits_lot_taking
    FOR EACH ROW EXECUTE FUNCTION deposits_take_from_lot();

CREATE FUNCTION deposits_check_share() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'reserved' THEN
            RAISE EXCEPTION 'a share begins reserved' USING ERRCODE = 'check_violation';
        END IF;
    ELSIF (OLD.account_id, OLD.leg_id, OLD.lot_number, OLD.hold_reference, OLD.amount_minor)
        IS DISTINCT FROM (NEW.account_id, NEW.leg_id, NEW.lot_number, NEW.hold_reference, NEW.amount_minor)
    THEN
        RAISE EXCEPTION 'a share keeps its lot, leg and amount' USING ERRCODE = 'restrict_violation';
    ELSIF OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN
        (('reserved', 'settled'), ('reserved', 'released'), ('settled', 'reserved'))
    THEN
        RAISE EXCEPTION 'a share cannot go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'share_takes_legal_steps';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER shares_take_legal_steps BEFORE INSERT OR UPDATE ON deposits_lot_share
    FOR EACH ROW EXECUTE FUNCTION deposits_check_share();

CREATE FUNCTION deposits_move_share() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was text := CASE TG_OP WHEN 'UPDATE' THEN OLD.state ELSE '' END;
    reserved bigint := ((NEW.state = 'reserved')::int - (was = 'reserved')::int) * NEW.amount_minor;
    settled bigint := ((NEW.state = 'settled')::int - (was = 'settled')::int) * NEW.amount_minor;
BEGIN
    UPDATE deposits_lot
        SET reserved_minor = reserved_minor + reserved, refunded_minor = refunded_minor + settled
        WHERE account_id = NEW.account_id AND number = NEW.lot_number;
    UPDATE deposits_hold SET settled_minor = settled_minor + settled
        WHERE account_id = NEW.account_id AND reference = NEW.hold_reference AND settled <> 0;
    RETURN NULL;
END $$;
CREATE TRIGGER shares_move_lots AFTER INSERT OR UPDATE ON deposits_lot_share
    FOR EACH ROW EXECUTE FUNCTION deposits_move_share();
"""

# Judged when the transaction ends, for the items are written after the deduction they explain.
DEDUCTIONS_ADD_UP = """
CREATE FUNCTION deposits_check_deduction() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked_id bigint := CASE TG_TABLE_NAME
        WHEN 'deposits_deduction' THEN (to_jsonb(NEW)->>'id')::bigint
        ELSE (to_jsonb(NEW)->>'deduction_id')::bigint END;
    explained bigint;
    decided bigint;
BEGIN
    SELECT COALESCE(sum(quantity::bigint * unit_minor), 0) INTO explained
        FROM deposits_deduction_line WHERE deduction_id = checked_id;
    SELECT amount_minor INTO decided FROM deposits_deduction WHERE id = checked_id;
    IF explained <> decided THEN
        RAISE EXCEPTION 'the items of a deduction add up to %, not to %', explained, decided
            USING ERRCODE = 'check_violation', CONSTRAINT = 'deduction_is_the_sum_of_its_items';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER deductions_add_up AFTER INSERT ON deposits_deduction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION deposits_check_deduction();
CREATE CONSTRAINT TRIGGER deduction_lines_add_up AFTER INSERT ON deposits_deduction_line
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION deposits_check_deduction();
"""

UNDO = """
DROP TRIGGER deduction_lines_add_up ON deposits_deduction_line;
DROP TRIGGER deductions_add_up ON deposits_deduction;
DROP TRIGGER shares_move_lots ON deposits_lot_share;
DROP TRIGGER shares_take_legal_steps ON deposits_lot_share;
DROP TRIGGER takings_move_lots ON deposits_lot_taking;
DROP TRIGGER only_shares_and_takings_move_parts ON deposits_lot;
DROP TRIGGER lots_begin_whole ON deposits_lot;
DROP FUNCTION deposits_check_deduction, deposits_move_share, deposits_check_share, deposits_take_from_lot;
DROP FUNCTION deposits_refuse_change CASCADE;
ALTER TABLE deposits_lot_taking DROP CONSTRAINT a_taking_belongs_to_a_lot;
ALTER TABLE deposits_lot_share DROP CONSTRAINT a_share_belongs_to_a_hold;
ALTER TABLE deposits_lot_share DROP CONSTRAINT a_share_belongs_to_a_lot;
"""


class Migration(migrations.Migration):
    dependencies = [("deposits", "0001_accounts_lots_destinations")]

    operations = [
        migrations.RunSQL(
            [BELONGING, NOTHING_IS_REWRITTEN, PARTS_MOVE_WITH_THEIR_REASONS, DEDUCTIONS_ADD_UP],
            UNDO,
        )
    ]
