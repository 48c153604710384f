"""Money: an integer count of minor units and a currency. Never a float."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import total_ordering
from typing import Final

from kuaitui.kernel.errors import Refusal, RefusalKind

# ISO 4217 exponents of the currencies marketplaces hold deposits in.
EXPONENTS: Final = {
    "AUD": 2, "BRL": 2, "CAD": 2, "CHF": 2, "CNY": 2, "EUR": 2, "GBP": 2, "HKD": 2, "IDR": 2,
    "INR": 2, "JPY": 0, "KRW": 0, "KWD": 3, "MXN": 2, "MYR": 2, "PHP": 2, "SGD": 2, "THB": 2,
    "TWD": 2, "USD": 2, "VND": 0,
}  # fmt: skip
YEN_SIGN_CURRENCIES: Final = frozenset({"CNY", "JPY"})
MINOR_MAX: Final = 10**15  # keeps every sum of a book inside a signed 64-bit integer
# What a Chinese keyboard types in full width. A table and not NFKC, which reads "5²" as 52.
_FULL_WIDTH: Final = str.maketrans(
    "\N{FULLWIDTH DIGIT ZERO}\N{FULLWIDTH DIGIT ONE}\N{FULLWIDTH DIGIT TWO}"
    "\N{FULLWIDTH DIGIT THREE}\N{FULLWIDTH DIGIT FOUR}\N{FULLWIDTH DIGIT FIVE}"
    "\N{FULLWIDTH DIGIT SIX}\N{FULLWIDTH DIGIT SEVEN}\N{FULLWIDTH DIGIT EIGHT}"
    "\N{FULLWIDTH DIGIT NINE}\N{FULLWIDTH FULL STOP}\N{FULLWIDTH COMMA}",
    "0123456789.,",
)
_WRITTEN = re.compile(r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?")


class CurrencyUnknown(Refusal):
    """This currency is not supported here."""

    code = "money.currency_unknown"


class CurrencyMismatch(Refusal):
    """Amounts in different currencies cannot be put together."""

    code = "money.currency_mismatch"


class AmountUnreadable(Refusal):
    """Enter an amount in figures, for example 5000 or 5000.00."""

    code = "money.amount_unreadable"


class AmountTooPrecise(Refusal):
    """The amount has more decimals than the currency."""

    code = "money.amount_too_precise"


class AmountTooLarge(Refusal):
    """The amount is larger than this system can hold."""

    code = "money.amount_too_large"
    kind = RefusalKind.LIMIT


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An amount of money, exact, in minor units (fen, cents) of an ISO 4217 currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError("Money counts whole minor units")
        if self.currency not in EXPONENTS:
            raise CurrencyUnknown(currency=self.currency)
        if abs(self.minor) > MINOR_MAX:
            raise AmountTooLarge(minor=self.minor)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """No money, in that currency."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Read an amount as a person writes it: `5000`, `5,000.00`, `¥5000.5`.

        Raises:
            AmountUnreadable: not an unsigned decimal number.
            AmountTooPrecise: more decimals than the currency has.
            AmountTooLarge: more than the system can hold.
            CurrencyUnknown: the currency is not supported.
        """
        if currency not in EXPONENTS:
            raise CurrencyUnknown(currency=currency)
        written = text.strip()
        if currency in YEN_SIGN_CURRENCIES:
            written = written.removeprefix("¥").removeprefix("\N{FULLWIDTH YEN SIGN}").strip()
        if len(written) > 40:
            raise AmountTooLarge
        match = _WRITTEN.fullmatch(written)
        if match is None or not written.isascii():
            raise AmountUnreadable
        if len((match[1] or "").rstrip("0")) > EXPONENTS[currency]:
            raise AmountTooPrecise(decimals_max=EXPONENTS[currency])
        return cls(int(Decimal(written.replace(",", "")).scaleb(EXPONENTS[currency])), currency)

    @classmethod
    def parse_typed(cls, text: str, currency: str) -> Money:
        """Read an amount from a keyboard, where digits may be full-width: `１，０００．５`.

        Machines and files write plain figures and are read by `parse`.

        Raises:
            AmountUnreadable, AmountTooPrecise, AmountTooLarge, CurrencyUnknown: as `parse`.
        """
        return cls.parse(text.translate(_FULL_WIDTH), currency)

    def to_decimal(self) -> Decimal:
        """The amount in major units, for printing only."""
        return Decimal(self.minor).scaleb(-EXPONENTS[self.currency])

    @property
    def is_positive(self) -> bool:
        """More than nothing."""
        return self.minor > 0

    @property
    def is_zero(self) -> bool:
        """Nothing at all."""
        return self.minor == 0

    def allocate(self, weights: Sequence[int]) -> list[Money]:
        """Split by weight without losing a minor unit; the first parts take the remainder."""
        total = sum(weights)
        if total <= 0 or min(weights) < 0 or self.minor < 0:
            raise ValueError("allocate needs a non-negative amount and weights with a positive sum")
        shares = [self.minor * weight // total for weight in weights]
        for index in [i for i, weight in enumerate(weights) if weight][: self.minor - sum(shares)]:
            shares[index] += 1
        return [Money(share, self.currency) for share in shares]

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __str__(self) -> str:
        return f"{self.currency} {self.to_decimal():,f}"

    def _same(self, other: Money) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(left=self.currency, right=other.currency)
        return other.minor
