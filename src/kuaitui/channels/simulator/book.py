"""The simulated channel's own durable book: what it took in, and what money it moved.

One sqlite file, kept by one server process. Nothing of kuaitui's books is in it and nothing is
read from them, so it can judge them. It knows a number for ever and pays it once, unless told
to forget numbers, as channels with short-lived keys do: then only a client that asks before it
sends again pays once.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from kuaitui.channels.simulator.faults import Fault, Faults, Operation, Rule

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
CREATE TABLE IF NOT EXISTS request (
    id INTEGER PRIMARY KEY, operation TEXT NOT NULL, number TEXT NOT NULL,
    asked_at REAL NOT NULL, answer TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS rule (id INTEGER PRIMARY KEY, rule TEXT NOT NULL, remaining INTEGER);
CREATE TABLE IF NOT EXISTS notification (
    id INTEGER PRIMARY KEY, number TEXT NOT NULL, state TEXT NOT NULL, is_forged INTEGER NOT NULL,
    due_at REAL, attempts INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
DEFAULT_PROCESSING_S = 0.0


class ChannelRefuses(Exception):  # noqa: N818 - an answer of the channel
    """The channel's refusal, as it goes over the wire."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


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


class Book:
    """The channel's book. Every public method is one transaction, one at a time."""

    def __init__(self, file: str, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._sql = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._sql.row_factory = sqlite3.Row
        self._sql.execute("PRAGMA journal_mode=WAL")
        self._sql.execute("PRAGMA busy_timeout=5000")
        self._sql.executescript(SCHEMA)

    def now(self) -> float:
        """The channel's own time, which can run ahead."""
        return self._clock() + float(self.setting("clock_ahead_s", "0"))

    def accept(self, request: Request, faults: Faults) -> dict[str, Any]:
        """Take an instruction in, or find it: the number decides.

        Raises:
            ChannelRefuses: the number came before with other content, or there is no money.
        """
        with self._transaction():
            self._move_on()
            row = self._row(request.number)
            if row is not None and row["fingerprint"] != request.fingerprint:
                raise ChannelRefuses(409, "NUMBER_REUSED")
            if row is not None and self.setting("forgets_numbers", "0") == "1":
                self._pay(request.number, request.amount_minor, request.currency)
            if row is None:
                self._require_balance(request.amount_minor)
                self._insert(request, faults)
                self._move_on()
            return self._answer(request.number)

    def find(self, number: str) -> dict[str, Any] | None:
        """What a query sees."""
        with self._transaction():
            self._move_on()
            row = self._row(number)
            if row is None or row["visible_at"] > self.now():
                return None
            return self._answer(number)

    def tail_of(self, number: str) -> str:
        """The payee's tail of a known number."""
        with self._lock:
            row = self._row(number)
            return "" if row is None else str(row["tail"])

    def note(self, operation: Operation, number: str, answer: str) -> None:
        """Remember that somebody asked."""
        with self._transaction():
            self._sql.execute(
                "INSERT INTO request (operation, number, asked_at, answer) VALUES (?, ?, ?, ?)",
                (operation, number, self.now(), answer),
            )

    def add_rule(self, rule: Rule) -> None:
        """Misbehave from now on."""
        with self._transaction():
            self._sql.execute(
                "INSERT INTO rule (rule, remaining) VALUES (?, ?)",
                (json.dumps(asdict(rule)), rule.times),
            )

    def clear_rules(self) -> None:
        """Behave."""
        with self._transaction():
            self._sql.execute("DELETE FROM rule")

    def rules(self) -> list[dict[str, Any]]:
        """The rules in force, with how often each still applies."""
        with self._lock:
            rows = self._sql.execute("SELECT rule, remaining FROM rule ORDER BY id").fetchall()
            return [{**json.loads(row["rule"]), "times": row["remaining"]} for row in rows]

    def draw_faults(self, operation: Operation, number: str, tail: str) -> Faults:
        """The faults of this call; each rule with a count is used up by one."""
        with self._transaction():
            drawn = []
            for row in self._sql.execute("SELECT * FROM rule ORDER BY id").fetchall():
                rule = parse_rule(json.loads(row["rule"]))
                if row["remaining"] == 0 or not rule.applies_to(operation, number, tail):
                    continue
                drawn.append(rule)
                self._sql.execute(
                    "UPDATE rule SET remaining = remaining - 1 WHERE id = ?", (row["id"],)
                )
            return Faults(drawn)

    def setting(self, name: str, default: str) -> str:
        """One setting of the channel."""
        with self._lock:
            row = self._sql.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
            return default if row is None else str(row["value"])

    def set_settings(self, settings: dict[str, str]) -> None:
        """Change settings: balance_minor, balance_floor_minor, forgets_numbers, processing_s."""
        with self._transaction():
            self._sql.executemany("INSERT OR REPLACE INTO setting VALUES (?, ?)", settings.items())

    def advance(self, seconds: float) -> float:
        """Let the channel's clock jump forward; what falls due happens."""
        ahead = float(self.setting("clock_ahead_s", "0")) + seconds
        self.set_settings({"clock_ahead_s": str(ahead)})
        with self._transaction():
            self._move_on()
        return ahead

    def statement(self) -> dict[str, Any]:
        """Everything the channel knows, for whoever checks kuaitui's books against it."""
        with self._transaction():
            self._move_on()
            return {
                "now": self.now(),
                "instructions": self._all("SELECT * FROM instruction ORDER BY accepted_at, number"),
                "movements": self._all("SELECT * FROM movement ORDER BY id"),
                "requests": self._all("SELECT * FROM request ORDER BY id"),
                "notifications": self._all("SELECT * FROM notification ORDER BY id"),
                "paid": self._paid(),
            }

    def return_now(self, number: str, code: str) -> None:
        """Give a paid amount back at once.

        Raises:
            ChannelRefuses: the number is not paid.
        """
        with self._transaction():
            row = self._row(number)
            if row is None or row["state"] != "PAID":
                raise ChannelRefuses(409, "NOT_PAID")
            self._return(row, code)

    def due_notifications(self) -> list[dict[str, Any]]:
        """What is to be told now, in order."""
        with self._transaction():
            self._move_on()
            rows = self._sql.execute(
                "SELECT * FROM notification WHERE due_at <= ? ORDER BY due_at, id LIMIT 50",
                (self.now(),),
            ).fetchall()
            return [dict(row) for row in rows]

    def note_notified(self, notification_id: int, *, again_at: float | None) -> None:
        """A notification went out: it is done, or comes again."""
        with self._transaction():
            self._sql.execute(
                "UPDATE notification SET attempts = attempts + 1, due_at = ? WHERE id = ?",
                (again_at, notification_id),
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._sql.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            if self._sql.in_transaction:
                yield
                return
            self._sql.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._sql.execute("ROLLBACK")
                raise
            self._sql.execute("COMMIT")

    def _row(self, number: str) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._sql.execute(
            "SELECT * FROM instruction WHERE number = ?", (number,)
        ).fetchone()
        return row

    def _all(self, statement: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self._sql.execute(statement).fetchall()]

    def _insert(self, request: Request, faults: Faults) -> None:
        now = self.now()
        processing = float(self.setting("processing_s", str(DEFAULT_PROCESSING_S)))
        waits = Fault.NEEDS_ACTION in faults
        due_state = "FAILED" if Fault.FAIL_LATER in faults else "PAID"
        returns = Fault.RETURN_LATER in faults
        self._sql.execute(
            "INSERT INTO instruction (number, fingerprint, reference, amount_minor, currency, route,"
            " tail, state, code, accepted_at, visible_at, due_at, due_state, return_after_s,"
            " return_code, notify_times, notify_after_s, notify_forged)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                request.number,
                request.fingerprint,
                _reference(request.number),
                request.amount_minor,
                request.currency,
                request.route,
                request.tail,
                "ACTION" if waits else "PROCESSING",
                faults.code(Fault.NEEDS_ACTION if waits else Fault.FAIL_LATER),
                now,
                now + faults.seconds(Fault.HIDDEN),
                None if waits else now + faults.seconds(Fault.SLOW, processing),
                None if waits else due_state,
                faults.seconds(Fault.RETURN_LATER) if returns else None,
                faults.code(Fault.RETURN_LATER) if returns else "",
                0 if Fault.NOTIFY_NEVER in faults else 1 + (Fault.NOTIFY_TWICE in faults),
                faults.seconds(Fault.NOTIFY_LATE),
                Fault.NOTIFY_FORGED in faults,
            ),
        )

    def _move_on(self) -> None:
        """Let everything happen that has fallen due."""
        now = self.now()
        due = self._sql.execute(
            "SELECT * FROM instruction WHERE state = 'PROCESSING' AND due_at <= ?", (now,)
        ).fetchall()
        for row in due:
            if row["due_state"] == "PAID":
                self._pay(row["number"], row["amount_minor"], row["currency"])
            self._sql.execute(
                "UPDATE instruction SET state = due_state,"
                " paid_at = iif(due_state = 'PAID', due_at, NULL) WHERE number = ?",
                (row["number"],),
            )
            self._announce(row["number"])
        back = self._sql.execute(
            "SELECT * FROM instruction WHERE state = 'PAID' AND paid_at + return_after_s <= ?",
            (now,),
        ).fetchall()
        for row in back:
            self._return(row, row["return_code"])

    def _pay(self, number: str, amount_minor: int, currency: str) -> None:
        self._move(number, "paid", amount_minor, currency)

    def _return(self, row: sqlite3.Row, code: str) -> None:
        self._move(row["number"], "returned", row["amount_minor"], row["currency"])
        self._sql.execute(
            "UPDATE instruction SET state = 'RETURNED', code = ?, returned_at = ? WHERE number = ?",
            (code, self.now(), row["number"]),
        )
        self._announce(row["number"])

    def _announce(self, number: str) -> None:
        """Write down what the client is to be told; whether anybody sends it is the server's."""
        self._sql.execute(
            "INSERT INTO notification (number, state, is_forged, due_at)"
            " SELECT number, state, 1, ? + notify_after_s FROM instruction"
            " WHERE number = ? AND notify_forged",
            (self.now(), number),
        )
        self._sql.execute(
            "WITH RECURSIVE times (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM times WHERE n < 2)"
            " INSERT INTO notification (number, state, is_forged, due_at)"
            " SELECT number, state, 0, ? + notify_after_s FROM instruction, times"
            " WHERE number = ? AND n <= notify_times",
            (self.now(), number),
        )

    def _move(self, number: str, kind: str, amount_minor: int, currency: str) -> None:
        self._sql.execute(
            "INSERT INTO movement (number, kind, amount_minor, currency, moved_at)"
            " VALUES (?, ?, ?, ?, ?)",
            (number, kind, amount_minor, currency, self.now()),
        )
        if balance := self.setting("balance_minor", ""):
            change = -amount_minor if kind == "paid" else amount_minor
            self._sql.execute(
                "UPDATE setting SET value = ? WHERE name = 'balance_minor'",
                (str(int(balance) + change),),
            )

    def _require_balance(self, amount_minor: int) -> None:
        balance = self.setting("balance_minor", "")
        floor = int(self.setting("balance_floor_minor", "0"))
        if balance and int(balance) - amount_minor < floor:
            raise ChannelRefuses(403, "NOT_ENOUGH")

    def _answer(self, number: str) -> dict[str, Any]:
        row = self._row(number)
        if row is None:
            raise ChannelRefuses(404, "NUMBER_UNKNOWN")
        names = ("number", "reference", "amount_minor", "currency", "state", "code")
        moments = ("accepted_at", "paid_at", "returned_at")
        return {name: row[name] for name in (*names, *moments)}

    def _paid(self) -> dict[str, dict[str, int]]:
        """Per number: how often it was paid, and what lies with the payee now."""
        rows = self._sql.execute(
            "SELECT number, sum(kind = 'paid') AS times_paid, sum(kind = 'returned') AS times_returned,"
            " sum(iif(kind = 'paid', amount_minor, -amount_minor)) AS with_payee_minor"
            " FROM movement GROUP BY number ORDER BY number"
        ).fetchall()
        return {row["number"]: {name: row[name] for name in row.keys()[1:]} for row in rows}


def parse_rule(document: dict[str, Any]) -> Rule:
    """Read a rule as it is kept and as it comes over the wire.

    Raises:
        ValueError: a field or a value is not one of a rule.
    """
    fields = {"operation": "submit", **document}
    try:
        return Rule(
            **{
                **fields,
                "fault": Fault(fields["fault"]),
                "operation": Operation(fields["operation"]),
            }
        )
    except (TypeError, KeyError) as problem:
        raise ValueError(str(problem)) from problem


def _reference(number: str) -> str:
    """The channel's own number for an instruction, in the form banks print."""
    digits = int(hashlib.sha256(number.encode()).hexdigest()[:20], 16) % 10**20
    return f"SIM{digits:020d}"
