"""Which state may follow which, what is never rewritten, and that what was taken is a deduction."""

from django.db import migrations

# As of this migration; tests hold the function to kuaitui.deductions.states.TRANSITIONS.
LEGAL_STEPS = """
CREATE FUNCTION deductions_may_move(p_from text, p_to text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_from
        WHEN 'announced' THEN p_to IN ('announced', 'taken', 'dropped', 'lapsed')
        WHEN 'taken' THEN p_to = 'appealed'
        WHEN 'appealed' THEN p_to IN ('given_back', 'upheld')
        ELSE false
    END
$$;
"""

NOTHING_IS_REWRITTEN = """
CREATE FUNCTION deductions_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% keeps what it holds: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER cases_never_leave BEFORE DELETE OR TRUNCATE ON deductions_case
    FOR EACH STATEMENT EXECUTE FUNCTION deductions_refuse_change();
CREATE TRIGGER case_lines_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON deductions_case_line
    FOR EACH STATEMENT EXECUTE FUNCTION deductions_refuse_change();
"""

# What each step may write. What an earlier one wrote stays as it was.
CASES_TAKE_LEGAL_STEPS = """
CREATE FUNCTION deductions_check_case() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    written text[] := '{state,version,remind_at}'::text[] || CASE NEW.state
        WHEN 'announced' THEN '{reply,reply_text,replied_by,replied_at,decide_by}'::text[]
        WHEN 'taken' THEN
            '{decision_text,decided_by,decided_at,taken,deduction_id,appeal_until}'::text[]
        WHEN 'dropped' THEN '{decision_text,decided_by,decided_at}'::text[]
        WHEN 'lapsed' THEN '{decided_by,decided_at}'::text[]
        WHEN 'appealed' THEN '{appeal_text,appealed_by,appealed_at,answer_by,answer_lapses_at}'::text[]
        ELSE '{answer_text,answered_by,answered_at,given_back}'::text[] END;
    broken text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'announced' OR NEW.version <> 1 OR NEW.reply <> '' THEN
            broken := 'a_case_begins_announced';
        END IF;
    ELSE
        broken := CASE
            WHEN NOT deductions_may_move(OLD.state, NEW.state) THEN 'a_case_takes_legal_steps'
            WHEN NEW.version <> OLD.version + 1 THEN 'every_change_of_a_case_is_a_version'
            WHEN (to_jsonb(NEW) - written) IS DISTINCT FROM (to_jsonb(OLD) - written)
                THEN 'what_a_case_says_stays'
            WHEN NEW.state = 'announced' AND OLD.replied_at IS NOT NULL
                THEN 'a_seller_replies_once'
            WHEN NEW.state = 'announced' AND NEW.replied_at IS NULL AND NEW.decide_by <> OLD.decide_by
                THEN 'a_promised_day_stays_until_the_reply'
            WHEN NEW.state = 'taken' AND cardinality(NEW.taken) <> (
                SELECT count(*) FROM deductions_case_line
                WHERE case_id = NEW.id AND number = ANY (NEW.taken))
                THEN 'what_was_taken_are_items_of_the_case'
            WHEN NEW.state = 'taken' AND NOT EXISTS (
                SELECT 1 FROM deposits_deduction AS deduction
                    JOIN deposits_account AS account ON account.id = deduction.account_id
                WHERE deduction.public_id = NEW.deduction_id
                    AND deduction.reference = NEW.public_id
                    AND account.public_id = NEW.account_id
                    AND deduction.amount_minor = deductions_sum(NEW.id, NEW.taken))
                THEN 'what_was_taken_is_a_deduction'
            WHEN NEW.state = 'given_back' AND (NOT NEW.given_back <@ NEW.taken OR NOT EXISTS (
                SELECT 1 FROM deposits_deduction_return AS back
                    JOIN deposits_deduction AS deduction ON deduction.id = back.deduction_id
                WHERE deduction.public_id = NEW.deduction_id
                    AND back.amount_minor = deductions_sum(NEW.id, NEW.given_back)))
                THEN 'what_was_given_back_came_back'
            WHEN NEW.state = 'upheld' AND EXISTS (
                SELECT 1 FROM deposits_deduction_return AS back
                    JOIN deposits_deduction AS deduction ON deduction.id = back.deduction_id
                WHERE deduction.public_id = NEW.deduction_id)
                THEN 'what_stands_was_not_given_back'
            WHEN NEW.state <> 'announced' AND OLD.state = 'announced' AND EXISTS (
                SELECT 1 FROM deposits_hold AS hold
                WHERE hold.reference = NEW.public_id AND hold.kind = 'deduction'
                    AND hold.amount_minor > hold.settled_minor + hold.released_minor + hold.deducted_minor)
                THEN 'nothing_stays_set_aside_for_what_is_decided'
        END;
    END IF;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'deduction case % breaks %', NEW.public_id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION deductions_sum(p_case bigint, p_numbers smallint[]) RETURNS bigint
LANGUAGE sql STABLE AS $$
    SELECT sum(quantity::bigint * unit_minor)::bigint FROM deductions_case_line
    WHERE case_id = p_case AND number = ANY (p_numbers)
$$;
CREATE TRIGGER cases_take_legal_steps BEFORE INSERT OR UPDATE ON deductions_case
    FOR EACH ROW EXECUTE FUNCTION deductions_check_case();
"""

