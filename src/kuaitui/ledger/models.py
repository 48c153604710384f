"""Tables of the ledger. Private to this context.

Journals are written by `ledger_post` and `ledger_post_many` (migration 0002); the balances in a book
are moved by a trigger on journals and by nothing else. The view `ledger_entry` shows every line of
every journal as a row of its own.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from kuaitui.ledger.types import Account


def balance_field(account: Account) -> models.BigIntegerField[int, int]:
    """A balance column, named like its account."""
    return models.BigIntegerField(default=0, db_default=0, help_text=account.name)


class Book(models.Model):
    """The accounts of one deposit. Every key of the heavy tables begins with its id."""

    id = models.BigAutoField(primary_key=True)
    currency = models.CharField(max_length=3)
    opened_at = models.DateTimeField(db_default=Now())
    journals_count = models.IntegerField(default=0, db_default=0)
    at_channel = balance_field(Account.AT_CHANNEL)
    receivable = balance_field(Account.RECEIVABLE)
    channel_fee = balance_field(Account.CHANNEL_FEE)
    available = balance_field(Account.AVAILABLE)
    frozen = balance_field(Account.FROZEN)
    in_transit = balance_field(Account.IN_TRANSIT)
    compensation_payable = balance_field(Account.COMPENSATION_PAYABLE)
    penalty_income = balance_field(Account.PENALTY_INCOME)
    fee_income = balance_field(Account.FEE_INCOME)

    class Meta:
        db_table = "ledger_book"
        constraints = [
            *(
                models.CheckConstraint(
                    name=f"{account.name.lower()}_is_not_negative",
                    condition=Q(**{f"{account.name.lower()}__gte": 0}),
                )
                for account in Account
            ),
            models.CheckConstraint(
                name="debits_equal_credits",
                condition=Q(
                    at_channel=F("available")
                    + F("frozen")
                    + F("in_transit")
                    + F("compensation_payable")
                    + F("penalty_income")
                    + F("fee_income")
                    - F("receivable")
                    - F("channel_fee")
                ),
            ),
            # With no journal there is no asset, and by the equation no liability either.
            models.CheckConstraint(
                name="a_new_book_is_empty",
                condition=Q(journals_count__gt=0)
                | Q(journals_count=0, at_channel=0, receivable=0, channel_fee=0),
            ),
        ]

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
