"""What the database itself guarantees: logs that only grow, and a summary that is always true."""

from django.db import migrations

KEYS = """
-- Orders as reported: only ever appended and read as a whole, so no index slows the intake.
CREATE TABLE facts_order_report (
    shop_key bigint NOT NULL,
    intake_key bigint NOT NULL,
    status_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    amount_minor bigint NOT NULL,
    status smallint NOT NULL,
    order_id text NOT NULL
);
CREATE SEQUENCE facts_report_no CACHE 100;
ALTER TABLE facts_report ALTER COLUMN report_no SET DEFAULT nextval('facts_report_no');
CREATE SEQUENCE facts_refusal_no CACHE 100;
ALTER TABLE facts_refused_row ALTER COLUMN refusal_no SET DEFAULT nextval('facts_refusal_no');
-- A shop is never removed (below), so one check when a row appears is enough; the two tables of
-- orders are spared it, since their rows get the key from facts_shop in the same statement.
ALTER TABLE facts_report ADD CONSTRAINT a_report_belongs_to_a_shop
    FOREIGN KEY (shop_key) REFERENCES facts_shop (id);
ALTER TABLE facts_case ADD CONSTRAINT a_case_belongs_to_a_shop
    FOREIGN KEY (shop_key) REFERENCES facts_shop (id);
ALTER TABLE facts_restriction ADD CONSTRAINT a_restriction_belongs_to_a_shop
    FOREIGN KEY (shop_key) REFERENCES facts_shop (id);
ALTER TABLE facts_debt ADD CONSTRAINT a_debt_belongs_to_a_shop
    FOREIGN KEY (shop_key) REFERENCES facts_shop (id);
ALTER TABLE facts_summary ADD CONSTRAINT a_summary_belongs_to_a_shop
    FOREIGN KEY (shop_key) REFERENCES facts_shop (id);
-- Room for updated versions of a row in its own page: an update then touches no index.
ALTER TABLE facts_summary SET (fillfactor = 70);
"""
KEYS_REVERSE = """
ALTER TABLE facts_summary DROP CONSTRAINT a_summary_belongs_to_a_shop;
ALTER TABLE facts_debt DROP CONSTRAINT a_debt_belongs_to_a_shop;
ALTER TABLE facts_restriction DROP CONSTRAINT a_restriction_belongs_to_a_shop;
ALTER TABLE facts_case DROP CONSTRAINT a_case_belongs_to_a_shop;
ALTER TABLE facts_report DROP CONSTRAINT a_report_belongs_to_a_shop;
ALTER TABLE facts_refused_row ALTER COLUMN refusal_no DROP DEFAULT;
DROP SEQUENCE facts_refusal_no;
ALTER TABLE facts_report ALTER COLUMN report_no DROP DEFAULT;
DROP SEQUENCE facts_report_no;
DROP TABLE facts_order_report;
"""

