"""What every channel promises, checked on the simulated one: a real process over real HTTP."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NeededAction,
    NeedsAction,
    NotFound,
    Notification,
    NotificationRefused,
    NotSent,
    OriginalPayment,
    PayeeAccount,
    PayoutInstruction,
    RefusedBecause,
    RejectedConfig,
    Returned,
    Succeeded,
    Unknown,
)
from kuaitui.channels.registry import ChannelUnknown, build_channels
from kuaitui.channels.simulator.client import SimulatorChannel, SimulatorSettings
from kuaitui.channels.simulator.director import Director
from kuaitui.channels.simulator.faults import Fault, Operation, Rule
from kuaitui.channels.simulator.signing import NONCE_HEADER, SIGNATURE_HEADER, sign
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.money import Money
from tests.support.simulator import KEY, SimulatorProcess

DEADLINE_S = 5.0
SHORT_S = 0.4
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    process = SimulatorProcess(tmp_path_factory.mktemp("simulator"))
    yield process
    process.stop()


@pytest.fixture
def director(simulator: SimulatorProcess) -> Iterator[Director]:
    director = simulator.director()
    yield director
    director.behave()
    director.set(balance_minor="", balance_floor_minor="0", processing_s="0", forgets_numbers="0")
    director.close()


@pytest.fixture
def channel(simulator: SimulatorProcess) -> SimulatorChannel:
    return simulator.channel()


@pytest.fixture
def instruction() -> PayoutInstruction:
    return an_instruction()


def an_instruction(tail: str = "6789") -> PayoutInstruction:
    return PayoutInstruction(
        number=f"KT{next(_numbers):030d}",
        amount=Money(50_000, "CNY"),
        target=PayeeAccount("王小明", "招商银行", f"622588{tail}"),
    )


def times_paid(director: Director, instruction: PayoutInstruction) -> int:
    return director.paid().get(instruction.number, {"times_paid": 0})["times_paid"]


def test_a_submitted_instruction_is_paid_once_and_the_query_says_so(
    channel: SimulatorChannel, director: Director, instruction: PayoutInstruction
) -> None:
    submitted = channel.submit(instruction, deadline_s=DEADLINE_S)
    queried = channel.query(instruction, deadline_s=DEADLINE_S)

    assert isinstance(submitted, Succeeded)
    assert queried == submitted
    assert times_paid(director, instruction) == 1


def test_the_same_number_many_times_pays_once(
    channel: SimulatorChannel, director: Director, instruction: PayoutInstruction
) -> None:
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(
            threads.map(lambda _: channel.submit(instruction, deadline_s=DEADLINE_S), range(16))
        )

    assert len(set(outcomes)) == 1
    assert times_paid(director, instruction) == 1


@pytest.mark.parametrize(
    "target",
    [
        OriginalPayment("4200001234", Money(50_000, "CNY")),
        PayeeAccount("王小明", "招商银行", "6225886789"),
    ],
    ids=["original", "account"],
)
def test_both_routes_are_paid(
    channel: SimulatorChannel, director: Director, target: OriginalPayment | PayeeAccount
) -> None:
    instruction = replace(an_instruction(), target=target)

    assert isinstance(channel.submit(instruction, deadline_s=DEADLINE_S), Succeeded)
    assert times_paid(director, instruction) == 1


def test_a_number_with_other_content_is_unknown_and_pays_nothing_more(
    channel: SimulatorChannel, director: Director, instruction: PayoutInstruction
) -> None:
    channel.submit(instruction, deadline_s=DEADLINE_S)
    changed = replace(instruction, amount=Money(50_001, "CNY"))

    assert channel.submit(changed, deadline_s=DEADLINE_S) == Unknown("http_409")
    assert channel.query(changed, deadline_s=DEADLINE_S) == Unknown("echo_mismatch")
    assert times_paid(director, instruction) == 1


def test_a_number_never_sent_is_not_found(
    channel: SimulatorChannel, instruction: PayoutInstruction
) -> None:
    assert channel.query(instruction, deadline_s=DEADLINE_S) == NotFound()


def test_processing_takes_its_time(
    channel: SimulatorChannel, director: Director, instruction: PayoutInstruction
) -> None:
    director.set(processing_s=3600)

    submitted = channel.submit(instruction, deadline_s=DEADLINE_S)
    queried = channel.query(instruction, deadline_s=DEADLINE_S)
    paid_before = times_paid(director, instruction)
    director.advance(seconds=3601)

    assert isinstance(submitted, Accepted)
    assert queried == submitted
    assert paid_before == 0
    assert isinstance(channel.query(instruction, deadline_s=DEADLINE_S), Succeeded)
    assert times_paid(director, instruction) == 1


# Accepted and paid, whatever the answer looked like.
@pytest.mark.parametrize(
    ("rule", "cause"),
    [
        (Rule(Fault.DROP_ANSWER), "remote_protocol_error"),
        (Rule(Fault.ERROR_AFTER), "http_500"),
        (Rule(Fault.BUSY_AFTER), "http_429"),
        (Rule(Fault.LATE_ANSWER, seconds=1.5), "deadline"),
        (Rule(Fault.DRIP_ANSWER), "deadline"),
        (Rule(Fault.GARBAGE), "unreadable"),
        (Rule(Fault.BAD_SIGNATURE), "signature_wrong"),
        (Rule(Fault.OTHER_AMOUNT), "echo_mismatch"),
        (Rule(Fault.OTHER_NUMBER), "echo_mismatch"),
        (Rule(Fault.NEW_CODE), "http_400"),
    ],
    ids=lambda value: value.fault if isinstance(value, Rule) else "",
)
def test_a_lost_or_strange_answer_is_unknown_and_the_query_finds_the_payment(
    channel: SimulatorChannel,
    director: Director,
    instruction: PayoutInstruction,
    rule: Rule,
    cause: str,
) -> None:
    director.misbehave(replace(rule, number=instruction.number, times=1))

    submitted = channel.submit(instruction, deadline_s=SHORT_S)

    assert submitted == Unknown(cause)
    assert isinstance(channel.query(instruction, deadline_s=DEADLINE_S), Succeeded)
    assert times_paid(director, instruction) == 1


@pytest.mark.parametrize("fault", [Fault.ERROR_AFTER, Fault.BAD_SIGNATURE, Fault.DROP_ANSWER])
def test_a_strange_answer_to_a_query_is_unknown_too(
    channel: SimulatorChannel, director: Director, instruction: PayoutInstruction, fault: Fault
) -> None:
    channel.submit(instruction, deadline_s=DEADLINE_S)
    director.misbehave(Rule(fault, Operation.QUERY, number=instruction.number, times=1))

    assert isinstance(channel.query(instruction, deadline_s=DEADLINE_S), Unknown)
    assert isinstance(channel.query(instruction, deadline_s=DEADLINE_S), Succeeded)


def test_an_answer_that_comes_twice_is_read_once(
    channel: SimulatorChannel, director: Director
) -> None:
    first, second = an_instruction(), an_instruction()
    director.misbehave(Rule(Fault.ANSWER_TWICE, number=first.number))

    assert isinstance(channel.submit(first, deadline_s=DEADLINE_S), Succeeded)
    assert channel.query(second, deadline_s=DEADLINE_S) == NotFound()


@pytest.mark.parametrize(
    "rule", [Rule(Fault.ERROR_BEFORE), Rule(Fault.BUSY_BEFORE), Rule(Fault.DROP_BEFORE)]
)
def test_an_error_without_acceptance_is_just_as_unknown(
    channel: SimulatorChannel, director: Director, instruction: PayoutInstruction, rule: Rule
) -> None:
    director.misbehave(replace(rule, number=instruction.number, times=1))

    assert isinstance(channel.submit(instruction, deadline_s=DEADLINE_S), Unknown)
    assert channel.query(instruction, deadline_s=DEADLINE_S) == NotFound()
    assert isinstance(channel.submit(instruction, deadline_s=DEADLINE_S), Succeeded)
    assert times_paid(director, instruction) == 1


def test_not_found_can_be_followed_by_paid(
    channel: SimulatorChannel, director: Director, instruction: PayoutInstruction
) -> None:
    rules = (Rule(Fault.DROP_ANSWER), Rule(Fault.HIDDEN, seconds=60))
    director.misbehave(*(replace(rule, number=instruction.number, times=1) for rule in rules))

    channel.submit(instruction, deadline_s=DEADLINE_S)
    at_first = channel.query(instruction, deadline_s=DEADLINE_S)
    director.advance(seconds=61)

    assert at_first == NotFound()
    assert isinstance(channel.query(instruction, deadline_s=DEADLINE_S), Succeeded)


def test_a_request_can_take_effect_after_the_caller_gave_up(
    channel: SimulatorChannel, director: Director, instruction: PayoutInstruction
) -> None:
    director.misbehave(Rule(Fault.ACCEPT_LATER, number=instruction.number, seconds=0.3, times=1))

    submitted = channel.submit(instruction, deadline_s=DEADLINE_S)
    at_first = channel.query(instruction, deadline_s=DEADLINE_S)
    time.sleep(0.5)

    assert isinstance(submitted, Unknown)
    assert at_first == NotFound()
    assert isinstance(channel.query(instruction, deadline_s=DEADLINE_S), Succeeded)


def test_a_closed_account_is_a_definite_failure(
    channel: SimulatorChannel, director: Director
) -> None:
    instruction = an_instruction(tail="4001")
    director.misbehave(Rule(Fault.REFUSE, tail="4001"))

    outcome = channel.submit(instruction, deadline_s=DEADLINE_S)

    assert outcome == FailedDefinite("ACCOUNT_CLOSED", same_key_retry_ok=False)
    assert times_paid(director, instruction) == 0


def test_a_refusal_with_a_wrong_signature_is_unknown(
    channel: SimulatorChannel, director: Director, instruction: PayoutInstruction
) -> None:
    director.misbehave(Rule(Fault.REFUSE), Rule(Fault.BAD_SIGNATURE))

    assert channel.submit(instruction, deadline_s=DEADLINE_S) == Unknown("signature_wrong")


def test_an_accepted_instruction_can_fail_for_good_later(
    channel: SimulatorChannel, director: Director, instruction: PayoutInstruction
) -> None:
    director.misbehave(
        Rule(Fault.FAIL_LATER, number=instruction.number),
        Rule(Fault.SLOW, number=instruction.number, seconds=60),
    )

    submitted = channel.submit(instruction, deadline_s=DEADLINE_S)
    director.advance(seconds=61)

    assert isinstance(submitted, Accepted)
    assert channel.query(instruction, deadline_s=DEADLINE_S) == FailedDefinite("ACCOUNT_CLOSED")
    assert times_paid(director, instruction) == 0


def test_what_is_wanted_again_is_paid_when_it_comes_again_and_once(
    channel: SimulatorChannel, director: Director, instruction: PayoutInstruction
) -> None:
    director.set(forgets_numbers=1)
    director.misbehave(Rule(Fault.WANTS_AGAIN, number=instruction.number, times=1))

    submitted = channel.submit(instruction, deadline_s=DEADLINE_S)
    asked = channel.query(instruction, deadline_s=DEADLINE_S)
    again = channel.submit(instruction, deadline_s=DEADLINE_S)

    assert submitted == asked
    assert isinstance(submitted, Accepted)
    assert submitted.wants_again
    assert isinstance(again, Succeeded)
    assert times_paid(director, instruction) == 1


def test_below_the_balance_floor_the_same_number_may_be_sent_again(
    channel: SimulatorChannel, director: Director, instruction: PayoutInstruction
) -> None:
    floor = 10_000
    director.set(balance_minor=instruction.amount.minor + floor - 1, balance_floor_minor=floor)

    without_money = channel.submit(instruction, deadline_s=DEADLINE_S)
    director.set(balance_minor=instruction.amount.minor + floor)

    assert without_money == FailedDefinite("NOT_ENOUGH", same_key_retry_ok=True)
    assert isinstance(channel.submit(instruction, deadline_s=DEADLINE_S), Succeeded)
    assert times_paid(director, instruction) == 1


def test_money_comes_back_days_after_it_was_paid(
    channel: SimulatorChannel, director: Director, instruction: PayoutInstruction
) -> None:
    days = 3 * 86400
    director.misbehave(
        Rule(Fault.RETURN_LATER, number=instruction.number, seconds=days, code="NAME_MISMATCH")
    )

    paid = channel.submit(instruction, deadline_s=DEADLINE_S)
    director.advance(seconds=days - 60)
    still_paid = channel.query(instruction, deadline_s=DEADLINE_S)
    director.advance(seconds=61)
    returned = channel.query(instruction, deadline_s=DEADLINE_S)

    assert isinstance(paid, Succeeded)
    assert still_paid == paid
    assert isinstance(returned, Returned)
    assert returned.code == "NAME_MISMATCH"
    assert director.paid()[instruction.number] == {
        "times_paid": 1,
        "times_returned": 1,
        "with_payee_minor": 0,
    }


def test_a_channel_can_wait_for_the_payee(
    channel: SimulatorChannel, director: Director, instruction: PayoutInstruction
) -> None:
    director.misbehave(Rule(Fault.NEEDS_ACTION, number=instruction.number))

    outcome = channel.submit(instruction, deadline_s=DEADLINE_S)

    assert isinstance(outcome, NeedsAction)
    assert outcome.action is NeededAction.USER_CONFIRM


def test_a_channel_that_refuses_us_is_told_apart_from_a_payee_that_fails(
    channel: SimulatorChannel, director: Director, instruction: PayoutInstruction
) -> None:
    director.misbehave(Rule(Fault.NOT_PERMITTED, number=instruction.number))

    assert channel.submit(instruction, deadline_s=DEADLINE_S) == RejectedConfig("NOT_PERMITTED")


def test_a_wrong_key_is_unknown_since_nobody_can_say_who_answered(
    simulator: SimulatorProcess, director: Director, instruction: PayoutInstruction
) -> None:
    stranger = SimulatorChannel(SimulatorSettings(simulator.base_url, b"not the key"))

    assert stranger.submit(instruction, deadline_s=DEADLINE_S) == Unknown("signature_wrong")
    assert times_paid(director, instruction) == 0


def test_a_refused_connection_is_not_sent(instruction: PayoutInstruction) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    channel = SimulatorChannel(SimulatorSettings(f"http://127.0.0.1:{port}", b"key"))

    assert channel.submit(instruction, deadline_s=DEADLINE_S) == NotSent("connect_error")


def test_an_unknown_host_is_not_sent(instruction: PayoutInstruction) -> None:
    channel = SimulatorChannel(SimulatorSettings("http://no-such-host.invalid", b"key"))

    assert isinstance(channel.submit(instruction, deadline_s=DEADLINE_S), NotSent)


def test_a_server_that_hangs_up_at_once_is_unknown(instruction: PayoutInstruction) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as threads:
        threads.submit(lambda: server.accept()[0].close())
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        channel = SimulatorChannel(SimulatorSettings(url, b"key"))

        outcome = channel.submit(instruction, deadline_s=DEADLINE_S)

    assert isinstance(outcome, Unknown)


@pytest.mark.parametrize("fault", [Fault.LATE_ANSWER, Fault.DRIP_ANSWER])
def test_the_deadline_holds_for_the_whole_call(
    channel: SimulatorChannel, director: Director, instruction: PayoutInstruction, fault: Fault
) -> None:
    director.misbehave(Rule(fault, number=instruction.number, seconds=3))
    started_s = time.monotonic()

    outcome = channel.submit(instruction, deadline_s=SHORT_S)

    assert outcome == Unknown("deadline")
    assert time.monotonic() - started_s < SHORT_S + 1


def test_the_book_survives_the_death_of_the_channel(
    simulator: SimulatorProcess,
    director: Director,
    channel: SimulatorChannel,
    instruction: PayoutInstruction,
) -> None:
    paid = channel.submit(instruction, deadline_s=DEADLINE_S)
    simulator.stop(kill=True)
    simulator.start()

    assert channel.query(instruction, deadline_s=DEADLINE_S) == paid
    assert times_paid(director, instruction) == 1


def test_a_channel_that_forgets_numbers_pays_whoever_sends_twice_twice(
    channel: SimulatorChannel, director: Director, instruction: PayoutInstruction
) -> None:
    director.set(forgets_numbers="1")

    channel.submit(instruction, deadline_s=DEADLINE_S)
    channel.submit(instruction, deadline_s=DEADLINE_S)

    assert times_paid(director, instruction) == 2


class Listener(ThreadingHTTPServer):
    """Whoever is told: remembers every notification, and refuses the first ones."""

    daemon_threads = True

    def __init__(self, *, refusals: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), Hearer)
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.refusals = refusals
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"

    def await_(self, count_: int) -> None:
        deadline = time.monotonic() + 20
        while len(self.heard) < count_ and time.monotonic() < deadline:
            time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class Hearer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        listener = self.server
        assert isinstance(listener, Listener)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        listener.heard.append((dict(self.headers), body))
        refuses = len(listener.heard) <= listener.refusals
        self.send_response(500 if refuses else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("faults", "genuine"),
    [
        ((), [True]),
        ((Fault.NOTIFY_TWICE,), [True, True]),
        ((Fault.NOTIFY_FORGED,), [False, True]),
        ((Fault.NOTIFY_NEVER,), []),
    ],
    ids=["once", "twice", "forged first", "never"],
)
def test_a_notification_names_the_number_if_it_is_genuine(
    tmp_path: Path, instruction: PayoutInstruction, faults: tuple[Fault, ...], genuine: list[bool]
) -> None:
    with Listener() as listener:
        simulator = SimulatorProcess(tmp_path, "--notify", listener.url)
        channel, director = simulator.channel(), simulator.director()
        director.misbehave(*(Rule(fault) for fault in faults))

        channel.submit(instruction, deadline_s=DEADLINE_S)
        listener.await_(len(genuine) or 1) if genuine else time.sleep(0.6)
        director.close()
        simulator.stop()

    told = [
        channel.read_notification(headers, body, now=read_clock())
        for headers, body in listener.heard
    ]
    numbers = [one.number if isinstance(one, Notification) else None for one in told]
    assert numbers == [instruction.number if is_genuine else None for is_genuine in genuine]
    assert len({one.event_id for one in told if isinstance(one, Notification)}) == len(
        {number for number in numbers if number}
    )


def test_a_notification_nobody_took_comes_again(
    tmp_path: Path, instruction: PayoutInstruction
) -> None:
    with Listener(refusals=1) as listener:
        simulator = SimulatorProcess(tmp_path, "--notify", listener.url)
        director = simulator.director()
        simulator.channel().submit(instruction, deadline_s=DEADLINE_S)
        listener.await_(1)
        director.advance(seconds=16)
        listener.await_(2)
        director.close()
        simulator.stop()

    assert len(listener.heard) == 2


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"number": null}'])
def test_a_notification_without_a_number_says_nothing(
    simulator: SimulatorProcess, body: bytes
) -> None:
    headers = {NONCE_HEADER: "n", SIGNATURE_HEADER: sign(KEY.encode(), b"n", body)}

    channel, now = simulator.channel(), read_clock()

    assert channel.read_notification(headers, body, now=now) == NotificationRefused(
        RefusedBecause.UNREADABLE
    )
    assert channel.read_notification({}, body, now=now) == NotificationRefused(
        RefusedBecause.FORGED
    )


def test_an_account_number_shows_its_tail_only() -> None:
    account = PayeeAccount("王小明", "招商银行", "6225880123456789")

    assert "622588012345" not in repr(account)
    assert "王小明" not in repr(account)


def test_a_channel_nobody_wrote_an_adapter_for_is_refused() -> None:
    with pytest.raises(ChannelUnknown):
        build_channels({"barter": {}}, clock=read_clock)
