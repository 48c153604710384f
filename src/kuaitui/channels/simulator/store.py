"""What every simulated channel keeps in one sqlite file: its clock, rules, requests and news.

One file, kept by one server process, one transaction at a time. A channel's own book inherits from
`Store`, adds its tables, and lets happen in `settle_due` what has fallen due.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from kuaitui.channels.simulator.faults import Faults, Operation, Rule, parse_rule

SCHEMA = """
CREATE TABLE IF NOT EXISTS request (
    id INTEGER PRIMARY KEY, operation TEXT NOT NULL, number TEXT NOT NULL,
    asked_at REAL NOT NULL, answer TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS rule (id INTEGER PRIMARY KEY, rule TEXT NOT NULL, remaining INTEGER);
CREATE TABLE IF NOT EXISTS draw (
    operation TEXT NOT NULL, number TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (operation, number));
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS announcement (
    id INTEGER PRIMARY KEY, event TEXT NOT NULL, number TEXT NOT NULL, state TEXT NOT NULL,
    url TEXT NOT NULL, document TEXT NOT NULL, disguise TEXT NOT NULL, created_at REAL NOT NULL,
    due_at REAL, attempts INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS announcement_due ON announcement (due_at) WHERE due_at IS NOT NULL;
"""
DUE_AT_ONCE_MAX = 50


class ChannelRefuses(Exception):  # noqa: N818 - an answer of the channel
    """The channel's refusal, as it goes over the wire."""

    def __init__(self, status: int, code: str, message: str = "") -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message


class Store:
    """A simulated channel's file. Every public method is one transaction, one at a time."""

    def __init__(self, file: str, *, clock: Callable[[], float], schema: str) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._sql = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._sql.row_factory = sqlite3.Row
        self._sql.execute("PRAGMA journal_mode=WAL")
        # What was committed outlives a killed process, which is what is simulated; a power loss is not.
        self._sql.execute("PRAGMA synchronous=NORMAL")
        self._sql.execute("PRAGMA busy_timeout=5000")
        self._sql.executescript(SCHEMA + schema)

    def settle_due(self) -> None:
        """Let everything happen that has fallen due. Runs inside a transaction."""

    def statement(self) -> dict[str, Any]:
        """Everything the channel knows, for whoever checks kuaitui's books against it."""
        raise NotImplementedError

    def now(self) -> float:
        """The channel's own time, which can run ahead, in seconds of the epoch."""
        return self._clock() + float(self.setting("clock_ahead_s", "0"))

    def note(self, operation: Operation, number: str, answer: str) -> None:
        """Remember that somebody asked."""
        with self.transaction():
            values = {"operation": operation, "number": number}
            self.insert("request", {**values, "asked_at": self.now(), "answer": answer})

    def add_rule(self, rule: Rule) -> None:
        """Misbehave from now on."""
        with self.transaction():
            self.insert("rule", {"rule": json.dumps(asdict(rule)), "remaining": rule.times})

    def clear_rules(self) -> None:
        """Behave."""
        with self.transaction():
            self.change("DELETE FROM rule")

    def rules(self) -> list[dict[str, Any]]:
        """The rules in force, with how often each still applies."""
        rows = self.rows("SELECT rule, remaining FROM rule ORDER BY id")
        return [{**json.loads(row["rule"]), "times": row["remaining"]} for row in rows]

    def draw_faults(self, operation: Operation, number: str, tail: str) -> Faults:
        """The faults of this call; each rule with a count is used up by one.

        A rule with a chance is drawn from the setting `seed`, the number and how often this was
        asked of it: the same seed gives a number the same faults, whatever other numbers do.
        """
        with self.transaction():
            count = self._count_draw(operation, number)
            seed = self.setting("seed", "0")
            drawn = []
            for row in self.rows("SELECT * FROM rule ORDER BY id"):
                rule = parse_rule(json.loads(row["rule"]))
                lot = f"{seed}:{row['id']}:{operation}:{number}:{count}"
                is_meant = rule.applies_to(operation, number, tail) and rule.falls_on(lot)
                if row["remaining"] == 0 or not is_meant:
                    continue
                drawn.append(rule)
                self.change("UPDATE rule SET remaining = remaining - 1 WHERE id = ?", row["id"])
            return Faults(drawn)

    def setting(self, name: str, default: str) -> str:
        """One setting of the channel."""
        row = self.row("SELECT value FROM setting WHERE name = ?", name)
        return default if row is None else str(row["value"])

    def set_settings(self, settings: Mapping[str, str]) -> None:
        """Change settings; the channel's own server says which it has."""
        with self.transaction():
            self._sql.executemany(
                "INSERT OR REPLACE INTO setting VALUES (?, ?)", list(settings.items())
            )

    def advance(self, seconds: float) -> float:
        """Let the channel's clock jump forward; what falls due happens."""
        with self.transaction():
            ahead = float(self.setting("clock_ahead_s", "0")) + seconds
            self.set_settings({"clock_ahead_s": str(ahead)})
            self.settle_due()
        return ahead

    def announce(
        self,
        *,
        event: str,
        number: str,
        state: str,
        due_at: float,
        url: str = "",
        document: str = "",
        disguise: str = "",
    ) -> None:
        """Write down what the client is to be told; whether anybody sends it is the server's.

        `event` stays the same however often it is told; `disguise` says how a forged one is.
        """
        values = {"event": event, "number": number, "state": state, "url": url}
        values |= {"document": document, "disguise": disguise}
        self.insert("announcement", {**values, "created_at": self.now(), "due_at": due_at})

    def due_notifications(self) -> list[dict[str, Any]]:
        """What is to be told now, in order."""
        with self.transaction():
            self.settle_due()
            return self.rows(
                "SELECT * FROM announcement WHERE due_at <= ? ORDER BY due_at, id LIMIT ?",
                self.now(),
                DUE_AT_ONCE_MAX,
            )

    def note_notified(self, notification_id: int, *, again_at: float | None) -> None:
        """A notification went out: it is done, or comes again."""
        with self.transaction():
            self.change(
                "UPDATE announcement SET attempts = attempts + 1, due_at = ? WHERE id = ?",
                again_at,
                notification_id,
            )

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._sql.close()

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        """What a statement finds."""
        with self._lock:
            return [dict(row) for row in self._sql.execute(statement, values).fetchall()]

    def row(self, statement: str, *values: object) -> dict[str, Any] | None:
        """The first that a statement finds."""
        return next(iter(self.rows(statement, *values)), None)

    def insert(self, table: str, values: Mapping[str, object]) -> int:
        """Add one row and return its id. The names come from the book's own code, never from a call."""
        columns = ", ".join(values)
        marks = ", ".join("?" * len(values))
        statement = f"INSERT INTO {table} ({columns}) VALUES ({marks})"  # noqa: S608 - see above
        return int(self._execute(statement, list(values.values())).lastrowid or 0)

    def change(self, statement: str, *values: object) -> int:
        """Run a statement inside a transaction and return how many rows it changed."""
        return self._execute(statement, values).rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside another one, a part of that."""
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

    def _execute(self, statement: str, values: Sequence[object]) -> sqlite3.Cursor:
        with self._lock:
            return self._sql.execute(statement, values)

    def _count_draw(self, operation: Operation, number: str) -> int:
        row = self._sql.execute(
            "INSERT INTO draw (operation, number, count) VALUES (?, ?, 1)"
            " ON CONFLICT (operation, number) DO UPDATE SET count = count + 1 RETURNING count",
            (operation, number),
        ).fetchone()
        return int(row["count"])
