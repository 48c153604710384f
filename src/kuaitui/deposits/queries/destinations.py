"""Payee accounts as people may see them, and in full for the channel."""

from __future__ import annotations

from kuaitui.channels.port import PayeeKind
from kuaitui.deposits.errors import DestinationUnknown, DestinationUnverified
from kuaitui.deposits.models import DestinationRow
from kuaitui.deposits.types import Destination, PayeeDetails
from kuaitui.kit.encryption import Sealed, keyring

DESTINATIONS_MAX = 50


def destination(destination_id: str) -> Destination:
    """One payee account, its number hidden but for the last four digits.

    Raises:
        DestinationUnknown: there is none.
    """
    return to_destination(find_row(destination_id))


def destinations(*, shop_key: int) -> tuple[Destination, ...]:
    """The payee accounts of a shop, the newest first."""
    rows = DestinationRow.objects.filter(shop_key=shop_key).order_by("-added_at", "-id")
    return tuple(to_destination(row) for row in rows[:DESTINATIONS_MAX])


def shops_sharing_destination(destination_id: str) -> int:
    """How many other shops list the same account number; found without opening any."""
    row = find_row(destination_id)
    return (
        DestinationRow.objects.filter(number_blind=row.number_blind)
        .exclude(shop_key=row.shop_key)
        .values("shop_key")
        .distinct()
        .count()
    )


def payee_details(destination_id: str) -> PayeeDetails:
    """A verified payee account in full. Only the payout worker asks, right before sending.

    Raises:
        DestinationUnknown: there is none.
        DestinationUnverified: nobody vouched for it.
        SealBroken: the stored number was tampered with or its key is missing.
    """
    row = find_row(destination_id)
    if row.verified_at is None:
        raise DestinationUnverified(destination=destination_id)
    sealed = Sealed(row.number_key_id, bytes(row.number_sealed))
    return PayeeDetails(
        destination_id=row.public_id,
        holder_name=row.holder_name,
        bank_name=row.bank_name,
        account_number=keyring().unseal(sealed, context=seal_context(row.public_id, row.shop_key)),
        kind=PayeeKind(row.kind),
        bank_code=row.bank_code,
        is_company=row.is_company,
        fingerprint=row.fingerprint,
    )


def seal_context(destination_id: str, shop_key: int) -> str:
    """Where a number is sealed: table, column, row and shop."""
    return f"deposits_destination.number:{destination_id}:{shop_key}"


def find_row(destination_id: str) -> DestinationRow:
    """The row of a destination."""
    row = DestinationRow.objects.filter(public_id=destination_id).first()
    if row is None:
        raise DestinationUnknown(destination=destination_id)
    return row


def to_destination(row: DestinationRow) -> Destination:
    """A destination as a value."""
    return Destination(
        destination_id=row.public_id,
        shop_key=row.shop_key,
        holder_name=row.holder_name,
        bank_name=row.bank_name,
        tail4=row.tail4,
        kind=PayeeKind(row.kind),
        bank_code=row.bank_code,
        is_company=row.is_company,
        fingerprint=row.fingerprint,
        added_at=row.added_at,
        added_by=row.added_by,
        verified_at=row.verified_at,
        usable_from=row.usable_from,
    )
