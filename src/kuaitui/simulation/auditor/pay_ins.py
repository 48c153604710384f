"""Has every payment one place, and does every order say what became of it?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from kuaitui.simulation.auditor.evidence import Ask, Evidence, Found
from kuaitui.simulation.channel_book import ChannelBook, PaymentIn

_PLACES = """
SELECT entered.channel, entered.reference, lot.amount_minor, account.public_id
FROM deposits_channel_payment AS entered
JOIN deposits_account AS account ON account.id = entered.account_id
JOIN deposits_lot AS lot
    ON lot.account_id = entered.account_id AND lot.number = entered.lot_number
UNION ALL
SELECT channel, reference, amount_minor, NULL FROM deposits_suspense WHERE state <> 'attributed'
"""
_SUSPENSE_BOOKS = """
SELECT suspense.public_id, suspense.state, book.balances[1], book.balances[5],
    CASE WHEN suspense.state IN ('open', 'proposed', 'to_send_back')
        THEN suspense.amount_minor ELSE 0 END
FROM deposits_suspense AS suspense JOIN ledger_book AS book ON book.id = suspense.book_id
"""
_ORDERS = """
SELECT channel, number, public_id, state, amount_minor, set_aside_reason
FROM deposits_pay_in_order
"""
_ATTRIBUTED = """
SELECT channel, number FROM deposits_suspense WHERE state = 'attributed'
"""
_SUSPENDED = """
SELECT channel, number FROM deposits_suspense WHERE state <> 'attributed'
"""
_UNASKED = "SELECT channel, number FROM deposits_stray_number WHERE next_check_at IS NOT NULL"
_UNRESOLVED = """
SELECT channel, reference, public_id FROM deposits_suspense
WHERE state IN ('open', 'proposed', 'to_send_back')
"""
STILL_OPEN = frozenset({"created", "opening", "unknown", "waiting"})
PAID = frozenset({"paid", "paid_other_amount", "in_suspense"})


def misplaced_payments(ask: Ask, evidence: Evidence) -> Iterator[Found]:
    """Payments that nobody made, of another amount, of another shop, or entered twice."""
    seen: Counter[tuple[str, str]] = Counter()
    for channel, reference, minor, account_id in ask(_PLACES):
        seen[channel, reference] += 1
        payment = evidence.books[channel].payments.get(reference)
        if payment is None or payment.minor != minor:
            paid = payment.minor if payment else "nothing"
            yield "what is entered was paid", f"{reference}: {minor} entered, {paid} paid"
        elif account_id is not None and evidence.shops[account_id].number != payment.shop:
            yield "a payment is its payer's", f"{reference} of shop {payment.shop}: {account_id}"
    for suspense_id, state, at_channel, frozen, waiting in ask(_SUSPENSE_BOOKS):
        if {at_channel, frozen} != {waiting}:
            yield "a suspense book holds what waits", f"{suspense_id} is {state}: {frozen}"
    for (_, reference), times in seen.items():
        if times > 1:
            yield "a payment has one place", f"{reference} has {times}"


def told_and_unplaced(ask: Ask, evidence: Evidence) -> set[str]:
    """Payments that channels told us of, and that are nowhere. Of an order's several, the last.

    A query names one payment only. The others of an order are for the bills to find.
    """
    placed = {(channel, reference) for channel, reference, _, _ in ask(_PLACES)}
    return {
        payment.reference
        for name, heard in evidence.heard.items()
        for payment in _last_of_each_order(evidence.books[name])
        if (name, payment.reference) not in placed and f"in/{payment.reference}" in heard.events
    }


def _last_of_each_order(book: ChannelBook) -> Iterable[PaymentIn]:
    return {payment.order: payment for payment in book.payments.values()}.values()


def unplaced_at_rest(ask: Ask, evidence: Evidence) -> Iterator[Found]:
    """At rest every payment has its place, every order its end, every strange number its answer."""
    placed = {(channel, reference) for channel, reference, _, _ in ask(_PLACES)}
    for name, book in evidence.books.items():
        for reference in book.payments:
            if (name, reference) not in placed:
                yield "every payment has its place", f"{reference} has none"
    for _, reference, suspense_id in ask(_UNRESOLVED):
        yield "nothing waits for people for ever", f"{suspense_id}: {reference}"
    for channel, number in ask(_UNASKED):
        yield "every strange number is asked about", f"{number} at {channel}"
    yield from _untrue_orders(ask, evidence)


def _untrue_orders(ask: Ask, evidence: Evidence) -> Iterator[Found]:
    paid: dict[tuple[str, str], list[PaymentIn]] = defaultdict(list)
    for name, book in evidence.books.items():
        for payment in book.payments.values():
            if payment.order:
                paid[name, payment.order].append(payment)
    attributed = Counter(ask(_ATTRIBUTED))
    suspended = Counter((one[0], one[1]) for one in ask(_SUSPENDED))
    for channel, number, order_id, state, asked, aside in ask(_ORDERS):
        payments = paid[channel, number]
        if state in STILL_OPEN or aside:
            yield "every order ends", f"{order_id} is {state} {aside}"
        elif (state in PAID) != bool(payments):
            yield "an order says whether it was paid", f"{order_id} is {state}: {len(payments)}"
        elif state == "paid" and asked not in {payment.minor for payment in payments}:
            yield "paid is what was asked", f"{order_id} asked for {asked}"
        lots = len(payments) - suspended[channel, number] - attributed[channel, number]
        if lots != (state in {"paid", "paid_other_amount"}):
            yield "an order becomes one lot", f"{order_id} is {state}, and {lots} lots"


def in_suspense_by_shop(ask: Ask, evidence: Evidence) -> dict[int, int]:
    """What lies in suspense of each shop's payments, by the channels' own amounts."""
    sums: dict[int, int] = defaultdict(int)
    for channel, reference, _ in ask(_UNRESOLVED):
        payment = evidence.books[channel].payments.get(reference)
        if payment is not None:
            sums[payment.shop] += payment.minor
    return sums


def paid_by_code(evidence: Evidence) -> dict[int, int]:
    """What each shop paid at the channels' tills."""
    sums: dict[int, int] = defaultdict(int)
    for book in evidence.books.values():
        for payment in book.payments.values():
            if payment.order:
                sums[payment.shop] += payment.minor
    return sums
