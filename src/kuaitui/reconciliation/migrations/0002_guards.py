"""What must be true of bills and breaks, kept by the database whoever writes to it."""

from django.db import migrations

# Bills are evidence: what came stays as it came, and what was decided stays decided.
NOTHING_IS_REWRITTEN = """
CREATE FUNCTION reconciliation_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% keeps its rows: % is refused by %', TG_TABLE_NAME, TG_OP, TG_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER files_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation_file
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_refuse_change();
CREATE TRIGGER readings_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation_reading
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_refuse_change();
CREATE TRIGGER lines_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation_line
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_refuse_change();
CREATE TRIGGER decisions_never_change
    BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation_file_decision
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_refuse_change();
CREATE TRIGGER steps_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON reconciliation_break_step
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_refuse_change();
CREATE TRIGGER breaks_never_leave BEFORE DELETE OR TRUNCATE ON reconciliation_break
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_refuse_change();
CREATE TRIGGER days_never_leave BEFORE DELETE OR TRUNCATE ON reconciliation_bill_day
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_refuse_change();

ALTER TABLE reconciliation_file
    ADD CONSTRAINT a_file_is_its_hash CHECK (sha256 = encode(sha256(content), 'hex'));
"""

# A reading that lacks a line would call a payment missing; one that grows would hide it. So the
# lines of a reading come in one statement, all of them, with the reading itself.
LINES_COME_WHOLE = """
CREATE FUNCTION reconciliation_check_lines() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken bigint;
BEGIN
    SELECT reading.id INTO broken
        FROM (SELECT DISTINCT reading_id FROM added) AS come
        JOIN reconciliation_reading AS reading ON reading.id = come.reading_id
        WHERE reading.lines_count <> (
            SELECT count(*) FROM reconciliation_line WHERE reading_id = reading.id) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the lines of reading % are not all of them', broken
            USING ERRCODE = 'check_violation', CONSTRAINT = 'lines_of_a_reading_come_whole';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lines_of_a_reading_come_whole AFTER INSERT ON reconciliation_line
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION reconciliation_check_lines();

CREATE FUNCTION reconciliation_check_reading() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.lines_count <> (
        SELECT count(*) FROM reconciliation_line WHERE reading_id = NEW.id) THEN
        RAISE EXCEPTION 'reading % says % lines and has others', NEW.id, NEW.lines_count
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_reading_has_its_lines';
    END IF;
    RETURN NULL;
END $$;
-- Deferred, since a reading is written before its lines.
CREATE CONSTRAINT TRIGGER a_reading_has_its_lines AFTER INSERT ON reconciliation_reading
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION reconciliation_check_reading();
"""

# Only a sound bill of this very day that was taken is compared with the books.
DAYS_COMPARE_WHAT_WAS_TAKEN = """
CREATE FUNCTION reconciliation_check_day() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    broken text;
BEGIN
    IF TG_OP = 'UPDATE'
        AND (NEW.channel, NEW.bill, NEW.day) IS DISTINCT FROM (OLD.channel, OLD.bill, OLD.day) THEN
        broken := 'a_day_stays_the_day_it_is';
    ELSIF NEW.reading_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM reconciliation_reading AS reading
            JOIN reconciliation_file AS file ON file.id = reading.file_id
            JOIN reconciliation_file_decision AS decision ON decision.file_id = file.id
        WHERE reading.id = NEW.reading_id AND reading.state IN ('read', 'empty')
            AND decision.is_taken
            AND (file.channel, file.bill, file.day) = (NEW.channel, NEW.bill, NEW.day)) THEN
        broken := 'a_day_is_compared_by_a_sound_file_that_was_taken';
    END IF;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION '% % % breaks %', NEW.channel, NEW.bill, NEW.day, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER days_compare_what_was_taken BEFORE INSERT OR UPDATE ON reconciliation_bill_day
    FOR EACH ROW EXECUTE FUNCTION reconciliation_check_day();
"""

