"""Setting money aside while an application is open, and giving it back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from kuaitui.deposits.errors import (
    DepositAccountClosed,
    HoldReused,
    HoldUnknown,
    InsufficientDeposit,
)
from kuaitui.deposits.models import DepositAccount, DepositHold
from kuaitui.deposits.operations.locking import lock_account, lock_accounts, require_payable
from kuaitui.deposits.operations.set_off import set_off_debt
from kuaitui.deposits.queries.accounts import summarize, to_hold
from kuaitui.deposits.types import DepositSummary, Hold, HoldKind
from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import Money
from kuaitui.kit.transactions import requires_transaction
from kuaitui.ledger.operations import post_journal
from kuaitui.ledger.queries import balances
from kuaitui.ledger.types import Account, Journal, Line


@requires_transaction
def lock_deposit(*, account_id: str) -> DepositSummary:
    """A deposit in figures, held against everybody else until the transaction ends.

    Raises:
        DepositAccountUnknown: there is no such deposit.
    """
    return summarize(lock_account(account_id))


@requires_transaction
def lock_deposits(*, account_ids: Collection[str]) -> None:
    """Hold many deposits against everybody else, in one order: no two callers wait for each other.

    Raises:
        DepositAccountUnknown: there is no such deposit.
    """
    lock_accounts(account_ids)


@requires_transaction
def freeze_deposit(
    *,
    account_id: str,
    amount: Money,
    reference: str,
    now: dt.datetime,
    occasion: int = 1,
    kind: HoldKind = HoldKind.APPLICATION,
) -> Hold:
    """Set aside part of a deposit for an application, or for a deduction that was announced.

    Posts *available → frozen*; the seller's total does not change. Idempotent per reference and
    occasion: after a release the next occasion freezes anew, as an appeal does.

    Raises:
        DepositAccountUnknown: there is no such deposit.
        DepositAccountClosed: the shop has left.
        DepositCurrencyWrong, DepositAmountNotPositive: the amount cannot be.
        InsufficientDeposit: less than `amount` is available.
        HoldReused: this reference and occasion froze another amount.
    """
    account = lock_account(account_id)
    require_payable(amount, account)
    row = _find(account, reference)
    if row is not None and occasion <= row.rounds:
        if occasion < row.rounds or to_hold(row).open != amount:
            raise HoldReused(reference=reference)
        return to_hold(row)
    if not account.is_open:
        raise DepositAccountClosed(account=account_id)
    available = balances(account.book_id).of(Account.AVAILABLE)
    if amount > available:
        raise InsufficientDeposit(available=available.minor, asked=amount.minor)
    if row is None:
        row = DepositHold(
            account=account,
            reference=reference,
            amount_minor=amount.minor,
            kind=kind.value,
            frozen_at=now,
        )
        row.save(force_insert=True)
    else:
        _begin_another_round(row, amount, now)
    _post(
        account,
        "freeze",
        f"{reference}/{row.rounds}",
        Account.AVAILABLE,
        Account.FROZEN,
        amount,
        now,
    )
    return to_hold(row)


@requires_transaction
def release_deposit(*, account_id: str, reference: str, now: dt.datetime) -> Money:
    """Give back what is still set aside under a reference; returns how much that was.

    Posts *frozen → available*. Releasing again gives back nothing and changes nothing.

    Raises:
        DepositAccountUnknown: there is no such deposit.
        HoldUnknown: nothing was frozen under this reference.
    """
    account = lock_account(account_id)
    released, occasion = free_hold(account, reference=reference, now=now)
    if released.is_positive:
        set_off_debt(account, reference=occasion, now=now)
    return released


@requires_transaction
def free_hold(account: DepositAccount, *, reference: str, now: dt.datetime) -> tuple[Money, str]:
    """Free what is still set aside under a reference: how much, and under which reference of its own.

    The account is locked by the caller, who settles what the shop owes from what stays free.

    Raises:
        HoldUnknown: nothing was frozen under this reference.
    """
    row = _find(account, reference)
    if row is None:
        raise HoldUnknown(reference=reference)
    open_ = to_hold(row).open
    if open_.is_zero:
        return open_, ""
    reserved = account.shares.filter(hold_reference=reference, state="reserved").exists()
    ensure(not reserved, "nothing is released that a payout leg still carries")
    row.released_minor += open_.minor
    row.save(update_fields=["released_minor"])
    # Within a round there can be several: what was paid may come back after the rest was given up.
    occasion = f"{reference}/{row.rounds}.{row.released_minor}"
    _post(account, "release", occasion, Account.FROZEN, Account.AVAILABLE, open_, now)
    return open_, occasion


def _begin_another_round(row: DepositHold, amount: Money, now: dt.datetime) -> None:
    ensure(to_hold(row).open.is_zero, "money is frozen anew only when nothing is frozen")
    row.rounds += 1
    row.amount_minor += amount.minor
    row.frozen_at = now
    row.save(update_fields=["rounds", "amount_minor", "frozen_at"])


def _find(account: DepositAccount, reference: str) -> DepositHold | None:
    return (
        DepositHold.objects.select_related("account")
        .filter(account_id=account.id, reference=reference)
        .first()
    )


def _post(
    account: DepositAccount,
    kind: str,
    reference: str,
    debit: Account,
    credit: Account,
    amount: Money,
    now: dt.datetime,
) -> None:
    journal = Journal(
        book_id=account.book_id,
        kind=kind,
        reference=reference,
        occurred_at=now,
        lines=(Line(debit, credit, amount),),
    )
    posted = post_journal(journal, now=now)
    ensure(posted.is_new, "what a hold notes is posted with it")
