"""Posting in SQL: the rules that keep a book true, and the two functions that write it."""

from django.db import migrations

# A journal is one row with its lines in three arrays of one length: there is no moment at which
# it could have no lines, half of them, or more of them later.
LINES_ARE_WELL_FORMED = """
ALTER TABLE ledger_journal
    ADD CONSTRAINT a_journal_has_lines CHECK (
        array_ndims(amounts) = 1 AND cardinality(amounts) BETWEEN 1 AND 32
        AND cardinality(debits) = cardinality(amounts) AND cardinality(credits) = cardinality(amounts)),
    ADD CONSTRAINT entry_amount_is_positive CHECK (0 < ALL (amounts)),
    ADD CONSTRAINT entry_accounts_are_of_the_chart CHECK (
        debits <@ '{1,2,3,11,12,13,14,15,16}'::smallint[]
        AND credits <@ '{1,2,3,11,12,13,14,15,16}'::smallint[]);
-- By the equation of the book this bounds every account and every sum of them: a balance can always
-- be read as Money.
ALTER TABLE ledger_book
    ADD CONSTRAINT a_book_holds_no_more_than_money_can_count CHECK (
        at_channel + receivable + channel_fee <= 1000000000000000);
-- Room for updated versions of a row in its own page: an update then touches no index.
ALTER TABLE ledger_book SET (fillfactor = 70);
"""

# Journals are the memory of the books: nothing ever changes or leaves.
NOTHING_IS_REWRITTEN = """
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER journals_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_journal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER books_never_leave BEFORE DELETE OR TRUNCATE ON ledger_book
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
-- At depth 0 somebody updates the book directly; the trigger on journals does so at depth 1.
CREATE TRIGGER only_journals_move_balances BEFORE UPDATE ON ledger_book
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_refuse_change();
"""

# Whoever inserts a journal, by whatever statement, moves the balances by exactly its lines and
# takes the next number of the book.
JOURNALS_MOVE_BALANCES = """
CREATE FUNCTION ledger_apply_journal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- By account number: debits less credits.
    moved bigint[] := '{0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0}';
    debited smallint;
    credited smallint;
BEGIN
    FOR line IN 1 .. COALESCE(cardinality(NEW.amounts), 0) LOOP
        debited := NEW.debits[line];
        credited := NEW.credits[line];
        IF debited IS NULL OR credited IS NULL OR debited = credited
            OR debited NOT BETWEEN 1 AND 16 OR credited NOT BETWEEN 1 AND 16 THEN
            RAISE EXCEPTION 'an entry joins two accounts of the chart'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_joins_two_accounts';
        END IF;
        moved[debited] := moved[debited] + NEW.amounts[line];
        moved[credited] := moved[credited] - NEW.amounts[line];
    END LOOP;
    UPDATE ledger_book SET
        journals_count = journals_count + 1,
        at_channel = at_channel + moved[1],
        receivable = receivable + moved[2],
        channel_fee = channel_fee + moved[3],
        available = available - moved[11],
        frozen = frozen - moved[12],
        in_transit = in_transit - moved[13],
        compensation_payable = compensation_payable - moved[14],
        penalty_income = penalty_income - moved[15],
        fee_income = fee_income - moved[16]
    WHERE id = NEW.book_id
    RETURNING journals_count INTO NEW.journal_no;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no book %', NEW.book_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'a_journal_belongs_to_a_book';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER journals_move_balances BEFORE INSERT ON ledger_journal
    FOR EACH ROW EXECUTE FUNCTION ledger_apply_journal();
"""

ENTRIES = """
CREATE VIEW ledger_entry AS
    SELECT journal.book_id, journal.journal_no, line.entry_no::smallint AS entry_no,
        journal.kind, journal.reference, journal.occurred_at, journal.recorded_at,
        line.debit, line.credit, line.amount_minor
    FROM ledger_journal AS journal,
        unnest(journal.debits, journal.credits, journal.amounts)
            WITH ORDINALITY AS line (debit, credit, amount_minor, entry_no);
"""

