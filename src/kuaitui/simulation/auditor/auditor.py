"""The three looks of the auditor: at what is new, at everything, and at everything at rest."""

from __future__ import annotations

from collections.abc import Iterator

from kuaitui.simulation.auditor.approvals import judge_application
from kuaitui.simulation.auditor.books import broken_books, unexplained_money
from kuaitui.simulation.auditor.evidence import Ask, Evidence, Found
from kuaitui.simulation.auditor.hearings import unheard_deductions
from kuaitui.simulation.auditor.notifications import miscounted_notifications
from kuaitui.simulation.auditor.pay_ins import (
    misplaced_payments,
    told_and_unplaced,
    unplaced_at_rest,
)
from kuaitui.simulation.auditor.payees import (
    different_at_rest,
    words_never_said,
    wrong_payments,
)
from kuaitui.simulation.auditor.rest import what_has_not_ended

_NEW_PAYOUTS = """
SELECT payout.id, payout.application_id, payout.account_id, payout.amount_minor, payout.currency,
    payout.begun_at
FROM payouts_payout AS payout WHERE payout.id > %s ORDER BY payout.id
"""
_SETTLED = """
SELECT leg.channel, leg.channel_number FROM ledger_journal AS journal
JOIN payouts_leg AS leg ON leg.public_id = journal.reference
WHERE journal.kind = 'payout.leg_settled'
"""


class Auditor:
    """Looks at one history from its beginning to its end."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._payout_seen = 0
        self._attempts_seen = 0
        self._told_unplaced: set[str] = set()

    def begin_again(self) -> None:
        """The database was put back: its numbers start again from there."""
        ((seen,),) = self._ask("SELECT COALESCE(max(id), 0) FROM payouts_payout")
        self._payout_seen = seen

    def look_at_news(self, evidence: Evidence) -> Iterator[Found]:
        """What is new since the last look: payouts, and what channels complain of. Cheap."""
        for wrong in evidence.wrongs:
            yield "what must be refused is refused, and nothing else", wrong
        for book in evidence.books.values():
            for misuse in book.misuses:
                yield "a channel is asked for nothing unsound", misuse
        if evidence.attempts != self._attempts_seen:
            self._attempts_seen = evidence.attempts
            yield from self._settled_before_it_was_paid(evidence)
        for row in self._ask(_NEW_PAYOUTS, self._payout_seen):
            self._payout_seen = row[0]
            yield from judge_application(self._ask, evidence, row)

    def _settled_before_it_was_paid(self, evidence: Evidence) -> Iterator[Found]:
        paid = {
            (name, booking.number)
            for name, book in evidence.books.items()
            for booking in book.bookings
            if booking.was_paid(evidence.channel_times[name])
        }
        for settled in self._ask(_SETTLED):
            if settled not in paid:
                yield "we settle what was paid", f"{settled[1]} is settled, and not paid"

    def look_at_everything(self, evidence: Evidence) -> Iterator[Found]:
        """What must be true at every moment."""
        yield from broken_books(self._ask)
        yield from unheard_deductions(self._ask, evidence)
        yield from misplaced_payments(self._ask, evidence)
        yield from wrong_payments(self._ask, evidence, lost=evidence.lost_numbers)
        yield from words_never_said(self._ask, evidence)

    def look_before_the_bills(self, evidence: Evidence) -> Iterator[Found]:
        """What we were told of needs no bill to be found: not from one such look to the next."""
        before, self._told_unplaced = (
            self._told_unplaced,
            told_and_unplaced(self._ask, evidence),
        )
        for reference in sorted(before & self._told_unplaced):
            yield "what a channel tells of is asked about", f"{reference} has no place"

    def look_at_rest(self, evidence: Evidence) -> Iterator[Found]:
        """What must be true when nothing is under way any more."""
        yield from what_has_not_ended(self._ask)
        yield from wrong_payments(self._ask, evidence, lost=())
        yield from different_at_rest(self._ask, evidence)
        yield from unplaced_at_rest(self._ask, evidence)
        yield from unexplained_money(self._ask, evidence)
        yield from miscounted_notifications(self._ask, evidence)
