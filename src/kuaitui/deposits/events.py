"""What deposits tell the contexts above."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DepositPaidIn:
    """A payment reached a deposit."""

    account_id: str
    shop_key: int
    lot_id: str
    amount_minor: int | None = None
    """News of before it was told have none."""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class DepositDeducted:
    """A deduction was decided and taken."""

    account_id: str
    shop_key: int
    deduction_id: str
    amount_minor: int | None = None
    """News of before it was told have none."""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class DeductionGivenBack:
    """Of a deduction, all or a part was given back to the deposit."""

    account_id: str
    shop_key: int
    deduction_id: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class HoldReduced:
    """A deduction took part of what was set aside for an application."""

    account_id: str
    reference: str
    deduction_id: str
    by_minor: int


@dataclass(frozen=True, slots=True)
class DestinationAdded:
    """A payee account was added; everyone of the shop should hear of it."""

    shop_key: int
    destination_id: str


@dataclass(frozen=True, slots=True)
class PayInNeedsPerson:
    """A payment came that is not what was asked for: somebody should look at it."""

    order_id: str
    account_id: str
    shop_key: int
    why: str


@dataclass(frozen=True, slots=True)
class PaymentInSuspense:
    """A payment has no place of its own: two people decide where it goes."""

    suspense_id: str
    channel: str
    why: str


@dataclass(frozen=True, slots=True)
class PaymentCameBack:
    """A payment that was sent back to its payer was given back to us: two people decide anew."""

    suspense_id: str
    channel: str
    returns: int
    """How often that has happened to it."""


@dataclass(frozen=True, slots=True)
class SuspenseResolved:
    """Two people have decided where a payment without a place goes."""

    suspense_id: str
    resolution: str
    account_id: str
    returns: int = 0
    """How often it had been sent back and come back by then."""
