"""What a seller may see of a payout."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from kuaitui.kernel.money import Money
from kuaitui.payouts.errors import PayoutUnknown
from kuaitui.payouts.models import LegCloseOut, Payout, PayoutLeg
from kuaitui.payouts.queries.values import LegProgress, PayoutProgress
from kuaitui.payouts.states import LegState, PayoutState


def payout_of_application(application_id: str) -> PayoutProgress:
    """How an application's payout stands, leg by leg.

    Raises:
        PayoutUnknown: none was begun.
    """
    payout = Payout.objects.filter(application_id=application_id).first()
    if payout is None:
        raise PayoutUnknown(application=application_id)
    newer = PayoutLeg.objects.filter(replaces=OuterRef("pk"))
    closed = LegCloseOut.objects.filter(leg=OuterRef("pk"))
    legs = payout.legs.annotate(is_replaced=Exists(newer), is_closed_out=Exists(closed)).order_by(
        "id"
    )
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
            )
            for row in legs
        ),
    )
