"""Do the books add up, and do they say the same as channels and people?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from kuaitui.simulation.auditor.evidence import Ask, Evidence, Found
from kuaitui.simulation.auditor.pay_ins import in_suspense_by_shop, paid_by_code

ASSETS = 3
"""The accounts up to this one grow by debits: at channel, receivable, channel fee."""
_JOURNALS = "SELECT book_id, debits, credits, amounts FROM ledger_journal"
_BOOKS = """
SELECT book.id, book.balances, book.currency, account.public_id, account.currency
FROM ledger_book AS book JOIN deposits_account AS account ON account.book_id = book.id
"""
_LOTS = """
SELECT account.public_id, lot.amount_minor, lot.reserved_minor, lot.refunded_minor,
    lot.deducted_minor
FROM deposits_lot AS lot JOIN deposits_account AS account ON account.id = lot.account_id
"""
_TAKEN = """
SELECT account.public_id,
    COALESCE(sum(deduction.amount_minor), 0) - COALESCE(sum(given_back.amount_minor), 0)
FROM deposits_account AS account
LEFT JOIN deposits_deduction AS deduction ON deduction.account_id = account.id
LEFT JOIN deposits_deduction_return AS given_back ON given_back.deduction_id = deduction.id
GROUP BY account.public_id
"""
# Who may hold money back: a deduction that is announced, an application between its first day and
# its end, and what came back.
_FROZEN_FOR_NOBODY = """
SELECT account.public_id, book.balances[5], announced.minor FROM deposits_account AS account
JOIN ledger_book AS book ON book.id = account.book_id
CROSS JOIN LATERAL (SELECT COALESCE(sum(set_aside_minor), 0) AS minor FROM deductions_case
    WHERE account_id = account.public_id AND state = 'announced') AS announced
WHERE book.balances[5] < announced.minor
    OR book.balances[5] > announced.minor AND NOT EXISTS (
    SELECT 1 FROM refunds_application AS application
    WHERE application.account_id = account.public_id
        AND application.state NOT IN ('draft', 'withdrawn', 'expired')
        AND (application.state NOT IN ('rejected', 'paid', 'closed_out') OR EXISTS (
            SELECT 1 FROM kit_outbox AS news WHERE news.delivered_at IS NULL)))
"""
_UNHEARD = """
SELECT event, failure FROM kit_outbox WHERE failure <> '' AND delivered_at IS NULL LIMIT 3
"""
_LOST_NEWS = """
SELECT event, id FROM kit_outbox WHERE delivered_at IS NOT NULL AND attempts_count = 0 LIMIT 3
"""


def broken_books(ask: Ask) -> Iterator[Found]:
    """Balances that do not follow from the journals, lots that are not what the book holds."""
    yield from _derived_otherwise(ask)
    for account_id, minor, announced in ask(_FROZEN_FOR_NOBODY):
        yield (
            "what is frozen is frozen for a case",
            f"{account_id}: {minor}, {announced} of it for deductions",
        )
    for event, failure in ask(_UNHEARD):
        yield "news is heard", f"{event}: {failure}"
    for event, row_id in ask(_LOST_NEWS):
        yield "news is not dropped", f"{event} {row_id}"


def _derived_otherwise(ask: Ask) -> Iterator[Found]:
    derived = _derived_balances(ask)
    left = _left_of_lots(ask)
    for book_id, balances, currency, account_id, account_currency in ask(_BOOKS):
        if list(balances) != derived[book_id]:
            yield "balances follow from journals", f"{account_id}: {balances} {derived[book_id]}"
        if sum(balances[:ASSETS]) != sum(balances[ASSETS:]):
            yield "debits equal credits", f"{account_id}: {balances}"
        if currency != account_currency:
            yield "a book keeps one currency", f"{account_id}: {currency} {account_currency}"
        held = balances[3] + balances[4] + balances[5]
        if held != left.get(account_id, 0):
            yield (
                "lots hold what the book holds",
                f"{account_id}: {held}, {left.get(account_id, 0)}",
            )


def _derived_balances(ask: Ask) -> dict[int, list[int]]:
    derived: dict[int, list[int]] = defaultdict(lambda: [0] * 9)
    for book_id, debits, credits_, amounts in ask(_JOURNALS):
        for debit, credit, minor in zip(debits, credits_, amounts, strict=True):
            derived[book_id][debit - 1] += minor if debit <= ASSETS else -minor
            derived[book_id][credit - 1] -= minor if credit <= ASSETS else -minor
    return derived


def _left_of_lots(ask: Ask) -> dict[str, int]:
    left: dict[str, int] = defaultdict(int)
    for account_id, amount, _, refunded, deducted in ask(_LOTS):
        left[account_id] += amount - refunded - deducted
    return left


def unexplained_money(ask: Ask, evidence: Evidence) -> Iterator[Found]:
    """Per shop: paid in = went back + deducted − owed + held + in suspense, by channels and people."""
    went_back, by_code = _went_back(evidence), paid_by_code(evidence)
    in_suspense = in_suspense_by_shop(ask, evidence)
    taken: dict[str, int] = dict(ask(_TAKEN))
    for _, balances, _, account_id, _ in ask(_BOOKS):
        shop = evidence.shops.get(account_id)
        if shop is None:
            yield "every account has its shop", account_id
            continue
        held, owed = balances[3] + balances[4] + balances[5], balances[1]
        paid_in = shop.paid_in_minor + by_code[shop.number]
        aside = in_suspense[shop.number]
        explained = went_back[shop.number] + shop.deducted_minor - owed + held + aside
        if explained != paid_in:
            yield (
                "no money is lost or made",
                f"shop {shop.number}: {paid_in} paid in, {explained} explained",
            )
        if taken[account_id] != shop.deducted_minor:
            yield (
                "a deduction counts once",
                f"shop {shop.number}: {shop.deducted_minor} decided, {taken[account_id]} on record",
            )
        at_channels = paid_in - aside - went_back[shop.number]
        if balances[0] != at_channels:
            yield (
                "the book says what lies at the channels",
                f"shop {shop.number}: {balances[0]}, not {at_channels}",
            )


def _went_back(evidence: Evidence) -> dict[int, int]:
    """What reached each shop's owner, by the channels' books."""
    owner = {
        account: shop.number
        for shop in evidence.shops.values()
        for account in shop.accounts.values()
    }
    sums: dict[int, int] = defaultdict(int)
    for name, book in evidence.books.items():
        at = evidence.channel_times[name]
        for booking in book.bookings:
            if booking.was_paid(at) and not booking.came_back(at):
                shop = (
                    book.payments[booking.payment].shop
                    if booking.payment
                    else owner.get(booking.account, -1)
                )
                sums[shop] += booking.minor
    return sums
