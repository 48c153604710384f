"""What people decided about a leg, and what they can decide."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from kuaitui.channels.port import NeededAction, PayeeKind
from kuaitui.deposits.queries import destination, destinations, ways_out
from kuaitui.deposits.types import Destination
from kuaitui.payouts.models import LegIntervention, PayoutLeg
from kuaitui.payouts.queries.lost import is_lost
from kuaitui.payouts.queries.refused import is_refused
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import InterventionKind


@dataclass(frozen=True, slots=True)
class Intervention:
    """What is decided about a leg and not over yet."""

    kind: InterventionKind
    reason: str
    destination: Destination | None
    proposed_by: str
    proposed_at: dt.datetime
    confirmed_by: str
    confirmed_at: dt.datetime | None

    @property
    def waits_for_a_second_person(self) -> bool:
        """Whether nothing was done about it yet."""
        return self.kind is not InterventionKind.CANCEL and self.confirmed_at is None

    @property
    def gives_up(self) -> bool:
        """Whether it says that nothing was paid."""
        return self.kind is InterventionKind.GIVE_UP

    def excludes(self, person_id: str) -> bool:
        """Whether somebody may not confirm it."""
        entered_by = self.destination.added_by if self.destination else ""
        return person_id in {self.proposed_by, entered_by}


@dataclass(frozen=True, slots=True)
class Openings:
    """What can be decided about a leg now."""

    action: NeededAction | None
    intervention: Intervention | None
    can_hand_over: bool
    can_call_back: bool
    can_give_up: bool
    can_stop_trying: bool


def openings(leg_id: str, *, now: dt.datetime) -> Openings:
    """What a leg waits for, what is decided about it and what can be."""
    leg = PayoutLeg.objects.get(public_id=leg_id)
    waits = leg.state == LegState.NEEDS_ACTION and leg.code
    action = NeededAction(leg.code) if waits else None
    decided = LegIntervention.objects.filter(leg=leg, ended_at=None).first()
    declared = ways_out().channels.get(leg.channel)
    is_free = action is not None and decided is None and declared is not None
    is_unconfirmed = action is NeededAction.USER_CONFIRM
    return Openings(
        action=action,
        intervention=_to_intervention(decided) if decided else None,
        can_hand_over=is_free
        and not is_unconfirmed
        and bool(declared and declared.hands_over_abnormal),
        can_call_back=is_free and is_unconfirmed and bool(declared and declared.can_cancel),
        can_give_up=decided is None and is_lost(leg, declared=declared, now=now),
        can_stop_trying=is_refused(leg, declared=declared, now=now),
    )


def accounts_for_hand_over(leg_id: str, *, now: dt.datetime) -> tuple[Destination, ...]:
    """The checked bank accounts of a leg's shop that may be used already."""
    shop_key = PayoutLeg.objects.values_list("payout__shop_key", flat=True).get(public_id=leg_id)
    return tuple(
        one
        for one in destinations(shop_key=shop_key)
        if one.is_verified
        and one.kind is PayeeKind.BANK_ACCOUNT
        and not one.is_cooling_down(now=now)
    )


def _to_intervention(row: LegIntervention) -> Intervention:
    return Intervention(
        kind=InterventionKind(row.kind),
        reason=row.reason,
        destination=destination(row.destination_id) if row.destination_id else None,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        confirmed_by=row.confirmed_by,
        confirmed_at=row.confirmed_at,
    )
