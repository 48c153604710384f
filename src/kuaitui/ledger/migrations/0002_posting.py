"""Posting in SQL: the rules that keep a book true, and the two functions that write it."""

from django.db import migrations

# What must be true of a value is part of its type. A domain's checks are compiled once a session, a
# table's once a statement: as table checks, the same rules doubled the cost of posting.
#
# A journal is one row with its lines in three arrays of one length: there is no moment at which it
# could have no lines, half of them, or more of them later.
VALUES_ARE_SOUND = """
CREATE DOMAIN ledger_amounts AS bigint[]
    CONSTRAINT a_journal_has_lines CHECK (
        array_ndims(VALUE) = 1 AND cardinality(VALUE) BETWEEN 1 AND 32)
    CONSTRAINT entry_amount_is_positive CHECK ((0 < ALL (VALUE)) IS TRUE);
CREATE DOMAIN ledger_accounts AS smallint[]
    CONSTRAINT entry_accounts_are_of_the_chart CHECK (VALUE <@ '{1,2,3,4,5,6,7,8,9}'::smallint[]);
CREATE DOMAIN ledger_balances AS bigint[]
    CONSTRAINT every_account_has_a_balance CHECK (
        array_ndims(VALUE) = 1 AND cardinality(VALUE) = 9 AND array_position(VALUE, NULL) IS NULL)
    CONSTRAINT at_channel_is_not_negative CHECK (VALUE[1] >= 0)
    CONSTRAINT receivable_is_not_negative CHECK (VALUE[2] >= 0)
    CONSTRAINT channel_fee_is_not_negative CHECK (VALUE[3] >= 0)
    CONSTRAINT available_is_not_negative CHECK (VALUE[4] >= 0)
    CONSTRAINT frozen_is_not_negative CHECK (VALUE[5] >= 0)
    CONSTRAINT in_transit_is_not_negative CHECK (VALUE[6] >= 0)
    CONSTRAINT compensation_payable_is_not_negative CHECK (VALUE[7] >= 0)
    CONSTRAINT penalty_income_is_not_negative CHECK (VALUE[8] >= 0)
    CONSTRAINT fee_income_is_not_negative CHECK (VALUE[9] >= 0)
    CONSTRAINT debits_equal_credits CHECK (
        VALUE[1] + VALUE[2] + VALUE[3]
            = VALUE[4] + VALUE[5] + VALUE[6] + VALUE[7] + VALUE[8] + VALUE[9])
    -- By the equation this bounds every account and every sum of them: a balance reads as Money.
    CONSTRAINT a_book_holds_no_more_than_money_can_count CHECK (
        VALUE[1] + VALUE[2] + VALUE[3] <= 1000000000000000);
ALTER TABLE ledger_journal
    ALTER debits TYPE ledger_accounts, ALTER credits TYPE ledger_accounts,
    ALTER amounts TYPE ledger_amounts;
ALTER TABLE ledger_book
    ALTER balances TYPE ledger_balances, ALTER balances SET DEFAULT '{0,0,0,0,0,0,0,0,0}',
    -- Room for updated versions of a row in its own page: an update then touches no index.
    SET (fillfactor = 70);
"""

# Journals are the memory of the books: nothing ever changes or leaves.
NOTHING_IS_REWRITTEN = """
CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused by %', TG_TABLE_NAME, TG_OP, TG_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER journals_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_journal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER books_never_leave BEFORE DELETE OR TRUNCATE ON ledger_book
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
CREATE TRIGGER a_new_book_is_empty BEFORE INSERT ON ledger_book
    FOR EACH ROW WHEN (NEW.journals_count <> 0 OR NEW.balances <> '{0,0,0,0,0,0,0,0,0}')
    EXECUTE FUNCTION ledger_refuse_change();
-- At depth 0 somebody updates the book directly; the trigger on journals does so at depth 1.
CREATE TRIGGER only_journals_move_balances BEFORE UPDATE ON ledger_book
    FOR EACH ROW WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_refuse_change();
"""