# Reports are evidence: what was said when. Nothing about them is ever changed or removed.
NOTHING_IS_REWRITTEN = """
CREATE FUNCTION facts_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: %', TG_OP, TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER order_reports_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON facts_order_report
    FOR EACH STATEMENT EXECUTE FUNCTION facts_refuse_change('reports are append-only');
CREATE TRIGGER reports_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON facts_report
    FOR EACH STATEMENT EXECUTE FUNCTION facts_refuse_change('reports are append-only');
CREATE TRIGGER shops_never_leave BEFORE DELETE OR TRUNCATE ON facts_shop
    FOR EACH STATEMENT EXECUTE FUNCTION facts_refuse_change('facts keep its key');
CREATE TRIGGER orders_never_leave BEFORE DELETE OR TRUNCATE ON facts_order
    FOR EACH STATEMENT EXECUTE FUNCTION facts_refuse_change('close the order by a report');
CREATE TRIGGER cases_never_leave BEFORE DELETE OR TRUNCATE ON facts_case
    FOR EACH STATEMENT EXECUTE FUNCTION facts_refuse_change('close the case by a report');
CREATE TRIGGER restrictions_never_leave BEFORE DELETE OR TRUNCATE ON facts_restriction
    FOR EACH STATEMENT EXECUTE FUNCTION facts_refuse_change('end the restriction by a report');
CREATE TRIGGER debts_never_leave BEFORE DELETE OR TRUNCATE ON facts_debt
    FOR EACH STATEMENT EXECUTE FUNCTION facts_refuse_change('settle the debt by a report');
CREATE TRIGGER summaries_never_leave BEFORE DELETE OR TRUNCATE ON facts_summary
    FOR EACH STATEMENT EXECUTE FUNCTION facts_refuse_change('a shop keeps its summary');
-- At depth 0 somebody writes a summary directly; the triggers on facts do so at depth 1.
CREATE TRIGGER only_facts_move_summaries BEFORE INSERT OR UPDATE ON facts_summary
    FOR EACH ROW WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION facts_refuse_change('it follows from the facts');
"""
NOTHING_IS_REWRITTEN_REVERSE = """
DROP TRIGGER only_facts_move_summaries ON facts_summary;
DROP TRIGGER summaries_never_leave ON facts_summary;
DROP TRIGGER debts_never_leave ON facts_debt;
DROP TRIGGER restrictions_never_leave ON facts_restriction;
DROP TRIGGER cases_never_leave ON facts_case;
DROP TRIGGER orders_never_leave ON facts_order;
DROP TRIGGER shops_never_leave ON facts_shop;
DROP TRIGGER reports_never_change ON facts_report;
DROP TRIGGER order_reports_never_change ON facts_order_report;
DROP FUNCTION facts_refuse_change();
"""

SUMMARY_FOLLOWS_THE_SHOP = """
CREATE FUNCTION facts_summary_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO facts_summary (shop_key, kind, standing, currency, zone, opened_at,
        closing_notice_at, closed_at, expelled_at, listings_on_sale, withdrawable_balance_minor,
        latest_order_at, latest_at)
    SELECT id, kind, standing, currency, zone, opened_at, closing_notice_at, closed_at, expelled_at,
        listings_on_sale, withdrawable_balance_minor, 'epoch', 'epoch'
    FROM added ORDER BY id;
    RETURN NULL;
END $$;
CREATE TRIGGER summary_begins AFTER INSERT ON facts_shop REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION facts_summary_begins();

CREATE FUNCTION facts_summary_follows_shop() RETURNS trigger LANGUAGE plpgsql
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
BEGIN
    UPDATE facts_summary AS summary SET kind = shop.kind, standing = shop.standing,
        currency = shop.currency, zone = shop.zone, opened_at = shop.opened_at,
        closing_notice_at = shop.closing_notice_at, closed_at = shop.closed_at,
        expelled_at = shop.expelled_at, listings_on_sale = shop.listings_on_sale,
        withdrawable_balance_minor = shop.withdrawable_balance_minor
    FROM changed AS shop WHERE summary.shop_key = shop.id;
    RETURN NULL;
END $$;
CREATE TRIGGER summary_follows_shop AFTER UPDATE ON facts_shop REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION facts_summary_follows_shop();
"""
SUMMARY_FOLLOWS_THE_SHOP_REVERSE = """
DROP TRIGGER summary_follows_shop ON facts_shop;
DROP FUNCTION facts_summary_follows_shop();
DROP TRIGGER summary_begins ON facts_shop;
DROP FUNCTION facts_summary_begins();
"""

