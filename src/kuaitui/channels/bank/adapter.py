"""The bank behind the port: submits payment files, and answers questions from the bank's messages.

Two transports. `http`: each payment is a file of its own to the bank's host, known there by its
MsgId, and the messages are fetched from a mailbox. `files`: nothing leaves by itself; people carry
the released batch to the bank and import what it answers.
"""

from __future__ import annotations

import base64
import datetime as dt
import enum
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from kuaitui.channels.bank.calendar import IsBusinessDay, business_days, execution_day
from kuaitui.channels.bank.files import BatchFile, BatchFormat, read_results_csv, write_batch_csv
from kuaitui.channels.bank.inbox import Inbox, MailboxRead
from kuaitui.channels.bank.markup import MESSAGE_BYTES_MAX
from kuaitui.channels.bank.pain001 import OwnAccount, write_pain001
from kuaitui.channels.bank.reports import Reading, read_report
from kuaitui.channels.bank.statements import read_funds
from kuaitui.channels.bank.verdict import verdict
from kuaitui.channels.bank.words import BankMessage, instruction_id
from kuaitui.channels.port import (
    NO_RELEASE_KNOWN,
    Accepted,
    Acknowledgement,
    Arrival,
    ChannelCapabilities,
    NotFound,
    Notification,
    NotificationRefused,
    NotSent,
    PayeeKind,
    PayoutInstruction,
    QueryOutcome,
    RefusedBecause,
    RejectedConfig,
    Route,
    Statement,
    StatementEmpty,
    StatementFetched,
    StatementKind,
    StatementNotReady,
    StatementOutcome,
    StatementRefused,
    SubmitOutcome,
    Unknown,
)
from kuaitui.channels.wire import Wire, WireReply
from kuaitui.kernel.invariants import ensure

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
MAILBOX_BYTES_MAX: Final = 32 * 1024 * 1024
XML: Final = {"content-type": "application/xml"}
CONTENT_TYPES: Final = {BatchFormat.PAIN_001: "application/xml", BatchFormat.CSV: "text/csv"}
SUFFIXES: Final = {BatchFormat.PAIN_001: "xml", BatchFormat.CSV: "csv"}


class Transport(enum.StrEnum):
    """How payments get to the bank."""

    HTTP = "http"
    FILES = "files"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BankSettings:
    """Our account, the bank's hours, and how long its promises hold."""

    account_number: str
    account_name: str
    bank_code: str
    currency: str = "CNY"
    transport: Transport = Transport.FILES
    base_url: str = ""
    payments_path: str = "/payments"
    mailbox_path: str = "/_mock/mailbox?leave"
    """Must list without emptying: what was read and not yet stored must be there again."""
    credentials: str = ""
    cut_off: dt.time = dt.time(15)
    zone: ZoneInfo = SHANGHAI
    arrival_days: tuple[int, int] | None = None
    """Business days, at least and at most, from execution to the payee, by the bank's contract.
    None: no date is promised to anybody."""
    silence_days: int = 2
    """Business days whose statements must lie before us without a number to call it not found."""
    resend_window_s: float = 7 * 86400.0
    return_window_s: float = 30 * 86400.0

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> BankSettings:
        """Read one entry of the channel settings; `credentials_file` holds `user:password`."""
        entry = dict(document)
        if path := entry.pop("credentials_file", None):
            entry["credentials"] = Path(path).read_text("utf-8").strip()
        readers = {"transport": Transport, "cut_off": dt.time.fromisoformat, "zone": ZoneInfo}
        if (days := entry.get("arrival_days")) is not None:
            ensure(len(days) == 2, "a bank's arrival days are two: at least and at most")
            entry["arrival_days"] = (int(days[0]), int(days[1]))
        for name, read in readers.items():
            if isinstance(entry.get(name), str):
                entry[name] = read(entry[name])
        settings = cls(**entry)
        ensure(
            settings.transport is Transport.FILES or settings.base_url != "",
            "a bank that is reached by HTTP has an address",
        )
        return settings


