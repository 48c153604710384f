"""How often money went back along a payment, and when it last did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db.models import Count, Max, Q

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


def last_sent_back(*, shop_key: int, lot_ids: Collection[str]) -> dict[str, dt.datetime]:
    """When something was last sent back along the payments of these lots, where it ever was."""
    rows = PayoutLeg.objects.filter(
        payout__shop_key=shop_key,
        lot_id__in=lot_ids,
        route=Route.ORIGINAL,
        last_sent_at__isnull=False,
    )
    return dict(rows.values_list("lot_id").annotate(last=Max("last_sent_at")))