# Orders are many: the summary moves by what the statement changed, whoever wrote it. Each function
# is told to look the shops up by key: a plan that reads every summary would be kept and used again.
SUMMARY_FOLLOWS_ORDERS = """
CREATE FUNCTION facts_summary_gains_orders() RETURNS trigger LANGUAGE plpgsql
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
BEGIN
    UPDATE facts_summary AS summary SET
        open_orders = summary.open_orders + moved.opened,
        latest_order_at = GREATEST(summary.latest_order_at, moved.latest_at),
        (last_completed_at, last_completed_order_id) = (
            SELECT last.status_at, last.order_id FROM (VALUES
                (summary.last_completed_at, summary.last_completed_order_id),
                (moved.completed_at, moved.completed_order_id)) AS last (status_at, order_id)
            ORDER BY last.status_at DESC NULLS LAST, last.order_id LIMIT 1)
    FROM (
        SELECT shop_key, (count(*) FILTER (WHERE status < 5))::int AS opened,
            max(status_at) AS latest_at, max(status_at) FILTER (WHERE status = 5) AS completed_at,
            (array_agg(order_id ORDER BY status_at DESC, order_id) FILTER (WHERE status = 5))[1]
                AS completed_order_id
        FROM added GROUP BY shop_key
    ) AS moved
    WHERE summary.shop_key = moved.shop_key AND (moved.opened > 0
        OR moved.latest_at > summary.latest_order_at
        OR moved.completed_at >= COALESCE(summary.last_completed_at, '-infinity'));
    RETURN NULL;
END $$;
CREATE TRIGGER summary_gains_orders AFTER INSERT ON facts_order REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION facts_summary_gains_orders();

CREATE FUNCTION facts_summary_follows_orders() RETURNS trigger LANGUAGE plpgsql
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
BEGIN
    -- The order that was completed last may be so no more: then the next to last is looked for.
    UPDATE facts_summary AS summary SET (last_completed_at, last_completed_order_id) = (
        SELECT o.status_at, o.order_id FROM facts_order AS o
        WHERE o.shop_key = summary.shop_key AND o.status = 5
        ORDER BY o.status_at DESC, o.order_id LIMIT 1)
    FROM was WHERE was.shop_key = summary.shop_key AND was.status = 5
        AND was.order_id = summary.last_completed_order_id;
    UPDATE facts_summary AS summary SET
        open_orders = summary.open_orders + moved.opened,
        latest_order_at = GREATEST(summary.latest_order_at, moved.latest_at),
        (last_completed_at, last_completed_order_id) = (
            SELECT last.status_at, last.order_id FROM (VALUES
                (summary.last_completed_at, summary.last_completed_order_id),
                (moved.completed_at, moved.completed_order_id)) AS last (status_at, order_id)
            ORDER BY last.status_at DESC NULLS LAST, last.order_id LIMIT 1)
    FROM (
        SELECT shop_key, sum(opened)::int AS opened, max(status_at) AS latest_at,
            max(status_at) FILTER (WHERE status = 5) AS completed_at,
            (array_agg(order_id ORDER BY status_at DESC, order_id) FILTER (WHERE status = 5))[1]
                AS completed_order_id
        FROM (
            SELECT shop_key, NULL AS order_id, NULL::smallint AS status,
                NULL::timestamptz AS status_at, -(status < 5)::int AS opened
            FROM was
            UNION ALL
            SELECT shop_key, order_id, status, status_at, (status < 5)::int FROM became
        ) AS change GROUP BY shop_key
    ) AS moved
    WHERE summary.shop_key = moved.shop_key;
    RETURN NULL;
END $$;
CREATE TRIGGER summary_follows_orders AFTER UPDATE ON facts_order
    REFERENCING OLD TABLE AS was NEW TABLE AS became
    FOR EACH STATEMENT EXECUTE FUNCTION facts_summary_follows_orders();
"""
SUMMARY_FOLLOWS_ORDERS_REVERSE = """
DROP TRIGGER summary_follows_orders ON facts_order;
DROP FUNCTION facts_summary_follows_orders();
DROP TRIGGER summary_gains_orders ON facts_order;
DROP FUNCTION facts_summary_gains_orders();
"""

