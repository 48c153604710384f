"""Taking legs for one attempt each: the intent is written and committed before anything leaves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Max, Q

from kuaitui.channels.port import PayeeAccount, PayoutInstruction
from kuaitui.channels.port.capabilities import NOTHING_BETWEEN
from kuaitui.kit.crashpoints import reach
from kuaitui.kit.outbox import publish_all
from kuaitui.ledger.operations import post_journals
from kuaitui.payouts.models import LegIntervention, PayoutAttempt, PayoutLeg
from kuaitui.payouts.operations.again import wanted_again
from kuaitui.payouts.operations.batch_gate import is_released, note_sent, with_release
from kuaitui.payouts.operations.doubts import in_doubt_since, may_be_forgotten
from kuaitui.payouts.operations.failing import fail_leg
from kuaitui.payouts.operations.gates import is_limited, is_spaced, is_within_limits
from kuaitui.payouts.operations.intervention_gate import due_intervention, payee_of
from kuaitui.payouts.operations.postings import journal_of, news_of_sent
from kuaitui.payouts.operations.requests import open_request
from kuaitui.payouts.operations.switches import is_sending_stopped
from kuaitui.payouts.operations.writing import save_legs
from kuaitui.payouts.queries.holds import last_held_at
from kuaitui.payouts.rules import must_ask, next_kind
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind, AttemptOutcome, InterventionKind, Pace, PostingKind

LEASE_ENDED = "lease_ended"
ROUTE_CLOSED = "ROUTE_CLOSED"
# What is paid is only watched: it comes after all that is not.
WATCHED: Final = ExpressionWrapper(Q(state=LegState.PAID), output_field=BooleanField())


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to make one attempt, for as long as the lease lasts."""

    leg_id: str
    kind: AttemptKind
    attempt_no: int
    fence: int
    lease_until: dt.datetime
    channel: str
    instruction: PayoutInstruction
    attempt_id: int
    started_at: dt.datetime
    held_at: dt.datetime | None
    """When the last hold began."""
    doubt_since: dt.datetime | None
    """From when on the channel's word about this leg is needed, if it is."""
    is_uncertain: bool
    """Whether the channel has not yet given its word about this leg since then."""
    reference: str
    """The channel's own number, as far as it told one."""
    payee: PayeeAccount | None = None
    """To whom a stuck refund is handed over."""


class Claimed(NamedTuple):
    """What was taken of many legs."""

    claims: list[Claim]
    alone: list[str]
    """Legs that must be claimed by themselves: what one takes away from the next (limits), and what
    posts at once (a route that has closed)."""


