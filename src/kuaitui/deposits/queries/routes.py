"""How money would go out: by the lots as they are and the channels as they declare themselves."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache

from django.conf import settings

from kuaitui.channels.port import PayeeKind
from kuaitui.channels.registry import ChannelUnknown, declared
from kuaitui.deposits import rules
from kuaitui.deposits.queries.destinations import destination
from kuaitui.deposits.types import Lot, PlannedLeg, RoutePlan, WaysOut
from kuaitui.kernel.money import Money

DEFAULT_KIND = PayeeKind.BANK_ACCOUNT
SOME_ACCOUNT = "some"


def plan_route(
    lots: Sequence[Lot],
    *,
    amount: Money,
    destination_id: str,
    parts: Mapping[str, int],
    now: dt.datetime,
) -> RoutePlan:
    """How an amount would go out of these lots now: see `rules.plan_route`.

    `parts` says of how many refunds a lot's payment has been the way already.

    Raises:
        InsufficientDeposit: less than `amount` is left of the lots.
        NoWayOut: a part cannot go back, and no channel here pays such an account.
        DestinationRequired: a part cannot go back and `destination_id` is empty.
        DestinationUnknown: there is no such destination.
    """
    return rules.plan_route(
        lots,
        amount=amount,
        destination_id=destination_id,
        payee_kind=_kind_of(destination_id),
        ways=ways_out(),
        parts=parts,
        now=now,
    )


def split_route(
    lots: Sequence[Lot], *, amount: Money, parts: Mapping[str, int], now: dt.datetime
) -> RoutePlan:
    """How an amount would be split if some bank account were chosen.

    Raises:
        InsufficientDeposit: less than `amount` is left of the lots.
        NoWayOut: no channel here pays a bank account.
    """
    return rules.plan_route(
        lots,
        amount=amount,
        destination_id=SOME_ACCOUNT,
        payee_kind=DEFAULT_KIND,
        ways=ways_out(),
        parts=parts,
        now=now,
    )


def plan_again(lot: Lot, *, amount: Money, destination_id: str) -> PlannedLeg:
    """How a part that failed or came back would go to another account.

    Raises:
        NoWayOut: no channel here pays such an account.
        DestinationUnknown: there is no such destination.
    """
    return rules.plan_designated(lot, amount, destination_id, _kind_of(destination_id), ways_out())


def ways_out() -> WaysOut:
    """What the channels of this installation can do.

    Raises:
        ChannelUnknown: the settings name a channel that there is not.
    """
    written = {"channels": settings.KUAITUI_CHANNELS, "payers": settings.KUAITUI_PAYERS}
    return _read(json.dumps(written, sort_keys=True, default=str))


@lru_cache(maxsize=4)
def _read(written: str) -> WaysOut:
    """Adapters are made once for the same settings; making one reads its keys."""
    del written
    channels = declared(settings.KUAITUI_CHANNELS)
    payers = {PayeeKind(kind): name for kind, name in settings.KUAITUI_PAYERS.items()}
    for name in payers.values():
        if name not in channels:
            raise ChannelUnknown(channel=name)
    return WaysOut(channels, payers)


def _kind_of(destination_id: str) -> PayeeKind:
    return destination(destination_id).kind if destination_id else DEFAULT_KIND
