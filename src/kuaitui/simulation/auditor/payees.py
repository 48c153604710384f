"""Was every number paid once at most, to the right payee, and as our books say?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from kuaitui.simulation.auditor.evidence import Ask, Evidence, Found
from kuaitui.simulation.channel_book import Booking

# A leg that was certainly never sent bears no number: it is free for the leg that takes its place.
_LEGS = """
SELECT leg.channel_number, leg.channel, leg.state, leg.amount_minor, leg.payout_id, leg.route,
    leg.destination_id, payout.account_id, lot.channel_reference, leg.currency, leg.first_sent_at,
    COALESCE((SELECT sum(CASE entry.kind WHEN 'payout.leg_settled' THEN entry.amount_minor
        WHEN 'payout.leg_returned' THEN -entry.amount_minor END)
        FROM ledger_entry AS entry
        WHERE entry.book_id = leg.book_id AND entry.reference = leg.public_id), 0)
FROM payouts_leg AS leg JOIN payouts_payout AS payout ON payout.id = leg.payout_id
JOIN deposits_account AS account ON account.public_id = payout.account_id
JOIN deposits_lot AS lot ON lot.account_id = account.id AND lot.public_id = leg.lot_id
WHERE leg.state <> 'cancelled' AND NOT (leg.state = 'failed' AND leg.first_sent_at IS NULL)
"""
_SENT_BACK = """
SELECT number, state, amount_minor, currency, payment_reference FROM payouts_send_back
WHERE NOT (state = 'failed' AND first_sent_at IS NULL)
"""
_ANSWERED = """
SELECT DISTINCT leg.channel, leg.channel_number, attempt.kind, attempt.outcome
FROM payouts_attempt AS attempt JOIN payouts_leg AS leg ON leg.id = attempt.leg_id
WHERE attempt.outcome IS NOT NULL AND attempt.cause NOT IN ('lease_ended', 'lease_too_short')
UNION
SELECT DISTINCT pay_in.channel, pay_in.number, attempt.kind, attempt.outcome
FROM deposits_pay_in_attempt AS attempt JOIN deposits_pay_in_order AS pay_in
    ON pay_in.id = attempt.order_id
WHERE attempt.outcome IS NOT NULL AND attempt.cause NOT IN ('lease_ended', 'lease_too_short')
UNION
SELECT DISTINCT back.channel, back.number, attempt.kind, attempt.outcome
FROM payouts_send_back_attempt AS attempt JOIN payouts_send_back AS back
    ON back.id = attempt.send_back_id
