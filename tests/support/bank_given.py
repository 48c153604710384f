"""A bank for tests: mock-bank as a process of its own, and an inbox held in memory."""

from __future__ import annotations

import datetime as dt
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from kuaitui.channels.bank import (
    BankChannel,
    BankSettings,
    BankWord,
    MessageRefused,
    Transport,
)
from kuaitui.channels.port import PayeeAccount, PayoutInstruction
from kuaitui.kernel.money import Money

ACCOUNT = "NL41MOCK0000000001"
ANOTHER_ACCOUNT = "NL84MOCK0000000003"
MONDAY = dt.date(2026, 11, 23)
PAYEE = PayeeAccount("王小明", "招商银行", "6222020200001234562", bank_code="308584000013")


def weekday(on: dt.date) -> bool:
    return on.weekday() < 5


def instruction(
    number: str = "leg0000000000000000000000001",
    amount: str = "12.34",
    *,
    payee: PayeeAccount = PAYEE,
    execute_on: dt.date | None = MONDAY,
    release_no: int = 1,
) -> PayoutInstruction:
    return PayoutInstruction(number, Money.parse(amount, "CNY"), payee, execute_on, release_no)


@dataclass
class HeldInbox:
    """What was taken in, by number; a message that is refused says nothing."""

    said: list[BankWord] = field(default_factory=list)
    days: set[dt.date] = field(default_factory=set)
    refused: list[MessageRefused] = field(default_factory=list)

    def words(self, *, channel: str, number: str) -> Sequence[BankWord]:
        return [word for word in self.said if word.number == number]

    def statement_days(
        self, *, channel: str, first_on: dt.date, last_on: dt.date
    ) -> frozenset[dt.date]:
        return frozenset(day for day in self.days if first_on <= day <= last_on)

    def take(self, channel: BankChannel, content: bytes) -> None:
        try:
            message = channel.read_message(content)
        except MessageRefused as refused:
            self.refused.append(refused)
            return
        self.said += message.words
        for word in message.file_words:
            # A file of ours holds one payment and is known by its instruction id.
            self.said.append(
                BankWord(
                    word.file_id[:-2],
                    word.status,
                    word.occurred_at,
                    code=word.code,
                    file_id=word.file_id,
                )
            )
        self.days.update(message.statement_days)


def channel(
    inbox: HeldInbox | None = None,
    *,
    base_url: str = "http://127.0.0.1:9",
    transport: Transport = Transport.HTTP,
    is_business_day: Callable[[dt.date], bool] = weekday,
    **settings: Any,
) -> BankChannel:
    return BankChannel(
        BankSettings(
            account_number=ACCOUNT,
            account_name="快退科技有限公司",
            bank_code="MOCKNL2A",
            base_url=base_url,
            transport=transport,
            **settings,
        ),
        inbox=inbox,
        is_business_day=is_business_day,
    )


class MockBank:
    """mock-bank on a free port, its clock at ten on a Monday."""

    def __init__(
        self, directory: Path, *arguments: str, auth: tuple[str, str] | None = None
    ) -> None:
        log = directory / "mock-bank.log"
        command = [sys.executable, "-m", "mockbank", "--port", "0", "--clock", f"{MONDAY}T10:00"]
        with log.open("w") as output:
            self._process = subprocess.Popen(
                [*command, *arguments],
                stdout=output,
                stderr=output,
                env={"PYTHONUNBUFFERED": "1"},
            )
        self.base_url = self._address(log)
        self._http = httpx.Client(base_url=self.base_url, trust_env=False, timeout=20, auth=auth)
        self.patch(currency="CNY", balance=10**9)

    def _address(self, log: Path) -> str:
        ends = time.monotonic() + 30
        while time.monotonic() < ends:
            if match := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
                return match[0]
            assert self._process.poll() is None, log.read_text()
            time.sleep(0.02)
        raise AssertionError(log.read_text())

    def reset(self) -> None:
        """Another bank, its clock where it was."""
        self._http.post("/_mock/reset").raise_for_status()
        self._http.put("/_mock/holidays", json=[]).raise_for_status()
        self.patch(currency="CNY", balance=10**9)

    def patch(self, account: str = "ACME", **change: Any) -> None:
        self._http.patch(f"/_mock/accounts/{account}", json=change).raise_for_status()

    def behave(self, behaviour: str, **parameters: Any) -> None:
        self.patch(behaviour=behaviour, parameters=parameters)

    def advance(self, days: int) -> None:
        self._http.post(f"/_mock/advance?days={days}").raise_for_status()

    def holidays(self, *days: dt.date) -> None:
        listed = [day.isoformat() for day in days]
        self._http.put("/_mock/holidays", json=listed).raise_for_status()

    def today(self) -> dt.date:
        state = self._http.get("/_mock/state").json()
        return dt.date.fromisoformat(state["clock"]["date"])

    def come_to_a_working_day(self) -> None:
        while self.today().weekday() > 4:
            self.advance(1)

    def paid(self) -> list[tuple[str, int]]:
        """Every payment that left our account: number and minor units."""
        payments = self._http.get("/_mock/payments").json()
        return [
            (payment["end_to_end_id"], payment["amount"])
            for payment in payments
            if payment["booked_at"]
        ]

    def stop(self) -> None:
        self._http.close()
        self._process.terminate()
        self._process.wait(timeout=10)
