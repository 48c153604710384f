"""What people decided about a leg, as its claim and its record see it. Steps of other operations."""

from __future__ import annotations

import datetime as dt

from kuaitui.channels.port import PayeeAccount
from kuaitui.kit.encryption import Sealed
from kuaitui.kit.transactions import requires_transaction
from kuaitui.payouts.events import HandedOver
from kuaitui.payouts.models import LegIntervention, PayoutAttempt, PayoutLeg
from kuaitui.payouts.operations.requests import open_payee
from kuaitui.payouts.operations.switches import is_sending_stopped
from kuaitui.payouts.queries.progress import handed_over_to
from kuaitui.payouts.rules import intervention_end, must_ask_before_telling_again
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind, AttemptOutcome, InterventionEnd, InterventionKind

GOES_ON = frozenset({LegState.ACCEPTED, LegState.PAID})


@requires_transaction
def due_intervention(leg: PayoutLeg) -> LegIntervention | None:
    """What the channel is to be told now about a leg; nothing while it must be asked first.

    What stops sending stops a hand-over: money leaves by it. Calling back goes on.
    """
    if leg.state != LegState.NEEDS_ACTION:
        return None
    decided = LegIntervention.objects.filter(leg=leg, ended_at=None).first()
    if decided is None:
        return None
    is_hand_over = decided.kind == InterventionKind.HAND_OVER
    if is_hand_over and (decided.confirmed_at is None or is_sending_stopped(leg.channel)):
        return None
    attempts = PayoutAttempt.objects.filter(leg=leg).order_by("attempt_no")
    told = (
        (AttemptKind(kind), AttemptOutcome(outcome) if outcome else None)
        for kind, outcome in attempts.values_list("kind", "outcome")
    )
    return None if must_ask_before_telling_again(told) else decided


def payee_of(decided: LegIntervention | None, leg: PayoutLeg) -> PayeeAccount | None:
    """The account a stuck refund is handed over to.

    Raises:
        SealBroken: it is not the account that two people decided on.
    """
    if decided is None or decided.payee_sealed is None:
        return None
    sealed = Sealed(decided.payee_key_id, bytes(decided.payee_sealed))
    return open_payee(sealed, leg_id=leg.public_id, destination_id=decided.destination_id)


@requires_transaction
def end_intervention(
    leg: PayoutLeg, *, kind: AttemptKind, outcome: AttemptOutcome, now: dt.datetime
) -> None:
    """End what was decided about a leg, if an attempt has made it idle."""
    end = intervention_end(LegState(leg.state), kind=kind, outcome=outcome)
    if end is not None:
        LegIntervention.objects.filter(leg=leg, ended_at=None).update(ended_at=now, ended_as=end)


@requires_transaction
def news_of_hand_over(leg: PayoutLeg, now: dt.datetime) -> list[HandedOver]:
    """What is told of a refund that waited for a person and is on its way to another account now."""
    destination_id = handed_over_to(leg.public_id) if leg.state in GOES_ON else ""
    if not destination_id:
        return []
    payout = leg.payout
    about = (payout.application_id, payout.shop_key, leg.public_id, destination_id)
    return [HandedOver(*about, leg.amount_minor, leg.currency, now)]


@requires_transaction
def forget_giving_up(leg: PayoutLeg, *, now: dt.datetime) -> None:
    """Its channel knows a leg after all that somebody proposed to give up; only an overdue one can be."""
    LegIntervention.objects.filter(leg=leg, kind=InterventionKind.GIVE_UP, ended_at=None).update(
        ended_at=now, ended_as=InterventionEnd.WENT_ON
    )
