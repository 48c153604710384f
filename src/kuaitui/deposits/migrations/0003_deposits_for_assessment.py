"""What a bulk assessment needs of every open deposit, published as a view."""

from django.db import migrations

# One row for each open deposit account: what the book says is held, frozen and owed.
DEPOSITS_FOR_ASSESSMENT = """
CREATE VIEW deposits_for_assessment AS
SELECT account.public_id AS account_id, account.shop_key, account.kind AS deposit_kind, account.currency,
    account.required_minor, book.available + book.frozen AS held_minor,
    book.frozen AS frozen_minor, book.receivable AS owed_minor
FROM deposits_account AS account JOIN ledger_balance AS book ON book.book_id = account.book_id
WHERE account.is_open;
"""


class Migration(migrations.Migration):
    dependencies = [("deposits", "0002_guards"), ("ledger", "0002_posting")]

    operations = [
        migrations.RunSQL(DEPOSITS_FOR_ASSESSMENT, "DROP VIEW deposits_for_assessment;"),
    ]
