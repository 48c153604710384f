"""The bank's book: files it took, payments it made, messages it wrote, day by business day."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from typing import Any, Final
from zoneinfo import ZoneInfo

from kuaitui.channels.simulator.bank import messages
from kuaitui.channels.simulator.bank.messages import Account, Booking, Order, PaymentFile
from kuaitui.channels.simulator.faults import Fault, Faults, Operation
from kuaitui.channels.simulator.store import ChannelRefuses, Store

ZONE: Final = ZoneInfo("Asia/Shanghai")
BOOKS_AT: Final = dt.time(10)
STATES_AT: Final = dt.time(20)
SATURDAY: Final = 5
ACCOUNT: Final = Account("9900000000000001", "CNY")
OPENING_MINOR: Final = 100_000_000_00
SCHEMA = """
CREATE TABLE IF NOT EXISTS file (file_id TEXT PRIMARY KEY, taken_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS payment (
    id INTEGER PRIMARY KEY, number TEXT NOT NULL, instruction_id TEXT NOT NULL,
    file_id TEXT NOT NULL, reference TEXT NOT NULL, amount_minor INTEGER NOT NULL,
    tail TEXT NOT NULL, execute_on TEXT NOT NULL, state TEXT NOT NULL, code TEXT NOT NULL,
    returns_after_days INTEGER, return_code TEXT NOT NULL,
    booked_on TEXT, returned_on TEXT, is_left_out INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS movement (
    id INTEGER PRIMARY KEY, number TEXT NOT NULL, kind TEXT NOT NULL,
    amount_minor INTEGER NOT NULL, moved_on TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL, written_at REAL NOT NULL);
"""


class BankBook(Store):
    """One account at a bank. Every public method is one transaction."""

    def __init__(self, file: str, *, clock: Callable[[], float]) -> None:
        super().__init__(file, clock=clock, schema=SCHEMA)

    def begin(self) -> None:
        """Open for business on the bank's own day, unless it is open already."""
        with self.transaction():
            if not self.setting("booked_until", ""):
                yesterday = (self._today() - dt.timedelta(days=1)).isoformat()
                self.set_settings(
                    {
                        "booked_until": yesterday,
                        "stated_until": yesterday,
                        "balance_minor": str(OPENING_MINOR),
                    }
                )

    def take(self, file: PaymentFile, faults: dict[str, Faults]) -> None:
        """Take a file in; a file that was seen before changes nothing.

        Raises:
            ChannelRefuses: the file was seen before, or pays from another account.
        """
        with self.transaction():
            self.settle_due()
            if file.account != ACCOUNT.number:
                raise ChannelRefuses(403, "AC02", "the account is not yours")
            if self.row("SELECT 1 FROM file WHERE file_id = ?", file.file_id):
                raise ChannelRefuses(422, "DUPL", "this file was seen before")
            self.insert("file", {"file_id": file.file_id, "taken_at": self.now()})
            refused: dict[str, str] = {}
            for order in file.orders:
                code = self._refusal(order, faults[order.number])
                if code:
                    refused[order.number] = code
                self._insert(file, order, code, faults[order.number])
            if not any(Fault.NOTIFY_NEVER in drawn for drawn in faults.values()):
                at = self._moment()
                content = messages.status_report(
                    file, refused, message_id=self._message_id(), at=at
                )
                self._write("pain.002", content)
            self.settle_due()

    def mailbox(self) -> list[dict[str, Any]]:
        """Everything the bank has to say, the oldest first, and it stays there."""
        with self.transaction():
            self.settle_due()
            return self.rows("SELECT id, kind, body FROM message ORDER BY id")

    def statement(self) -> dict[str, Any]:
        """Everything the bank knows, for whoever checks kuaitui's books against it."""
        with self.transaction():
            self.settle_due()
            return {
                "now": self.now(),
                "payments": self.rows("SELECT * FROM payment ORDER BY id"),
                "movements": self.rows("SELECT * FROM movement ORDER BY id"),
                "requests": self.rows("SELECT * FROM request ORDER BY id"),
                "balance_minor": int(self.setting("balance_minor", "0")),
                "paid": self._paid(),
            }

    def return_now(self, number: str, code: str) -> None:
        """Let a booked payment come back on the next day of business.

        Raises:
            ChannelRefuses: the number is not booked.
        """
        with self.transaction():
            changed = self.change(
                "UPDATE payment SET returns_after_days = 0, return_code = ?"
                " WHERE number = ? AND state = 'BOOKED'",
                code,
                number,
            )
            if not changed:
                raise ChannelRefuses(409, "NOT_BOOKED")
            self.settle_due()

    def settle_due(self) -> None:
        """Book and state every business day that has come."""
        for day in self._days_after("booked_until", BOOKS_AT):
            self._book_day(day)
            self.set_settings({"booked_until": day.isoformat()})
        for day in self._days_after("stated_until", STATES_AT):
            self._state_day(day)
            self.set_settings({"stated_until": day.isoformat()})

    def _days_after(self, setting: str, at: dt.time) -> Iterator[dt.date]:
        """Business days since, as far as their hour has come."""
        since = self.setting(setting, "")
        if not since:
            return
        day = dt.date.fromisoformat(since) + dt.timedelta(days=1)
        while dt.datetime.combine(day, at, ZONE).timestamp() <= self.now():
            if day.weekday() < SATURDAY:
                yield day
            day += dt.timedelta(days=1)

    def _book_day(self, day: dt.date) -> None:
        rows = self.rows(
            "SELECT * FROM payment WHERE state = 'ACCEPTED' AND execute_on <= ? ORDER BY id",
            day.isoformat(),
        )
        for row in rows:
            self._move(row, "paid", day)
        if rows:
            content = messages.debit_notice(
                ACCOUNT,
                [_booking(row) for row in rows],
                message_id=self._message_id(),
                on=day,
                at=dt.datetime.combine(day, BOOKS_AT, ZONE),
            )
            self._write("camt.054", content)
        for row in self.rows("SELECT * FROM payment WHERE state = 'BOOKED' ORDER BY id"):
            if _is_back_by(row, day):
                self._give_back(row, day)

    def _give_back(self, row: dict[str, Any], day: dt.date) -> None:
        self._move(row, "returned", day)
        content = messages.payment_return(
            ACCOUNT,
            _booking(row, is_back=True),
            message_id=self._message_id(),
            on=day,
            at=dt.datetime.combine(day, BOOKS_AT, ZONE),
        )
        self._write("pacs.004", content)

    def _move(self, row: dict[str, Any], kind: str, day: dt.date) -> None:
        minor = row["amount_minor"]
        values = {"number": row["number"], "kind": kind, "amount_minor": minor}
        self.insert("movement", {**values, "moved_on": day.isoformat()})
        state, column = ("BOOKED", "booked_on") if kind == "paid" else ("RETURNED", "returned_on")
        self.change(
            f"UPDATE payment SET state = ?, {column} = ? WHERE id = ?",  # noqa: S608 - one of two names
            state,
            day.isoformat(),
            row["id"],
        )

    def _state_day(self, day: dt.date) -> None:
        on = day.isoformat()
        out = self.rows("SELECT * FROM payment WHERE booked_on = ? AND NOT is_left_out", on)
        back = self.rows("SELECT * FROM payment WHERE returned_on = ? AND NOT is_left_out", on)
        bookings = [_booking(row) for row in out] + [_booking(row, is_back=True) for row in back]
        opening = int(self.setting("balance_minor", "0"))
        content = messages.day_statement(
            ACCOUNT,
            bookings,
            opening=opening,
            message_id=self._message_id(),
            on=day,
            at=dt.datetime.combine(day, STATES_AT, ZONE),
        )
        closing = opening + sum(booking.minor for booking in bookings)
        self.set_settings({"balance_minor": str(closing)})
        self._write("camt.053", content)

    def _refusal(self, order: Order, faults: Faults) -> str:
        if Fault.REFUSE in faults:
            return faults.code(Fault.REFUSE) or "AC04"
        if order.amount.currency != ACCOUNT.currency:
            return "AM03"
        if self.row("SELECT 1 FROM payment WHERE number = ? AND state <> 'REJECTED'", order.number):
            return "AM05"
        return ""

    def _insert(self, file: PaymentFile, order: Order, code: str, faults: Faults) -> None:
        returns = Fault.RETURN_LATER in faults
        self.insert(
            "payment",
            {
                "number": order.number,
                "instruction_id": order.instruction_id,
                "file_id": file.file_id,
                "reference": _reference(file.file_id, order.number),
                "amount_minor": order.amount.minor,
                "tail": order.payee[-4:],
                "execute_on": order.execute_on.isoformat(),
                "state": "REJECTED" if code else "ACCEPTED",
                "code": code,
                "returns_after_days": (
                    round(faults.seconds(Fault.RETURN_LATER) / 86400) if returns else None
                ),
                "return_code": (faults.code(Fault.RETURN_LATER) or "AC04") if returns else "",
                "is_left_out": Fault.HIDDEN in faults,
            },
        )

    def _write(self, kind: str, content: bytes) -> None:
        body = content.decode()
        self.insert("message", {"kind": kind, "body": body, "written_at": self.now()})

    def _message_id(self) -> str:
        row = self.row("SELECT count(*) AS written FROM message")
        return f"BANK{(row or {'written': 0})['written'] + 1:012d}"

    def _moment(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.now(), ZONE)

    def _today(self) -> dt.date:
        return self._moment().date()

    def _paid(self) -> dict[str, dict[str, int]]:
        """Per number: how often it was paid, and what lies with the payee now."""
        rows = self.rows(
            "SELECT number, sum(kind = 'paid') AS times_paid,"
            " sum(kind = 'returned') AS times_returned,"
            " sum(iif(kind = 'paid', amount_minor, -amount_minor)) AS with_payee_minor"
            " FROM movement GROUP BY number ORDER BY number"
        )
        return {row.pop("number"): row for row in rows}


def draw(book: BankBook, file: PaymentFile) -> dict[str, Faults]:
    """The faults of every payment in a file."""
    return {
        order.number: book.draw_faults(Operation.SUBMIT, order.number, order.payee[-4:])
        for order in file.orders
    }


def _booking(row: dict[str, Any], *, is_back: bool = False) -> Booking:
    return Booking(
        number=row["number"],
        instruction_id=row["instruction_id"],
        file_id=row["file_id"],
        reference=row["reference"] + ("R" if is_back else ""),
        minor=row["amount_minor"] if is_back else -row["amount_minor"],
        return_code=row["return_code"] if is_back else "",
    )


def _is_back_by(row: dict[str, Any], day: dt.date) -> bool:
    if row["returns_after_days"] is None:
        return False
    booked_on = dt.date.fromisoformat(row["booked_on"])
    return day >= booked_on + dt.timedelta(days=max(1, row["returns_after_days"]))


def _reference(file_id: str, number: str) -> str:
    """The bank's own number of a payment, the 给银行看的流水号."""
    return f"BK{int(hashlib.sha256(f'{file_id}/{number}'.encode()).hexdigest()[:16], 16):020d}"
