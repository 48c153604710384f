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
from kuaitui.deposits.errors import NoWayOut, PartTooLarge, PartTooSmall
from kuaitui.deposits.queries.destinations import destination
from kuaitui.deposits.types import Lot, PlannedLeg, RoutePlan, WaysOut
from kuaitui.kernel.money import Money

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
        PartTooSmall, PartTooLarge: a part cannot go back, and is no amount for such an account.
        DestinationRequired: a part cannot go back and `destination_id` is empty.
        DestinationUnknown: there is no such destination.
    """
    kinds = (_kind_of(destination_id),) if destination_id else tuple(PayeeKind)
    return _plan_for_first(
        kinds, lots, amount=amount, destination_id=destination_id, parts=parts, now=now
    )


def split_route(
    lots: Sequence[Lot], *, amount: Money, parts: Mapping[str, int], now: dt.datetime
) -> RoutePlan:
    """How an amount would be split if some account were chosen, a bank account first.

    Raises:
        InsufficientDeposit: less than `amount` is left of the lots.
        NoWayOut: no channel here pays any account.
        PartTooSmall, PartTooLarge: a part is no amount for any of them.
    """
    return _plan_for_first(
        tuple(PayeeKind), lots, amount=amount, destination_id=SOME_ACCOUNT, parts=parts, now=now
    )


def payable_kinds() -> frozenset[PayeeKind]:
    """The sorts of account that some channel here declares to pay."""
    ways = ways_out()
    names = {kind: ways.payers.get(kind) for kind in PayeeKind}
    return frozenset(
        kind
        for kind, named in names.items()
        if any(
            ways.payer(kind, lot_channel=name)
            for name in ([named] if named else list(ways.channels))
        )
    )


def identifying_channel(kind: PayeeKind) -> str | None:
    """The channel that says who a payee of that sort is: the one that pays them.

    None where no channel does, and where several could: what one calls a payee another does not
    know, so the settings must say which.
    """
    ways = ways_out()
    chosen = ways.payers.get(kind)
    able = [
        name
        for name in ([chosen] if chosen else ways.channels)
        if ways.payer(kind, lot_channel=name) and ways.channels[name].identifies_payees
    ]
    return able[0] if len(able) == 1 else None


def _plan_for_first(
    kinds: Sequence[PayeeKind],
    lots: Sequence[Lot],
    *,
    amount: Money,
    destination_id: str,
    parts: Mapping[str, int],
    now: dt.datetime,
) -> RoutePlan:
    """The plan for the first sort of account that can be paid; a refusal if none can.

    Of several the one that names an amount is told: an amount can be changed, a channel cannot.
    """
    refusals: list[NoWayOut] = []
    for kind in kinds:
        try:
            return rules.plan_route(
                lots,
                amount=amount,
                destination_id=destination_id,
                payee_kind=kind,
                ways=ways_out(),
                parts=parts,
                now=now,
            )
        except NoWayOut as refusal:
            refusals.append(refusal)
    about_amounts = (one for one in refusals if isinstance(one, (PartTooSmall, PartTooLarge)))
    raise next(about_amounts, refusals[0])


def plan_again(lot: Lot, *, amount: Money, destination_id: str) -> PlannedLeg:
    """How a part that failed or came back would go to another account.

    Raises:
        NoWayOut, PartTooSmall, PartTooLarge: no channel here pays such an account, or this amount.
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
    return destination(destination_id).kind