POST_ONE = """
CREATE FUNCTION ledger_post(
    p_book bigint, p_kind varchar, p_reference varchar, p_occurred_at timestamptz, p_recorded_at timestamptz,
    p_debits smallint[], p_credits smallint[], p_amounts bigint[],
    OUT posted_no int, OUT is_new boolean
) LANGUAGE plpgsql AS $$
BEGIN
    -- Whoever posts to this book waits here; the search for the reference needs it.
    PERFORM 1 FROM ledger_book WHERE id = p_book FOR NO KEY UPDATE;
    SELECT journal_no INTO posted_no FROM ledger_journal
        WHERE book_id = p_book AND kind = p_kind AND reference = p_reference;
    is_new := NOT FOUND;
    IF is_new THEN
        INSERT INTO ledger_journal
            (book_id, kind, reference, occurred_at, recorded_at, debits, credits, amounts)
            VALUES (p_book, p_kind, p_reference, p_occurred_at, p_recorded_at, p_debits, p_credits, p_amounts)
            RETURNING journal_no INTO posted_no;
    END IF;
END $$;
"""

POST_MANY = """
-- Lines come as array literals, one text for each journal, since arrays of arrays must be rectangular.
CREATE FUNCTION ledger_post_many(
    p_books bigint[], p_kinds varchar[], p_references varchar[], p_occurred_at timestamptz[],
    p_recorded_at timestamptz, p_debits text[], p_credits text[], p_amounts text[]
) RETURNS TABLE (posted_no int, is_new boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    -- Books are locked in the order of their ids, so that two callers cannot wait for each other.
    PERFORM 1 FROM ledger_book WHERE id = ANY (p_books) ORDER BY id FOR NO KEY UPDATE;
    RETURN QUERY
    WITH asked AS MATERIALIZED (
        SELECT asked.*,
            row_number() OVER (PARTITION BY book_id, kind, reference ORDER BY ordinal) = 1 AS is_first
        FROM unnest(p_books, p_kinds, p_references, p_occurred_at, p_debits, p_credits, p_amounts)
            WITH ORDINALITY AS asked (
                book_id, kind, reference, occurred_at, debits, credits, amounts, ordinal)
    ), known AS MATERIALIZED (
        SELECT asked.ordinal, journal.journal_no FROM asked
        JOIN ledger_journal AS journal USING (book_id, kind, reference)
    ), fresh AS (
        INSERT INTO ledger_journal
            (book_id, kind, reference, occurred_at, recorded_at, debits, credits, amounts)
            SELECT book_id, kind, reference, occurred_at, p_recorded_at,
                debits::smallint[], credits::smallint[], amounts::bigint[]
            FROM asked
            WHERE is_first AND NOT EXISTS (SELECT 1 FROM known WHERE known.ordinal = asked.ordinal)
            ORDER BY ordinal
            RETURNING book_id, kind, reference, journal_no
    )
    SELECT COALESCE(fresh.journal_no, known.journal_no), fresh.journal_no IS NOT NULL AND is_first
    FROM asked LEFT JOIN fresh USING (book_id, kind, reference) LEFT JOIN known USING (ordinal)
    ORDER BY ordinal;
END $$;
"""

UNDO = """
DROP FUNCTION ledger_post_many, ledger_post;
DROP VIEW ledger_entry;
DROP TRIGGER journals_move_balances ON ledger_journal;
DROP TRIGGER only_journals_move_balances ON ledger_book;
DROP TRIGGER books_never_leave ON ledger_book;
DROP TRIGGER journals_never_change ON ledger_journal;
DROP FUNCTION ledger_apply_journal, ledger_refuse_change;
ALTER TABLE ledger_journal DROP CONSTRAINT a_journal_has_lines, DROP CONSTRAINT entry_amount_is_positive,
    DROP CONSTRAINT entry_accounts_are_of_the_chart;
ALTER TABLE ledger_book DROP CONSTRAINT a_book_holds_no_more_than_money_can_count;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_books_and_journals")]

    operations = [
        migrations.RunSQL(
            [
                LINES_ARE_WELL_FORMED,
                NOTHING_IS_REWRITTEN,
                JOURNALS_MOVE_BALANCES,
                ENTRIES,
                POST_ONE,
                POST_MANY,
            ],
            UNDO,
        )
    ]
