"""What a seller may see of a payout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, TypedDict

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from kuaitui.kernel.money import Money
from kuaitui.payouts.errors import PayoutUnknown
from kuaitui.payouts.models import LegCloseOut, LegIntervention, Payout, PayoutAttempt, PayoutLeg
from kuaitui.payouts.queries.values import LegProgress, PayoutProgress
from kuaitui.payouts.states import LegState, PayoutState
from kuaitui.payouts.types import WITHOUT_EFFECT, AttemptKind, InterventionEnd, InterventionKind

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations


class _Succession(TypedDict):
    is_replaced: bool
    is_closed_out: bool
    handed_over_to: str | None


def payout_of_application(application_id: str) -> PayoutProgress:
    """How an application's payout stands, leg by leg.

    Raises:
        PayoutUnknown: none was begun.
    """
    payout = Payout.objects.filter(application_id=application_id).first()
    if payout is None:
        raise PayoutUnknown(application=application_id)
    return _progress(payout, list(_legs().filter(payout=payout).order_by("id")))


def payouts_of_applications(application_ids: Sequence[str]) -> Mapping[str, PayoutProgress]:
    """How the payouts of these applications stand. One query, however many there are.

    An application of which no payout was begun is not in the answer.
    """
    rows = (
        _legs()
        .filter(payout__application_id__in=application_ids)
        .select_related("payout")
        .order_by("payout_id", "id")
    )
    found = [list(legs) for _payout_id, legs in groupby(rows, key=lambda row: row.payout_id)]
    return {legs[0].payout.application_id: _progress(legs[0].payout, legs) for legs in found}


def handed_over_to(leg_id: str) -> str:
    """The account to which its channel sends a refund that was stuck; nothing if there is none."""
    rows = _legs().filter(public_id=leg_id).values_list("handed_over_to", flat=True)
    return rows.first() or ""


def _legs() -> QuerySet[WithAnnotations[PayoutLeg, _Succession]]:
    newer = PayoutLeg.objects.filter(replaces=OuterRef("pk"))
    closed = LegCloseOut.objects.filter(leg=OuterRef("pk"))
    # The account of the last hand-over after which it went on. A stuck refund may go on by itself
    # before its channel is told.
    told = PayoutAttempt.objects.filter(
        leg=OuterRef("leg"),
        kind=AttemptKind.HAND_OVER,
        started_at__gte=OuterRef("confirmed_at"),
    ).exclude(outcome__in=WITHOUT_EFFECT)
    handed_over = LegIntervention.objects.filter(
        Exists(told),
        leg=OuterRef("pk"),
        kind=InterventionKind.HAND_OVER,
        ended_as=InterventionEnd.WENT_ON,
    ).order_by("-ended_at", "-id")
    return PayoutLeg.objects.annotate(
        is_replaced=Exists(newer),
        is_closed_out=Exists(closed),
        handed_over_to=Subquery(handed_over.values("destination_id")[:1]),
    )


def _progress(
    payout: Payout, legs: Sequence[WithAnnotations[PayoutLeg, _Succession]]
) -> PayoutProgress:
    return PayoutProgress(
        payout_id=payout.public_id,
        application_id=payout.application_id,
        state=PayoutState(payout.state),
        amount=Money(payout.amount_minor, payout.currency),
        begun_at=payout.begun_at,
        paid_at=payout.paid_at,
        legs=tuple(
            LegProgress(
                leg_id=row.public_id,
                lot_id=row.lot_id,
                amount=Money(row.amount_minor, row.currency),
                route=row.route,
                channel=row.channel,
                destination_id=row.destination_id,
                tail=row.tail,
                state=LegState(row.state),
                sent_at=row.first_sent_at,
                settled_at=row.settled_at,
                returned_at=row.returned_at,
                failed_at=row.failed_at,
                bank_reference=row.bank_reference,
                code=row.code,
                is_replaced=row.is_replaced,
                is_closed_out=row.is_closed_out,
                handed_over_to=row.handed_over_to or "",
            )
            for row in legs
        ),
    )
