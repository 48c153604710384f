"""The summary as it is at a given moment: what bulk assessment reads."""

from django.db import migrations

# Published: the columns are those of `kuaitui.policy.measures.COLUMNS` that come from facts.
# Nearly every shop is answered from its stored summary. Only where something was reported to begin
# or end after the moment asked for, its open things are looked at one by one. One SELECT without
# side effects, so PostgreSQL melts it into the statement that uses it.
SUMMARY_AT_A_MOMENT = """
CREATE FUNCTION facts_shop_summary_at(as_of timestamptz) RETURNS TABLE (
    shop_key bigint, kind text, standing text, currency varchar, zone text,
    open_orders int, open_orders_until timestamptz,
    last_order_completed_at timestamptz, last_order_completing_at timestamptz,
    open_after_sales int, open_after_sales_until timestamptz,
    open_disputes int, open_disputes_until timestamptz,
    last_dispute_closed_at timestamptz, last_dispute_closing_at timestamptz,
    open_violations int, open_violations_until timestamptz,
    restricted_listing_until timestamptz, restricted_sales_until timestamptz,
    restricted_withdrawal_until timestamptz, restricted_live_until timestamptz,
    closing_notice_at timestamptz, closed_at timestamptz, expelled_at timestamptz,
    open_debt_minor bigint, listings_on_sale int, withdrawable_balance_minor bigint
) LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT s.shop_key, s.kind, s.standing, s.currency, s.zone,
        s.open_orders, NULL::timestamptz,
        s.last_completed_at, NULL::timestamptz,
        s.open_after_sales, NULL::timestamptz,
        s.open_disputes, NULL::timestamptz,
        s.last_dispute_closed_at, NULL::timestamptz,
        s.open_violations, NULL::timestamptz,
        CASE WHEN s.listing_restrictions > 0 THEN 'infinity'::timestamptz END,
        CASE WHEN s.sales_restrictions > 0 THEN 'infinity'::timestamptz END,
        CASE WHEN s.withdrawal_restrictions > 0 THEN 'infinity'::timestamptz END,
        CASE WHEN s.live_restrictions > 0 THEN 'infinity'::timestamptz END,
        s.closing_notice_at, s.closed_at, s.expelled_at,
        s.owed_minor, s.listings_on_sale, s.withdrawable_balance_minor
    FROM facts_summary AS s
    WHERE s.latest_at <= as_of AND s.latest_order_at <= as_of
    UNION ALL
    SELECT s.shop_key, s.kind, s.standing, s.currency, s.zone,
        orders.open, orders.until, orders.completed_at, orders.completing_at,
        cases.after_sales, cases.after_sales_until, cases.disputes, cases.disputes_until,
        (SELECT max(c.closed_at) FROM facts_case AS c WHERE c.shop_key = s.shop_key AND c.kind = 2
            AND c.closed_at <= as_of AND c.opened_at <= as_of),
        (SELECT max(c.closed_at) FROM facts_case AS c WHERE c.shop_key = s.shop_key AND c.kind = 2
            AND c.closed_at > as_of AND c.opened_at <= as_of),
        cases.violations, cases.violations_until,
        restrictions.listing_until, restrictions.sales_until,
        restrictions.withdrawal_until, restrictions.live_until,
        s.closing_notice_at, s.closed_at, s.expelled_at,
        debts.owed_minor, s.listings_on_sale, s.withdrawable_balance_minor
    FROM facts_summary AS s
    CROSS JOIN LATERAL (
        SELECT s.open_orders AS open, NULL::timestamptz AS until,
            s.last_completed_at AS completed_at, NULL::timestamptz AS completing_at
        WHERE s.latest_order_at <= as_of
        UNION ALL
        SELECT (count(*) FILTER (WHERE standing.is_open))::int,
            CASE WHEN bool_and(standing.status >= 5) FILTER (WHERE standing.is_open)
                THEN max(standing.status_at) FILTER (WHERE standing.is_open) END,
            max(standing.status_at) FILTER (WHERE standing.status = 5 AND NOT standing.is_open),
            max(standing.status_at) FILTER (WHERE standing.status = 5 AND standing.is_open)
        FROM (
            SELECT o.status, o.status_at,
                CASE WHEN o.status_at <= as_of THEN o.status < 5 ELSE o.status > 1 END AS is_open
            FROM facts_order AS o WHERE o.shop_key = s.shop_key
        ) AS standing
        HAVING s.latest_order_at > as_of
    ) AS orders
    CROSS JOIN LATERAL (
        SELECT (count(*) FILTER (WHERE kind = 1))::int AS after_sales,
            CASE WHEN bool_and(closed_at IS NOT NULL) FILTER (WHERE kind = 1)
                THEN max(closed_at) FILTER (WHERE kind = 1) END AS after_sales_until,
            (count(*) FILTER (WHERE kind = 2))::int AS disputes,
            CASE WHEN bool_and(closed_at IS NOT NULL) FILTER (WHERE kind = 2)
                THEN max(closed_at) FILTER (WHERE kind = 2) END AS disputes_until,
            (count(*) FILTER (WHERE kind = 3))::int AS violations,
            CASE WHEN bool_and(closed_at IS NOT NULL) FILTER (WHERE kind = 3)
                THEN max(closed_at) FILTER (WHERE kind = 3) END AS violations_until
        FROM (
            SELECT c.kind, c.opened_at, c.closed_at FROM facts_case AS c
            WHERE c.shop_key = s.shop_key AND c.status < 3
            UNION ALL
            SELECT c.kind, c.opened_at, c.closed_at FROM facts_case AS c
            WHERE c.shop_key = s.shop_key AND c.kind IN (1, 2, 3) AND c.closed_at > as_of
        ) AS unended WHERE unended.opened_at <= as_of
    ) AS cases
    CROSS JOIN LATERAL (
        SELECT max(ends_at) FILTER (WHERE kind = 1) AS listing_until,
            max(ends_at) FILTER (WHERE kind = 2) AS sales_until,
            max(ends_at) FILTER (WHERE kind = 3) AS withdrawal_until,
            max(ends_at) FILTER (WHERE kind = 4) AS live_until
        FROM (
            SELECT r.kind, COALESCE(r.to_at, 'infinity') AS ends_at FROM facts_restriction AS r
            WHERE r.shop_key = s.shop_key AND r.from_at <= as_of
                AND (r.to_at IS NULL OR r.to_at > as_of)
        ) AS in_force
    ) AS restrictions
    CROSS JOIN LATERAL (
        SELECT COALESCE(sum(d.amount_minor), 0)::bigint AS owed_minor FROM facts_debt AS d
        WHERE d.shop_key = s.shop_key
            AND (d.status = 1 AND d.status_at <= as_of OR d.status = 2 AND d.status_at > as_of)
    ) AS debts
    WHERE s.latest_at > as_of OR s.latest_order_at > as_of
$$;
"""
SUMMARY_AT_A_MOMENT_REVERSE = "DROP FUNCTION facts_shop_summary_at(timestamptz);"


class Migration(migrations.Migration):
    dependencies = [("facts", "0002_logs_and_summary")]

    operations = [migrations.RunSQL(SUMMARY_AT_A_MOMENT, SUMMARY_AT_A_MOMENT_REVERSE)]
