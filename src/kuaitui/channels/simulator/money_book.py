"""What a simulated institution that keeps money for a merchant has in its book.

Accounts inside are `merchant` (what the merchant can spend), `refunds` (where a refund lies on its
way) and `transfers` (the same for a transfer). Outside are `payers`, `payees` and `bank`, and `fees`
is what the institution earns. A movement names both of its accounts, so the sum over all accounts is
always nothing.

A fee is taken with each payment at the rate of the setting `fee_rate`, in percent, none unless it is
set; rates are a matter of contract. It is rounded to the nearest fen, and comes back with refunds in
proportion unless `fee_comes_back` is 0: no source says how institutions round, this is ours.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, Final

from kuaitui.channels.simulator.faults import Fault, Faults
from kuaitui.channels.simulator.store import ChannelRefuses, Store

MERCHANT: Final = "merchant"
REFUNDS: Final = "refunds"
TRANSFERS: Final = "transfers"
PAYERS: Final = "payers"
PAYEES: Final = "payees"
BANK: Final = "bank"
FEES: Final = "fees"
RATE_END: Final = 100
FEE: Final = "fee"
FEE_RETURN: Final = "fee_return"
INSIDE: Final = (MERCHANT, REFUNDS, TRANSFERS)

SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    name TEXT PRIMARY KEY, balance_minor INTEGER NOT NULL,
    CHECK (name IN ('payers', 'payees', 'bank') OR balance_minor >= 0));
CREATE TABLE IF NOT EXISTS movement (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, number TEXT NOT NULL, reference TEXT NOT NULL,
    origin TEXT NOT NULL, target TEXT NOT NULL CHECK (target <> origin),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0), moved_at REAL NOT NULL,
    remark TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS movement_of_fee ON movement (reference)
    WHERE kind IN ('fee', 'fee_return');
"""


@dataclass(frozen=True, slots=True)
class NoticePlan:
    """How a number's notifications are sent: how many, how late, and with what before them."""

    after_s: float = 0.0
    disguises: tuple[str, ...] = ("",)

    @classmethod
    def of(cls, faults: Faults) -> NoticePlan:
        """What the faults of a call make of its notifications."""
        before = {
            Fault.NOTIFY_PROBE: "probe",
            Fault.NOTIFY_FORGED: "forged",
            Fault.NOTIFY_CHANGED: "changed",
            Fault.NOTIFY_STALE: "stale",
        }
        genuine = 0 if Fault.NOTIFY_NEVER in faults else 1 + (Fault.NOTIFY_TWICE in faults)
        disguises = [disguise for fault, disguise in before.items() if fault in faults]
        return cls(faults.seconds(Fault.NOTIFY_LATE), (*disguises, *[""] * genuine))

    def without(self, disguise: str) -> NoticePlan:
        """The same without one disguise, which this institution does not know."""
        return replace(self, disguises=tuple(kept for kept in self.disguises if kept != disguise))

    def written(self) -> str:
        """As it is kept in a row."""
        return json.dumps([self.after_s, self.disguises])

    @classmethod
    def read(cls, text: str) -> NoticePlan:
        """As it was kept in a row."""
        after_s, disguises = json.loads(text)
        return cls(after_s, tuple(disguises))


@dataclass(frozen=True, slots=True)
class FeeOf:
    """A payment, what was taken for it, and what of that was given back so far, in fen."""

    payment_minor: int
    taken_minor: int
    given_minor: int


def parse_fee_rate(text: str) -> Decimal:
    """A rate in percent, like `0.6`.

    Raises:
        ValueError: it is none, or not below a hundred.
    """
    try:
        rate = Decimal(text)
    except InvalidOperation:
        raise ValueError("a rate in percent, like 0.6") from None
    if not rate.is_finite() or not 0 <= rate < RATE_END:
        raise ValueError("a rate in percent, from 0 to below 100")
    return rate


