"""Where a payment goes that a channel says has come: into a lot, or into suspense."""

from __future__ import annotations

import datetime as dt

import structlog

from kuaitui.channels.port import ChannelCapabilities, PayInPaid
from kuaitui.deposits.events import PayInNeedsPerson
from kuaitui.deposits.models import ChannelPayment, DepositAccount, PayInOrderRow, SuspenseRow
from kuaitui.deposits.operations.pay_in import Payment, enter_payment
from kuaitui.deposits.operations.suspense import FoundPayment, put_into_suspense
from kuaitui.deposits.rules import refundable_until
from kuaitui.deposits.states import ENDED_UNPAID, PAID, PayInState
from kuaitui.deposits.types import FoundBy, SuspenseReason
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.invariants import ensure
from kuaitui.kit.outbox import publish
from kuaitui.kit.transactions import requires_transaction

log = structlog.get_logger(__name__)
ACTOR = Actor.system("deposits.pay_in")


@requires_transaction
def place_payment(
    account: DepositAccount,
    order: PayInOrderRow,
    paid: PayInPaid,
    *,
    capabilities: ChannelCapabilities,
    now: dt.datetime,
    found_by: FoundBy = FoundBy.QUERY,
) -> None:
    """Give a payment its one place. The caller holds account and order, and saves the order.

    Money is real whatever was asked: another amount is still a lot, with a person told. What
    cannot be a lot (paid twice, after the end, for a closed deposit, in another currency) goes
    into suspense. The same payment again changes nothing.
    """
    order.next_check_at = None
    if _has_its_place(account, order, paid, now):
        return
    # A channel's clock may run ahead of ours; the books know no payment from the future.
    paid_at = min(paid.paid_at, now)
    window = refundable_until(capabilities, paid_at=paid_at)
    why = _why_not_a_lot(account, order, paid)
    if why is not None:
        found = FoundPayment(
            channel=order.channel,
            reference=paid.reference,
            number=order.number,
            amount=paid.amount,
            paid_at=paid_at,
            refundable_until=window,
        )
        put_into_suspense(found, order=order, why=why, found_by=found_by, now=now)
        if PayInState(order.state) not in PAID:
            _note_paid(order, PayInState.IN_SUSPENSE, paid, now)
        return
    payment = Payment(
        account.public_id, paid.amount, order.channel, paid.reference, paid_at, window
    )
    lot_id = enter_payment(account, payment, actor=ACTOR, now=now).lot_id
    _note_lot(account, order, paid, lot_id, now)


def _has_its_place(
    account: DepositAccount, order: PayInOrderRow, paid: PayInPaid, now: dt.datetime
) -> bool:
    if SuspenseRow.objects.filter(channel=order.channel, reference=paid.reference).exists():
        return True
    known = ChannelPayment.objects.filter(channel=order.channel, reference=paid.reference).first()
    if known is None:
        return False
    if PayInState(order.state) in PAID and order.channel_reference == paid.reference:
        return True
    # Recorded by other means (a file, a person) before the channel told us.
    ensure(known.account_id == account.id, "a payment belongs to one deposit")
    lot = account.lots.get(number=known.lot_number)
    ensure(lot.amount_minor == paid.amount.minor, "a payment has one amount")
    if PayInState(order.state) not in PAID | ENDED_UNPAID:
        _note_lot(account, order, paid, lot.public_id, now)
    return True


def _why_not_a_lot(
    account: DepositAccount, order: PayInOrderRow, paid: PayInPaid
) -> SuspenseReason | None:
    state = PayInState(order.state)
    if state in PAID:
        return SuspenseReason.PAID_TWICE
    if state in ENDED_UNPAID:
        return SuspenseReason.PAID_AFTER_CLOSING
    if paid.amount.currency != account.currency:
        return SuspenseReason.OTHER_CURRENCY
    return None if account.is_open else SuspenseReason.ACCOUNT_CLOSED


def _note_lot(
    account: DepositAccount, order: PayInOrderRow, paid: PayInPaid, lot_id: str, now: dt.datetime
) -> None:
    is_as_asked = paid.amount.minor == order.amount_minor
    order.lot_id = lot_id
    _note_paid(order, PayInState.PAID if is_as_asked else PayInState.PAID_OTHER_AMOUNT, paid, now)
    if not is_as_asked:
        log.error("pay_in.paid_other_amount", order_id=order.public_id)
        publish(
            PayInNeedsPerson(order.public_id, account.public_id, account.shop_key, order.state),
            now=now,
        )


def _note_paid(order: PayInOrderRow, state: PayInState, paid: PayInPaid, now: dt.datetime) -> None:
    order.state, order.since, order.code = state.value, now, ""
    order.paid_minor = paid.amount.minor
    order.paid_at = min(paid.paid_at, now)
    order.channel_reference = paid.reference