# Judged when the transaction ends: items are written after the case, money is set aside after both.
ANNOUNCEMENTS_ADD_UP = """
CREATE FUNCTION deductions_check_announcement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    checked_id bigint := CASE TG_TABLE_NAME
        WHEN 'deductions_case' THEN (to_jsonb(NEW)->>'id')::bigint
        ELSE (to_jsonb(NEW)->>'case_id')::bigint END;
    checked deductions_case;
    broken text;
BEGIN
    SELECT * INTO checked FROM deductions_case WHERE id = checked_id;
    broken := CASE
        WHEN (SELECT sum(quantity::bigint * unit_minor) FROM deductions_case_line
            WHERE case_id = checked_id) IS DISTINCT FROM checked.amount_minor
            THEN 'a_case_is_the_sum_of_its_items'
        WHEN checked.set_aside_minor > 0 AND NOT EXISTS (
            SELECT 1 FROM deposits_hold AS hold
                JOIN deposits_account AS account ON account.id = hold.account_id
            WHERE hold.reference = checked.public_id AND hold.kind = 'deduction'
                AND account.public_id = checked.account_id
                AND hold.amount_minor = checked.set_aside_minor)
            THEN 'what_a_case_sets_aside_is_set_aside'
    END;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'deduction case % breaks %', checked.public_id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER announcements_add_up AFTER INSERT ON deductions_case
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION deductions_check_announcement();
CREATE CONSTRAINT TRIGGER announced_lines_add_up AFTER INSERT ON deductions_case_line
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION deductions_check_announcement();
"""

UNDO = """
DROP TRIGGER announced_lines_add_up ON deductions_case_line;
DROP TRIGGER announcements_add_up ON deductions_case;
DROP TRIGGER cases_take_legal_steps ON deductions_case;
DROP TRIGGER case_lines_never_change ON deductions_case_line;
DROP TRIGGER cases_never_leave ON deductions_case;
DROP FUNCTION deductions_check_announcement, deductions_check_case, deductions_sum,
    deductions_refuse_change, deductions_may_move;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("deductions", "0001_cases"),
        ("deposits", "0010_deductions_given_back"),
    ]

    operations = [
        migrations.RunSQL(
            [LEGAL_STEPS, NOTHING_IS_REWRITTEN, CASES_TAKE_LEGAL_STEPS, ANNOUNCEMENTS_ADD_UP], UNDO
        )
    ]