class MoneyBook(Store):
    """A book of money. `on_due` are what the parts of the institution let happen in time."""

    def __init__(
        self, file: str, *, clock: Callable[[], float], schema: str, default_notify_url: str = ""
    ) -> None:
        super().__init__(file, clock=clock, schema=SCHEMA + schema)
        self._default_notify_url = default_notify_url
        self.on_due: list[Callable[[float], None]] = []

    def wall_now(self) -> float:
        """The time that signatures carry: the real one, unless the channel's own is asked for."""
        return self.now() if self.setting("stamps_own_clock", "0") == "1" else self._clock()

    def settle_due(self) -> None:
        """Let everything happen that has fallen due."""
        for settle in self.on_due:
            settle(self.now())

    def move(
        self,
        kind: str,
        *,
        origin: str,
        target: str,
        amount_minor: int,
        number: str,
        reference: str,
        at: float,
        remark: str = "",
    ) -> None:
        """Take an amount from one account and give it to another.

        Raises:
            ChannelRefuses: an account inside has not so much.
        """
        if origin in INSIDE and self.balance(origin) < amount_minor:
            raise ChannelRefuses(403, "NOT_ENOUGH", f"the account {origin} has not enough")
        for account, change in ((origin, -amount_minor), (target, amount_minor)):
            self.change("INSERT INTO account VALUES (?1, 0) ON CONFLICT (name) DO NOTHING", account)
            self.change(
                "UPDATE account SET balance_minor = balance_minor + ? WHERE name = ?",
                change,
                account,
            )
        values = {"kind": kind, "origin": origin, "target": target, "amount_minor": amount_minor}
        values |= {"number": number, "reference": reference, "moved_at": at, "remark": remark}
        self.insert("movement", values)

    @property
    def fee_rate(self) -> Decimal:
        """What of a payment is kept as its fee, in percent."""
        return parse_fee_rate(self.setting("fee_rate", "0"))

    def take_fee(self, payment_minor: int, *, number: str, reference: str, at: float) -> None:
        """Keep the fee of a payment that has just come in."""
        share = self.fee_rate / 100 * payment_minor
        fee_minor = int(share.to_integral_value(ROUND_HALF_UP))
        if fee_minor:
            self.move(
                FEE,
                origin=MERCHANT,
                target=FEES,
                amount_minor=fee_minor,
                number=number,
                reference=reference,
                at=at,
            )

    def give_fee_back(
        self, fee: FeeOf, *, refunded_minor: int, number: str, reference: str, at: float
    ) -> None:
        """Give back what belongs to a refund, so that all refunds together give back all of it.

        `refunded_minor` is what has gone back of the payment, this refund included.
        """
        if self.setting("fee_comes_back", "1") == "0":
            return
        due_minor = fee.taken_minor * refunded_minor // fee.payment_minor - fee.given_minor
        if due_minor > 0:
            self.move(
                FEE_RETURN,
                origin=FEES,
                target=MERCHANT,
                amount_minor=due_minor,
                number=number,
                reference=reference,
                at=at,
            )

    def balance(self, account: str) -> int:
        """What lies on an account, in fen; accounts outside start at nothing and go below it."""
        row = self.row("SELECT balance_minor FROM account WHERE name = ?", account)
        return 0 if row is None else int(row["balance_minor"])

    def can_spend(self, amount_minor: int) -> bool:
        """Whether the merchant has so much."""
        return self.balance(MERCHANT) >= amount_minor

    def fund(self, amount_minor: int) -> int:
        """Top the merchant's account up, or with a negative amount withdraw; returns its balance.

        Raises:
            ChannelRefuses: more is withdrawn than there is.
        """
        with self.transaction():
            is_in = amount_minor > 0
            origin, target = (BANK, MERCHANT) if is_in else (MERCHANT, BANK)
            kind = "top_up" if is_in else "withdrawal"
            count = self.row("SELECT count(*) AS n FROM movement")
            number = f"{kind}-{count['n'] if count else 0}"
            self.move(
                kind,
                origin=origin,
                target=target,
                amount_minor=abs(amount_minor),
                number=number,
                reference=digits("10", number, 28),
                at=self.now(),
            )
            self.settle_due()
            return self.balance(MERCHANT)

    def tell(
        self,
        event_type: str,
        *,
        number: str,
        url: str,
        resource: dict[str, Any],
        plan: NoticePlan,
        at: float,
    ) -> None:
        """Write down what the merchant is to be told of a number; nobody to tell is no event."""
        url = url or self._default_notify_url
        if not url:
            return
        event = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{event_type}:{number}:{at}"))
        document = json.dumps({"event_type": event_type, "resource": resource, "at": at})
        for disguise in plan.disguises:
            self.announce(
                event=event,
                number=number,
                state=event_type,
                url=url,
                document=document,
                disguise=disguise,
                due_at=at + plan.after_s,
            )

    def paid(self) -> dict[str, dict[str, int]]:
        """Per refund and transfer: how often it was paid, and what lies with people now."""
        rows = self.rows(
            "SELECT number, sum(target IN ('payers', 'payees')) AS times_paid,"
            " sum(origin = 'payees') AS times_returned,"
            " sum(iif(target IN ('payers', 'payees'), amount_minor, 0))"
            " - sum(iif(origin = 'payees', amount_minor, 0)) AS with_payee_minor"
            " FROM movement WHERE kind IN ('refund', 'transfer') GROUP BY number ORDER BY number"
        )
        return {row.pop("number"): row for row in rows}


def digits(prefix: str, seed: str, length: int) -> str:
    """A number of the channel's own, always the same for the same seed."""
    wanted = length - len(prefix)
    drawn = int.from_bytes(hashlib.sha256(f"{prefix}:{seed}".encode()).digest())
    return prefix + f"{drawn % 10**wanted:0{wanted}d}"


def fingerprint(document: dict[str, Any], *, without: Iterable[str] = ()) -> str:
    """What must be the same whenever a number comes again."""
    left = {name: value for name, value in document.items() if name not in set(without)}
    return hashlib.sha256(json.dumps(left, sort_keys=True).encode()).hexdigest()
