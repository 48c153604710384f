"""A seller's wish to pay in: written down under its number before any channel hears of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from kuaitui.audit.operations import record
from kuaitui.channels.port import PayInMethod
from kuaitui.channels.registry import Channels
from kuaitui.deposits import rules
from kuaitui.deposits.errors import (
    DepositAccountClosed,
    DepositAccountUnknown,
    PayInAlreadyOpen,
    PayInAmountMissing,
    PayInAmountTooLarge,
    PayInEnded,
    PayInKeyReused,
    PayInNothingMissing,
    PayInUnknown,
    PayInWayUnavailable,
)
from kuaitui.deposits.models import DepositAccount, PayInOrderRow, StrayNumber
from kuaitui.deposits.models.pay_ins import OPEN_STATES
from kuaitui.deposits.operations.locking import lock_account, require_payable
from kuaitui.deposits.queries.accounts import summarize
from kuaitui.deposits.states import OPEN, PayInState
from kuaitui.deposits.types import DepositKind, FoundBy, PayInChoice, PayInPace
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.ids import IdPrefix, new_id
from kuaitui.kernel.money import Money
from kuaitui.kit.outbox import wake

REQUEST_KEY_LENGTH_MAX: Final = 64
NUMBER_LENGTH_MAX: Final = 64
# What the payer's own app shows beside the amount. Payers of mainland channels read Chinese.
DESCRIPTIONS: Final = {
    DepositKind.SHOP: "店铺保证金",
    DepositKind.PROMOTION: "推广保证金",
    DepositKind.CROSS_BORDER: "跨境保证金",
    DepositKind.CAMPAIGN: "活动保证金",
    DepositKind.SERVICE_PROVIDER: "服务商保证金",
}


@dataclass(frozen=True, slots=True)
class PayerDetails:
    """What a channel wants to know of the payer's browser."""

    ip: str = ""
    return_to: str = ""
    """The address of the order's page without the order's id, which is added to it."""


@transaction.atomic(durable=True)
def start_pay_in(
    *,
    account_id: str,
    shop_key: int,
    choice: PayInChoice,
    amount: Money | None,
    channel: str,
    method: PayInMethod,
    request_key: str,
    payer: PayerDetails,
    channels: Channels,
    pace: PayInPace,
    actor: Actor,
    now: dt.datetime,
) -> str:
    """Write down what a seller is to pay, and return the order's id. No channel is called here.

    Moves no money: that is the channel's word alone. Idempotent per account and request key.
    `amount` counts for `PayInChoice.OTHER` only.

    Raises:
        DepositAccountUnknown: there is no such deposit, or it is another shop's.
        PayInKeyReused: the request was made before with another amount or way.
        DepositAccountClosed: the shop has left.
        ChannelUnknown, ChannelCannot, PayInWayUnavailable: it cannot be paid this way.
        PayInAlreadyOpen: another order of this deposit still waits; its id is in the details.
        PayInNothingMissing, PayInAmountMissing, DepositCurrencyWrong, DepositAmountNotPositive,
        PayInAmountTooLarge: the amount cannot be.
    """
    account = lock_account(account_id)
    if account.shop_key != shop_key:
        raise DepositAccountUnknown(account=account_id)
    first = PayInOrderRow.objects.filter(account=account, request_key=request_key).first()
    if first is not None:
        _require_same(first, choice, amount, channel, method)
        return first.public_id
    if not account.is_open:
        raise DepositAccountClosed(account=account_id)
    channels.collecting(channel)
    if method not in channels.get(channel).capabilities.pay_in_methods:
        raise PayInWayUnavailable(channel=channel, method=method.value)
    _require_none_open(account)
    asked = _amount(account, choice, amount)
    order = _write_order(account, asked, channel, method, request_key, payer, pace, actor, now)
    record(
        actor=actor,
        action="deposit.pay_in_started",
        object_id=order.public_id,
        shop_key=shop_key,
        details={"amount_minor": asked.minor, "account": account_id, "channel": channel},
        now=now,
    )
    wake()
    return order.public_id


@transaction.atomic(durable=True)
def call_off_pay_in(*, order_id: str, shop_key: int, actor: Actor, now: dt.datetime) -> None:
    """Let nobody pay an order any more. The channel is told; until it agrees the order is open.

    Idempotent. Somebody may be faster and pay: then the order is paid.

    Raises:
        PayInUnknown: there is no such order of this shop.
        PayInEnded: it is paid, or has ended.
    """
    order = _lock_order(order_id, shop_key)
    if PayInState(order.state) not in OPEN:
        raise PayInEnded(order=order_id, state=order.state)
    if order.called_off_at is not None:
        return
    order.called_off_at = order.next_check_at = now
    order.save(update_fields=["called_off_at", "next_check_at"])
    record(
        actor=actor,
        action="deposit.pay_in_called_off",
        object_id=order_id,
        shop_key=shop_key,
        now=now,
    )
    wake()


