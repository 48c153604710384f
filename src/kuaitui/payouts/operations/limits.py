"""How much may go out: set by one person, confirmed by another. And what lies at the channels."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.audit.operations import record
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.money import Money
from kuaitui.payouts.errors import (
    LimitChanged,
    LimitNeedsAnother,
    LimitNotPositive,
    LimitNotProposed,
)
from kuaitui.payouts.models import ChannelBalance, PayoutLimit
from kuaitui.payouts.types import ALL_CHANNELS, BalanceSource, LimitScope


@transaction.atomic(durable=True)
def propose_limit(
    *,
    scope: LimitScope,
    channel: str,
    currency: str,
    amount: Money | None,
    actor: Actor,
    now: dt.datetime,
) -> int:
    """Propose a limit, or with no amount that there be none; returns the proposal's number.

    Nothing changes until somebody else confirms. A later proposal for the same limit takes the
    place of one that nobody confirmed. `channel` counts where each channel has its own.

    Raises:
        LimitNotPositive: a limit is nothing or less; to stop sending there is the kill switch.
        CurrencyMismatch: an amount in another currency.
    """
    if amount is not None and amount <= Money.zero(currency):
        raise LimitNotPositive(scope=scope.value)
    row, _ = PayoutLimit.objects.update_or_create(
        scope=scope.value,
        channel=channel if scope.is_of_a_channel else ALL_CHANNELS,
        currency=currency,
        confirmed_at=None,
        defaults={
            "amount_minor": amount.minor if amount else None,
            "proposed_by": actor.id,
            "proposed_at": now,
        },
    )
    _record(row, "payout.limit_proposed", actor, now)
    return row.id


@transaction.atomic(durable=True)
def confirm_limit(*, limit_id: int, amount: Money | None, actor: Actor, now: dt.datetime) -> None:
    """Let a proposed limit be in force. `amount` is what was shown to the one who confirms.

    Raises:
        LimitNotProposed: there is no such proposal (any more).
        LimitChanged: another amount is proposed by now.
        LimitNeedsAnother: the same person proposed it. The database would refuse it too.
    """
    row = PayoutLimit.objects.select_for_update().filter(id=limit_id, confirmed_at=None).first()
    if row is None:
        raise LimitNotProposed(limit=limit_id)
    if row.amount_minor != (amount.minor if amount else None):
        raise LimitChanged(limit=limit_id)
    if row.proposed_by == actor.id:
        raise LimitNeedsAnother(limit=limit_id)
    row.confirmed_by, row.confirmed_at = actor.id, now
    row.save()
    _record(row, "payout.limit_set", actor, now)


@transaction.atomic(durable=True)
def note_balance(
    *,
    channel: str,
    balance: Money,
    as_of: dt.datetime,
    source: BalanceSource,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """Note what lay at a channel at a moment; what was sent since is taken off by ourselves.

    What is told of the latest moment counts, whenever it is told: a late word of an earlier moment
    is kept and changes nothing. The same word again is not noted again; another word of the same
    moment takes the place of the first.
    """
    known = ChannelBalance.objects.filter(channel=channel, currency=balance.currency, as_of=as_of)
    last = known.order_by("-id").first()
    if last is not None and (last.balance_minor, last.source) == (balance.minor, source.value):
        return
    ChannelBalance.objects.create(
        channel=channel,
        currency=balance.currency,
        balance_minor=balance.minor,
        as_of=as_of,
        source=source.value,
        told_by=actor.id,
        recorded_at=now,
    )
    record(
        actor=actor,
        action="payout.balance_noted",
        object_id=f"channel:{channel}",
        details={
            "balance_minor": balance.minor,
            "currency": balance.currency,
            "as_of": as_of.isoformat(),
            "source": source.value,
        },
        now=now,
    )


def _record(row: PayoutLimit, action: str, actor: Actor, now: dt.datetime) -> None:
    record(
        actor=actor,
        action=action,
        object_id=f"limit:{row.scope}:{row.channel}",
        details={
            "limit": row.id,
            "currency": row.currency,
            "amount_minor": row.amount_minor,
            "proposed_by": row.proposed_by,
        },
        now=now,
    )
