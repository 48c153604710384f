"""One statement takes orders in: the log gains every row, the state the greatest of each order."""

from __future__ import annotations

# `stage` gives shop_key, order_id, status, status_at, amount_minor. The three values that follow
# the key are compared as a row, and none is ever null: so of any two reports one is the greater,
# or they say the same.
MERGE_ORDERS = """
WITH stage AS MATERIALIZED ({stage}),
logged AS (
    INSERT INTO facts_order_report
        (shop_key, order_id, status, status_at, amount_minor, intake_key, recorded_at)
    SELECT shop_key, order_id, status, status_at, amount_minor, %(intake_key)s, %(now)s FROM stage
)
INSERT INTO facts_order AS known (shop_key, order_id, status, status_at, amount_minor)
SELECT DISTINCT ON (shop_key, order_id) shop_key, order_id, status, status_at, amount_minor
FROM stage ORDER BY shop_key, order_id, status_at DESC, status DESC, amount_minor DESC
ON CONFLICT (shop_key, order_id) DO UPDATE SET
    status = EXCLUDED.status, status_at = EXCLUDED.status_at, amount_minor = EXCLUDED.amount_minor
WHERE (EXCLUDED.status_at, EXCLUDED.status, EXCLUDED.amount_minor)
    > (known.status_at, known.status, known.amount_minor)
"""

ORDERS_IN_ARRAYS = """
    SELECT * FROM unnest(%(shop_keys)s::bigint[], %(order_ids)s::text[], %(statuses)s::smallint[],
        %(status_ats)s::timestamptz[], %(amounts)s::bigint[])
        AS given (shop_key, order_id, status, status_at, amount_minor)
"""