@transaction.atomic(durable=True)
def look_again(*, order_id: str, shop_key: int, pace: PayInPace, now: dt.datetime) -> bool:
    """Let the channel be asked at once, because the payer says that it is paid.

    Changes nothing but when we ask, and not more often than the pace allows; whether it did.

    Raises:
        PayInUnknown: there is no such order of this shop.
    """
    order = _lock_order(order_id, shop_key)
    last = order.attempts.order_by("-attempt_no").values_list("started_at", flat=True).first()
    has_just_asked = last is not None and now - last < pace.look_again_after
    if has_just_asked or order.set_aside_at is not None:
        return False
    if PayInState(order.state) in OPEN:
        PayInOrderRow.objects.filter(pk=order.pk, next_check_at__gt=now).update(next_check_at=now)
        wake()
    return True


@transaction.atomic(durable=True)
def note_pay_in_hint(*, channel: str, number: str, now: dt.datetime) -> bool:
    """A channel says that something happened to a number: ask it; whether the number is ours.

    A hint changes nothing but when we ask. A number that is not ours is written down and asked
    about too: money may lie behind it that nobody here has heard of.
    """
    orders = PayInOrderRow.objects.filter(channel=channel, number=number)
    is_ours = bool(orders.filter(set_aside_at=None).update(next_check_at=now))
    if not is_ours and not orders.exists() and 0 < len(number) <= NUMBER_LENGTH_MAX:
        StrayNumber.objects.update_or_create(
            channel=channel,
            number=number,
            defaults={"next_check_at": now, "checks": 0},
            create_defaults={
                "found_by": FoundBy.NOTIFICATION.value,
                "heard_at": now,
                "next_check_at": now,
            },
        )
    wake()
    return is_ours


def _lock_order(order_id: str, shop_key: int) -> PayInOrderRow:
    order = (
        PayInOrderRow.objects.select_for_update()
        .filter(public_id=order_id, shop_key=shop_key)
        .first()
    )
    if order is None:
        raise PayInUnknown(order=order_id)
    return order


def _require_same(
    first: PayInOrderRow,
    choice: PayInChoice,
    amount: Money | None,
    channel: str,
    method: PayInMethod,
) -> None:
    """The same request again, as a double click or another tab sends it.

    What is missing may have changed since; a chosen amount may not.
    """
    is_same_amount = choice is not PayInChoice.OTHER or amount == Money(
        first.amount_minor, first.currency
    )
    if not is_same_amount or (first.channel, first.method) != (channel, method.value):
        raise PayInKeyReused(order=first.public_id)


def _require_none_open(account: DepositAccount) -> None:
    waiting = PayInOrderRow.objects.filter(account=account, state__in=OPEN_STATES).first()
    if waiting is not None:
        raise PayInAlreadyOpen(order=waiting.public_id)


def _amount(account: DepositAccount, choice: PayInChoice, amount: Money | None) -> Money:
    match choice:
        case PayInChoice.MISSING:
            asked = rules.missing_amount(summarize(account))
            if asked.is_zero:
                raise PayInNothingMissing(account=account.public_id)
        case PayInChoice.REQUIRED:
            asked = Money(account.required_minor, account.currency)
        case PayInChoice.OTHER:
            if amount is None:
                raise PayInAmountMissing
            asked = amount
    require_payable(asked, account)
    if asked.minor > rules.PAY_IN_MAX_MINOR:
        raise PayInAmountTooLarge(minor=asked.minor, minor_max=rules.PAY_IN_MAX_MINOR)
    return asked


def _write_order(
    account: DepositAccount,
    amount: Money,
    channel: str,
    method: PayInMethod,
    request_key: str,
    payer: PayerDetails,
    pace: PayInPace,
    actor: Actor,
    now: dt.datetime,
) -> PayInOrderRow:
    order_id = new_id(IdPrefix.PAY_IN, now=now)
    return PayInOrderRow.objects.create(
        public_id=order_id,
        account=account,
        shop_key=account.shop_key,
        request_key=request_key[:REQUEST_KEY_LENGTH_MAX],
        channel=channel,
        # Letters and digits only, 29 of them: what the narrowest channel takes (WeChat: 32).
        number=order_id.replace("_", ""),
        method=method.value,
        amount_minor=amount.minor,
        currency=amount.currency,
        description=DESCRIPTIONS[DepositKind(account.kind)],
        return_url=f"{payer.return_to}{order_id}" if payer.return_to else "",
        payer_ip=payer.ip,
        expires_at=now + pace.valid_for,
        created_by=actor.id,
        created_at=now,
        since=now,
        next_check_at=now,
    )
