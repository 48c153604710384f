"""Deposits in figures that explain each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from kuaitui.deposits.errors import DepositAccountUnknown, HoldUnknown
from kuaitui.deposits.models import DepositAccount, DepositHold, DepositLot
from kuaitui.deposits.types import DepositKind, DepositSummary, Hold, HoldKind, Lot
from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import Money
from kuaitui.ledger.queries import balances, balances_of
from kuaitui.ledger.types import Account

BATCH = 2000
DEPOSITS_MAX = 20
_KEPT = F("amount_minor") - F("settled_minor") - F("released_minor") - F("deducted_minor")


def deposit(account_id: str) -> DepositSummary:
    """One deposit by its public id.

    Raises:
        DepositAccountUnknown: there is none.
    """
    row = DepositAccount.objects.filter(public_id=account_id).first()
    if row is None:
        raise DepositAccountUnknown(account=account_id)
    return summarize(row)


def deposits_of_shop(*, shop_key: int) -> tuple[DepositSummary, ...]:
    """All deposits of a shop, in the order of their opening."""
    rows = DepositAccount.objects.filter(shop_key=shop_key).order_by("opened_at", "id")
    return tuple(summarize(row) for row in rows[:DEPOSITS_MAX])


def account_of_shop(*, shop_key: int, account_id: str) -> DepositSummary:
    """A deposit, if it is this shop's.

    Raises:
        DepositAccountUnknown: there is none, or it is another shop's; the two look alike.
    """
    found = deposit(account_id)
    if found.shop_key != shop_key:
        raise DepositAccountUnknown(account=account_id)
    return found


def summarize(row: DepositAccount) -> DepositSummary:
    """A deposit with its lots and the balances of its book, checked against each other."""
    books = balances(row.book_id)
    lots = tuple(
        to_lot(lot, row.currency)
        for lot in DepositLot.objects.filter(account_id=row.id).order_by("number")
    )
    return DepositSummary(
        account_id=row.public_id,
        shop_key=row.shop_key,
        kind=DepositKind(row.kind),
        currency=row.currency,
        book_id=row.book_id,
        is_open=row.is_open,
        opened_at=row.opened_at,
        required=Money(row.required_minor, row.currency),
        frozen=books.of(Account.FROZEN),
        in_transit=books.of(Account.IN_TRANSIT),
        available=books.of(Account.AVAILABLE),
        owed=books.of(Account.RECEIVABLE),
        lots=lots,
    )


def ensure_lots_explain_the_book(summary: DepositSummary) -> None:
    """Stop unless what was paid in, less what left, is what the book says is there."""
    ensure(
        summary.paid_in - summary.deducted - summary.refunded
        == summary.available + summary.frozen + summary.in_transit,
        "lots and book of a deposit tell the same sum",
    )


def to_lot(row: DepositLot, currency: str) -> Lot:
    """A lot as a value."""
    return Lot(
        lot_id=row.public_id,
        amount=Money(row.amount_minor, currency),
        paid_at=row.paid_at,
        channel=row.channel,
        channel_reference=row.channel_reference,
        refundable_until=row.refundable_until,
        reserved=Money(row.reserved_minor, currency),
        refunded=Money(row.refunded_minor, currency),
        deducted=Money(row.deducted_minor, currency),
    )


def hold(*, account_id: str, reference: str) -> Hold:
    """What is set aside under a reference.

    Raises:
        HoldUnknown: nothing is.
    """
    row = (
        DepositHold.objects.select_related("account")
        .filter(account__public_id=account_id, reference=reference)
        .first()
    )
    if row is None:
        raise HoldUnknown(reference=reference)
    return to_hold(row)


def to_hold(row: DepositHold) -> Hold:
    """A hold as a value."""
    currency = row.account.currency
    return Hold(
        account_id=row.account.public_id,
        reference=row.reference,
        amount=Money(row.amount_minor, currency),
        settled=Money(row.settled_minor, currency),
        released=Money(row.released_minor, currency),
        deducted=Money(row.deducted_minor, currency),
    )


def set_aside(kind: HoldKind) -> dict[str, int]:
    """Minor units that every open hold of a kind still keeps, by its reference."""
    holds = DepositHold.objects.annotate(kept_minor=_KEPT).filter(kept_minor__gt=0, kind=kind.value)
    return dict(holds.values_list("reference", "kept_minor"))


def set_aside_of(*, account_id: str, kind: HoldKind) -> dict[str, Money]:
    """What a deposit keeps for each application, or for each deduction, by reference."""
    holds = (
        DepositHold.objects.annotate(kept_minor=_KEPT)
        .filter(kept_minor__gt=0, kind=kind.value, account__public_id=account_id)
        .order_by("frozen_at", "reference")
        .values_list("reference", "kept_minor", "account__currency")
    )
    return {reference: Money(minor, currency) for reference, minor, currency in holds}


def differences(*, limit: int = 100) -> list[str]:
    """Deposits whose lots or holds do not add up to what their book says."""
    found: list[str] = []
    last = 0
    while page := list(_totals(after=last)):
        books = balances_of([row["book_id"] for row in page])
        for row in page:
            book = books[row["book_id"]]
            set_aside = book.of(Account.FROZEN) + book.of(Account.IN_TRANSIT)
            if (
                row["in_lots"] != (set_aside + book.of(Account.AVAILABLE)).minor
                or row["in_holds"] != set_aside.minor
            ):
                found.append(f"deposit {row['public_id']}: lots, holds and book differ")
        last = page[-1]["id"]
    return found[:limit]


def _totals(*, after: int) -> Iterable[Mapping[str, Any]]:
    """What lots and holds of each account add up to, a batch at a time."""
    lots = DepositLot.objects.filter(account=OuterRef("pk")).order_by().values("account")
    holds = DepositHold.objects.filter(account=OuterRef("pk")).order_by().values("account")
    left = lots.values(sum=Sum(F("amount_minor") - F("refunded_minor") - F("deducted_minor")))
    open_ = holds.values(sum=Sum(_KEPT))
    return (
        DepositAccount.objects.filter(id__gt=after)
        .annotate(in_lots=Coalesce(Subquery(left), 0), in_holds=Coalesce(Subquery(open_), 0))
        .order_by("id")
        .values("id", "public_id", "book_id", "in_lots", "in_holds")[:BATCH]
    )
