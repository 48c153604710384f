"""State from the log: of all reports on a thing the greatest one says how it stands."""

from __future__ import annotations

from typing import Final

from kuaitui.facts.types import CaseKind, ReportKind

# Reports are compared by time, rank and then content; `jsonb` prints equal contents alike.
_GREATEST = """
WITH greatest_report AS (
    SELECT DISTINCT ON (report.shop_key, report.subject_id)
        report.shop_key, report.subject_id, report.rank, report.status_at, report.content
    FROM unnest(%(shop_keys)s::bigint[], %(subject_ids)s::text[])
        AS touched (shop_key, subject_id)
    JOIN facts_report AS report ON report.shop_key = touched.shop_key
        AND report.kind = %(kind)s AND report.subject_id = touched.subject_id
    ORDER BY report.shop_key, report.subject_id, report.status_at DESC, report.rank DESC,
        report.content::text COLLATE "C" DESC
)
"""

_SHOP = """
UPDATE facts_shop AS shop SET
    name = content ->> 'name', kind = content ->> 'kind', standing = content ->> 'standing',
    categories = ARRAY(SELECT jsonb_array_elements_text(content -> 'categories')),
    opened_at = (content ->> 'opened_at')::timestamptz,
    closing_notice_at = (content ->> 'closing_notice_at')::timestamptz,
    closed_at = (content ->> 'closed_at')::timestamptz,
    expelled_at = (content ->> 'expelled_at')::timestamptz
FROM greatest_report WHERE shop.id = greatest_report.shop_key
"""

_LISTINGS = """
UPDATE facts_shop AS shop SET listings_on_sale = (content ->> 'listings_on_sale')::int
FROM greatest_report WHERE shop.id = greatest_report.shop_key
"""

_BALANCE = """
UPDATE facts_shop AS shop
SET withdrawable_balance_minor = (content ->> 'withdrawable_balance_minor')::bigint
FROM greatest_report WHERE shop.id = greatest_report.shop_key
"""

_CASE = """
INSERT INTO facts_case AS known
    (shop_key, kind, case_id, order_id, status, opened_at, closed_at)
SELECT shop_key, {kind}, subject_id, COALESCE(content ->> 'order_id', ''), rank,
    (content ->> 'opened_at')::timestamptz, (content ->> 'closed_at')::timestamptz
FROM greatest_report
ON CONFLICT (shop_key, kind, case_id) DO UPDATE SET
    order_id = EXCLUDED.order_id, status = EXCLUDED.status, opened_at = EXCLUDED.opened_at,
    closed_at = EXCLUDED.closed_at
"""

_RESTRICTION = """
INSERT INTO facts_restriction AS known (shop_key, restriction_id, kind, from_at, to_at)
SELECT shop_key, subject_id, (content ->> 'kind')::smallint,
    (content ->> 'from_at')::timestamptz, (content ->> 'to_at')::timestamptz
FROM greatest_report
ON CONFLICT (shop_key, restriction_id) DO UPDATE SET
    kind = EXCLUDED.kind, from_at = EXCLUDED.from_at, to_at = EXCLUDED.to_at
"""

_DEBT = """
INSERT INTO facts_debt AS known (shop_key, debt_id, kind, amount_minor, status, status_at)
SELECT shop_key, subject_id, (content ->> 'kind')::smallint, (content ->> 'amount_minor')::bigint,
    rank, status_at
FROM greatest_report
ON CONFLICT (shop_key, debt_id) DO UPDATE SET
    kind = EXCLUDED.kind, amount_minor = EXCLUDED.amount_minor, status = EXCLUDED.status,
    status_at = EXCLUDED.status_at
"""

DERIVE_STATE: Final[dict[ReportKind, str]] = {
    ReportKind.SHOP: _GREATEST + _SHOP,
    ReportKind.AFTER_SALE: _GREATEST + _CASE.format(kind=int(CaseKind.AFTER_SALE)),
    ReportKind.DISPUTE: _GREATEST + _CASE.format(kind=int(CaseKind.DISPUTE)),
    ReportKind.VIOLATION: _GREATEST + _CASE.format(kind=int(CaseKind.VIOLATION)),
    ReportKind.RESTRICTION: _GREATEST + _RESTRICTION,
    ReportKind.DEBT: _GREATEST + _DEBT,
    ReportKind.LISTINGS: _GREATEST + _LISTINGS,
    ReportKind.BALANCE: _GREATEST + _BALANCE,
}