class BankChannel:
    """The port, spoken to a bank."""

    acknowledgement = Acknowledgement()

    def __init__(
        self,
        settings: BankSettings,
        *,
        name: str = "bank",
        inbox: Inbox | None,
        is_business_day: IsBusinessDay,
    ) -> None:
        self.name = name
        self._settings = settings
        self._inbox = inbox
        self._is_business_day = is_business_day
        self._wire = Wire(settings.base_url)
        self._account = OwnAccount(
            settings.account_number, settings.account_name, settings.bank_code, settings.currency
        )
        self.capabilities = ChannelCapabilities(
            routes=frozenset({Route.DESIGNATED}),
            payee_kinds=frozenset({PayeeKind.BANK_ACCOUNT}),
            not_found_floor=dt.timedelta(days=settings.silence_days),
            resend_window=dt.timedelta(seconds=settings.resend_window_s),
            return_window=dt.timedelta(seconds=settings.return_window_s),
            statement_kinds=frozenset({StatementKind.FUNDS}),
            is_batched=True,
            arrival_designated=_arrival(settings),
        )

    @property
    def is_carried_by_people(self) -> bool:
        """Whether batches leave as files that people carry."""
        return self._settings.transport is Transport.FILES

    @property
    def currency(self) -> str:
        """What our account there holds."""
        return self._settings.currency

    def execution_day(self, now: dt.datetime) -> dt.date:
        """On which day the bank executes what it is given now."""
        return execution_day(
            now,
            cut_off=self._settings.cut_off,
            zone=self._settings.zone,
            is_business_day=self._is_business_day,
        )

    def local_day(self, now: dt.datetime) -> dt.date:
        """Which day it is at the bank."""
        return now.astimezone(self._settings.zone).date()

    def submit(self, instruction: PayoutInstruction, *, deadline_s: float) -> SubmitOutcome:
        """Hand the payment over as a file of its own; with `files`, to whoever carries the batch.

        A 2xx means received. Whether it is accepted, rejected, executed, its messages say, so
        every other answer but a refusal of ourselves is Unknown.
        """
        if self.is_carried_by_people:
            return Accepted("")
        reply = self._call(
            "POST", self._settings.payments_path, deadline_s, self.render(instruction)
        )
        if not isinstance(reply, WireReply):
            return reply
        if 200 <= reply.status < 300:
            return Accepted(instruction_id(instruction))
        if reply.status in {401, 403}:
            return RejectedConfig(f"http_{reply.status}")
        return Unknown(f"http_{reply.status}")

    def query(self, instruction: PayoutInstruction, *, deadline_s: float) -> QueryOutcome:  # noqa: ARG002 - nobody is called
        """What the bank's messages say of the number.

        Silence is no answer. Only when whole statements of the execution day and the business days
        after it lie before us without the number, it is not found. A released payment that people
        carry is with them until the bank has spoken.
        """
        if self._inbox is None:
            return Unknown("inbox_missing")
        words = self._inbox.words(channel=self.name, number=instruction.number)
        outcome = verdict(words, instruction)
        if outcome is not None:
            return outcome
        if self.is_carried_by_people and instruction.release_no != NO_RELEASE_KNOWN:
            return Accepted("")
        return NotFound() if self._is_on_no_statement(instruction) else Unknown("no_word_yet")

    def read_notification(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 - banks send messages, not notifications
        body: bytes,  # noqa: ARG002
        *,
        now: dt.datetime,  # noqa: ARG002
    ) -> Notification | NotificationRefused:
        """No bank notifies this way."""
        return NotificationRefused(RefusedBecause.UNREADABLE)

    def render(self, instruction: PayoutInstruction) -> bytes:
        """One payment as a file, the same bytes for the same instruction every time."""
        assert instruction.execute_on is not None  # a batch was released for a day
        return write_pain001(
            [instruction],
            account=self._account,
            file_id=instruction_id(instruction),
            execute_on=instruction.execute_on,
        )

    def render_batch(
        self,
        payments: Sequence[PayoutInstruction],
        *,
        file_id: str,
        execute_on: dt.date,
        form: BatchFormat,
    ) -> BatchFile:
        """A whole batch as a file for people, the same bytes for the same batch every time."""
        if form is BatchFormat.CSV:
            content = write_batch_csv(payments)
        else:
            content = write_pain001(
                payments, account=self._account, file_id=file_id, execute_on=execute_on
            )
        name = f"{file_id}-{execute_on.isoformat()}.{SUFFIXES[form]}"
        return BatchFile(name, CONTENT_TYPES[form], content)

    def read_message(self, content: bytes) -> BankMessage:
        """Read a message's bytes, XML or a table of results. Pure.

        Raises:
            MessageRefused: it is not a whole, sound message of our account.
        """
        settings = self._settings
        if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
            return read_report(content, self._reading)
        return read_results_csv(content, currency=settings.currency, zone=settings.zone)

    def fetch_mailbox(self, *, deadline_s: float) -> MailboxRead | NotSent | Unknown:
        """Everything that lies in the bank's mailbox, and leave it there."""
        if self.is_carried_by_people:
            return MailboxRead(())
        reply = self._call("GET", self._settings.mailbox_path, deadline_s)
        if not isinstance(reply, WireReply):
            return reply
        if reply.status != 200:
            return Unknown(f"http_{reply.status}")
        try:
            bodies = [entry["body"].encode() for entry in json.loads(reply.content)]
        except (ValueError, TypeError, KeyError, AttributeError):
            return Unknown("unreadable")
        return MailboxRead(tuple(body[: MESSAGE_BYTES_MAX + 1] for body in bodies))

    def fetch_statement(
        self,
        kind: StatementKind,
        day: dt.date,
        *,
        deadline_s: float,
    ) -> StatementOutcome:
        """The day's camt.053 from the mailbox. A day on which no bank works may have none."""
        ensure(kind is StatementKind.FUNDS, "a bank gives statements of its account only")
        if self.is_carried_by_people:
            return StatementNotReady()
        read = self.fetch_mailbox(deadline_s=deadline_s)
        if not isinstance(read, MailboxRead):
            return read
        for content in read.contents:
            try:
                statement = self.read_statement(kind, content)
            except StatementRefused:
                continue
            if statement.day == day:
                return StatementFetched(content, f"{self.name}-{day.isoformat()}.camt053.xml")
        return StatementNotReady() if self._is_business_day(day) else StatementEmpty()

    def read_statement(self, kind: StatementKind, content: bytes) -> Statement:
        """Read a camt.053 as lines. Pure.

        Raises:
            StatementRefused: it is not a whole, sound statement of our account and of one day.
        """
        ensure(kind is StatementKind.FUNDS, "a bank gives statements of its account only")
        return read_funds(content, self._reading)

    @property
    def _reading(self) -> Reading:
        settings = self._settings
        return Reading(settings.account_number, settings.currency, settings.zone)

    def _is_on_no_statement(self, instruction: PayoutInstruction) -> bool:
        if instruction.execute_on is None or self._inbox is None:
            return False
        last_on = instruction.executed_until or instruction.execute_on
        working = business_days(instruction.execute_on, self._is_business_day)
        days = [next(working)]
        silent = 0
        while silent < self._settings.silence_days:
            days.append(next(working))
            silent += days[-1] > last_on
        covered = self._inbox.statement_days(channel=self.name, first_on=days[0], last_on=days[-1])
        return covered.issuperset(days)

    def _call(
        self, method: str, path: str, deadline_s: float, content: bytes = b""
    ) -> WireReply | NotSent | Unknown:
        headers = dict(XML) if content else {}
        if self._settings.credentials:
            token = base64.b64encode(self._settings.credentials.encode()).decode()
            headers["authorization"] = f"Basic {token}"
        return self._wire.call(
            method,
            path,
            content=content,
            headers=headers,
            deadline_s=deadline_s,
            answer_bytes_max=MAILBOX_BYTES_MAX,
        )


def _arrival(settings: BankSettings) -> Arrival | None:
    if settings.arrival_days is None:
        return None
    days_min, days_max = settings.arrival_days
    return Arrival(days_min, days_max, settings.zone, cut_off=settings.cut_off)
