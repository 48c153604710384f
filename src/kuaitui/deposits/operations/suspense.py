"""Payments without a place (挂账): a book each, and two people who decide.

The book says what lies with the channel and that it is set aside: *at_channel → frozen* when it is
found, *frozen → at_channel* when it leaves, to a deposit or back to its payer, and *at_channel →
frozen* again if its payer's bank gives it back. It comes back to zero, and no journal spans two
books.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import structlog
from django.db import transaction

from kuaitui.audit.operations import record
from kuaitui.deposits.errors import (
    DepositAccountUnknown,
    SuspenseMovedOn,
    SuspenseNeedsAccount,
    SuspenseNeedsSecondPerson,
    SuspenseReasonMissing,
    SuspenseReferenceMissing,
    SuspenseReferenceTaken,
    SuspenseUnknown,
)
from kuaitui.deposits.events import PaymentCameBack, PaymentInSuspense, SuspenseResolved
from kuaitui.deposits.models import (
    ChannelPayment,
    DepositAccount,
    PayInOrderRow,
    SuspenseRow,
)
from kuaitui.deposits.operations.locking import lock_account, require_payable
from kuaitui.deposits.operations.pay_in import Payment, enter_payment
from kuaitui.deposits.states import SuspenseState
from kuaitui.deposits.types import FoundBy, Resolution, SuspenseReason
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.ids import IdPrefix, new_id
from kuaitui.kernel.money import Money
from kuaitui.kit.outbox import publish
from kuaitui.kit.transactions import requires_transaction
from kuaitui.ledger.operations import open_book, post_journal
from kuaitui.ledger.types import Account, Journal, Line

log = structlog.get_logger(__name__)
REASON_LENGTH_MAX: Final = 500
REFERENCE_LENGTH_MAX: Final = 80
FINDER: Final = Actor.system("deposits.suspense")


@dataclass(frozen=True, slots=True)
class FoundPayment:
    """A payment that a channel speaks of. `number` is the order's, if the channel names one."""

    channel: str
    reference: str
    number: str
    amount: Money
    paid_at: dt.datetime
    refundable_until: dt.datetime | None


@requires_transaction
def put_into_suspense(
    found: FoundPayment,
    *,
    order: PayInOrderRow | None,
    why: SuspenseReason,
    found_by: FoundBy,
    now: dt.datetime,
) -> str:
    """Keep a payment that has no place of its own, and call people; the id of the case.

    Posts *at_channel → frozen* in a book of its own. Idempotent per channel and reference.
    """
    known = SuspenseRow.objects.filter(channel=found.channel, reference=found.reference).first()
    if known is not None:
        return known.public_id
    row = SuspenseRow.objects.create(
        public_id=new_id(IdPrefix.SUSPENSE, now=now),
        channel=found.channel,
        reference=found.reference,
        number=found.number,
        order=order,
        book_id=open_book(currency=found.amount.currency, now=now),
        amount_minor=found.amount.minor,
        currency=found.amount.currency,
        why=why.value,
        found_by=found_by.value,
        paid_at=found.paid_at,
        found_at=now,
        refundable_until=found.refundable_until,
    )
    _post(row, "suspense.found", Account.AT_CHANNEL, Account.FROZEN, found.paid_at, now)
    _record(row, "suspense.found", FINDER, now, why=why.value)
    publish(PaymentInSuspense(row.public_id, row.channel, row.why), now=now)
    log.error("suspense.found", suspense_id=row.public_id, channel=row.channel, why=row.why)
    return row.public_id


@transaction.atomic(durable=True)
def note_found_payment(*, found: FoundPayment, found_by: FoundBy, now: dt.datetime) -> str | None:
    """A payment that a bill names: the id of its suspense case, or nothing if it has its place.

    A payment of an order of ours that is still unpaid is asked about and placed by the answer. One
    that we know nothing of, or a second one for a paid order, goes into suspense. Idempotent.
    """
    claim = ChannelPayment.objects.filter(channel=found.channel, reference=found.reference)
    if claim.exists():
        return None
    order = (
        PayInOrderRow.objects.select_for_update()
        .filter(channel=found.channel, number=found.number)
        .first()
    )
    if order is not None and order.channel_reference in ("", found.reference):
        if order.channel_reference == "":
            order.next_check_at = now
            order.save(update_fields=["next_check_at"])
        return None
    why = SuspenseReason.NEVER_HEARD_OF if order is None else SuspenseReason.PAID_TWICE
    return put_into_suspense(found, order=order, why=why, found_by=found_by, now=now)


