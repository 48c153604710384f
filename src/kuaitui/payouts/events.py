"""What payouts tell the contexts above. Plain values; `occurred_at` is when it happened."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LegSent:
    """A leg is being sent for the first time: from here on the payout cannot be called off."""

    application_id: str
    payout_id: str
    leg_id: str
    amount_minor: int
    currency: str
    occurred_at: dt.datetime


@dataclass(frozen=True, slots=True)
class LegPaid:
    """A leg is settled."""

    application_id: str
    payout_id: str
    leg_id: str
    amount_minor: int
    currency: str
    bank_reference: str
    occurred_at: dt.datetime


@dataclass(frozen=True, slots=True)
class PayoutPaid:
    """Every leg that stands is settled. Comes again when a returned leg was repaired and paid."""

    application_id: str
    payout_id: str
    amount_minor: int
    currency: str
    occurred_at: dt.datetime


@dataclass(frozen=True, slots=True)
class LegFailed:
    """A leg certainly failed; its money is frozen again and waits for a repair."""

    application_id: str
    payout_id: str
    leg_id: str
    amount_minor: int
    currency: str
    code: str
    occurred_at: dt.datetime


@dataclass(frozen=True, slots=True)
class LegReturned:
    """A leg was paid and came back; its money is frozen again and waits for a repair."""

    application_id: str
    payout_id: str
    leg_id: str
    amount_minor: int
    currency: str
    code: str
    occurred_at: dt.datetime


@dataclass(frozen=True, slots=True)
class PayeeMustConfirm:
    """A channel pays a leg as soon as its payee has confirmed, and for a while only."""

    application_id: str
    shop_key: int
    leg_id: str
    occurred_at: dt.datetime
    amount_minor: int | None = None
    """News of before it was told have none."""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A refund that its channel could not deliver goes to another account of the same person."""

    application_id: str
    shop_key: int
    leg_id: str
    destination_id: str
    amount_minor: int
    currency: str
    occurred_at: dt.datetime


@dataclass(frozen=True, slots=True)
class PayoutDelayed:
    """A leg has been without a definite result for too long: a person must look."""

    application_id: str
    payout_id: str
    leg_id: str
    leg_state: str
    reason: str
    occurred_at: dt.datetime


@dataclass(frozen=True, slots=True)
class SendingStopped:
    """Sending through a channel was stopped, by a person or by the channel's refusal."""

    channel: str
    reason: str
    occurred_at: dt.datetime
