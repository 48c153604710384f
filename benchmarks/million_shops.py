"""A marketplace of very many shops with their orders, cases and deposits, made by a few statements."""

from __future__ import annotations

import psycopg

# Of a hundred shops some twenty have an open order, five a case, three a restriction (one of them
# with an end that is known), four a debt; a tenth are closed. The rest waits for its holding period.
STATEMENTS = (
    """
    INSERT INTO facts_shop
        (shop_id, name, kind, standing, currency, zone, opened_at, closing_notice_at, closed_at)
    SELECT 'S' || lpad(n::text, 8, '0'), 'Shop ' || n,
        (ARRAY['individual', 'sole_trader', 'enterprise'])[1 + n %% 3],
        CASE WHEN n %% 200 = 1 THEN 'restricted' WHEN n %% 300 = 1 THEN 'banned'
            WHEN n %% 10 = 3 THEN 'closed' ELSE 'normal' END,
        'CNY', 'Asia/Shanghai', %(now)s - interval '900 days',
        CASE WHEN n %% 10 = 3 THEN %(now)s - (n %% 300) * interval '1 day' END,
        CASE WHEN n %% 10 = 3 THEN %(now)s - (n %% 200) * interval '1 day' END
    FROM generate_series(1, %(shops)s) AS n
    """,
    """
    INSERT INTO facts_order (shop_key, order_id, status, status_at, amount_minor)
    SELECT id, 'O' || id || '-' || k,
        CASE WHEN k = 2 AND id %% 5 = 0 THEN 3 ELSE 5 END,
        %(now)s - ((id * 7 + k * 13) %% 400) * interval '1 day' - interval '1 hour', 9900
    FROM facts_shop, generate_series(1, 2) AS k
    """,
    """
    INSERT INTO facts_case (shop_key, kind, case_id, status, opened_at, closed_at)
    SELECT id, 1 + id %% 3, 'C' || id, CASE WHEN id %% 40 = 0 THEN 1 ELSE 3 END,
        %(now)s - interval '60 days',
        CASE WHEN id %% 40 <> 0 THEN %(now)s - (id %% 50) * interval '1 day' END
    FROM facts_shop WHERE id %% 20 = 0
    """,
    """
    INSERT INTO facts_restriction (shop_key, restriction_id, kind, from_at, to_at)
    SELECT id, 'R' || id, 1 + id %% 4, %(now)s - interval '20 days',
        CASE id %% 99 WHEN 0 THEN %(now)s + interval '9 days'
            WHEN 33 THEN %(now)s - interval '9 days' END
    FROM facts_shop WHERE id %% 33 = 0
    """,
    """
    INSERT INTO facts_debt (shop_key, debt_id, kind, amount_minor, status, status_at)
    SELECT id, 'B' || id, 1 + id %% 6, 1200, 1 + id %% 2, %(now)s - interval '5 days'
    FROM facts_shop WHERE id %% 25 = 0
    """,
    """
    WITH book AS (
        INSERT INTO ledger_book (currency, opened_at)
        SELECT 'CNY', %(now)s FROM generate_series(1, %(shops)s) RETURNING id
    ), journal AS (
        INSERT INTO ledger_journal
            (book_id, kind, reference, occurred_at, recorded_at, debits, credits, amounts)
        SELECT id, 'pay_in', 'lot_' || id, %(now)s, %(now)s, '{1}', '{4}', '{300000}' FROM book
        RETURNING book_id
    )
    SELECT count(*) FROM journal
    """,
    """
    INSERT INTO deposits_account
        (public_id, shop_key, kind, currency, book_id, required_minor, opened_at)
    SELECT 'dep_' || lpad(shop.id::text, 26, '0'), shop.id, 'shop', 'CNY', book.id, 50000, %(now)s
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM facts_shop) AS shop
    JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place FROM ledger_book) AS book USING (place)
    """,
    """
    INSERT INTO deposits_lot (account_id, number, public_id, amount_minor, paid_at, channel,
        channel_reference)
    SELECT id, 1, 'lot_' || lpad(id::text, 26, '0'), 300000, %(now)s - interval '500 days',
        'simulator', 'P' || id FROM deposits_account
    """,
)


def populate(url: str, *, shops: int, now: object) -> None:
    """Fill an empty, migrated database."""
    with psycopg.connect(url, autocommit=True) as connection:
        with connection.transaction():
            connection.execute("SET LOCAL work_mem = '256MB'")
            for statement in STATEMENTS:
                connection.execute(statement, {"shops": shops, "now": now})
        connection.execute("VACUUM ANALYZE")
