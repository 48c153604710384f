"""Deposits that were there before kuaitui was."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from kuaitui.deposits.errors import PaymentInSuspenseAlready
from kuaitui.deposits.models import SuspenseRow
from kuaitui.deposits.operations.accounts import change_required, enter_account
from kuaitui.deposits.operations.locking import lock_account
from kuaitui.deposits.operations.pay_in import Payment, enter_payment
from kuaitui.deposits.states import SuspenseState
from kuaitui.deposits.types import DepositKind
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.money import Money


@dataclass(frozen=True, slots=True)
class EarlierPayment:
    """A payment of long ago, as the channel that took it knows it."""

    amount: Money
    channel: str
    reference: str
    paid_at: dt.datetime
    refundable_until: dt.datetime | None


@transaction.atomic(durable=True)
def take_over_deposit(
    *,
    shop_key: int,
    kind: DepositKind,
    required: Money,
    payment: EarlierPayment | None,
    actor: Actor,
    now: dt.datetime,
) -> bool:
    """Open a deposit unless it is there, say what it must hold, and record a payment into it.

    All of it or nothing; whether the payment was not known before. Idempotent by the channel's
    reference for ever. The shop is not told: it made the payment.

    Raises:
        RequiredAmountNegative: less than nothing is required.
        PaymentInSuspenseAlready: a bill told of the payment, and people have it before them.
        DepositAccountClosed and others: as for `record_pay_in`.
    """
    account_id = enter_account(
        shop_key=shop_key, kind=kind, required=required, actor=actor, now=now
    )
    account = lock_account(account_id)
    change_required(account, required, actor=actor, now=now)
    if payment is None:
        return False
    aside = SuspenseRow.objects.filter(channel=payment.channel, reference=payment.reference)
    if aside.exclude(state=SuspenseState.ATTRIBUTED).exists():
        raise PaymentInSuspenseAlready(channel=payment.channel, reference=payment.reference)
    entered = Payment(
        account_id,
        payment.amount,
        payment.channel,
        payment.reference,
        payment.paid_at,
        payment.refundable_until,
    )
    return enter_payment(account, entered, actor=actor, now=now, is_news=False).is_new
