"""Tables of the ledger. Private to this context.

Journals are written by `ledger_post` and `ledger_post_many` (migration 0002); the balances in a book
are moved by a trigger on journals and by nothing else. What must always be true of them is said by
the domains `ledger_balances`, `ledger_accounts` and `ledger_amounts`, the types of the columns. The
view `ledger_entry` shows every line of every journal as a row, `ledger_balance` every account by name.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Book(models.Model):
    """The accounts of one deposit. Every key of the heavy tables begins with its id."""

    id = models.BigAutoField(primary_key=True)
    currency = models.CharField(max_length=3)
    opened_at = models.DateTimeField(db_default=Now())
    journals_count = models.IntegerField(default=0, db_default=0)
    # One balance for each account, by its number: never below zero, debits equal to credits.
    balances = ArrayField(models.BigIntegerField())

    class Meta:
        db_table = "ledger_book"

    def __str__(self) -> str:
        return f"book {self.pk}"


class JournalRow(models.Model):
    """One business event, posted once. Its lines are in the row, so it cannot be half written."""

    pk = models.CompositePrimaryKey("book_id", "journal_no")
    book = models.ForeignKey(
        Book,
        on_delete=models.PROTECT,
        db_index=False,
        # The trigger that moves the balances refuses a journal without a book, at less cost.
        db_constraint=False,
        related_name="journals",
    )
    journal_no = models.IntegerField()
    kind = models.CharField(max_length=40)
    reference = models.CharField(max_length=80)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    debits = ArrayField(models.SmallIntegerField())
    credits = ArrayField(models.SmallIntegerField())
    amounts = ArrayField(models.BigIntegerField())

    class Meta:
        db_table = "ledger_journal"
        constraints = [
            models.UniqueConstraint(
                fields=["book", "kind", "reference"], name="a_reference_is_posted_once"
            ),
        ]

    def __str__(self) -> str:
        return f"journal {self.book_id}/{self.journal_no}"
