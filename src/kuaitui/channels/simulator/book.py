"""The simulated channel's own durable book: what it took in, and what money it moved.

One sqlite file, kept by one server process. Nothing of kuaitui's books is in it and nothing is
read from them, so it can judge them. It knows a number for ever and pays it once, unless told
to forget numbers, as channels with short-lived keys do: then only a client that asks before it
sends again pays once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kuaitui.channels.simulator.faults import Fault, Faults
from kuaitui.channels.simulator.store import ChannelRefuses, Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS instruction (
    number TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, reference TEXT NOT NULL UNIQUE,
    amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, route TEXT NOT NULL, tail TEXT NOT NULL,
    state TEXT NOT NULL, code TEXT NOT NULL DEFAULT '',
    accepted_at REAL NOT NULL, visible_at REAL NOT NULL, due_at REAL, due_state TEXT,
    return_after_s REAL, return_code TEXT NOT NULL DEFAULT '', paid_at REAL, returned_at REAL,
    notify_times INTEGER NOT NULL, notify_after_s REAL NOT NULL, notify_forged INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS movement (
    id INTEGER PRIMARY KEY, number TEXT NOT NULL, kind TEXT NOT NULL,
    amount_minor INTEGER NOT NULL, currency TEXT NOT NULL, moved_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS payment (
    reference TEXT PRIMARY KEY, number TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL, paid_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS pay_in (
    number TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    currency TEXT NOT NULL, description TEXT NOT NULL, expires_at REAL NOT NULL,
    is_closed INTEGER NOT NULL DEFAULT 0, accepted_at REAL NOT NULL);
-- What falls due is looked for with every call: it must not cost more the longer the book is.
CREATE INDEX IF NOT EXISTS instruction_processing ON instruction (due_at)
    WHERE state = 'PROCESSING';
CREATE INDEX IF NOT EXISTS instruction_returning ON instruction (paid_at + return_after_s)
    WHERE state = 'PAID' AND return_after_s IS NOT NULL;
"""
DEFAULT_PROCESSING_S = 0.0
WANTS_AGAIN = "WANTS_AGAIN"
"""The code of what is processed only when the same instruction comes once more."""


@dataclass(frozen=True, slots=True)
class Request:
    """An instruction as it came over the wire."""

    number: str
    amount_minor: int
    currency: str
    route: str
    target: str
    body: bytes

    @property
    def tail(self) -> str:
        """The end of the payee's number, all that the book keeps of it."""
        return self.target[-4:]

    @property
    def fingerprint(self) -> str:
        """What must be the same whenever the number comes again."""
        return hashlib.sha256(self.body).hexdigest()