# Whoever inserts a journal, by whatever statement, moves the balances by exactly its lines and
# takes the next number of the book.
JOURNALS_MOVE_BALANCES = """
CREATE FUNCTION ledger_moved(balances bigint[], debits smallint[], credits smallint[], amounts bigint[])
    RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF cardinality(debits) <> cardinality(amounts) OR cardinality(credits) <> cardinality(amounts) THEN
        RAISE EXCEPTION 'every line has a debit, a credit and an amount: a_journal_has_lines'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'a_journal_has_lines';
    END IF;
    FOR line IN 1 .. cardinality(amounts) LOOP
        IF (debits[line] <> credits[line]) IS NOT TRUE THEN
            RAISE EXCEPTION 'an entry joins two accounts'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_joins_two_accounts';
        END IF;
        -- A debit grows assets and expenses, the accounts up to 3, and shrinks all others.
        balances[debits[line]] := balances[debits[line]]
            + CASE WHEN debits[line] <= 3 THEN amounts[line] ELSE -amounts[line] END;
        balances[credits[line]] := balances[credits[line]]
            - CASE WHEN credits[line] <= 3 THEN amounts[line] ELSE -amounts[line] END;
    END LOOP;
    RETURN balances;
END $$;

-- A writer that gives the right next number needs one update. If somebody else was faster, and that
-- was with this very reference, the row is left out: posting twice is a no-op. A writer that gives no
-- number is given one, and meets the unique index.
CREATE FUNCTION ledger_apply_journal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ledger_book SET journals_count = NEW.journal_no,
            balances = ledger_moved(balances, NEW.debits, NEW.credits, NEW.amounts)
        WHERE id = NEW.book_id AND journals_count = NEW.journal_no - 1;
    IF FOUND THEN
        RETURN NEW;
    END IF;
    PERFORM 1 FROM ledger_book WHERE id = NEW.book_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no book %', NEW.book_id
            USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'a_journal_belongs_to_a_book';
    END IF;
    IF NEW.journal_no IS NOT NULL AND EXISTS (
        SELECT 1 FROM ledger_journal
        WHERE book_id = NEW.book_id AND kind = NEW.kind AND reference = NEW.reference) THEN
        RETURN NULL;
    END IF;
    UPDATE ledger_book SET journals_count = journals_count + 1,
            balances = ledger_moved(balances, NEW.debits, NEW.credits, NEW.amounts)
        WHERE id = NEW.book_id RETURNING journals_count INTO NEW.journal_no;
    RETURN NEW;
END $$;
CREATE TRIGGER journals_move_balances BEFORE INSERT ON ledger_journal
    FOR EACH ROW EXECUTE FUNCTION ledger_apply_journal();
"""

VIEWS = """
CREATE VIEW ledger_entry AS
    SELECT journal.book_id, journal.journal_no, line.entry_no::smallint AS entry_no,
        journal.kind, journal.reference, journal.occurred_at, journal.recorded_at,
        line.debit, line.credit, line.amount_minor
    FROM ledger_journal AS journal,
        unnest(journal.debits, journal.credits, journal.amounts)
            WITH ORDINALITY AS line (debit, credit, amount_minor, entry_no);
CREATE VIEW ledger_balance AS
    SELECT id AS book_id, currency, opened_at, journals_count,
        balances[1] AS at_channel, balances[2] AS receivable, balances[3] AS channel_fee,
        balances[4] AS available, balances[5] AS frozen, balances[6] AS in_transit,
        balances[7] AS compensation_payable, balances[8] AS penalty_income, balances[9] AS fee_income
    FROM ledger_book;
"""