WHERE attempt.outcome IS NOT NULL AND attempt.cause NOT IN ('lease_ended', 'lease_too_short')
"""
MEANINGS = {
    "Accepted": "accepted",
    "AcceptedWantsAgain": "wants_again",
    "Succeeded": "succeeded",
    "FailedDefinite": "failed",
    "FailedRetryable": "failed_retryable",
    "RejectedConfig": "rejected_config",
    "NeedsAction": "needs_action",
    "Returned": "returned",
    "NotFound": "not_found",
    "NotSent": "not_sent",
    "Unknown": "unknown",
    "PayInOpened": "opened",
    "PayInWaiting": "waiting",
    "PayInPaid": "paid",
    "PayInClosed": "closed",
}
_PAYOUTS = "SELECT id, amount_minor FROM payouts_payout"


def wrong_payments(ask: Ask, evidence: Evidence, *, lost: Collection[str]) -> Iterator[Found]:
    """Numbers paid twice, payouts paid beyond their amount, strangers paid, books that disagree.

    Of `lost` numbers our books may know nothing (yet).
    """
    legs = {row[0]: row for row in ask(_LEGS)}
    sent_back = {row[0]: row for row in ask(_SENT_BACK)}
    known = legs.keys() | sent_back.keys()
    paid_for: Counter[int] = Counter()
    for name, book in evidence.books.items():
        for number, paid, back, minor in book.net_by_number(evidence.channel_times[name]):
            if number not in known and number not in lost:
                yield "only legs are paid", f"{name} paid {number}, which is none"
            if number in known and paid - back > 1:
                yield "a number is paid once", f"{number} was paid {paid} times"
            if number in legs:
                paid_for[legs[number][4]] += minor
    for payout_id, amount in ask(_PAYOUTS):
        if paid_for[payout_id] > amount:
            yield "a payout is paid once", f"payout {payout_id}: {paid_for[payout_id]} of {amount}"
    yield from _wrong_bookings(legs, sent_back, evidence)
    yield from _disagreements(legs, evidence)


def _wrong_bookings(
    legs: dict[str, tuple[object, ...]],
    sent_back: dict[str, tuple[object, ...]],
    evidence: Evidence,
) -> Iterator[Found]:
    for booking in (one for book in evidence.books.values() for one in book.bookings):
        if booking.number in legs:
            yield from _wrong_leg(legs[booking.number], booking, evidence)
        elif booking.number in sent_back:
            yield from _wrong_way_back(sent_back[booking.number], booking)


def _wrong_leg(leg: tuple[object, ...], booking: Booking, evidence: Evidence) -> Iterator[Found]:
    number, _, _, minor, _, _, destination_id, account_id, reference, currency = leg[:10]
    shop = evidence.shops[str(account_id)]
    if booking.payment and booking.payment != reference:
        yield "money goes back along its own payment", f"{number}: {booking.payment}, {reference}"
    if booking.account and shop.accounts.get(str(destination_id)) != booking.account:
        yield "money goes to the chosen account", f"{number}"
    yield from _other_amount(number, (minor, currency), booking)


def _wrong_way_back(row: tuple[object, ...], booking: Booking) -> Iterator[Found]:
    number, _, minor, currency, reference = row
    if booking.payment != reference:
        yield "money goes back along its own payment", f"{number}: {booking.payment}, {reference}"
    yield from _other_amount(number, (minor, currency), booking)


def _other_amount(
    number: object, asked: tuple[object, object], booking: Booking
) -> Iterator[Found]:
    if asked != (booking.minor, booking.currency):
        paid = f"{booking.minor} {booking.currency}"
        yield "a leg is paid as it stands", f"{number}: {paid}, not {asked[0]} {asked[1]}"


def _disagreements(legs: dict[str, tuple[object, ...]], evidence: Evidence) -> Iterator[Found]:
    """A leg that we say is settled must be paid at the channel: it may lag, it may not lead."""
    net = {
        number: minor
        for name, book in evidence.books.items()
        for number, _, _, minor in book.net_by_number(evidence.channel_times[name])
    }
    ever_paid = {
        booking.number
        for name, book in evidence.books.items()
        for booking in book.bookings
        if booking.was_paid(evidence.channel_times[name])
    }
    for number, leg in legs.items():
        settled = int(str(leg[11]))
        if settled and number not in ever_paid:
            yield "we settle what was paid", f"{number}: {settled} settled, nothing paid"
        if leg[2] in {"failed", "cancelled"} and net.get(number, 0):
            yield "what failed was not paid", f"{number} is {leg[2]}, and paid"


def different_at_rest(ask: Ask, evidence: Evidence) -> Iterator[Found]:
    """At rest, ledger and channels say the same of every number."""
    net: dict[str, int] = {}
    for name, book in evidence.books.items():
        for number, _, _, minor in book.net_by_number(evidence.channel_times[name]):
            net[number] = net.get(number, 0) + minor
    for leg in ask(_LEGS):
        number, settled = leg[0], int(leg[11])
        if settled != net.get(number, 0):
            yield (
                "ledger and channel agree",
                f"{number}: {settled} by the ledger, {net.get(number, 0)} by the channel",
            )
    for number, state, minor, _, _ in ask(_SENT_BACK):
        if net.get(number, 0) != minor * (state == "paid"):
            yield (
                "what went back is what we say",
                f"{number} is {state}, {net.get(number, 0)} by the channel",
            )


def words_never_said(ask: Ask, evidence: Evidence) -> Iterator[Found]:
    """An attempt's recorded outcome is what its channel answered to such a call."""
    said = {
        (name, number, kind, MEANINGS[answer])
        for name, book in evidence.books.items()
        for number, kind, answer in book.answers
    }
    for name, number, kind, word in ask(_ANSWERED):
        if said.isdisjoint((name, number, *meant) for meant in _meanings_of(kind, word)):
            yield "what is recorded was answered", f"{name} {number} {kind} {word}"


def _meanings_of(kind: str, word: str) -> Iterator[tuple[str, str]]:
    """As what a channel may have been called, and what it may have said."""
    if kind != "send_again":
        yield kind, word
        return
    yield "send", word
    if word == "unknown":
        # A refusal of the same order once more says nothing of the order that is there.
        yield "send", "failed"
        yield "send", "failed_retryable"