# Cases, restrictions and debts are few: what is open is counted afresh for the shops they touch.
# The row is locked before counting, so of two at the same time the second counts both.
SUMMARY_FOLLOWS_CASES = """
CREATE FUNCTION facts_summary_follows_cases() RETURNS trigger LANGUAGE plpgsql
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    shops bigint[];
BEGIN
    SELECT array_agg(DISTINCT shop_key ORDER BY shop_key) INTO shops FROM became;
    PERFORM 1 FROM facts_summary WHERE shop_key = ANY (shops) ORDER BY shop_key FOR UPDATE;
    UPDATE facts_summary AS summary SET
        open_after_sales = counted.after_sales, open_disputes = counted.disputes,
        open_violations = counted.violations, last_dispute_closed_at = counted.dispute_closed_at,
        latest_at = GREATEST(summary.latest_at, counted.latest_at)
    FROM (
        SELECT touched.shop_key, touched.latest_at, ended.closed_at AS dispute_closed_at, standing.*
        FROM (
            SELECT shop_key, max(GREATEST(opened_at, closed_at)) AS latest_at
            FROM became GROUP BY shop_key
        ) AS touched
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE kind = 1) AS after_sales,
                count(*) FILTER (WHERE kind = 2) AS disputes,
                count(*) FILTER (WHERE kind = 3) AS violations
            FROM facts_case AS c WHERE c.shop_key = touched.shop_key AND c.status < 3
        ) AS standing
        LEFT JOIN LATERAL (
            SELECT c.closed_at FROM facts_case AS c
            WHERE c.shop_key = touched.shop_key AND c.kind = 2 AND c.closed_at IS NOT NULL
            ORDER BY c.closed_at DESC LIMIT 1
        ) AS ended ON true
    ) AS counted WHERE summary.shop_key = counted.shop_key;
    RETURN NULL;
END $$;
CREATE TRIGGER summary_gains_cases AFTER INSERT ON facts_case REFERENCING NEW TABLE AS became
    FOR EACH STATEMENT EXECUTE FUNCTION facts_summary_follows_cases();
CREATE TRIGGER summary_follows_cases AFTER UPDATE ON facts_case REFERENCING NEW TABLE AS became
    FOR EACH STATEMENT EXECUTE FUNCTION facts_summary_follows_cases();
"""
SUMMARY_FOLLOWS_CASES_REVERSE = """
DROP TRIGGER summary_follows_cases ON facts_case;
DROP TRIGGER summary_gains_cases ON facts_case;
DROP FUNCTION facts_summary_follows_cases();
"""

# `latest_at` covers every report, not only those that won: so it does not depend on their order.
SUMMARY_FOLLOWS_REPORTS = """
CREATE FUNCTION facts_summary_follows_reports() RETURNS trigger LANGUAGE plpgsql
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
BEGIN
    UPDATE facts_summary AS summary SET latest_at = reported.latest_at
    FROM (SELECT shop_key, max(latest_at) AS latest_at FROM added GROUP BY shop_key) AS reported
    WHERE summary.shop_key = reported.shop_key AND reported.latest_at > summary.latest_at;
    RETURN NULL;
END $$;
CREATE TRIGGER summary_follows_reports AFTER INSERT ON facts_report REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION facts_summary_follows_reports();
"""
SUMMARY_FOLLOWS_REPORTS_REVERSE = """
DROP TRIGGER summary_follows_reports ON facts_report;
DROP FUNCTION facts_summary_follows_reports();
"""

SUMMARY_FOLLOWS_RESTRICTIONS = """
CREATE FUNCTION facts_summary_follows_restrictions() RETURNS trigger LANGUAGE plpgsql
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    shops bigint[];
BEGIN
    SELECT array_agg(DISTINCT shop_key ORDER BY shop_key) INTO shops FROM became;
    PERFORM 1 FROM facts_summary WHERE shop_key = ANY (shops) ORDER BY shop_key FOR UPDATE;
    UPDATE facts_summary AS summary SET
        listing_restrictions = counted.listing, sales_restrictions = counted.sales,
        withdrawal_restrictions = counted.withdrawal, live_restrictions = counted.live,
        latest_at = GREATEST(summary.latest_at, counted.latest_at)
    FROM (
        SELECT touched.shop_key, touched.latest_at, standing.*
        FROM (
            SELECT shop_key, max(GREATEST(from_at, to_at)) AS latest_at
            FROM became GROUP BY shop_key
        ) AS touched
        CROSS JOIN LATERAL (
            SELECT count(*) FILTER (WHERE kind = 1) AS listing,
                count(*) FILTER (WHERE kind = 2) AS sales,
                count(*) FILTER (WHERE kind = 3) AS withdrawal,
                count(*) FILTER (WHERE kind = 4) AS live
            FROM facts_restriction AS r WHERE r.shop_key = touched.shop_key AND r.to_at IS NULL
        ) AS standing
    ) AS counted WHERE summary.shop_key = counted.shop_key;
    RETURN NULL;
END $$;
CREATE TRIGGER summary_gains_restrictions AFTER INSERT ON facts_restriction
    REFERENCING NEW TABLE AS became
    FOR EACH STATEMENT EXECUTE FUNCTION facts_summary_follows_restrictions();
CREATE TRIGGER summary_follows_restrictions AFTER UPDATE ON facts_restriction
    REFERENCING NEW TABLE AS became
    FOR EACH STATEMENT EXECUTE FUNCTION facts_summary_follows_restrictions();
"""
SUMMARY_FOLLOWS_RESTRICTIONS_REVERSE = """
DROP TRIGGER summary_follows_restrictions ON facts_restriction;
DROP TRIGGER summary_gains_restrictions ON facts_restriction;
DROP FUNCTION facts_summary_follows_restrictions();
"""