NOTHING_CLAIMED: Final = Claimed([], [])


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A locked leg and the attempt that is its turn."""

    leg: PayoutLeg
    kind: AttemptKind
    instruction: PayoutInstruction
    doubt_since: dt.datetime | None
    is_uncertain: bool
    is_first_send: bool
    payee: PayeeAccount | None


def claim_leg(
    *,
    leg_id: str,
    pace: Pace,
    now: dt.datetime,
    refund_interval: dt.timedelta = NOTHING_BETWEEN,
) -> Claim | None:
    """Take a leg for one attempt, or nothing when it is not its turn or somebody has it.

    In one transaction: kill switch, hold, limits, `refund_interval` and the release of the leg's batch
    (for SEND only), the window of the route, the seal that binds the approval; the lease and the next
    fence; the first time *frozen → in_transit*; the attempt row. A leg whose last worker never recorded
    is asked about, never sent. So is, until its channel gave its word, one whose sends may be forgotten
    after a restore, and one that was sent and whose way back has closed since, or whose number the
    channel may have forgotten. What its channel has and wants once more is handed over again. A leg
    that waits for a person is the matter of what people decided.

    Raises:
        SealBroken, InvariantViolated: the leg is not what was approved. Nothing was taken.
        InsufficientBalance: the money is not frozen. Nothing was taken.
    """
    claimed = claim_legs(
        leg_ids=[leg_id], pace=pace, now=now, interval_of=lambda _: refund_interval
    )
    return claimed.claims[0] if claimed.claims else None


@transaction.atomic(durable=True)
def claim_legs(
    *,
    leg_ids: Sequence[str],
    pace: Pace,
    now: dt.datetime,
    interval_of: Callable[[str], dt.timedelta],
    room: int = 1,
) -> Claimed:
    """Take at most `room` of the legs in one transaction, each as `claim_leg` does.

    `interval_of` tells the spacing of refunds of a channel. Legs that somebody else has are passed
    over, so that several workers share one list.

    Raises:
        SealBroken, InvariantViolated, InsufficientBalance, ChannelUnknown: for one of them. Nothing
            was taken.
    """
    legs = _lock_due(leg_ids, now, room)
    if not legs:
        return NOTHING_CLAIMED
    held_at = last_held_at()
    wanted = wanted_again(legs, since=now - pace.word_holds)
    gate = _Gate(interval_of, now, is_alone=len(leg_ids) == 1, wanted_again=wanted)
    chosen = [one for leg in legs if (one := _choose(leg, held_at, gate)) is not None]
    attempts = _take(chosen, pace, now)
    reach("payouts.claim.uncommitted")
    claims = [
        Claim(
            leg_id=one.leg.public_id,
            kind=one.kind,
            attempt_no=attempt.attempt_no,
            fence=one.leg.fence,
            lease_until=now + pace.lease,
            channel=one.leg.channel,
            instruction=one.instruction,
            attempt_id=attempt.id,
            started_at=now,
            held_at=held_at,
            doubt_since=one.doubt_since,
            is_uncertain=one.is_uncertain,
            reference=one.leg.bank_reference,
            payee=one.payee,
        )
        for one, attempt in zip(chosen, attempts, strict=True)
    ]
    return Claimed(claims, gate.alone)


def _lock_due(leg_ids: Sequence[str], now: dt.datetime, room: int) -> list[PayoutLeg]:
    """Those whose turn has come and that nobody has, with their payouts, the payout first.

    Nobody is waited for, so the longest waiting come first and the order of locks does not matter.
    """
    return list(
        PayoutLeg.objects.select_related("payout")
        .select_for_update(skip_locked=True, of=("payout", "self"))
        .filter(public_id__in=leg_ids, next_check_at__lte=now, set_aside_at=None)
        .filter(Q(lease_until=None) | Q(lease_until__lte=now))
        .order_by(WATCHED, "next_check_at", "id")[:room]
    )


class _Gate:
    """What legs must pass to be sent. What is the same for all of a channel is looked up once."""

    def __init__(
        self,
        interval_of: Callable[[str], dt.timedelta],
        now: dt.datetime,
        *,
        is_alone: bool,
        wanted_again: frozenset[int],
    ) -> None:
        self.interval_of = interval_of
        self.now = now
        self._wanted_again = wanted_again
        self._is_alone = is_alone
        self.alone: list[str] = []
        self._stopped: dict[str, bool] = {}
        self._limited: dict[tuple[str, str], bool] = {}

    def lets_send(self, leg: PayoutLeg) -> bool:
        """Whether a leg may be sent now."""
        now = self.now
        if self._is_stopped(leg.channel):
            return False
        is_closed = _has_closed(leg, now)
        is_limited = leg.first_sent_at is None and self._is_limited(leg)
        if not self._is_alone and (is_closed or is_limited):
            self.alone.append(leg.public_id)
            return False
        if is_closed:
            # The way back has closed while the leg waited; no send of it took effect.
            fail_leg(leg, ROUTE_CLOSED, now=now)
            return False
        if leg.needs_batch and not is_released(leg):
            return False
        if not is_spaced(leg, interval=self.interval_of(leg.channel), now=now):
            return False
        return not is_limited or is_within_limits(leg, now=now)

    def lets_send_again(self, leg: PayoutLeg) -> bool:
        """Whether a leg goes once more to the channel that has it, because that asked for it.

        No limit counts it twice. While sending is stopped it is asked about instead.
        """
        return leg.id in self._wanted_again and not self._is_stopped(leg.channel)

    def _is_stopped(self, channel: str) -> bool:
        if channel not in self._stopped:
            self._stopped[channel] = is_sending_stopped(channel)
        return self._stopped[channel]

    def _is_limited(self, leg: PayoutLeg) -> bool:
        key = (leg.channel, leg.currency)
        if key not in self._limited:
            self._limited[key] = is_limited(channel=leg.channel, currency=leg.currency)
        return self._limited[key]


def _has_closed(leg: PayoutLeg, now: dt.datetime) -> bool:
    return leg.route_open_until is not None and leg.route_open_until <= now


def _choose(leg: PayoutLeg, held_at: dt.datetime | None, gate: _Gate) -> _Chosen | None:
    """What is to be done about a leg now, if it may be done."""
    gate.interval_of(leg.channel)  # whose channel is gone is not taken, not even to be asked about
    doubt_since = in_doubt_since(
        held_at=held_at,
        last_sent_at=leg.last_sent_at,
        must_be_known=_has_closed(leg, gate.now) or may_be_forgotten(leg, now=gate.now),
    )
    is_uncertain = must_ask(clear_since=leg.clear_since, held_at=doubt_since)
    decided: LegIntervention | None = due_intervention(leg)
    kind = next_kind(
        LegState(leg.state),
        must_ask=is_uncertain,
        wants_again=gate.lets_send_again(leg),
        intervention=InterventionKind(decided.kind) if decided else None,
    )
    if kind is AttemptKind.SEND and not gate.lets_send(leg):
        return None
    return _Chosen(
        leg=leg,
        kind=kind,
        instruction=with_release(
            leg,
            open_request(leg),
            held_at=held_at if must_ask(clear_since=leg.clear_since, held_at=held_at) else None,
        ),
        doubt_since=doubt_since,
        is_uncertain=is_uncertain,
        is_first_send=kind is AttemptKind.SEND and leg.first_sent_at is None,
        payee=payee_of(decided, leg),
    )


def _take(chosen: Sequence[_Chosen], pace: Pace, now: dt.datetime) -> list[PayoutAttempt]:
    """Lease, fence, journal and attempt of each, written for all at once."""
    last_no = _complete_lost_attempts([one.leg for one in chosen if one.leg.fence], now)
    for one in chosen:
        _move_to(one, pace, now)
    save_legs([one.leg for one in chosen])
    for one in chosen:
        if one.kind is AttemptKind.SEND:
            note_sent(one.leg, now=now)
    first = [one.leg for one in chosen if one.is_first_send]
    post_journals([journal_of(leg, PostingKind.SENT, occurred_at=now) for leg in first], now=now)
    publish_all([news_of_sent(leg.payout, leg, now) for leg in first], now=now)
    return PayoutAttempt.objects.bulk_create(
        PayoutAttempt(
            leg=one.leg,
            attempt_no=last_no.get(one.leg.id, 0) + 1,
            kind=one.kind,
            fence=one.leg.fence,
            started_at=now,
        )
        for one in chosen
    )


def _complete_lost_attempts(legs: Sequence[PayoutLeg], now: dt.datetime) -> dict[int, int]:
    """Their last workers never recorded: nobody knows what they did. The last number of each leg."""
    if not legs:
        return {}
    attempts = PayoutAttempt.objects.filter(leg__in=legs)
    attempts.filter(outcome=None).update(
        outcome=AttemptOutcome.UNKNOWN, cause=LEASE_ENDED, finished_at=now
    )
    return dict(attempts.values_list("leg").annotate(last=Max("attempt_no")))


def _move_to(one: _Chosen, pace: Pace, now: dt.datetime) -> None:
    leg = one.leg
    if one.kind is AttemptKind.SEND:
        _move(leg, LegState.SENDING, now)
        leg.sends += 1
        leg.checks = 0
        leg.first_sent_at = leg.first_sent_at or now
        leg.last_sent_at = now
    elif leg.state == LegState.SENDING:
        _move(leg, LegState.UNKNOWN, now)
    leg.fence += 1
    leg.lease_until = leg.next_check_at = now + pace.lease


def _move(leg: PayoutLeg, state: LegState, now: dt.datetime) -> None:
    leg.state, leg.since, leg.waits_for = state, now, ""
