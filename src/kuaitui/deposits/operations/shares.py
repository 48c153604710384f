"""What payout legs carry of which lot. Steps of payouts, which posts the journals beside them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final, NamedTuple

from django.db import connection

from kuaitui.deposits.errors import HoldUnknown, LotExhausted, LotUnknown, ShareUnknown
from kuaitui.deposits.models import DepositAccount, DepositHold, DepositLot, LotShare
from kuaitui.deposits.operations.locking import lock_account, lock_accounts, require_payable
from kuaitui.deposits.queries.accounts import to_hold, to_lot
from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import Money
from kuaitui.kit.transactions import requires_transaction

State = LotShare.State

_MOVE: Final = """
UPDATE deposits_lot_share AS share SET state = %s
FROM unnest(%s::bigint[], %s::text[]) AS moved (account_id, leg_id)
WHERE share.account_id = moved.account_id AND share.leg_id = moved.leg_id AND share.state = %s
RETURNING share.account_id, share.leg_id
"""


class ShareKey(NamedTuple):
    """What one leg carries of a deposit."""

    account_id: str
    leg_id: str


@requires_transaction
def reserve_share(
    *,
    account_id: str,
    leg_id: str,
    lot_id: str,
    amount: Money,
    reference: str,
    now: dt.datetime,  # noqa: ARG001 - every step is told when it happens
) -> None:
    """Set a part of a lot aside for one leg, out of what is frozen under `reference`.

    Idempotent per leg. Moves no money between accounts.

    Raises:
        DepositAccountUnknown, LotUnknown, HoldUnknown: there is no such thing.
        DepositCurrencyWrong, DepositAmountNotPositive: the amount cannot be.
        LotExhausted: less than `amount` is left of the lot or of the hold.
    """
    account = lock_account(account_id)
    require_payable(amount, account)
    lot = DepositLot.objects.filter(account_id=account.id, public_id=lot_id).first()
    if lot is None:
        raise LotUnknown(lot=lot_id)
    known = LotShare.objects.filter(account_id=account.id, leg_id=leg_id).first()
    if known is not None:
        same = (known.lot_number, known.amount_minor) == (lot.number, amount.minor)
        ensure(same, "a leg carries one share for ever")
        return
    if amount > to_lot(lot, account.currency).remaining:
        raise LotExhausted(lot=lot_id)
    if amount > _unreserved(account, reference):
        raise LotExhausted(hold=reference)
    LotShare(
        account_id=account.id,
        leg_id=leg_id,
        lot_number=lot.number,
        hold_reference=reference,
        amount_minor=amount.minor,
        state=State.RESERVED,
    ).save(force_insert=True)


@requires_transaction
def settle_shares(shares: Sequence[ShareKey], *, now: dt.datetime) -> None:  # noqa: ARG001
    """The legs' money arrived: their parts of the lots count as refunded. Idempotent.

    Raises:
        ShareUnknown: nothing is reserved for one of the legs.
    """
    _move(shares, to=State.SETTLED, only_from=State.RESERVED)


@requires_transaction
def return_shares(shares: Sequence[ShareKey], *, now: dt.datetime) -> None:  # noqa: ARG001
    """The legs' money came back after it had arrived: it is reserved again. Idempotent.

    Raises:
        ShareUnknown: nothing is reserved for one of the legs.
    """
    _move(shares, to=State.RESERVED, only_from=State.SETTLED)


@requires_transaction
def release_share(*, account_id: str, leg_id: str, now: dt.datetime) -> None:  # noqa: ARG001
    """The leg is given up: its part of the lot is free again. Idempotent.

    Raises:
        ShareUnknown: nothing is reserved for this leg.
    """
    _move([ShareKey(account_id, leg_id)], to=State.RELEASED, only_from=State.RESERVED)


def _move(shares: Sequence[ShareKey], *, to: State, only_from: State) -> None:
    """One statement moves them; only what did not move is looked at."""
    if not shares:
        return
    accounts = lock_accounts({share.account_id for share in shares})
    keys = [(accounts[share.account_id], share.leg_id) for share in shares]
    with connection.cursor() as cursor:
        columns = [list(column) for column in zip(*keys, strict=True)]
        cursor.execute(_MOVE, [to.value, *columns, only_from.value])
        moved = set(cursor.fetchall())
    for account_id, leg_id in keys:
        if (account_id, leg_id) not in moved:
            _require_moved(account_id, leg_id, to=to)


def _require_moved(account_id: int, leg_id: str, *, to: State) -> None:
    share = LotShare.objects.filter(account_id=account_id, leg_id=leg_id).first()
    if share is None:
        raise ShareUnknown(leg=leg_id)
    ensure(share.state == to, f"a {share.state} share does not become {to.value}")


def _unreserved(account: DepositAccount, reference: str) -> Money:
    hold = (
        DepositHold.objects.select_related("account")
        .filter(account_id=account.id, reference=reference)
        .first()
    )
    if hold is None:
        raise HoldUnknown(reference=reference)
    return to_hold(hold).open - reserved_under(account, reference)


def reserved_under(account: DepositAccount, reference: str) -> Money:
    """What legs carry of a hold and has not arrived."""
    shares = account.shares.filter(hold_reference=reference, state=State.RESERVED)
    return Money(sum(share.amount_minor for share in shares), account.currency)