@transaction.atomic(durable=True)
def propose_resolution(
    *,
    suspense_id: str,
    version: int,
    resolution: Resolution,
    account_id: str,
    reason: str,
    actor: Actor,
    now: dt.datetime,
    refund_reference: str = "",
) -> None:
    """One person says what should become of a payment. Moves no money.

    `refund_reference` is the channel's number of a refund that was made by hand.

    Raises:
        SuspenseUnknown: there is no such case.
        SuspenseMovedOn: the case is not as this person saw it.
        SuspenseReasonMissing: nobody decides without saying why.
        SuspenseNeedsAccount, DepositAccountUnknown: to which deposit?
        DepositCurrencyWrong: the deposit is in another currency.
        SuspenseReferenceMissing: which refund was it?
        SuspenseReferenceTaken: that refund has closed another case.
    """
    if not reason.strip():
        raise SuspenseReasonMissing
    row = _lock(suspense_id, version, SuspenseState.OPEN)
    row.account = None
    if resolution is Resolution.ATTRIBUTE:
        row.account = _account_for(row, account_id)
    row.refund_reference = ""
    if resolution is Resolution.BY_HAND:
        row.refund_reference = _refund_named(row, refund_reference)
    row.resolution, row.reason = resolution.value, reason.strip()[:REASON_LENGTH_MAX]
    row.proposed_by, row.proposed_at = actor.id, now
    _move(row, SuspenseState.PROPOSED)
    _record(row, "suspense.proposed", actor, now, resolution=resolution.value)


@transaction.atomic(durable=True)
def confirm_resolution(
    *, suspense_id: str, version: int, actor: Actor, now: dt.datetime
) -> SuspenseState:
    """A second person confirms what the first proposed, and it is done.

    Attributed: the payment becomes a lot of the deposit, *frozen → at_channel* in its own book and
    *at_channel → available* in the deposit's. To be sent back: the order stands, and the money
    stays set aside until the channel has sent it. Sent by hand: *frozen → at_channel*, it is over.

    Raises:
        SuspenseUnknown, SuspenseMovedOn: as for a proposal.
        SuspenseNeedsSecondPerson: whoever proposed may not confirm.
        DepositAccountClosed: the deposit has been closed meanwhile.
    """
    # The account is locked before the case, as everywhere: the case says which one.
    account_id = SuspenseRow.objects.filter(public_id=suspense_id).values_list(
        "account__public_id", flat=True
    )
    account = lock_account(account_id[0]) if account_id and account_id[0] else None
    row = _lock(suspense_id, version, SuspenseState.PROPOSED)
    if row.proposed_by == actor.id:
        raise SuspenseNeedsSecondPerson(suspense=suspense_id)
    row.decided_by, row.decided_at = actor.id, now
    match Resolution(row.resolution):
        case Resolution.ATTRIBUTE:
            if account is None or account.id != row.account_id:
                raise SuspenseMovedOn(suspense=suspense_id)
            row.lot_id = _attribute(row, account, actor, now)
            _move(row, SuspenseState.ATTRIBUTED)
        case Resolution.SEND_BACK:
            _move(row, SuspenseState.TO_SEND_BACK)
        case Resolution.BY_HAND:
            _note_sent_back(row, row.refund_reference, sent_at=now, by=actor, now=now)
    _record(row, "suspense.confirmed", actor, now, resolution=row.resolution)
    account_named = account.public_id if account else ""
    publish(SuspenseResolved(row.public_id, row.resolution, account_named, row.returns), now=now)
    return SuspenseState(row.state)


@transaction.atomic(durable=True)
def refuse_resolution(*, suspense_id: str, version: int, actor: Actor, now: dt.datetime) -> None:
    """A second person does not agree: the case is open again. Moves no money.

    Raises:
        SuspenseUnknown, SuspenseMovedOn: as for a proposal.
    """
    row = _lock(suspense_id, version, SuspenseState.PROPOSED)
    _forget_decision(row)
    _move(row, SuspenseState.OPEN)
    _record(row, "suspense.refused", actor, now)


@requires_transaction
def close_sent_back(
    *, suspense_id: str, number: str, sent_at: dt.datetime, actor: Actor, now: dt.datetime
) -> None:
    """The channel has sent a payment back under our number. Posts *frozen → at_channel*.

    Idempotent. The database asks for the send-back that was paid.

    Raises:
        SuspenseUnknown, SuspenseMovedOn: nobody ordered that it goes back.
    """
    row = _find(suspense_id)
    if row.state == SuspenseState.SENT_BACK and row.refund_reference == number:
        return
    if row.state != SuspenseState.TO_SEND_BACK:
        raise SuspenseMovedOn(suspense=suspense_id, state=row.state)
    _note_sent_back(row, number, sent_at=sent_at, by=actor, now=now)
    _record(row, "suspense.sent_back", actor, now)


@requires_transaction
def reopen_unsent(*, suspense_id: str, code: str, actor: Actor, now: dt.datetime) -> None:
    """The channel certainly did not send a payment back: people decide anew. Moves no money.

    Raises:
        SuspenseUnknown, SuspenseMovedOn: nobody ordered that it goes back.
    """
    row = _find(suspense_id)
    if row.state != SuspenseState.TO_SEND_BACK:
        raise SuspenseMovedOn(suspense=suspense_id, state=row.state)
    _forget_decision(row)
    row.decided_by, row.decided_at = "", None
    _move(row, SuspenseState.OPEN)
    _record(row, "suspense.not_sent_back", actor, now, code=code)
    publish(PaymentInSuspense(row.public_id, row.channel, row.why), now=now)
    log.error("suspense.not_sent_back", suspense_id=row.public_id, code=code)


