"""Hands on one order: take it out of the machine, and put it back after a look."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction

from kuaitui.audit.operations import record
from kuaitui.deposits.errors import PayInFindingMissing, PayInUnknown
from kuaitui.deposits.events import PayInNeedsPerson
from kuaitui.deposits.models import PayInOrderRow
from kuaitui.kernel.actor import Actor
from kuaitui.kit.outbox import publish, wake

REASON_LENGTH_MAX: Final = 200
WORKER: Final = Actor.system("deposits.worker")
SET_ASIDE: Final = "set_aside"


@transaction.atomic(durable=True)
def set_pay_in_aside(*, order_id: str, reason: str, now: dt.datetime) -> None:
    """Take an order out of the machine until a person looks: something must be true and is not.

    People are told once; an order that is set aside already stays as it is.

    Raises:
        PayInUnknown: there is no such order.
    """
    order = _lock(order_id)
    if order.set_aside_at is not None:
        return
    order.set_aside_at, order.set_aside_reason = now, reason[:REASON_LENGTH_MAX]
    order.save(update_fields=["set_aside_at", "set_aside_reason"])
    publish(PayInNeedsPerson(order_id, order.account.public_id, order.shop_key, SET_ASIDE), now=now)
    _record(order, "deposit.pay_in_set_aside", order.set_aside_reason, WORKER, now)


@transaction.atomic(durable=True)
def release_pay_in(*, order_id: str, reason: str, actor: Actor, now: dt.datetime) -> None:
    """Put an order that was set aside back; what is due next follows from its state as ever.

    Moves no money. Whatever set it aside is looked at again: if it is still so, the order is set
    aside once more. Idempotent.

    Raises:
        PayInFindingMissing: say what was found.
        PayInUnknown: there is no such order.
    """
    if not reason.strip():
        raise PayInFindingMissing(order=order_id)
    order = _lock(order_id)
    if order.set_aside_at is None:
        return
    order.set_aside_at, order.set_aside_reason = None, ""
    order.next_check_at = now
    order.save(update_fields=["set_aside_at", "set_aside_reason", "next_check_at"])
    _record(order, "deposit.pay_in_released", reason.strip(), actor, now)
    wake()


def _lock(order_id: str) -> PayInOrderRow:
    orders = PayInOrderRow.objects.select_for_update(of=("self",)).select_related("account")
    order = orders.filter(public_id=order_id).first()
    if order is None:
        raise PayInUnknown(order=order_id)
    return order


def _record(order: PayInOrderRow, action: str, reason: str, actor: Actor, now: dt.datetime) -> None:
    record(
        actor=actor,
        action=action,
        object_id=order.public_id,
        shop_key=order.shop_key,
        details={"reason": reason[:REASON_LENGTH_MAX]},
        now=now,
    )
