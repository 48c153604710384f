"""What a channel's answer means to us: exactly one of these, and Unknown when nothing is mapped."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import TypeAlias


class NeededAction(enum.StrEnum):
    """What a person must do before the channel goes on."""

    USER_CONFIRM = "user_confirm"
    ABNORMAL_REFUND = "abnormal_refund"
    MISSING_BANK_DETAILS = "missing_bank_details"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The channel has the instruction and works on it. The money has not arrived.

    With `wants_again` it goes on only when it is handed the same instruction once more, perhaps after
    a top-up. It has the number, so that is never a second payment. Channels say so of transfers, not of
    refunds.
    """

    reference: str
    wants_again: bool = False


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The channel paid. `reference` is the number to show to a bank."""

    reference: str
    settled_at: dt.datetime


@dataclass(frozen=True, slots=True)
class FailedDefinite:
    """The channel did not pay this and never will by itself.

    With `same_key_retry_ok` the cause can pass (no balance): the same number may be sent again.
    """

    code: str
    same_key_retry_ok: bool = False


@dataclass(frozen=True, slots=True)
class RejectedConfig:
    """The channel refuses us, not this payout (credentials, permission): stop sending to it."""

    code: str


@dataclass(frozen=True, slots=True)
class NeedsAction:
    """The channel waits for a person.

    `hand_over` is what that person needs for it, if anything: for WeChat Pay's user confirmation
    the `package_info` with which the payee's app opens the confirm page.
    """

    action: NeededAction
    reference: str
    hand_over: str = ""


@dataclass(frozen=True, slots=True)
class Returned:
    """Paid, and given back by the payee's bank (退票)."""

    reference: str
    code: str
    returned_at: dt.datetime


@dataclass(frozen=True, slots=True)
class NotFound:
    """The channel does not know the number. An answer to a query only, and not yet a failure."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """No byte of the request left us: sending it again is safe."""

    cause: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say what happened. Never success, never failure: it is asked again."""

    cause: str


SubmitOutcome: TypeAlias = (
    Accepted
    | Succeeded
    | FailedDefinite
    | RejectedConfig
    | NeedsAction
    | Returned
    | NotSent
    | Unknown
)
QueryOutcome: TypeAlias = SubmitOutcome | NotFound
Outcome: TypeAlias = QueryOutcome
