"""Recording what calls came to: outcomes, legs, journals, lots and news in one transaction."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import structlog
from django.db import connection, transaction

from kuaitui.channels.port import ChannelCapabilities, Outcome
from kuaitui.deposits.operations import ShareKey, lock_deposits, return_shares, settle_shares
from kuaitui.kit.crashpoints import reach
from kuaitui.kit.outbox import publish_all
from kuaitui.ledger.operations import post_journals
from kuaitui.payouts.events import PayoutPaid
from kuaitui.payouts.models import Payout, PayoutAttempt, PayoutLeg
from kuaitui.payouts.operations.batch_gate import leave_batch
from kuaitui.payouts.operations.claim import Claim
from kuaitui.payouts.operations.intervention_gate import (
    end_intervention,
    forget_giving_up,
    news_of_hand_over,
)
from kuaitui.payouts.operations.moving import Moved, Recording, move
from kuaitui.payouts.operations.writing import save_legs, save_payouts
from kuaitui.payouts.rules import Attempted, classify, payout_state
from kuaitui.payouts.states import LegState, PayoutState
from kuaitui.payouts.types import AttemptOutcome, Pace, PostingKind

CAUSE_LENGTH_MAX: Final = 80
_COMPLETE: Final = """
UPDATE payouts_attempt AS attempt SET outcome = told.word, cause = told.cause, finished_at = %s
FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::text[], %s::text[])
    AS told (id, leg_id, fence, word, cause)
WHERE attempt.id = told.id AND attempt.leg_id = told.leg_id AND attempt.fence = told.fence
    AND attempt.outcome IS NULL
