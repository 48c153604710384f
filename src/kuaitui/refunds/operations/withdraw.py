"""A seller changes their mind."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from kuaitui.deposits.operations import release_deposit
from kuaitui.kernel.actor import Actor
from kuaitui.payouts.errors import PayoutUnderWay
from kuaitui.payouts.operations import cancel_payout
from kuaitui.refunds.errors import TooLateToWithdraw
from kuaitui.refunds.operations.steps import advance, lock_application, require_act
from kuaitui.refunds.states import SellerAct, State


@transaction.atomic(durable=True)
def withdraw_application(
    *, application_id: str, shop_key: int, actor: Actor, now: dt.datetime
) -> None:
    """Withdraw an application while no part of the money was sent; it is free again.

    Posts *frozen → available*. Again is a no-op.

    Raises:
        ApplicationUnknown: there is none, or it is another shop's.
        TooLateToWithdraw: a part was sent, or may have been.
        StateDoesNotAllow: it has ended otherwise.
    """
    row = lock_application(application_id, shop_key=shop_key)
    if row.state == State.WITHDRAWN:
        return
    require_act(row, SellerAct.WITHDRAW)
    if row.repairs:
        raise TooLateToWithdraw(application=application_id)
    if row.state == State.PAYING:
        try:
            cancel_payout(application_id=row.public_id, now=now)
        except PayoutUnderWay:
            raise TooLateToWithdraw(application=application_id) from None
    release_deposit(account_id=row.account_id, reference=row.public_id, now=now)
    advance(row, to=State.WITHDRAWN, code="withdrawn", actor=actor, now=now)