class Book(Store):
    """The channel's book. Every public method is one transaction, one at a time."""

    def __init__(self, file: str, *, clock: Callable[[], float]) -> None:
        super().__init__(file, clock=clock, schema=SCHEMA)

    def accept(self, request: Request, faults: Faults) -> dict[str, Any]:
        """Take an instruction in, or find it: the number decides.

        Raises:
            ChannelRefuses: the number came before with other content, or there is no money.
        """
        with self.transaction():
            self.settle_due()
            row = self._row(request.number)
            if row is not None and row["fingerprint"] != request.fingerprint:
                raise ChannelRefuses(409, "NUMBER_REUSED")
            if row is not None and row["code"] == WANTS_AGAIN:
                self._go_on(request.number)
            elif row is not None and self.setting("forgets_numbers", "0") == "1":
                self._move(
                    request.number, "paid", request.amount_minor, request.currency, self.now()
                )
            if row is None:
                self._require_balance(request.amount_minor)
                self._insert(request, faults)
                self.settle_due()
            return self._answer(request.number)

    def find(self, number: str) -> dict[str, Any] | None:
        """What a query sees."""
        with self.transaction():
            self.settle_due()
            row = self._row(number)
            if row is None or row["visible_at"] > self.now():
                return None
            return self._answer(number)

    def tail_of(self, number: str) -> str:
        """The payee's tail of a known number."""
        row = self._row(number)
        return "" if row is None else str(row["tail"])

    def statement(self) -> dict[str, Any]:
        """Everything the channel knows, for whoever checks kuaitui's books against it."""
        with self.transaction():
            self.settle_due()
            return {
                "now": self.now(),
                "instructions": self.rows("SELECT * FROM instruction ORDER BY accepted_at, number"),
                "movements": self.rows("SELECT * FROM movement ORDER BY id"),
                "payments": self.rows("SELECT * FROM payment ORDER BY rowid"),
                "requests": self.rows("SELECT * FROM request ORDER BY id"),
                "notifications": self.rows("SELECT * FROM announcement ORDER BY id"),
                "paid": self._paid(),
            }

    def return_now(self, number: str, code: str) -> None:
        """Give a paid amount back at once.

        Raises:
            ChannelRefuses: the number is not paid.
        """
        with self.transaction():
            row = self._row(number)
            if row is None or row["state"] != "PAID":
                raise ChannelRefuses(409, "NOT_PAID")
            self._return(row, code)

    def collect(self, reference: str, number: str, amount_minor: int, currency: str) -> None:
        """Somebody paid: money comes in under the channel's own reference, once."""
        with self.transaction():
            if self.row("SELECT 1 FROM payment WHERE reference = ?", reference) is not None:
                return
            now = self.now()
            values = {"reference": reference, "number": number, "amount_minor": amount_minor}
            self.insert("payment", {**values, "currency": currency, "paid_at": now})
            self._move(reference, "collected", amount_minor, currency, now)

    def bill_rows(self, statement: str, from_s: float, to_s: float) -> list[dict[str, Any]]:
        """What one of `bills.STATEMENTS` finds between two moments, in order of time."""
        with self.transaction():
            self.settle_due()
            return self.rows(statement, from_s, to_s)

    def _row(self, number: str) -> dict[str, Any] | None:
        return self.row("SELECT * FROM instruction WHERE number = ?", number)

    def _known(self, number: str) -> dict[str, Any]:
        row = self._row(number)
        if row is None:
            raise ChannelRefuses(404, "NUMBER_UNKNOWN")
        return row

    def _insert(self, request: Request, faults: Faults) -> None:
        now = self.now()
        processing = float(self.setting("processing_s", str(DEFAULT_PROCESSING_S)))
        waits = Fault.NEEDS_ACTION in faults
        wanted = Fault.WANTS_AGAIN in faults and not waits
        code = faults.code(Fault.NEEDS_ACTION if waits else Fault.FAIL_LATER)
        due_state = "FAILED" if Fault.FAIL_LATER in faults else "PAID"
        returns = Fault.RETURN_LATER in faults
        values = {
            "number": request.number,
            "fingerprint": request.fingerprint,
            "reference": _reference(request.number),
            "amount_minor": request.amount_minor,
            "currency": request.currency,
            "route": request.route,
            "tail": request.tail,
            "state": "ACTION" if waits else "PROCESSING",
            "code": WANTS_AGAIN if wanted else code,
            "accepted_at": now,
            "visible_at": now + faults.seconds(Fault.HIDDEN),
            "due_at": None if waits or wanted else now + faults.seconds(Fault.SLOW, processing),
            "due_state": None if waits else due_state,
            "return_after_s": faults.seconds(Fault.RETURN_LATER) if returns else None,
            "return_code": faults.code(Fault.RETURN_LATER) if returns else "",
            "notify_times": 0
            if Fault.NOTIFY_NEVER in faults
            else 1 + (Fault.NOTIFY_TWICE in faults),
            "notify_after_s": faults.seconds(Fault.NOTIFY_LATE),
            "notify_forged": Fault.NOTIFY_FORGED in faults,
        }
        self.insert("instruction", values)

    def _go_on(self, number: str) -> None:
        """The same order came once more, as it was wanted."""
        self.change(
            "UPDATE instruction SET code = '', due_at = ? WHERE number = ?", self.now(), number
        )
        self.settle_due()

    def settle_due(self) -> None:
        """Let everything happen that has fallen due."""
        now = self.now()
        due = "SELECT * FROM instruction WHERE state = 'PROCESSING' AND due_at <= ?"
        for row in self.rows(due, now):
            if row["due_state"] == "PAID":
                self._move(
                    row["number"], "paid", row["amount_minor"], row["currency"], row["due_at"]
                )
            self.change(
                "UPDATE instruction SET state = due_state,"
                " paid_at = iif(due_state = 'PAID', due_at, NULL) WHERE number = ?",
                row["number"],
            )
            self._announce(row["number"])
        back = (
            "SELECT * FROM instruction WHERE state = 'PAID' AND return_after_s IS NOT NULL"
            " AND paid_at + return_after_s <= ?"
        )
        for row in self.rows(back, now):
            self._return(row, row["return_code"])

    def _return(self, row: dict[str, Any], code: str) -> None:
        now = self.now()
        self._move(row["number"], "returned", row["amount_minor"], row["currency"], now)
        self.change(
            "UPDATE instruction SET state = 'RETURNED', code = ?, returned_at = ? WHERE number = ?",
            code,
            now,
            row["number"],
        )
        self._announce(row["number"])

    def _announce(self, number: str) -> None:
        row = self._known(number)
        due_at = self.now() + row["notify_after_s"]
        disguises = ["forged"] * row["notify_forged"] + [""] * row["notify_times"]
        for disguise in disguises:
            self.announce(
                event=f"{number}:{row['state']}",
                number=number,
                state=row["state"],
                due_at=due_at,
                disguise=disguise,
            )

    def _move(
        self, number: str, kind: str, amount_minor: int, currency: str, moved_at: float
    ) -> None:
        values = {"number": number, "kind": kind, "amount_minor": amount_minor}
        self.insert("movement", {**values, "currency": currency, "moved_at": moved_at})
        if balance := self.setting("balance_minor", ""):
            change = -amount_minor if kind == "paid" else amount_minor
            self.set_settings({"balance_minor": str(int(balance) + change)})

    def _require_balance(self, amount_minor: int) -> None:
        balance = self.setting("balance_minor", "")
        floor = int(self.setting("balance_floor_minor", "0"))
        if balance and int(balance) - amount_minor < floor:
            raise ChannelRefuses(403, "NOT_ENOUGH")

    def _answer(self, number: str) -> dict[str, Any]:
        row = self._known(number)
        names = ("number", "reference", "amount_minor", "currency", "state", "code")
        moments = ("accepted_at", "paid_at", "returned_at")
        return {name: row[name] for name in (*names, *moments)}

    def _paid(self) -> dict[str, dict[str, int]]:
        """Per number: how often it was paid, and what lies with the payee now."""
        rows = self.rows(
            "SELECT number, sum(kind = 'paid') AS times_paid, sum(kind = 'returned') AS times_returned,"
            " sum(iif(kind = 'paid', amount_minor, -amount_minor)) AS with_payee_minor"
            " FROM movement WHERE kind <> 'collected' GROUP BY number ORDER BY number"
        )
        return {row.pop("number"): row for row in rows}


def _reference(number: str) -> str:
    """The channel's own number for an instruction, in the form banks print."""
    digits = int(hashlib.sha256(number.encode()).hexdigest()[:20], 16) % 10**20
    return f"SIM{digits:020d}"
