"""What to pay, to whom, under which number."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Final

from kuaitui.kernel.invariants import ensure
from kuaitui.kernel.money import Money

NO_RELEASE_KNOWN: Final = 0


class Route(enum.StrEnum):
    """The way the money goes."""

    ORIGINAL = "original"
    """Back along the payment it came by."""
    DESIGNATED = "designated"
    """To a verified account of the same person or company."""


class PayeeKind(enum.StrEnum):
    """What a payee's account number is the number of."""

    BANK_ACCOUNT = "bank_account"
    ALIPAY_ACCOUNT = "alipay_account"
    """A log-in name (mobile number or mail address) or a 2088… user id."""
    WECHAT_USER = "wechat_user"
    """The payee's openid under the paying appid."""


@dataclass(frozen=True, slots=True)
class OriginalPayment:
    """The payment to send money back along.

    `payment_reference` is the channel's own number of it; `total` is what was paid by it, which
    WeChat Pay wants to hear again with every partial refund.
    """

    payment_reference: str
    total: Money


@dataclass(frozen=True, slots=True, repr=False)
class PayeeAccount:
    """The account to pay to. Its `repr` shows the tail only: it may end up in a traceback."""

    holder_name: str
    bank_name: str
    account_number: str
    kind: PayeeKind = PayeeKind.BANK_ACCOUNT
    bank_code: str = ""
    """联行号 (12 digits) or BIC, where the bank's name is not enough."""
    is_company: bool = False

    def __repr__(self) -> str:
        return f"PayeeAccount(…{self.account_number[-4:]})"


@dataclass(frozen=True, slots=True)
class PayoutInstruction:
    """What to pay, complete and unchanging: every resend is made from the same instruction.

    `number` is ours, chosen and stored before the first call; the channel pays it at most once.
    `execute_on` is the business day that a batch was released for, and `release_no` counts the
    batches it was released in: once more only after a definite refusal, and 0 when none is known
    (any more): then it may have been executed on any day from `execute_on` to `executed_until`. Only
    batched channels use the three.
    """

    number: str
    amount: Money
    target: OriginalPayment | PayeeAccount
    execute_on: dt.date | None = None
    release_no: int = 1
    executed_until: dt.date | None = None

    def __post_init__(self) -> None:
        ensure(self.number != "", "an instruction carries its number")
        ensure(self.amount.is_positive, "the amount of an instruction is positive")

    @property
    def route(self) -> Route:
        """The way this money goes."""
        return Route.ORIGINAL if isinstance(self.target, OriginalPayment) else Route.DESIGNATED
