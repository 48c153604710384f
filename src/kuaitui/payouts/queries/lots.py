"""How often money went back along a payment."""

from __future__ import annotations

from django.db.models import Count, Q

from kuaitui.channels.port import Route
from kuaitui.payouts.models import PayoutLeg
from kuaitui.payouts.states import LegState


def parts_of_lots(*, book_id: int) -> dict[str, int]:
    """Of how many refunds each lot's payment has been, or is about to be, the way back.

    One that failed counts: whether the channel counts it is not written anywhere.
    """
    rows = PayoutLeg.objects.filter(book_id=book_id, route=Route.ORIGINAL).exclude(
        Q(state=LegState.CANCELLED) | Q(state=LegState.FAILED, sends=0)
    )
    return dict(rows.values_list("lot_id").annotate(parts=Count("id")))
