"""The simulated channel's bills, over real HTTP: what they tell, and what is refused."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kuaitui.channels.port import (
    LineKind,
    OriginalPayment,
    PayoutInstruction,
    RejectedConfig,
    StatementEmpty,
    StatementFetched,
    StatementKind,
    StatementNotReady,
    StatementRefused,
    Unknown,
)
from kuaitui.channels.simulator.bills import ZONE
from kuaitui.channels.simulator.client import SimulatorChannel, SimulatorSettings
from kuaitui.channels.simulator.director import Director
from kuaitui.channels.simulator.faults import Fault, Operation, Rule
from kuaitui.channels.simulator.statements import digest_of, read_bill
from kuaitui.kernel.money import Money
from tests.support.simulator import SimulatorProcess

DEADLINE_S = 5.0
DAY_S = 86_400
AMOUNT = Money(123_456, "CNY")


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    process = SimulatorProcess(tmp_path_factory.mktemp("simulator"))
    yield process
    process.stop()


@pytest.fixture
def director(simulator: SimulatorProcess) -> Iterator[Director]:
    director = simulator.director()
    director.advance(seconds=10 * DAY_S)  # a day of its own for every test
    yield director
    director.behave()
    director.close()


@pytest.fixture
def channel(simulator: SimulatorProcess) -> SimulatorChannel:
    return simulator.channel()


def today(director: Director) -> dt.date:
    return dt.datetime.fromtimestamp(director.book()["now"], ZONE).date()


def instruction(number: str) -> PayoutInstruction:
    payment = OriginalPayment(f"payment-of-{number}", AMOUNT)
    return PayoutInstruction(number=number, amount=AMOUNT, target=payment)


def fetch(channel: SimulatorChannel, kind: StatementKind, day: dt.date) -> bytes:
    outcome = channel.fetch_statement(kind, day, deadline_s=DEADLINE_S)
    assert isinstance(outcome, StatementFetched), outcome
    return outcome.content


@pytest.mark.parametrize("kind", StatementKind)
def test_a_bill_tells_what_came_in_went_out_and_came_back(
    channel: SimulatorChannel, director: Director, kind: StatementKind
) -> None:
    day, number = today(director), f"bill-{kind}"
    director.collect(f"ref-{kind}", amount_minor=5, number=f"order-{kind}")
    director.collect(f"ref-{kind}", amount_minor=5, number=f"order-{kind}")
    channel.submit(instruction(number), deadline_s=DEADLINE_S)
    director.return_now(number)
    director.advance(seconds=DAY_S)

    statement = channel.read_statement(kind, fetch(channel, kind, day))

    assert statement.day == day
    told = [(line.kind, line.number, line.amount) for line in statement.lines]
    assert told == [
        (LineKind.PAY_IN, f"order-{kind}", Money(5, "CNY")),
        (LineKind.REFUND, number, AMOUNT),
        (LineKind.RETURN, number, AMOUNT),
    ]
    assert statement.lines[0].reference == f"ref-{kind}"
    assert all(line.occurred_at.astimezone(ZONE).date() == day for line in statement.lines)


def test_the_funds_bill_shows_a_second_payment_that_the_trades_bill_does_not(
    channel: SimulatorChannel, director: Director
) -> None:
    day = today(director)
    channel.submit(instruction("twice"), deadline_s=DEADLINE_S)
    director.set(forgets_numbers=1)
    channel.submit(instruction("twice"), deadline_s=DEADLINE_S)
    director.set(forgets_numbers=0)
    director.advance(seconds=DAY_S)

    counts = {
        kind: len(channel.read_statement(kind, fetch(channel, kind, day)).lines)
        for kind in StatementKind
    }

    assert counts == {StatementKind.TRADES: 1, StatementKind.FUNDS: 2}


def test_a_bill_is_there_when_its_day_is_over_and_its_hour_has_come(
    channel: SimulatorChannel, director: Director
) -> None:
    day = today(director)
    director.collect("ref-hour", amount_minor=5)
    asked = (StatementKind.FUNDS, day)

    assert channel.fetch_statement(*asked, deadline_s=DEADLINE_S) == StatementNotReady()
    director.set(bill_delay_s=2 * DAY_S)
    director.advance(seconds=DAY_S)
    assert channel.fetch_statement(*asked, deadline_s=DEADLINE_S) == StatementNotReady()
    director.set(bill_delay_s=0)
    assert fetch(channel, *asked) == fetch(channel, *asked)


def test_a_day_on_which_nothing_happened_is_empty(
    channel: SimulatorChannel, director: Director
) -> None:
    day = today(director)
    director.advance(seconds=DAY_S)

    outcome = channel.fetch_statement(StatementKind.FUNDS, day, deadline_s=DEADLINE_S)

    assert outcome == StatementEmpty()


@pytest.mark.parametrize("fault", [Fault.BAD_SIGNATURE, Fault.GARBAGE, Fault.DROP_ANSWER])
def test_an_answer_that_nobody_vouches_for_is_no_bill(
    channel: SimulatorChannel, director: Director, fault: Fault
) -> None:
    day = today(director)
    director.collect(f"ref-{fault}", amount_minor=5)
    director.advance(seconds=DAY_S)
    director.misbehave(Rule(fault, operation=Operation.STATEMENT))

    outcome = channel.fetch_statement(StatementKind.FUNDS, day, deadline_s=DEADLINE_S)

    if fault is Fault.GARBAGE:  # properly signed nonsense: the reader refuses it
        assert isinstance(outcome, StatementFetched)
        with pytest.raises(StatementRefused, match="not UTF-8"):
            channel.read_statement(StatementKind.FUNDS, outcome.content)
    else:
        assert isinstance(outcome, Unknown)


def test_a_stranger_gets_no_bill(simulator: SimulatorProcess, director: Director) -> None:
    stranger = SimulatorChannel(SimulatorSettings(simulator.base_url, b"not the key"))

    outcome = stranger.fetch_statement(StatementKind.FUNDS, today(director), deadline_s=DEADLINE_S)

    assert isinstance(outcome, Unknown | RejectedConfig)


def line(line_no: int = 1, **changes: object) -> dict[str, Any]:
    return {
        "line_no": line_no, "kind": "payout", "number": "N1", "reference": "R1",
        "amount": "1.00", "currency": "CNY", "at": "2026-11-24T12:00:00+08:00", "state": "",
        **changes,
    }  # fmt: skip


def bill(*lines: dict[str, Any], **changes: object) -> bytes:
    document = {
        "account": "simulator", "day": "2026-11-24", "kind": "funds", "lines": list(lines),
        "lines_count": len(lines), "lines_sha256": digest_of(list(lines)), **changes,
    }  # fmt: skip
    return json.dumps(document).encode()


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in line().items() if key != name}


BAD: dict[str, tuple[Callable[[], bytes], int, str]] = {
    "broken encoding": (lambda: bill(line()).replace(b"N1", b"\xff"), 0, "UTF-8"),
    "no JSON": (lambda: bill(line())[:-20], 0, "JSON"),
    "another account": (lambda: bill(line(), account="somebody"), 0, "another account"),
    "another kind": (lambda: bill(line(), kind="trades"), 0, "another kind"),
    "no day": (lambda: bill(line(), day="yesterday"), 0, "which day"),
    "a line missing": (lambda: bill(line(), lines_count=2), 0, "missing"),
    "a line changed": (lambda: bill(line()).replace(b'"1.00"', b'"9.00"'), 0, "hash"),
    "wrong hash": (lambda: bill(line(), lines_sha256="0" * 64), 0, "hash"),
    "three decimals": (lambda: bill(line(), line(2, amount="1.005")), 2, "decimals"),
    "a backtick": (lambda: bill(line(amount="`1.00")), 1, "amount"),
    "a negative amount": (lambda: bill(line(amount="-1.00")), 1, "amount"),
    "nothing": (lambda: bill(line(amount="0.00")), 1, "wrong form"),
    "a binary fraction": (lambda: bill(line(amount=1.0)), 0, "fractions"),
    "a strange kind": (lambda: bill(line(kind="gift")), 1, "wrong form"),
    "no zone": (lambda: bill(line(at="2026-11-24T12:00:00")), 1, "wrong form"),
    "too long": (lambda: bill(line(number="N" * 81)), 1, "wrong form"),
    "a value missing": (lambda: bill(without("reference")), 1, "reference"),
    "wrongly numbered": (lambda: bill(line(), line(1)), 2, "numbered"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_bill_is_refused_with_its_reason_and_line(name: str) -> None:
    make, line_no, reason = BAD[name]

    with pytest.raises(StatementRefused, match=reason) as refused:
        read_bill(StatementKind.FUNDS, make(), account="simulator")

    assert refused.value.line_no == line_no


def test_a_sound_bill_is_read() -> None:
    statement = read_bill(StatementKind.FUNDS, bill(line(), line(2)), account="simulator")

    assert [read.amount for read in statement.lines] == [Money(100, "CNY")] * 2
