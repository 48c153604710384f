"""Opening deposits and saying how much is required."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db import transaction

from kuaitui.audit.operations import record
from kuaitui.deposits.errors import DepositCurrencyWrong, RequiredAmountNegative
from kuaitui.deposits.models import DepositAccount
from kuaitui.deposits.operations.locking import lock_account
from kuaitui.deposits.types import DepositKind
from kuaitui.kernel.actor import Actor
from kuaitui.kernel.ids import IdPrefix, new_id
from kuaitui.kernel.money import Money
from kuaitui.kit.transactions import requires_transaction
from kuaitui.ledger.operations import open_book, open_books


@dataclass(frozen=True, slots=True)
class OpenDeposit:
    """A deposit to open, for opening many at once."""

    shop_key: int
    kind: DepositKind
    required: Money


@transaction.atomic(durable=True)
def open_deposit_account(
    *, shop_key: int, kind: DepositKind, required: Money, actor: Actor, now: dt.datetime
) -> str:
    """Open a shop's deposit of one kind, with a book of its own, and return its id.

    A second call for the same shop, kind and currency returns the first account and changes
    nothing.

    Raises:
        RequiredAmountNegative: less than nothing is required.
    """
    return enter_account(shop_key=shop_key, kind=kind, required=required, actor=actor, now=now)


@requires_transaction
def enter_account(
    *, shop_key: int, kind: DepositKind, required: Money, actor: Actor, now: dt.datetime
) -> str:
    """The step of `open_deposit_account` inside a caller's transaction. Raises as it does."""
    _require_not_negative(required)
    known = _find(shop_key, kind, required.currency)
    if known is not None:
        return known.public_id
    account = DepositAccount(
        public_id=new_id(IdPrefix.DEPOSIT_ACCOUNT, now=now),
        shop_key=shop_key,
        kind=kind.value,
        currency=required.currency,
        book_id=open_book(currency=required.currency, now=now),
        required_minor=required.minor,
        opened_at=now,
    )
    # Somebody else may be opening the same deposit: the unique key lets one of us in.
    DepositAccount.objects.bulk_create([account], ignore_conflicts=True)
    opened = _find(shop_key, kind, required.currency)
    if opened is None or opened.public_id != account.public_id:
        return opened.public_id if opened else account.public_id
    record(
        actor=actor,
        action="deposit.opened",
        object_id=account.public_id,
        shop_key=shop_key,
        details={"kind": kind.value, "required_minor": required.minor},
        now=now,
    )
    return account.public_id


@transaction.atomic(durable=True)
def open_deposit_accounts(
    requests: Sequence[OpenDeposit], *, actor: Actor, now: dt.datetime
) -> list[str]:
    """Open many deposits of new shops in a few round trips; ids in the order of the requests.

    For seeding and migration: one event in the platform's trail stands for all of them. A deposit
    that exists already makes the whole batch fail.

    Raises:
        RequiredAmountNegative: less than nothing is required somewhere.
    """
    for request in requests:
        _require_not_negative(request.required)
    numbered = sorted(enumerate(requests), key=lambda pair: pair[1].required.currency)
    accounts: dict[int, DepositAccount] = {}
    for currency, group in groupby(numbered, key=lambda pair: pair[1].required.currency):
        members = list(group)
        books = open_books(currency=currency, count=len(members), now=now)
        for book_id, (place, request) in zip(books, members, strict=True):
            accounts[place] = DepositAccount(
                public_id=new_id(IdPrefix.DEPOSIT_ACCOUNT, now=now),
                shop_key=request.shop_key,
                kind=request.kind.value,
                currency=currency,
                book_id=book_id,
                required_minor=request.required.minor,
                opened_at=now,
            )
    DepositAccount.objects.bulk_create(
        [accounts[place] for place in range(len(requests))], batch_size=5000
    )
    record(
        actor=actor,
        action="deposit.opened_many",
        object_id="deposits",
        details={"count": len(requests)},
        now=now,
    )
    return [accounts[place].public_id for place in range(len(requests))]


@transaction.atomic(durable=True)
def set_required(*, account_id: str, required: Money, actor: Actor, now: dt.datetime) -> None:
    """Say how much this deposit must hold. Moves no money.

    Raises:
        DepositAccountUnknown: there is no such deposit.
        DepositCurrencyWrong: another currency.
        RequiredAmountNegative: less than nothing.
    """
    change_required(lock_account(account_id), required, actor=actor, now=now)


@requires_transaction
def change_required(
    account: DepositAccount, required: Money, *, actor: Actor, now: dt.datetime
) -> None:
    """The step of `set_required` for a caller that holds the account. Raises as it does."""
    _require_not_negative(required)
    if required.currency != account.currency:
        raise DepositCurrencyWrong(given=required.currency, expected=account.currency)
    if account.required_minor == required.minor:
        return
    before = account.required_minor
    account.required_minor = required.minor
    account.save(update_fields=["required_minor"])
    record(
        actor=actor,
        action="deposit.required_set",
        object_id=account.public_id,
        shop_key=account.shop_key,
        details={"before_minor": before, "required_minor": required.minor},
        now=now,
    )


def _require_not_negative(required: Money) -> None:
    if required.minor < 0:
        raise RequiredAmountNegative(minor=required.minor)


def _find(shop_key: int, kind: DepositKind, currency: str) -> DepositAccount | None:
    return DepositAccount.objects.filter(
        shop_key=shop_key, kind=kind.value, currency=currency
    ).first()
