"""What happened elsewhere becomes notices."""

from __future__ import annotations

import datetime as dt

from kuaitui.deductions.events import DeductionCaseMoved
from kuaitui.deductions.queries import case_of_deduction
from kuaitui.deposits.events import (
    DepositDeducted,
    DepositPaidIn,
    DestinationAdded,
    PayInNeedsPerson,
    PaymentCameBack,
    PaymentInSuspense,
    SuspenseResolved,
)
from kuaitui.deposits.queries import suspense_case
from kuaitui.kernel.money import Money
from kuaitui.kit.outbox import subscribe
from kuaitui.notifications.operations import write_notice
from kuaitui.notifications.rules import is_about_all_of_it, told_of
from kuaitui.notifications.types import NoticeCode
from kuaitui.payouts.events import HandedOver, PayeeMustConfirm
from kuaitui.refunds.events import ApplicationMoved


@subscribe(ApplicationMoved)
def tell_the_shop(event: ApplicationMoved, now: dt.datetime) -> None:  # noqa: ARG001 - it happened when it happened
    """Every step of an application that matters to its seller is told once."""
    code = told_of("application", event.code)
    if code is None:
        return
    write_notice(
        shop_key=event.shop_key,
        code=code,
        object_id=event.application_id,
        cause=f"{event.application_id}/{event.number}",
        amount=_amount_of(event) if is_about_all_of_it(code) else None,
        at=event.occurred_at,
    )


@subscribe(PayeeMustConfirm)
def tell_the_payee(event: PayeeMustConfirm, now: dt.datetime) -> None:  # noqa: ARG001 - it happened when it happened
    """A seller hears that money waits for their confirmation, once for each part."""
    write_notice(
        shop_key=event.shop_key,
        code=NoticeCode.CONFIRM_RECEIPT,
        object_id=event.application_id,
        cause=f"{event.leg_id}/confirm_receipt",
        amount=_amount_of(event),
        at=event.occurred_at,
    )


@subscribe(HandedOver)
def tell_of_another_way(event: HandedOver, now: dt.datetime) -> None:  # noqa: ARG001 - it happened when it happened
    """Everyone of the shop hears that money goes to another account than the one it came from."""
    write_notice(
        shop_key=event.shop_key,
        code=NoticeCode.HANDED_OVER,
        object_id=event.application_id,
        cause=f"{event.leg_id}/handed_over/{event.destination_id}",
        amount=_amount_of(event),
        at=event.occurred_at,
    )


@subscribe(DepositPaidIn)
def tell_of_a_payment(event: DepositPaidIn, now: dt.datetime) -> None:
    """The shop hears that money has reached its deposit, whoever paid it."""
    write_notice(
        shop_key=event.shop_key,
        code=NoticeCode.PAID_IN,
        object_id=event.lot_id,
        cause=event.lot_id,
        amount=_amount_of(event),
        at=now,
    )


@subscribe(DepositDeducted)
def tell_of_a_deduction(event: DepositDeducted, now: dt.datetime) -> None:
    """The shop hears that something was taken, and where its reason and calculation stand.

    Of one that was announced it hears by its case, where it can appeal.
    """
    if case_of_deduction(event.deduction_id, now=now) is not None:
        return
    write_notice(
        shop_key=event.shop_key,
        code=NoticeCode.DEDUCTED,
        object_id=event.deduction_id,
        cause=event.deduction_id,
        amount=_amount_of(event),
        at=now,
    )


@subscribe(DeductionCaseMoved)
def tell_of_a_case(event: DeductionCaseMoved, now: dt.datetime) -> None:  # noqa: ARG001 - it happened when it happened
    """The shop hears of every step of a deduction that is not its own reply."""
    code = told_of("deduction", event.code)
    if code is None:
        return
    write_notice(
        shop_key=event.shop_key,
        code=code,
        object_id=event.case_id,
        cause=f"{event.case_id}/{event.version}",
        amount=_amount_of(event),
        at=event.occurred_at,
    )


@subscribe(DestinationAdded)
def tell_of_an_account(event: DestinationAdded, now: dt.datetime) -> None:
    """Everyone of the shop hears of a new payee account: it may not have been one of them."""
    write_notice(
        shop_key=event.shop_key,
        code=NoticeCode.DESTINATION_ADDED,
        object_id=event.destination_id,
        cause=event.destination_id,
        at=now,
    )


@subscribe(PayInNeedsPerson)
def tell_the_payer(event: PayInNeedsPerson, now: dt.datetime) -> None:
    """A seller hears that a person looks at a payment: `pay_in.set_aside`, for instance."""
    code = told_of("pay_in", event.why)
    if code is None:
        return
    write_notice(
        shop_key=event.shop_key,
        code=code,
        object_id=event.order_id,
        cause=f"{event.order_id}/{event.why}",
        at=now,
    )


@subscribe(PaymentInSuspense)
def tell_whose_payment_is_kept_apart(event: PaymentInSuspense, now: dt.datetime) -> None:
    """The shop whose order it was paid by hears that the money is safe; of others nobody knows."""
    _tell_of_suspense(event.suspense_id, "kept_apart", now)


@subscribe(PaymentCameBack)
def tell_whose_payment_came_back(event: PaymentCameBack, now: dt.datetime) -> None:
    """The shop that was told its payment goes back hears that it is kept apart again."""
    _tell_of_suspense(event.suspense_id, "came_back", now, times=event.returns)


@subscribe(SuspenseResolved)
def tell_where_the_payment_goes(event: SuspenseResolved, now: dt.datetime) -> None:
    """The shop hears what two people decided: `suspense.attribute` or `suspense.send_back`."""
    _tell_of_suspense(event.suspense_id, event.resolution, now, times=event.returns + 1)


def _tell_of_suspense(suspense_id: str, word: str, now: dt.datetime, *, times: int = 1) -> None:
    case = suspense_case(suspense_id)
    cause = f"{suspense_id}/{word}" if times == 1 else f"{suspense_id}/{word}/{times}"
    shops = {key for key in (case.order_shop_key, case.account_shop_key) if key is not None}
    code = told_of("suspense", word)
    if code is None:
        return
    for shop_key in sorted(shops):
        write_notice(
            shop_key=shop_key,
            code=code,
            object_id=suspense_id,
            cause=cause,
            amount=case.amount,
            at=now,
        )


def _amount_of(
    event: (
        ApplicationMoved
        | PayeeMustConfirm
        | HandedOver
        | DepositPaidIn
        | DepositDeducted
        | DeductionCaseMoved
    ),
) -> Money | None:
    return None if event.amount_minor is None else Money(event.amount_minor, event.currency)
