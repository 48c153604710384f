"""Was every number paid once at most, to the right payee, and as our books say?"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from kuaitui.simulation.auditor.evidence import Ask, Evidence, Found

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
_ANSWERED = """
SELECT DISTINCT leg.channel, leg.channel_number, attempt.kind, attempt.outcome
FROM payouts_attempt AS attempt JOIN payouts_leg AS leg ON leg.id = attempt.leg_id
WHERE attempt.outcome IS NOT NULL AND attempt.cause NOT IN ('lease_ended', 'lease_too_short')
UNION
SELECT DISTINCT pay_in.channel, pay_in.number, attempt.kind, attempt.outcome
FROM deposits_pay_in_attempt AS attempt JOIN deposits_pay_in_order AS pay_in
    ON pay_in.id = attempt.order_id
WHERE attempt.outcome IS NOT NULL AND attempt.cause NOT IN ('lease_ended', 'lease_too_short')
"""
MEANINGS = {
    "Accepted": "accepted",
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
    paid_for: dict[int, int] = {}
    for name, book in evidence.books.items():
        for number, paid, back, minor in book.net_by_number(evidence.channel_times[name]):
            if number not in legs and number in lost:
                continue
            if number not in legs:
                yield "only legs are paid", f"{name} paid {number}, which is none"
                continue
            if paid - back > 1:
                yield "a number is paid once", f"{number} was paid {paid} times"
            payout_id = legs[number][4]
            paid_for[payout_id] = paid_for.get(payout_id, 0) + minor
        for booking in book.bookings:
            if booking.number in legs:
                yield from _stranger(
                    legs[booking.number], booking.payment, booking.account, evidence
                )
                yield from _other_amount(legs[booking.number], booking.minor, booking.currency)
    for payout_id, amount in ask(_PAYOUTS):
        if paid_for.get(payout_id, 0) > amount:
            yield "a payout is paid once", f"payout {payout_id}: {paid_for[payout_id]} of {amount}"
    yield from _disagreements(legs, evidence)


def _stranger(
    leg: tuple[object, ...], payment: str, account: str, evidence: Evidence
) -> Iterator[Found]:
    number, _, _, _, _, _, destination_id, account_id, reference = leg[:9]
    shop = evidence.shops[str(account_id)]
    if payment and payment != reference:
        yield "money goes back along its own payment", f"{number}: {payment}, not {reference}"
    if account and shop.accounts.get(str(destination_id)) != account:
        yield "money goes to the chosen account", f"{number}"


def _other_amount(leg: tuple[object, ...], minor: int, currency: str) -> Iterator[Found]:
    if (leg[3], leg[9]) != (minor, currency):
        yield "a leg is paid as it stands", f"{leg[0]}: {minor} {currency}, not {leg[3]} {leg[9]}"


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


def words_never_said(ask: Ask, evidence: Evidence) -> Iterator[Found]:
    """An attempt's recorded outcome is what its channel answered to such a call."""
    said = {
        (name, number, kind, MEANINGS[answer])
        for name, book in evidence.books.items()
        for number, kind, answer in book.answers
    }
    for recorded in ask(_ANSWERED):
        if recorded not in said:
            yield "what is recorded was answered", " ".join(recorded)
