"""What happened elsewhere becomes notices."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.deposits.events import (
    PayInNeedsPerson,
    PaymentCameBack,
    PaymentInSuspense,
    SuspenseResolved,
)
from kuaitui.deposits.queries import suspense_case
from kuaitui.kit.outbox import subscribe
from kuaitui.notifications.operations import write_notice
from kuaitui.payouts.events import PayeeMustConfirm
from kuaitui.refunds.events import ApplicationMoved


@subscribe(ApplicationMoved)
def tell_the_shop(event: ApplicationMoved, now: dt.datetime) -> None:
    """Every step of an application is told once."""
    with transaction.atomic():
        write_notice(
            shop_key=event.shop_key,
            code=f"application.{event.code}",
            object_id=event.application_id,
            cause=f"{event.application_id}/{event.number}",
            now=now,
        )


@subscribe(PayeeMustConfirm)
def tell_the_payee(event: PayeeMustConfirm, now: dt.datetime) -> None:
    """A seller hears that money waits for their confirmation, once for each part."""
    with transaction.atomic():
        write_notice(
            shop_key=event.shop_key,
            code="payout.confirm_receipt",
            object_id=event.application_id,
            cause=f"{event.leg_id}/confirm_receipt",
            now=now,
        )


@subscribe(PayInNeedsPerson)
def tell_the_payer(event: PayInNeedsPerson, now: dt.datetime) -> None:
    """A seller hears that a person looks at a payment: `pay_in.set_aside`, for instance."""
    with transaction.atomic():
        write_notice(
            shop_key=event.shop_key,
            code=f"pay_in.{event.why}",
            object_id=event.order_id,
            cause=f"{event.order_id}/{event.why}",
            now=now,
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
    with transaction.atomic():
        for shop_key in sorted(shops):
            write_notice(
                shop_key=shop_key,
                code=f"suspense.{word}",
                object_id=suspense_id,
                cause=cause,
                now=now,
            )
