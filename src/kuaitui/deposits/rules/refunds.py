"""Rules of deposits: which lots a refund uses, what a deduction takes, what an account number is."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kuaitui.channels.port import PayeeKind
from kuaitui.deposits.errors import (
    AccountNumberMissing,
    AccountNumberMistyped,
    AccountNumberNotDigits,
    AccountNumberTooLong,
    AccountNumberTooShort,
    BankCodeMistyped,
    DestinationRequired,
    InsufficientDeposit,
    NoWayOut,
    PartTooLarge,
    PartTooSmall,
)
from kuaitui.deposits.types import Lot, PlannedLeg, Route, RoutePlan, WaysOut
from kuaitui.kernel.money import Money

# A payee account entered by a thief is of no use to him if its owner hears of it in time.
DESTINATION_COOL_DOWN = dt.timedelta(hours=72)
ACCOUNT_DIGITS_MIN = 8  # the shortest corporate accounts of mainland banks
ACCOUNT_DIGITS_MAX = 30  # the longest number the interbank system carries
CARD_DIGITS = range(16, 20)
UNIONPAY_PREFIX = "62"
_BANK_CODE = re.compile(r"[0-9]{12}|[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?")
_SEPARATORS = str.maketrans("", "", " -\u00a0\u3000‐‑–—－")
_FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")


def plan_route(
    lots: Sequence[Lot],
    *,
    amount: Money,
    destination_id: str,
    payee_kind: PayeeKind,
    ways: WaysOut,
    parts: Mapping[str, int],
    now: dt.datetime,
) -> RoutePlan:
    """Split an amount over lots: the way back where it is open, else the chosen destination.

    A way back is open inside the lot's and the channel's window and under its number of refunds of
    one payment; `parts` are those made so far, by lot. Lots that go back come first, the one that
    closes first before the others: that needs no account entry and cannot be misdirected. Then the
    oldest of the rest, through the channel that pays such accounts. No fen is lost: the legs add up
    to the amount.

    A part that a way does not take, for its amount, goes the other way. A lot is never cut into
    several parts to fit: its payment has one live leg at a time.

    Raises:
        InsufficientDeposit: less than `amount` is left of the lots.
        NoWayOut: a part cannot go back, and no channel here pays such an account.
        PartTooSmall, PartTooLarge: a part cannot go back, and is no amount for such an account.
        DestinationRequired: a part cannot go back and `destination_id` is empty.
    Source: reference §0 facts 2 and 3; DESIGN §6.
    """
    open_lots = [
        lot for lot in lots if ways.takes_back(lot, parts=parts.get(lot.lot_id, 0), now=now)
    ]
    legs, missing = _plan_back(open_lots, amount, ways)
    going_back = {leg.lot_id for leg in legs}
    for lot in sorted(lots, key=lambda lot: (lot.paid_at, lot.lot_id)):
        part = min(lot.remaining, missing)
        if part.is_positive and lot.lot_id not in going_back:
            legs.append(plan_designated(lot, part, destination_id, payee_kind, ways))
            missing -= part
    if not missing.is_zero or not legs:
        raise InsufficientDeposit(missing=missing.minor)
    if not destination_id and any(leg.route is Route.DESIGNATED for leg in legs):
        raise DestinationRequired(
            amount_minor=sum(leg.amount.minor for leg in legs if leg.route is Route.DESIGNATED)
        )
    return RoutePlan(tuple(legs))


def plan_designated(
    lot: Lot, amount: Money, destination_id: str, payee_kind: PayeeKind, ways: WaysOut
) -> PlannedLeg:
    """A part of a lot to the chosen account, through the channel that pays such accounts.

    Raises:
        NoWayOut: no channel here does.
        PartTooSmall, PartTooLarge: it does not pay such an amount at once.
    """
    payer = ways.payer(payee_kind, lot_channel=lot.channel)
    if payer is None:
        raise NoWayOut(kind=payee_kind.value)
    limits = ways.limits(payer, Route.DESIGNATED)
    if limits.is_too_small(amount):
        raise PartTooSmall(kind=payee_kind.value, amount=amount, limit=limits.smallest)
    if limits.is_too_large(amount):
        raise PartTooLarge(kind=payee_kind.value, amount=amount, limit=limits.largest)
    return PlannedLeg(
        lot_id=lot.lot_id,
        amount=amount,
        route=Route.DESIGNATED,
        channel=payer,
        channel_reference="",
        refundable_until=None,
        destination_id=destination_id,
    )


def _plan_back(lots: Sequence[Lot], amount: Money, ways: WaysOut) -> tuple[list[PlannedLeg], Money]:
    """What of these lots goes back the way it came, and how much is missing after that."""
    legs: list[PlannedLeg] = []
    missing = amount
    for lot in sorted(lots, key=lambda lot: (ways.closes_at(lot) or lot.paid_at, lot.lot_id)):
        part = min(lot.remaining, missing)
        if part.is_positive and ways.limits(lot.channel, Route.ORIGINAL).takes(part):
            legs.append(_leg_back(lot, part, ways))
            missing -= part
    return legs, missing


def _leg_back(lot: Lot, amount: Money, ways: WaysOut) -> PlannedLeg:
    return PlannedLeg(
        lot_id=lot.lot_id,
        amount=amount,
        route=Route.ORIGINAL,
        channel=lot.channel,
        channel_reference=lot.channel_reference,
        refundable_until=ways.closes_at(lot),
        destination_id="",
    )


def take_oldest_first(lots: Iterable[Lot], *, amount: Money) -> list[tuple[Lot, Money]]:
    """What a deduction takes from each lot, the oldest first, as far as the lots reach."""
    taken: list[tuple[Lot, Money]] = []
    missing = amount
    for lot in sorted(lots, key=lambda lot: (lot.paid_at, lot.lot_id)):
        part = min(lot.remaining, missing)
        if part.is_positive:
            taken.append((lot, part))
            missing -= part
    return taken


def give_newest_first(
    lots: Iterable[Lot], *, taken: Mapping[str, Money], amount: Money
) -> list[tuple[Lot, Money]]:
    """What of an amount each lot gets back, the newest first, and never more than it lacks.

    First what `taken`, by lot, says that this very deduction took, then what others took.
    """
    newest_first = sorted(lots, key=lambda lot: (lot.paid_at, lot.lot_id), reverse=True)
    zero = Money.zero(amount.currency)
    parts = dict.fromkeys((lot.lot_id for lot in newest_first), zero)
    missing = amount
    for of_this_deduction in (True, False):
        for lot in newest_first:
            lacks = lot.deducted - parts[lot.lot_id]
            bound = min(lacks, taken.get(lot.lot_id, zero)) if of_this_deduction else lacks
            part = min(bound, missing)
            parts[lot.lot_id] += part
            missing -= part
    return [(lot, parts[lot.lot_id]) for lot in newest_first if parts[lot.lot_id].is_positive]


@dataclass(frozen=True, slots=True)
class DeductionSplit:
    """Where a deduction is taken from, in this order."""

    from_available: Money
    from_frozen: Money
    still_owed: Money


def split_deduction(*, amount: Money, available: Money, frozen_unsent: Money) -> DeductionSplit:
    """Take from what is free, then from what is frozen and in no leg, and owe the rest."""
    from_available = min(amount, available)
    from_frozen = min(amount - from_available, frozen_unsent)
    return DeductionSplit(from_available, from_frozen, amount - from_available - from_frozen)


def parse_account_number(text: str) -> str:
    """The digits of an account number as a person types it: spaces and dashes are fine.

    A number that begins with 62 and has the length of a card is a UnionPay card and must pass the
    Luhn check; other numbers (corporate accounts) carry no common check digit.

    Raises:
        AccountNumberMissing, AccountNumberNotDigits, AccountNumberTooShort, AccountNumberTooLong,
        AccountNumberMistyped: what is wrong, each with its own words.
    """
    digits = text.translate(_SEPARATORS).translate(_FULL_WIDTH)
    if not digits:
        raise AccountNumberMissing
    if not (digits.isascii() and digits.isdigit()):
        raise AccountNumberNotDigits
    if len(digits) < ACCOUNT_DIGITS_MIN:
        raise AccountNumberTooShort(digits=len(digits), digits_min=ACCOUNT_DIGITS_MIN)
    if len(digits) > ACCOUNT_DIGITS_MAX:
        raise AccountNumberTooLong(digits=len(digits), digits_max=ACCOUNT_DIGITS_MAX)
    if (
        digits.startswith(UNIONPAY_PREFIX)
        and len(digits) in CARD_DIGITS
        and not passes_luhn(digits)
    ):
        raise AccountNumberMistyped
    return digits


def parse_bank_code(text: str) -> str:
    """A 联行号 (12 digits) or a BIC as a person types it, or nothing.

    Raises:
        BankCodeMistyped: it is neither.
    """
    code = text.translate(_SEPARATORS).translate(_FULL_WIDTH).upper()
    if code and not _BANK_CODE.fullmatch(code):
        raise BankCodeMistyped
    return code


def passes_luhn(digits: str) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812-1 annex B)."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + position % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