@requires_transaction
def reopen_returned(
    *,
    suspense_id: str,
    number: str,
    code: str,
    returned_at: dt.datetime,
    actor: Actor,
    now: dt.datetime,
) -> None:
    """A payment that was sent back under our number came back (退票): people decide anew.

    Posts *at_channel → frozen*. The database asks for the send-back that came back.

    Raises:
        SuspenseUnknown, SuspenseMovedOn: it was not sent back, or under another number.
    """
    row = _find(suspense_id)
    if (row.state, row.refund_reference) != (SuspenseState.SENT_BACK.value, number):
        raise SuspenseMovedOn(suspense=suspense_id, state=row.state)
    way = _way_back(row)
    _post(row, "suspense.returned", Account.AT_CHANNEL, Account.FROZEN, returned_at, now, way)
    _forget_decision(row)
    row.decided_by = row.sent_back_by = ""
    row.decided_at = row.sent_back_at = None
    row.returns += 1
    _move(row, SuspenseState.OPEN)
    _record(row, "suspense.returned", actor, now, code=code)
    publish(PaymentCameBack(row.public_id, row.channel, row.returns), now=now)
    log.error("suspense.returned", suspense_id=row.public_id, code=code)


def _find(suspense_id: str) -> SuspenseRow:
    row = SuspenseRow.objects.select_for_update().filter(public_id=suspense_id).first()
    if row is None:
        raise SuspenseUnknown(suspense=suspense_id)
    return row


def _forget_decision(row: SuspenseRow) -> None:
    row.resolution = row.reason = row.proposed_by = row.refund_reference = ""
    row.proposed_at = row.account = None


def _note_sent_back(
    row: SuspenseRow, number: str, *, sent_at: dt.datetime, by: Actor, now: dt.datetime
) -> None:
    row.refund_reference = number
    row.sent_back_by, row.sent_back_at = by.id, sent_at
    _move(row, SuspenseState.SENT_BACK)
    way = _way_back(row)
    _post(row, "suspense.sent_back", Account.FROZEN, Account.AT_CHANNEL, sent_at, now, way)


def _way_back(row: SuspenseRow) -> str:
    """What the journals of a way back are posted by: each way that it goes has its own."""
    return f"{row.public_id}/{row.returns + 1}" if row.returns else row.public_id


def _refund_named(row: SuspenseRow, reference: str) -> str:
    named = reference.strip()[:REFERENCE_LENGTH_MAX]
    if not named:
        raise SuspenseReferenceMissing
    sent = SuspenseRow.objects.filter(channel=row.channel, state=SuspenseState.SENT_BACK)
    if sent.filter(refund_reference=named).exists():
        raise SuspenseReferenceTaken(reference=named)
    return named


def _lock(suspense_id: str, version: int, state: SuspenseState) -> SuspenseRow:
    row = _find(suspense_id)
    if (row.version, row.state) != (version, state.value):
        raise SuspenseMovedOn(suspense=suspense_id, state=row.state)
    return row


def _account_for(row: SuspenseRow, account_id: str) -> DepositAccount:
    if not account_id.strip():
        raise SuspenseNeedsAccount
    account = DepositAccount.objects.filter(public_id=account_id.strip()).first()
    if account is None:
        raise DepositAccountUnknown(account=account_id)
    require_payable(Money(row.amount_minor, row.currency), account)
    return account


def _attribute(row: SuspenseRow, account: DepositAccount, actor: Actor, now: dt.datetime) -> str:
    _post(row, "suspense.attributed", Account.FROZEN, Account.AT_CHANNEL, now, now)
    payment = Payment(
        account.public_id,
        Money(row.amount_minor, row.currency),
        row.channel,
        row.reference,
        row.paid_at,
        row.refundable_until,
    )
    return enter_payment(account, payment, actor=actor, now=now).lot_id


def _move(row: SuspenseRow, state: SuspenseState) -> None:
    row.state = state.value
    row.version += 1
    row.save()


def _post(
    row: SuspenseRow,
    kind: str,
    debit: Account,
    credit: Account,
    occurred_at: dt.datetime,
    now: dt.datetime,
    reference: str = "",
) -> None:
    line = Line(debit, credit, Money(row.amount_minor, row.currency))
    journal = Journal(row.book_id, kind, reference or row.public_id, occurred_at, (line,))
    post_journal(journal, now=now)


def _record(row: SuspenseRow, action: str, actor: Actor, now: dt.datetime, **details: str) -> None:
    record(
        actor=actor,
        action=action,
        object_id=row.public_id,
        shop_key=row.account.shop_key if row.account else None,
        details={"amount_minor": row.amount_minor, **details},
        now=now,
    )
