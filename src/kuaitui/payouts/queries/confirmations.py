"""What a seller must confirm at a channel before the money arrives."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from urllib.parse import quote

from kuaitui.channels.port import NeededAction
from kuaitui.deposits.queries import ways_out
from kuaitui.kernel.money import Money
from kuaitui.kit.encryption import Sealed, keyring
from kuaitui.payouts.models import PayoutLeg
from kuaitui.payouts.states import LegState


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A leg that its channel pays as soon as the payee has confirmed."""

    leg_id: str
    channel: str
    amount: Money
    until: dt.datetime | None
    """When the channel closes it unconfirmed, counted from the send. None: it does not say."""
    hand_over: str = field(repr=False)
    """With what the payee's app opens the confirm page. Empty: the channel gave nothing."""
    page: str = field(repr=False)
    """Where the payee confirms without the app, if the channel has such a page."""
    call: str = field(repr=False)
    """What a page opened in the channel's app asks it with, as JSON; empty if it cannot be asked."""


def confirmations_of(*, application_id: str, shop_key: int) -> tuple[Confirmation, ...]:
    """What the seller of an application must confirm, for that shop's own eyes.

    The only way to a hand-over: whoever holds it opens the payee's confirm page. Nothing for an
    application of another shop.

    Raises:
        SealBroken: what is kept is not what was sealed with the leg.
    """
    legs = PayoutLeg.objects.filter(
        payout__application_id=application_id,
        payout__shop_key=shop_key,
        state=LegState.NEEDS_ACTION,
        code=NeededAction.USER_CONFIRM.value,
    )
    return tuple(_to_confirmation(leg) for leg in legs.order_by("id"))


def hand_over_context(leg_id: str) -> str:
    """Where a hand-over is sealed: table, column and row."""
    return f"payouts_leg.hand_over:{leg_id}"


def _to_confirmation(leg: PayoutLeg) -> Confirmation:
    declared = ways_out().channels.get(leg.channel)
    within = declared.confirm_within if declared else None
    page = declared.confirm_page if declared else ""
    hand_over = _open(leg)
    return Confirmation(
        leg_id=leg.public_id,
        channel=leg.channel,
        amount=Money(leg.amount_minor, leg.currency),
        until=leg.last_sent_at + within if within and leg.last_sent_at else None,
        hand_over=hand_over,
        page=page + quote(hand_over, safe="") if page and hand_over else "",
        call=_call(declared.confirm_call, hand_over) if declared else "",
    )


def _call(arguments: tuple[tuple[str, str], ...], hand_over: str) -> str:
    return json.dumps({**dict(arguments), "package": hand_over}) if arguments and hand_over else ""


def _open(leg: PayoutLeg) -> str:
    if leg.hand_over_sealed is None:
        return ""
    sealed = Sealed(leg.hand_over_key_id, bytes(leg.hand_over_sealed))
    return keyring().unseal(sealed, context=hand_over_context(leg.public_id))