SUMMARY_FOLLOWS_DEBTS = """
CREATE FUNCTION facts_summary_follows_debts() RETURNS trigger LANGUAGE plpgsql
    SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
    shops bigint[];
BEGIN
    SELECT array_agg(DISTINCT shop_key ORDER BY shop_key) INTO shops FROM became;
    PERFORM 1 FROM facts_summary WHERE shop_key = ANY (shops) ORDER BY shop_key FOR UPDATE;
    UPDATE facts_summary AS summary SET
        open_debts = counted.debts, owed_minor = counted.owed_minor,
        latest_at = GREATEST(summary.latest_at, counted.latest_at)
    FROM (
        SELECT touched.shop_key, touched.latest_at, standing.*
        FROM (
            SELECT shop_key, max(status_at) AS latest_at FROM became GROUP BY shop_key
        ) AS touched
        CROSS JOIN LATERAL (
            SELECT count(*) AS debts, COALESCE(sum(amount_minor), 0) AS owed_minor
            FROM facts_debt AS d WHERE d.shop_key = touched.shop_key AND d.status = 1
        ) AS standing
    ) AS counted WHERE summary.shop_key = counted.shop_key;
    RETURN NULL;
END $$;
CREATE TRIGGER summary_gains_debts AFTER INSERT ON facts_debt REFERENCING NEW TABLE AS became
    FOR EACH STATEMENT EXECUTE FUNCTION facts_summary_follows_debts();
CREATE TRIGGER summary_follows_debts AFTER UPDATE ON facts_debt REFERENCING NEW TABLE AS became
    FOR EACH STATEMENT EXECUTE FUNCTION facts_summary_follows_debts();
"""
SUMMARY_FOLLOWS_DEBTS_REVERSE = """
DROP TRIGGER summary_follows_debts ON facts_debt;
DROP TRIGGER summary_gains_debts ON facts_debt;
DROP FUNCTION facts_summary_follows_debts();
"""


class Migration(migrations.Migration):
    dependencies = [("facts", "0001_shops_reports_states")]

    operations = [
        migrations.RunSQL(KEYS, KEYS_REVERSE),
        migrations.RunSQL(NOTHING_IS_REWRITTEN, NOTHING_IS_REWRITTEN_REVERSE),
        migrations.RunSQL(SUMMARY_FOLLOWS_THE_SHOP, SUMMARY_FOLLOWS_THE_SHOP_REVERSE),
        migrations.RunSQL(SUMMARY_FOLLOWS_ORDERS, SUMMARY_FOLLOWS_ORDERS_REVERSE),
        migrations.RunSQL(SUMMARY_FOLLOWS_REPORTS, SUMMARY_FOLLOWS_REPORTS_REVERSE),
        migrations.RunSQL(SUMMARY_FOLLOWS_CASES, SUMMARY_FOLLOWS_CASES_REVERSE),
        migrations.RunSQL(SUMMARY_FOLLOWS_RESTRICTIONS, SUMMARY_FOLLOWS_RESTRICTIONS_REVERSE),
        migrations.RunSQL(SUMMARY_FOLLOWS_DEBTS, SUMMARY_FOLLOWS_DEBTS_REVERSE),
    ]