# A break is closed once; by two people only as the first of them proposed, on the facts that stood
# then; and if that moves money, by a journal that bears the break's name.
BREAKS_MOVE_BY_THE_RULES = """
CREATE FUNCTION reconciliation_check_break() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    named text[] := '{id,public_id,channel,bill,event,key,found_at}';
    proposal text[] := '{kind,ours_minor,theirs_minor,currency,book_id,version,remedy,reason,'
        'proposed_by,proposed_at}';
    broken text;
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' THEN
            broken := 'a_break_begins_open';
        END IF;
    ELSIF (SELECT bool_or(to_jsonb(NEW) -> name IS DISTINCT FROM to_jsonb(OLD) -> name)
            FROM unnest(named) AS name) THEN
        broken := 'a_break_keeps_its_name';
    ELSIF OLD.state = 'closed'
        AND (to_jsonb(NEW) - 'stopped_sending_at') IS DISTINCT FROM (to_jsonb(OLD) - 'stopped_sending_at')
    THEN
        broken := 'a_closed_break_stays_closed';
    ELSIF OLD.state = 'proposed' AND (NEW.state = 'proposed' OR NEW.closing = 'by_two')
        AND (SELECT bool_or(to_jsonb(NEW) -> name IS DISTINCT FROM to_jsonb(OLD) -> name)
            FROM unnest(proposal) AS name) THEN
        broken := 'a_proposal_stands_as_it_was_made';
    ELSIF OLD.state = 'open' AND NEW.closing = 'by_two' THEN
        broken := 'a_break_is_proposed_before_it_is_confirmed';
    ELSIF NEW.closing = 'by_two' AND NEW.remedy <> 'explain' AND OLD.state <> 'closed'
        AND NOT EXISTS (
            SELECT 1 FROM ledger_journal WHERE book_id = NEW.book_id
                AND kind = 'reconciliation.correction' AND reference = NEW.public_id
                AND amounts = ARRAY[abs(NEW.theirs_minor - NEW.ours_minor)]::bigint[]) THEN
        broken := 'a_correction_is_posted';
    END IF;
    IF broken IS NOT NULL THEN
        RAISE EXCEPTION 'break % breaks %', NEW.public_id, broken
            USING ERRCODE = 'check_violation', CONSTRAINT = broken;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER breaks_move_by_the_rules BEFORE INSERT OR UPDATE ON reconciliation_break
    FOR EACH ROW EXECUTE FUNCTION reconciliation_check_break();
"""

UNDO = """
DROP TRIGGER breaks_move_by_the_rules ON reconciliation_break;
DROP TRIGGER days_compare_what_was_taken ON reconciliation_bill_day;
DROP TRIGGER a_reading_has_its_lines ON reconciliation_reading;
DROP TRIGGER lines_of_a_reading_come_whole ON reconciliation_line;
ALTER TABLE reconciliation_file DROP CONSTRAINT a_file_is_its_hash;
DROP TRIGGER days_never_leave ON reconciliation_bill_day;
DROP TRIGGER breaks_never_leave ON reconciliation_break;
DROP TRIGGER steps_never_change ON reconciliation_break_step;
DROP TRIGGER decisions_never_change ON reconciliation_file_decision;
DROP TRIGGER lines_never_change ON reconciliation_line;
DROP TRIGGER readings_never_change ON reconciliation_reading;
DROP TRIGGER files_never_change ON reconciliation_file;
DROP FUNCTION reconciliation_check_break, reconciliation_check_day, reconciliation_check_reading,
    reconciliation_check_lines, reconciliation_refuse_change;
"""


class Migration(migrations.Migration):
    dependencies = [("reconciliation", "0001_files_and_breaks"), ("ledger", "0002_posting")]

    operations = [
        migrations.RunSQL(
            [
                NOTHING_IS_REWRITTEN,
                LINES_COME_WHOLE,
                DAYS_COMPARE_WHAT_WAS_TAKEN,
                BREAKS_MOVE_BY_THE_RULES,
            ],
            UNDO,
        )
    ]
