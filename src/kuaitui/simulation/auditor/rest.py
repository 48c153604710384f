"""Did everything come to its end?"""

from __future__ import annotations

from collections.abc import Iterator

from kuaitui.simulation.auditor.evidence import Ask, Found

_STUCK_LEGS = """
SELECT public_id, state, COALESCE(set_aside_reason, '') FROM payouts_leg AS leg
WHERE state NOT IN ('paid', 'returned', 'failed', 'cancelled')
    OR state IN ('returned', 'failed')
        AND NOT EXISTS (SELECT 1 FROM payouts_leg AS newer WHERE newer.replaces_id = leg.id)
        AND NOT EXISTS (SELECT 1 FROM payouts_close_out WHERE leg_id = leg.id)
"""
_STUCK_APPLICATIONS = """
SELECT public_id, state FROM refunds_application
WHERE state NOT IN ('paid', 'withdrawn', 'rejected', 'expired', 'closed_out')
"""
_STUCK_CASES = """
SELECT public_id, state FROM deductions_case WHERE state IN ('announced', 'appealed')
"""
_STUCK_ON_THE_WAY_BACK = """
SELECT public_id, state, set_aside_reason FROM payouts_send_back
WHERE state NOT IN ('paid', 'returned', 'failed') OR set_aside_at IS NOT NULL
"""
_STUCK_NEWS = "SELECT id, event FROM kit_outbox WHERE delivered_at IS NULL"
_STUCK_MONEY = """
SELECT account.public_id, book.balances[5], book.balances[6] FROM deposits_account AS account
JOIN ledger_book AS book ON book.id = account.book_id
WHERE book.balances[5] <> 0 OR book.balances[6] <> 0
"""
# What a payout says and what its application says: news that was lost leaves them apart.
_APART = """
SELECT application.public_id, application.state, payout.state
FROM payouts_payout AS payout
JOIN refunds_application AS application ON application.public_id = payout.application_id
WHERE (payout.state = 'paid') <> (application.state = 'paid')
    AND application.state <> 'closed_out'
"""


def what_has_not_ended(ask: Ask) -> Iterator[Found]:
    """Legs, applications, news and money that are stuck though nothing goes wrong any more."""
    for leg_id, state, reason in ask(_STUCK_LEGS):
        yield "every leg ends", f"{leg_id} is {state} {reason}"
    for application_id, state in ask(_STUCK_APPLICATIONS):
        yield "every application ends", f"{application_id} is {state}"
    for case_id, state in ask(_STUCK_CASES):
        yield "every deduction case ends", f"{case_id} is {state}"
    for send_back_id, state, reason in ask(_STUCK_ON_THE_WAY_BACK):
        yield "every payment that goes back ends", f"{send_back_id} is {state} {reason}"
    for row_id, event in ask(_STUCK_NEWS):
        yield "all news is heard", f"{event} {row_id}"
    for account_id, frozen, in_transit in ask(_STUCK_MONEY):
        yield "no money is stuck", f"{account_id}: {frozen} frozen, {in_transit} in transit"
    for application_id, state, payout_state in ask(_APART):
        yield (
            "applications follow their payouts",
            f"{application_id} {state}, payout {payout_state}",
        )