POST_ONE = """
CREATE FUNCTION ledger_post(
    p_book bigint, p_kind varchar, p_reference varchar, p_occurred_at timestamptz, p_recorded_at timestamptz,
    p_debits smallint[], p_credits smallint[], p_amounts bigint[],
    OUT posted_no int, OUT is_new boolean
) LANGUAGE plpgsql AS $$
DECLARE
    next_no int;
BEGIN
    LOOP
        SELECT book.journals_count + 1, journal.journal_no INTO next_no, posted_no
            FROM ledger_book AS book LEFT JOIN ledger_journal AS journal
                ON journal.book_id = book.id AND journal.kind = p_kind AND journal.reference = p_reference
            WHERE book.id = p_book;
        is_new := posted_no IS NULL;
        EXIT WHEN NOT is_new;
        INSERT INTO ledger_journal
            (book_id, journal_no, kind, reference, occurred_at, recorded_at, debits, credits, amounts)
            VALUES (p_book, next_no, p_kind, p_reference, p_occurred_at, p_recorded_at,
                p_debits, p_credits, p_amounts)
            RETURNING journal_no INTO posted_no;
        -- Left out: another writer has just posted this reference, and the next look finds it.
        EXIT WHEN FOUND;
    END LOOP;
END $$;
"""

POST_MANY = """
-- Lines come as array literals, one text for each journal, since arrays of arrays must be rectangular.
-- A `posted_no` of NULL means that another writer has just posted this reference: ask again.
CREATE FUNCTION ledger_post_many(
    p_books bigint[], p_kinds varchar[], p_references varchar[], p_occurred_at timestamptz[],
    p_recorded_at timestamptz, p_debits text[], p_credits text[], p_amounts text[]
) RETURNS TABLE (posted_no int, is_new boolean) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
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
        -- Books are moved in the order of their ids, so that two callers cannot wait for each other.
        INSERT INTO ledger_journal
            (book_id, journal_no, kind, reference, occurred_at, recorded_at, debits, credits, amounts)
            SELECT asked.book_id,
                book.journals_count + row_number() OVER (PARTITION BY asked.book_id ORDER BY ordinal),
                kind, reference, occurred_at, p_recorded_at,
                debits::smallint[], credits::smallint[], amounts::bigint[]
            FROM asked LEFT JOIN ledger_book AS book ON book.id = asked.book_id
            WHERE is_first AND NOT EXISTS (SELECT 1 FROM known WHERE known.ordinal = asked.ordinal)
            ORDER BY asked.book_id, ordinal
            RETURNING book_id, kind, reference, journal_no
    )
    SELECT COALESCE(fresh.journal_no, known.journal_no), fresh.journal_no IS NOT NULL AND is_first
    FROM asked LEFT JOIN fresh USING (book_id, kind, reference) LEFT JOIN known USING (ordinal)
    ORDER BY ordinal;
END $$;
"""

UNDO = """
DROP FUNCTION ledger_post_many, ledger_post;
DROP VIEW ledger_balance, ledger_entry;
DROP TRIGGER journals_move_balances ON ledger_journal;
DROP TRIGGER only_journals_move_balances ON ledger_book;
DROP TRIGGER a_new_book_is_empty ON ledger_book;
DROP TRIGGER books_never_leave ON ledger_book;
DROP TRIGGER journals_never_change ON ledger_journal;
DROP FUNCTION ledger_apply_journal, ledger_moved, ledger_refuse_change;
ALTER TABLE ledger_book ALTER balances DROP DEFAULT, ALTER balances TYPE bigint[];
ALTER TABLE ledger_journal ALTER debits TYPE smallint[], ALTER credits TYPE smallint[],
    ALTER amounts TYPE bigint[];
DROP DOMAIN ledger_balances, ledger_accounts, ledger_amounts;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_books_and_journals")]

    operations = [
        migrations.RunSQL(
            [
                VALUES_ARE_SOUND,
                NOTHING_IS_REWRITTEN,
                JOURNALS_MOVE_BALANCES,
                VIEWS,
                POST_ONE,
                POST_MANY,
            ],
            UNDO,
        )
    ]