RETURNING attempt.leg_id
"""

log = structlog.get_logger(__name__)


def record_outcome(
    *,
    claim: Claim,
    outcome: Outcome,
    capabilities: ChannelCapabilities,
    pace: Pace,
    now: dt.datetime,
) -> LegState | None:
    """Record an attempt's outcome and move the leg on; nothing if the lease was lost meanwhile.

    The fence decides: whoever took the leg since asks the channel itself, so an answer that comes
    late is not needed. Recording twice changes nothing.
    """
    recordings = [Recording(claim, outcome, capabilities)]
    return record_outcomes(recordings=recordings, pace=pace, now=now)[0]


@transaction.atomic(durable=True)
def record_outcomes(
    *, recordings: Sequence[Recording], pace: Pace, now: dt.datetime
) -> list[LegState | None]:
    """Record what many attempts came to, each as `record_outcome` does, in one transaction.

    All or none: where one cannot be recorded, whoever calls records each of them by itself.
    """
    legs = _lock(recordings)
    held = _complete(recordings, legs, now)
    histories = _histories([legs[one.claim.leg_id] for one in held if one.claim.attempt_no > 1])
    moved = []
    for one in held:
        leg, (word, cause) = legs[one.claim.leg_id], classify(one.outcome)
        first = [Attempted(one.claim.kind, word, one.claim.started_at, cause[:CAUSE_LENGTH_MAX])]
        attempts = histories.get(leg.id, first)
        moved.append(move(leg, one, attempts, word=word, pace=pace, now=now))
    _post_and_settle(moved, now)
    reach("payouts.record.posted")
    save_legs([one.leg for one in moved])
    for done in moved:
        _leave_behind(done, now)
    paid = _derive_payouts([one.leg for one in moved], now)
    publish_all([*(news for one in moved for news in one.news), *paid], now=now)
    reach("payouts.record.uncommitted")
    states = {one.claim.attempt_id: LegState(legs[one.claim.leg_id].state) for one in held}
    return [states.pop(one.claim.attempt_id, None) for one in recordings]


def _lock(recordings: Sequence[Recording]) -> dict[str, PayoutLeg]:
    """The legs by their ids. The payout first, then its leg: two legs that end at once must not both
    see the other open. In one order: no two callers wait for each other.
    """
    rows = (
        PayoutLeg.objects.select_related("payout")
        .select_for_update(of=("payout", "self"))
        .filter(public_id__in=[one.claim.leg_id for one in recordings])
        .order_by("payout_id", "id")
    )
    payouts: dict[int, Payout] = {}
    legs = {}
    for leg in rows:
        leg.payout = payouts.setdefault(leg.payout_id, leg.payout)
        legs[leg.public_id] = leg
    return legs


def _complete(
    recordings: Sequence[Recording], legs: dict[str, PayoutLeg], now: dt.datetime
) -> list[Recording]:
    """Complete the attempts; gives those whose leases were held until now, each leg once."""
    fresh = {
        one.claim.leg_id: one
        for one in recordings
        if legs[one.claim.leg_id].fence == one.claim.fence
    }
    told = [(one.claim, legs[leg_id].id, *classify(one.outcome)) for leg_id, one in fresh.items()]
    completed: set[int] = set()
    if told:
        claims, leg_ids, words, causes = zip(*told, strict=True)
        columns = [
            [claim.attempt_id for claim in claims],
            list(leg_ids),
            [claim.fence for claim in claims],
            [word.value for word in words],
            [cause[:CAUSE_LENGTH_MAX] for cause in causes],
        ]
        with connection.cursor() as cursor:
            cursor.execute(_COMPLETE, [now, *columns])
            completed = {leg_id for (leg_id,) in cursor.fetchall()}
    held = [one for leg_id, one in fresh.items() if legs[leg_id].id in completed]
    kept = {id(one) for one in held}
    for one in recordings:
        if id(one) not in kept:
            claim, (word, _) = one.claim, classify(one.outcome)
            log.warning(
                "payout.attempt.lease_lost", leg_id=claim.leg_id, fence=claim.fence, outcome=word
            )
    return held


def _histories(legs: Sequence[PayoutLeg]) -> dict[int, list[Attempted]]:
    """All attempts of legs, in their order."""
    found: dict[int, list[Attempted]] = defaultdict(list)
    if legs:
        attempts = PayoutAttempt.objects.filter(leg__in=legs).order_by("leg_id", "attempt_no")
        rows = attempts.values_list("leg_id", "kind", "outcome", "started_at", "cause")
        for leg_id, kind, outcome, started_at, cause in rows:
            found[leg_id].append(Attempted(kind, outcome, started_at, cause))
    return found


def _post_and_settle(moved: Sequence[Moved], now: dt.datetime) -> None:
    """Journals, and beside them the parts of the lots. The deposits first, then their books."""
    settled, returned = (
        [
            ShareKey(one.leg.payout.account_id, one.leg.public_id)
            for one in moved
            if kind in one.postings
        ]
        for kind in (PostingKind.SETTLED, PostingKind.RETURNED)
    )
    lock_deposits(account_ids={share.account_id for share in (*settled, *returned)})
    post_journals([journal for one in moved for journal in one.journals], now=now)
    settle_shares(settled, now=now)
    return_shares(returned, now=now)


def _leave_behind(one: Moved, now: dt.datetime) -> None:
    """What ends with the attempt: a person's decision that it carried out, a place in a batch."""
    if one.before is LegState.NEEDS_ACTION:
        end_intervention(one.leg, kind=one.kind, outcome=one.word, now=now)
        one.news.extend(news_of_hand_over(one.leg, now))
    elif one.leg.delayed_at is not None and one.leg.state != one.before:
        forget_giving_up(one.leg, now=now)
    is_free_again = one.leg.state == LegState.READY
    if is_free_again and one.word is AttemptOutcome.FAILED_RETRYABLE:
        leave_batch(one.leg, now=now)


def _derive_payouts(legs: Sequence[PayoutLeg], now: dt.datetime) -> list[PayoutPaid]:
    """The payouts' states follow from the legs that stand; gives the news of those that are paid."""
    # A leg that was just recorded stands. One that carries all of its payout stands alone.
    standing = {
        leg.payout_id: [leg.state] for leg in legs if leg.amount_minor == leg.payout.amount_minor
    }
    payouts = {leg.payout_id: leg.payout for leg in legs}
    if shared := payouts.keys() - standing.keys():
        rows = PayoutLeg.objects.filter(payout__in=shared, replaced_by=None, close_out=None)
        for payout_id, state in rows.values_list("payout_id", "state"):
            standing.setdefault(payout_id, []).append(state)
    changed, news = [], []
    for payout_id, payout in payouts.items():
        state = payout_state(LegState(state) for state in standing.get(payout_id, ()))
        if state == payout.state:
            continue
        payout.state = state
        changed.append(payout)
        if state is PayoutState.PAID:
            payout.paid_at = now
            news.append(
                PayoutPaid(
                    payout.application_id,
                    payout.public_id,
                    payout.amount_minor,
                    payout.currency,
                    now,
                )
            )
    save_payouts(changed)
    return news
