"""Money that reached a deposit: one channel payment opens one lot."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from kuaitui.audit.operations import record
from kuaitui.deposits.errors import (
    DepositAccountClosed,
    DepositAccountUnknown,
    PaidInTheFuture,
    PayInReferenceReused,
)
from kuaitui.deposits.events import DepositPaidIn
from kuaitui.deposits.models import ChannelPayment, DepositAccount, DepositLot
from kuaitui.deposits.operations.locking import lock_account, require_payable
from kuaitui.deposits.operations.set_off import set_off_debt
from kuaitui.deposits.types import PayIn
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.ids import IdPrefix, new_id
from kuaitui.kernel.money import Money
from kuaitui.kit.outbox import publish
from kuaitui.kit.transactions import requires_transaction
from kuaitui.ledger.operations import post_journal, post_journals
from kuaitui.ledger.types import Account, Journal, Line


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment that a channel confirmed, for recording many at once."""

    account_id: str
    amount: Money
    channel: str
    channel_reference: str
    paid_at: dt.datetime
    refundable_until: dt.datetime | None


@transaction.atomic(durable=True)
def record_pay_in(
    *,
    account_id: str,
    amount: Money,
    channel: str,
    channel_reference: str,
    paid_at: dt.datetime,
    refundable_until: dt.datetime | None,
    actor: Actor,
    now: dt.datetime,
) -> PayIn:
    """Record a payment that a channel confirmed: it opens a lot.

    Posts *at_channel → available*; what the seller still owes from an older deduction is set off
    at once. Idempotent by the channel's reference for ever.

    Raises:
        DepositAccountUnknown: there is no such deposit.
        DepositAccountClosed: the shop has left.
        DepositCurrencyWrong, DepositAmountNotPositive: the amount cannot be.
        PaidInTheFuture: it is dated later than now.
        PayInReferenceReused: this payment was recorded with another amount or elsewhere.
    """
    payment = Payment(account_id, amount, channel, channel_reference, paid_at, refundable_until)
    return enter_payment(lock_account(account_id), payment, actor=actor, now=now)


@requires_transaction
def enter_payment(
    account: DepositAccount,
    payment: Payment,
    *,
    actor: Actor,
    now: dt.datetime,
    is_news: bool = True,
) -> PayIn:
    """The step of `record_pay_in` for a caller that holds the account. Raises as it does.

    Unless it `is_news`, the shop is not told.
    """
    amount = payment.amount
    require_payable(amount, account)
    known = _find_lot(payment)
    if known is not None:
        _require_same(known, account, payment)
        return PayIn(known.public_id, is_new=False)
    if not account.is_open:
        raise DepositAccountClosed(account=account.public_id)
    if payment.paid_at > now:
        raise PaidInTheFuture(paid_at=payment.paid_at.isoformat())
    lot = _open_lot(account, payment, now)
    post_journal(_journal(account, lot), now=now)
    set_off_debt(account, reference=lot.public_id, now=now)
    record(
        actor=actor,
        action="deposit.paid_in",
        object_id=lot.public_id,
        shop_key=account.shop_key,
        details={"amount_minor": amount.minor, "account": account.public_id},
        now=now,
    )
    if is_news:
        told = DepositPaidIn(
            account.public_id, account.shop_key, lot.public_id, amount.minor, amount.currency
        )
        publish(told, now=now)
    return PayIn(lot.public_id, is_new=True)


@transaction.atomic(durable=True)
def record_pay_ins(payments: Sequence[Payment], *, actor: Actor, now: dt.datetime) -> list[str]:
    """Record the first payments of many new deposits in a few round trips; ids of the lots.

    For seeding and migration: every account must be new, with one payment each, and one event in
    the platform's trail stands for all of them.

    Raises:
        DepositAccountUnknown: an account does not exist or has payments already.
        DepositCurrencyWrong, DepositAmountNotPositive, PaidInTheFuture: as for one payment.
    """
    accounts = _lock_new_accounts([payment.account_id for payment in payments])
    lots: list[DepositLot] = []
    for payment in payments:
        account = accounts[payment.account_id]
        require_payable(payment.amount, account)
        if payment.paid_at > now:
            raise PaidInTheFuture(paid_at=payment.paid_at.isoformat())
        lots.append(_new_lot(account, 1, payment, now))
    DepositLot.objects.bulk_create(lots, batch_size=5000)
    ChannelPayment.objects.bulk_create([_claim(lot) for lot in lots], batch_size=5000)
    DepositAccount.objects.filter(id__in=[lot.account_id for lot in lots]).update(lots_count=1)
    journals = [
        _journal(accounts[payment.account_id], lot)
        for payment, lot in zip(payments, lots, strict=True)
    ]
    post_journals(journals, now=now)
    record(
        actor=actor,
        action="deposit.paid_in_many",
        object_id="deposits",
        details={"count": len(lots)},
        now=now,
    )
    return [lot.public_id for lot in lots]


def _find_lot(payment: Payment) -> DepositLot | None:
    claim = ChannelPayment.objects.filter(
        channel=payment.channel, reference=payment.channel_reference
    ).first()
    if claim is None:
        return None
    return DepositLot.objects.get(account_id=claim.account_id, number=claim.lot_number)


def _require_same(lot: DepositLot, account: DepositAccount, payment: Payment) -> None:
    if lot.account_id != account.id or lot.amount_minor != payment.amount.minor:
        raise PayInReferenceReused(channel=payment.channel, reference=payment.channel_reference)


def _open_lot(account: DepositAccount, payment: Payment, now: dt.datetime) -> DepositLot:
    account.lots_count += 1
    lot = _new_lot(account, account.lots_count, payment, now)
    # The account is locked, but the same payment may be on its way into another account.
    _, is_new = ChannelPayment.objects.get_or_create(
        channel=lot.channel,
        reference=lot.channel_reference,
        defaults={"account_id": lot.account_id, "lot_number": lot.number},
    )
    if not is_new:
        raise PayInReferenceReused(channel=lot.channel, reference=lot.channel_reference)
    lot.save(force_insert=True)
    account.save(update_fields=["lots_count"])
    return lot


def _new_lot(
    account: DepositAccount, number: int, payment: Payment, now: dt.datetime
) -> DepositLot:
    return DepositLot(
        account_id=account.id,
        number=number,
        public_id=new_id(IdPrefix.DEPOSIT_LOT, now=now),
        amount_minor=payment.amount.minor,
        paid_at=payment.paid_at,
        channel=payment.channel,
        channel_reference=payment.channel_reference,
        refundable_until=payment.refundable_until,
    )


def _claim(lot: DepositLot) -> ChannelPayment:
    return ChannelPayment(
        channel=lot.channel,
        reference=lot.channel_reference,
        account_id=lot.account_id,
        lot_number=lot.number,
    )


def _journal(account: DepositAccount, lot: DepositLot) -> Journal:
    amount = Money(lot.amount_minor, account.currency)
    return Journal(
        book_id=account.book_id,
        kind="pay_in",
        reference=lot.public_id,
        occurred_at=lot.paid_at,
        lines=(Line(Account.AT_CHANNEL, Account.AVAILABLE, amount),),
    )


def _lock_new_accounts(account_ids: Sequence[str]) -> dict[str, DepositAccount]:
    found = {
        account.public_id: account
        for account in DepositAccount.objects.select_for_update()
        .filter(public_id__in=account_ids, lots_count=0, is_open=True)
        .order_by("id")
    }
    for account_id in account_ids:
        if account_id not in found:
            raise DepositAccountUnknown(account=account_id)
    return found
