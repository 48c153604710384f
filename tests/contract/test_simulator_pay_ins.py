"""Pay-ins over real HTTP: the simulated channel keeps the port's promises about money coming in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import httpx
import pytest

from kuaitui.channels.port import (
    FailedDefinite,
    NotFound,
    NotSent,
    PayInClosed,
    PayInMethod,
    PayInOpened,
    PayInOrder,
    PayInOutcome,
    PayInPaid,
    PayInWaiting,
    RejectedConfig,
    Unknown,
)
from kuaitui.channels.simulator.client import SimulatorChannel, SimulatorSettings
from kuaitui.channels.simulator.director import Director
from kuaitui.channels.simulator.faults import Fault, Operation, Rule
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.money import Money
from tests.support.simulator import SimulatorProcess

DEADLINE_S = 5.0


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    simulator = SimulatorProcess(tmp_path_factory.mktemp("till"))
    yield simulator
    simulator.stop()


@pytest.fixture
def channel(process: SimulatorProcess) -> SimulatorChannel:
    return process.channel()


@pytest.fixture
def director(process: SimulatorProcess) -> Iterator[Director]:
    director = process.director()
    yield director
    director.behave()
    director.close()


def an_order(number: str, *, minor: int = 30_000, minutes: int = 30) -> PayInOrder:
    return PayInOrder(
        number=number,
        amount=Money(minor, "CNY"),
        method=PayInMethod.QR_CODE,
        description="店铺保证金",
        expires_at=read_clock() + dt.timedelta(minutes=minutes),
    )


def opened(channel: SimulatorChannel, order: PayInOrder) -> PayInOpened:
    outcome = channel.open_pay_in(order, deadline_s=DEADLINE_S)
    assert isinstance(outcome, PayInOpened)
    return outcome


def asked(channel: SimulatorChannel, order: PayInOrder) -> PayInOutcome:
    return channel.query_pay_in(order, deadline_s=DEADLINE_S)


def test_an_order_waits_is_paid_on_its_page_and_says_by_which_reference(
    channel: SimulatorChannel, director: Director
) -> None:
    order = an_order("walk1")
    assert asked(channel, order) == NotFound()
    page = opened(channel, order)
    assert asked(channel, order) == PayInWaiting()

    shown = httpx.get(page.pay_url)
    assert "300.00" in shown.text
    assert "Pay</button>" in shown.text
    done = httpx.post(page.pay_url)

    assert "Paid" in done.text
    paid = asked(channel, order)
    assert isinstance(paid, PayInPaid)
    assert paid.amount == order.amount
    assert paid.reference.startswith("SIMP")
    assert channel.close_pay_in(order, deadline_s=DEADLINE_S) == paid
    assert channel.open_pay_in(order, deadline_s=DEADLINE_S) == paid


def test_opening_twice_is_one_order(channel: SimulatorChannel) -> None:
    order = an_order("twice1")

    assert opened(channel, order) == opened(channel, order)


def test_a_number_with_other_content_is_not_understood(channel: SimulatorChannel) -> None:
    opened(channel, an_order("other1"))

    outcome = channel.open_pay_in(an_order("other1", minor=1), deadline_s=DEADLINE_S)

    assert outcome == Unknown("http_409")


def test_a_closed_order_cannot_be_paid(channel: SimulatorChannel, director: Director) -> None:
    order = an_order("closed1")
    page = opened(channel, order)

    assert channel.close_pay_in(order, deadline_s=DEADLINE_S) == PayInClosed()
    assert "closed" in httpx.post(page.pay_url).text
    assert asked(channel, order) == PayInClosed()


def test_an_order_whose_time_is_over_is_closed(channel: SimulatorChannel) -> None:
    order = an_order("late1", minutes=-1)
    channel.open_pay_in(order, deadline_s=DEADLINE_S)

    assert asked(channel, order) == PayInClosed()


def test_the_director_lets_people_pay_what_cannot_be_paid(
    channel: SimulatorChannel, director: Director
) -> None:
    order = an_order("anyhow1")
    opened(channel, order)
    first = director.pay_in("anyhow1", amount_minor=1)

    second = director.pay_in("anyhow1", anyhow=True)
    stray = director.pay_in("nobodys1", amount_minor=700, anyhow=True)

    assert len({first, second, stray}) == 3
    told = asked(channel, order)
    assert isinstance(told, PayInPaid)
    assert told.reference == second
    nobodys = asked(channel, an_order("nobodys1", minor=1))
    assert isinstance(nobodys, PayInPaid)
    assert nobodys.amount == Money(700, "CNY")


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault.REFUSE, FailedDefinite("ACCOUNT_CLOSED")),
        (Fault.NOT_PERMITTED, RejectedConfig("NOT_PERMITTED")),
        (Fault.ERROR_BEFORE, Unknown("http_500")),
        (Fault.ERROR_AFTER, Unknown("http_500")),
        (Fault.GARBAGE, Unknown("unreadable")),
        (Fault.BAD_SIGNATURE, Unknown("signature_wrong")),
        (Fault.OTHER_NUMBER, Unknown("echo_mismatch")),
        (Fault.NEW_CODE, Unknown("http_400")),
    ],
)
def test_each_fault_has_one_meaning(
    channel: SimulatorChannel, director: Director, fault: Fault, outcome: PayInOutcome
) -> None:
    number = f"fault{fault.replace('_', '')}"
    director.misbehave(Rule(fault, Operation.OPEN_PAY_IN, number=number))

    assert channel.open_pay_in(an_order(number), deadline_s=DEADLINE_S) == outcome


def test_a_lost_answer_is_unknown(channel: SimulatorChannel, director: Director) -> None:
    order = an_order("lost1")
    director.misbehave(Rule(Fault.DROP_ANSWER, Operation.OPEN_PAY_IN, number="lost1"))

    assert isinstance(channel.open_pay_in(order, deadline_s=DEADLINE_S), Unknown)

    assert asked(channel, order) == PayInWaiting()


def test_a_channel_that_is_not_there_was_sent_nothing() -> None:
    nobody = SimulatorChannel(SimulatorSettings("http://127.0.0.1:9", b"key"))

    assert isinstance(nobody.open_pay_in(an_order("x"), deadline_s=1.0), NotSent)


def test_an_order_nobody_has_has_no_page(process: SimulatorProcess) -> None:
    assert httpx.get(f"{process.base_url}/sim/pay/nobody").status_code == 404


@pytest.mark.parametrize(
    ("fault", "disguises"),
    [
        (Fault.NOTIFY_TWICE, ["", ""]),
        (Fault.NOTIFY_NEVER, []),
        (Fault.NOTIFY_FORGED, ["forged", ""]),
    ],
)
def test_a_payment_is_told_of_as_the_rules_for_paying_say(
    channel: SimulatorChannel, director: Director, fault: Fault, disguises: list[str]
) -> None:
    order = an_order(f"told{fault.replace('_', '')}")
    opened(channel, order)
    director.misbehave(Rule(fault, Operation.PAY, number=order.number))

    director.pay_in(order.number)

    told = [one for one in director.book()["notifications"] if one["number"] == order.number]
    assert [one["disguise"] for one in told] == disguises
