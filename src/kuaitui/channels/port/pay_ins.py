"""Money in: the order a payer pays, and what the channel can say of it."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import TypeAlias

from kuaitui.channels.port.outcomes import (
    FailedDefinite,
    NotFound,
    NotSent,
    RejectedConfig,
    Unknown,
)
from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import Money


class PayInMethod(enum.StrEnum):
    """How the payer meets the channel."""

    QR_CODE = "qr_code"
    """Scanned with the channel's app (WeChat Pay Native, Alipay precreate)."""
    LINK = "link"
    """Opened in a phone's browser (H5, wap)."""


@dataclass(frozen=True, slots=True)
class PayInOrder:
    """What is to be paid. `number` is ours and stored before the first call, like a payout's."""

    number: str
    amount: Money
    method: PayInMethod
    description: str
    expires_at: dt.datetime
    payer_ip: str = ""
    """The payer's own address, which WeChat Pay's H5 compares."""
    return_url: str = ""

    def __post_init__(self) -> None:
        ensure(self.number != "", "an order carries its number")
        ensure(self.amount.is_positive, "the amount of an order is positive")


@dataclass(frozen=True, slots=True)
class PayInOpened:
    """The channel waits for the payer. `pay_url` is what the QR code holds, or the link."""

    pay_url: str
    usable_until: dt.datetime


@dataclass(frozen=True, slots=True)
class PayInWaiting:
    """Known, not paid (yet)."""


@dataclass(frozen=True, slots=True)
class PayInPaid:
    """Paid. `reference` is the channel's own number, by which it refunds; `amount` its own word."""

    reference: str
    amount: Money
    paid_at: dt.datetime


@dataclass(frozen=True, slots=True)
class PayInClosed:
    """Not paid, and can no longer be."""


PayInOutcome: TypeAlias = (
    PayInOpened
    | PayInWaiting
    | PayInPaid
    | PayInClosed
    | FailedDefinite
    | RejectedConfig
    | NotFound
    | NotSent
    | Unknown
)
