"""Orders of money coming in, as people and workers see them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q

from kuaitui.channels.port import PayInMethod
from kuaitui.deposits.errors import LotUnknown, PayInUnknown
from kuaitui.deposits.models import DepositLot, PayInOrderRow, StrayNumber, SuspenseRow
from kuaitui.deposits.models.pay_ins import OPEN_STATES
from kuaitui.deposits.queries.accounts import to_lot
from kuaitui.deposits.states import OPEN, PayInState, SuspenseState
from kuaitui.deposits.types import DepositKind, Lot
from kuaitui.kernel.money import Money

DUE_MAX = 200


@dataclass(frozen=True, slots=True)
class PayInOrderView:
    """An order as its seller follows it."""

    order_id: str
    account_id: str
    deposit_kind: DepositKind
    shop_key: int
    channel: str
    number: str
    method: PayInMethod
    amount: Money
    state: PayInState
    since: dt.datetime
    created_at: dt.datetime
    expires_at: dt.datetime
    is_called_off: bool
    pay_url: str
    usable_until: dt.datetime | None
    paid: Money | None
    paid_at: dt.datetime | None
    channel_reference: str
    lot_id: str
    code: str
    attempts_count: int
    set_aside_at: dt.datetime | None
    set_aside_reason: str

    @property
    def is_open(self) -> bool:
        """Whether it may still be paid."""
        return self.state in OPEN

    @property
    def is_set_aside(self) -> bool:
        """Whether a person must look before anything more is done."""
        return self.set_aside_at is not None

    def can_be_met(self, *, now: dt.datetime) -> bool:
        """Whether the payer has something to pay by, now."""
        return (
            self.state is PayInState.WAITING
            and not self.is_called_off
            and self.pay_url != ""
            and self.usable_until is not None
            and now < min(self.usable_until, self.expires_at)
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """One payment into a deposit, for the paper that proves it."""

    lot: Lot
    account_id: str
    deposit_kind: DepositKind
    order: PayInOrderView | None


def pay_in_order(*, order_id: str, shop_key: int) -> PayInOrderView:
    """One order, if it is this shop's.

    Raises:
        PayInUnknown: there is none, or it is another shop's; the two look alike.
    """
    row = PayInOrderRow.objects.select_related("account").filter(
        public_id=order_id, shop_key=shop_key
    )
    found = row.first()
    if found is None:
        raise PayInUnknown(order=order_id)
    return to_order(found)


def open_pay_in(*, account_id: str) -> PayInOrderView | None:
    """The order of a deposit that may still be paid, if there is one."""
    row = (
        PayInOrderRow.objects.select_related("account")
        .filter(account__public_id=account_id, state__in=OPEN_STATES)
        .first()
    )
    return to_order(row) if row else None


def pay_in_of_request(*, account_id: str, request_key: str) -> str | None:
    """The order that a request was made into, if it was."""
    return (
        PayInOrderRow.objects.filter(account__public_id=account_id, request_key=request_key)
        .values_list("public_id", flat=True)
        .first()
    )


def pay_ins_of_another_amount(*, since: dt.datetime, limit: int = 50) -> tuple[PayInOrderView, ...]:
    """Orders paid lately with another amount than asked, the newest first."""
    rows = PayInOrderRow.objects.select_related("account").filter(
        state=PayInState.PAID_OTHER_AMOUNT, since__gte=since
    )
    return tuple(to_order(row) for row in rows.order_by("-since")[: min(limit, DUE_MAX)])


def pay_ins_set_aside(*, limit: int = 100) -> tuple[PayInOrderView, ...]:
    """Orders out of the machine until a person has looked, the longest waiting first."""
    rows = PayInOrderRow.objects.select_related("account").filter(set_aside_at__isnull=False)
    return tuple(to_order(row) for row in rows.order_by("set_aside_at")[: min(limit, DUE_MAX)])


def pay_in_for_staff(order_id: str) -> PayInOrderView:
    """One order, whosever it is.

    Raises:
        PayInUnknown: there is none.
    """
    row = PayInOrderRow.objects.select_related("account").filter(public_id=order_id).first()
    if row is None:
        raise PayInUnknown(order=order_id)
    return to_order(row)


def due_pay_ins(*, now: dt.datetime, limit: int = 50) -> list[str]:
    """Ids of the orders whose turn has come, those that may still be paid first."""
    rows = (
        PayInOrderRow.objects.filter(next_check_at__lte=now, set_aside_at=None)
        .filter(Q(lease_until=None) | Q(lease_until__lte=now))
        .order_by("next_check_at", "id")
        .values_list("public_id", flat=True)
    )
    return list(rows[: min(limit, DUE_MAX)])


def due_strays(*, now: dt.datetime, limit: int = 20) -> list[tuple[str, str]]:
    """Channel and number of the stray numbers to ask about now."""
    rows = StrayNumber.objects.filter(next_check_at__lte=now).order_by(
        "next_check_at", "channel", "number"
    )
    return list(rows.values_list("channel", "number")[: min(limit, DUE_MAX)])


def receipt(*, shop_key: int, lot_id: str) -> Receipt:
    """One payment of a shop, with the order it came by if it came by one.

    Raises:
        LotUnknown: there is none, or it is another shop's; the two look alike.
    """
    row = (
        DepositLot.objects.select_related("account")
        .filter(account__shop_key=shop_key, public_id=lot_id)
        .first()
    )
    if row is None:
        raise LotUnknown(lot=lot_id)
    order = (
        PayInOrderRow.objects.select_related("account")
        .filter(account_id=row.account_id, lot_id=lot_id)
        .first()
    )
    return Receipt(
        lot=to_lot(row, row.account.currency),
        account_id=row.account.public_id,
        deposit_kind=DepositKind(row.account.kind),
        order=to_order(order) if order else None,
    )


def to_order(row: PayInOrderRow) -> PayInOrderView:
    """An order as a value."""
    return PayInOrderView(
        order_id=row.public_id,
        account_id=row.account.public_id,
        deposit_kind=DepositKind(row.account.kind),
        shop_key=row.shop_key,
        channel=row.channel,
        number=row.number,
        method=PayInMethod(row.method),
        amount=Money(row.amount_minor, row.currency),
        state=PayInState(row.state),
        since=row.since,
        created_at=row.created_at,
        expires_at=row.expires_at,
        is_called_off=row.called_off_at is not None,
        pay_url=row.pay_url,
        usable_until=row.usable_until,
        # What arrived may be in another currency; then it is told by its suspense case.
        paid=Money(row.paid_minor, row.currency) if row.paid_minor else None,
        paid_at=row.paid_at,
        channel_reference=row.channel_reference,
        lot_id=row.lot_id,
        code=row.code,
        attempts_count=row.fence,
        set_aside_at=row.set_aside_at,
        set_aside_reason=row.set_aside_reason,
    )


def suspense_differences(*, limit: int = 100) -> list[str]:
    """Suspense books that do not hold what their case says, and paid orders without their lot."""
    unresolved = [
        SuspenseState.OPEN.value,
        SuspenseState.PROPOSED.value,
        SuspenseState.TO_SEND_BACK.value,
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT suspense.public_id FROM deposits_suspense AS suspense"
            " JOIN ledger_balance AS book ON book.book_id = suspense.book_id"
            " WHERE (book.at_channel, book.frozen) IS DISTINCT FROM"
            " (CASE WHEN suspense.state = ANY (%s) THEN suspense.amount_minor ELSE 0 END,"
            " CASE WHEN suspense.state = ANY (%s) THEN suspense.amount_minor ELSE 0 END)"
            " OR book.currency <> suspense.currency ORDER BY suspense.id LIMIT %s",
            [unresolved, unresolved, limit],
        )
        books = [f"suspense {row[0]}: case and book differ" for row in cursor.fetchall()]
        cursor.execute(
            "SELECT paid.public_id FROM deposits_pay_in_order AS paid"
            " LEFT JOIN deposits_channel_payment AS payment ON payment.channel = paid.channel"
            " AND payment.reference = paid.channel_reference"
            " AND payment.account_id = paid.account_id"
            " WHERE paid.state IN ('paid', 'paid_other_amount') AND payment.reference IS NULL"
            " ORDER BY paid.id LIMIT %s",
            [limit],
        )
        orders = [f"pay-in {row[0]}: paid, and no lot" for row in cursor.fetchall()]
    return [*books, *orders][:limit]


def suspense_of_order(*, order_id: str) -> SuspenseState | None:
    """How the payment of an order stands that went into suspense."""
    state = (
        SuspenseRow.objects.filter(order__public_id=order_id)
        .order_by("id")
        .values_list("state", flat=True)
        .first()
    )
    return SuspenseState(state) if state else None
