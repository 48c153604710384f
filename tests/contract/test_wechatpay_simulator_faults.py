"""Each fault of the simulated WeChat Pay shows what it is there to show: to the client, and in the book."""

from __future__ import annotations

import datetime as dt
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from wechatpayv3 import WeChatPay

from kuaitui.channels.port import PayInMethod, PayInOpened, PayInOrder, PayInPaid
from kuaitui.channels.registry import build_channels
from kuaitui.channels.simulator.faults import Fault, Operation, Rule
from kuaitui.channels.simulator.wechatpay.director import WechatPayDirector
from kuaitui.channels.simulator.wechatpay.wire_protocol import PROBE_PREFIX
from kuaitui.interfaces.cli.main import main
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.money import Money
from tests.support.receiver import Receiver
from tests.support.wechatpay import WechatPayProcess, a_number, read

PAID_MINOR = 50_000
REPEATS = 15
DEADLINE_S = 10.0


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WechatPayProcess]:
    process = WechatPayProcess(tmp_path_factory.mktemp("wechatpay"))
    yield process
    process.stop()


@pytest.fixture
def director(process: WechatPayProcess) -> Iterator[WechatPayDirector]:
    director = process.director()
    yield director
    director.behave()
    director.close()


@pytest.fixture
def receiver(director: WechatPayDirector) -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.answers.clear()
    director.deliver()  # or what is left would be repeated through all later tests
    receiver.close()


@pytest.fixture
def client(process: WechatPayProcess, receiver: Receiver) -> WeChatPay:
    return process.client(notify_url=receiver.url)


@pytest.fixture
def payment(director: WechatPayDirector, receiver: Receiver) -> str:
    """A payment whose notification has been taken."""
    paid = director.pay(a_number("ORDER"), amount_minor=PAID_MINOR)
    director.deliver()
    receiver.received.clear()
    return paid


def refund(client: WeChatPay, payment: str, number: str) -> tuple[int, dict]:
    amount = {"refund": PAID_MINOR, "total": PAID_MINOR, "currency": "CNY"}
    return read(client.refund(out_refund_no=number, amount=amount, transaction_id=payment))


def times_paid(director: WechatPayDirector, number: str) -> int:
    return director.paid().get(number, {"times_paid": 0})["times_paid"]


@pytest.mark.parametrize(
    ("fault", "status", "code", "paid"),
    [
        (Fault.REFUSE, 403, "USER_ACCOUNT_ABNORMAL", 0),
        (Fault.NOT_PERMITTED, 403, "NO_AUTH", 0),
        (Fault.ERROR_BEFORE, 500, "SYSTEM_ERROR", 0),
        (Fault.BUSY_BEFORE, 429, "FREQUENCY_LIMITED", 0),
        (Fault.ERROR_AFTER, 500, "SYSTEM_ERROR", 1),
        (Fault.BUSY_AFTER, 429, "FREQUENCY_LIMITED", 1),
        (Fault.NEW_CODE, 400, "CODE_OF_TOMORROW", 1),
    ],
)
def test_an_error_says_nothing_of_what_happened(
    client: WeChatPay,
    director: WechatPayDirector,
    payment: str,
    fault: Fault,
    status: int,
    code: str,
    paid: int,
) -> None:
    number = a_number("R")
    director.misbehave(Rule(fault, number=number))

    answered = refund(client, payment, number)

    assert (answered[0], answered[1]["code"]) == (status, code)
    assert times_paid(director, number) == paid


@pytest.mark.parametrize(
    ("fault", "paid"),
    [
        (Fault.DROP_BEFORE, 0),
        (Fault.DROP_ANSWER, 1),
        (Fault.BAD_SIGNATURE, 1),
        (Fault.UNSIGNED, 1),
        (Fault.GARBAGE, 1),
    ],
)
def test_without_a_genuine_answer_nobody_can_tell(
    client: WeChatPay, director: WechatPayDirector, payment: str, fault: Fault, paid: int
) -> None:
    number = a_number("R")
    director.misbehave(Rule(fault, number=number))

    with pytest.raises(Exception):  # noqa: B017, PT011 - the SDK raises what it likes
        refund(client, payment, number)

    assert times_paid(director, number) == paid


def test_what_was_dropped_may_be_taken_in_later(
    client: WeChatPay, director: WechatPayDirector, payment: str
) -> None:
    number = a_number("R")
    director.misbehave(Rule(Fault.ACCEPT_LATER, number=number, seconds=0.05))

    with pytest.raises(requests.ConnectionError):
        refund(client, payment, number)

    deadline = time.monotonic() + 10
    while times_paid(director, number) == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert times_paid(director, number) == 1


def test_an_answer_may_come_after_the_client_has_gone(
    client: WeChatPay, director: WechatPayDirector, payment: str
) -> None:
    number = a_number("R")
    director.misbehave(Rule(Fault.LATE_ANSWER, number=number, seconds=1.5))
    client._core._timeout = (5, 0.5)

    with pytest.raises(requests.ReadTimeout):
        refund(client, payment, number)

    assert times_paid(director, number) == 1


def raw_answer(client: WeChatPay, path: str, *, bytes_max: int) -> bytes:
    """What comes over the socket, as it comes."""
    from wechatpayv3.utils import build_authorization

    core = client._core
    address = urlsplit(core._gate_way)
    signed = build_authorization(path, "GET", core._mchid, core._cert_serial_no, core._private_key)
    with socket.create_connection((address.hostname, address.port), timeout=10) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {signed}\r\n\r\n".encode())
        answer = b""
        while len(answer) < bytes_max:
            part = line.recv(bytes_max)
            if not part:
                break
            answer += part
        return answer


def test_an_answer_may_come_twice_or_a_byte_at_a_time(
    client: WeChatPay, director: WechatPayDirector, payment: str
) -> None:
    number = a_number("R")
    refund(client, payment, number)
    path = f"/v3/refund/domestic/refunds/{number}"
    once = raw_answer(client, path, bytes_max=200)
    director.misbehave(Rule(Fault.ANSWER_TWICE, Operation.QUERY, number=number, times=1))
    twice = raw_answer(client, path, bytes_max=2_000)

    director.misbehave(Rule(Fault.DRIP_ANSWER, Operation.QUERY, number=number))
    begun = time.monotonic()
    dripped = raw_answer(client, path, bytes_max=12)

    assert once.count(b"HTTP/1.1 200") == 1
    assert twice.count(b"HTTP/1.1 200") == 2
    assert dripped.startswith(b"HTTP/1.1 200")
    assert time.monotonic() - begun >= 0.5


def test_an_answer_may_speak_of_something_else(
    client: WeChatPay, director: WechatPayDirector, payment: str
) -> None:
    number = a_number("R")
    refund(client, payment, number)

    director.misbehave(Rule(Fault.OTHER_AMOUNT, Operation.QUERY, number=number, times=1))
    amount = read(client.query_refund(number))[1]["amount"]
    director.misbehave(Rule(Fault.OTHER_NUMBER, Operation.QUERY, number=number, times=1))
    other = read(client.query_refund(number))[1]

    assert amount["refund"] == 1
    assert amount["currency"] == "CNY"
    assert other["out_refund_no"] != number
    assert read(client.query_refund(number))[1]["out_refund_no"] == number


def test_a_paid_number_may_be_unknown_for_a_while(
    client: WeChatPay, director: WechatPayDirector, payment: str
) -> None:
    number = a_number("R")
    director.misbehave(Rule(Fault.HIDDEN, number=number, seconds=600))

    refund(client, payment, number)
    hidden = read(client.query_refund(number))
    director.advance(seconds=600)

    assert (hidden[0], hidden[1]["code"]) == (404, "RESOURCE_NOT_EXISTS")
    assert read(client.query_refund(number))[1]["status"] == "SUCCESS"
    assert times_paid(director, number) == 1


@pytest.mark.parametrize(
    ("rule", "first", "later"),
    [
        (Rule(Fault.SLOW, seconds=60), "PROCESSING", "SUCCESS"),
        (Rule(Fault.ABNORMAL), "ABNORMAL", "ABNORMAL"),
        (Rule(Fault.FAIL_LATER), "CLOSED", "CLOSED"),
    ],
)
def test_a_refund_may_take_another_course(
    client: WeChatPay,
    director: WechatPayDirector,
    payment: str,
    rule: Rule,
    first: str,
    later: str,
) -> None:
    number = a_number("R")
    director.misbehave(rule)

    answered = refund(client, payment, number)[1]["status"]
    director.advance(seconds=60)

    assert (answered, read(client.query_refund(number))[1]["status"]) == (first, later)


def test_rules_may_mean_a_payee_by_the_end_of_the_openid(
    client: WeChatPay, director: WechatPayDirector
) -> None:
    meant = director.pay(a_number("ORDER"), amount_minor=PAID_MINOR, openid="oPayer4001")
    other = director.pay(a_number("ORDER"), amount_minor=PAID_MINOR, openid="oPayer4009")
    director.misbehave(Rule(Fault.REFUSE, tail="4001"))

    assert refund(client, meant, a_number("R"))[0] == 403
    assert refund(client, other, a_number("R"))[0] == 200


def test_bank_cards_are_decrypted_and_a_stuck_refund_is_sent_on(
    client: WeChatPay, director: WechatPayDirector, payment: str
) -> None:
    number = a_number("R")
    director.misbehave(Rule(Fault.ABNORMAL, number=number))
    refund_id = refund(client, payment, number)[1]["refund_id"]

    sent = client.abnormal_refund(
        refund_id,
        number,
        "USER_BANK_CARD",
        bank_type="CMB_DEBIT",
        bank_account="6225880000006789",
        real_name="王小明",
    )

    assert read(sent)[1]["status"] == "SUCCESS"
    kept = json.dumps(director.book())
    assert "6789" in kept
    assert "6225880000006789" not in kept
    assert "王小明" not in kept


# Notifications


def order(client: WeChatPay, number: str) -> None:
    amount = {"total": PAID_MINOR, "currency": "CNY"}
    assert client.pay(description="保证金", out_trade_no=number, amount=amount)[0] == 200


@pytest.mark.parametrize(
    ("fault", "genuine", "others"),
    [
        (Fault.NOTIFY_TWICE, 2, 0),
        (Fault.NOTIFY_NEVER, 0, 0),
        (Fault.NOTIFY_FORGED, 1, 1),
        (Fault.NOTIFY_PROBE, 1, 1),
        (Fault.NOTIFY_CHANGED, 1, 1),
    ],
)
def test_notifications_come_twice_never_or_after_one_that_is_not_genuine(
    client: WeChatPay,
    director: WechatPayDirector,
    receiver: Receiver,
    fault: Fault,
    genuine: int,
    others: int,
) -> None:
    number = a_number("ORDER")
    order(client, number)
    director.misbehave(Rule(fault, Operation.PAY, number=number))

    director.pay(number)
    director.deliver()

    told = [client.callback(one.headers, one.body) for one in receiver.received]
    assert told.count(None) == others
    events = [one for one in told if one is not None]
    assert len(events) == genuine
    assert len({one["id"] for one in events}) == min(genuine, 1)
    if fault is Fault.NOTIFY_PROBE:
        assert receiver.received[0].headers["Wechatpay-Signature"].startswith(PROBE_PREFIX)


def test_a_stale_notification_is_genuine_and_an_hour_old(
    client: WeChatPay, director: WechatPayDirector, receiver: Receiver
) -> None:
    number = a_number("ORDER")
    order(client, number)
    director.misbehave(Rule(Fault.NOTIFY_STALE, Operation.PAY, number=number))

    director.pay(number)
    director.deliver()

    stale, fresh = (int(one.headers["Wechatpay-Timestamp"]) for one in receiver.received)
    assert 3590 <= fresh - stale <= 3610


def test_a_late_notification_is_overtaken(
    client: WeChatPay, director: WechatPayDirector, receiver: Receiver
) -> None:
    number = a_number("ORDER")
    order(client, number)
    director.misbehave(Rule(Fault.NOTIFY_LATE, Operation.PAY, number=number, seconds=25 * 3600))
    payment = director.pay(number)
    refund(client, payment, a_number("R"))
    director.deliver()
    director.advance(seconds=25 * 3600)
    director.deliver()

    told = [json.loads(one.body)["event_type"] for one in receiver.received]

    assert told == ["REFUND.SUCCESS", "TRANSACTION.SUCCESS"]


def test_a_notification_may_be_there_before_the_answer(
    client: WeChatPay, director: WechatPayDirector, payment: str, receiver: Receiver
) -> None:
    number = a_number("R")
    director.misbehave(
        Rule(Fault.NOTIFY_FIRST, number=number), Rule(Fault.DROP_ANSWER, number=number)
    )

    with pytest.raises(requests.ConnectionError):
        refund(client, payment, number)

    assert [json.loads(one.body)["event_type"] for one in receiver.received] == ["REFUND.SUCCESS"]


def test_who_does_not_listen_is_told_fifteen_times_more_and_then_no_more(
    client: WeChatPay, director: WechatPayDirector, receiver: Receiver
) -> None:
    number = a_number("ORDER")
    order(client, number)
    receiver.answers = [500, 401, 301, *[500] * 20]

    director.pay(number)
    for _ in range(REPEATS + 3):
        director.deliver()
        director.advance(seconds=6 * 3600)

    assert len(receiver.received) == 1 + REPEATS
    assert len({json.loads(one.body)["id"] for one in receiver.received}) == 1


# The process


def test_book_and_keys_outlive_a_kill(
    client: WeChatPay, process: WechatPayProcess, director: WechatPayDirector, payment: str
) -> None:
    number = a_number("R")
    answered = refund(client, payment, number)
    before = director.book()

    process.stop(kill=True)
    process.start()

    after = director.book()
    assert read(client.query_refund(number)) == answered
    assert after["movements"] == before["movements"]
    assert sum(after["balances"].values()) == 0


def test_who_asks_again_under_the_same_number_is_paid_once_through_all_troubles(
    tmp_path: Path,
) -> None:
    process = WechatPayProcess(tmp_path, "--trouble", "0.2", "--seed", "7")
    director, client = process.director(), process.client()
    numbers = [a_number("R") for _ in range(12)]
    tries = 0

    for number in numbers:
        payment = director.pay(a_number("ORDER"), amount_minor=PAID_MINOR)
        is_paid = False
        while not is_paid:
            tries += 1
            assert tries < 200
            try:
                is_paid = refund(client, payment, number)[1].get("status") == "SUCCESS"
            except Exception:  # noqa: BLE001 - the SDK raises what it likes
                continue

    assert tries > len(numbers)
    assert [times_paid(director, number) for number in numbers] == [1] * len(numbers)
    director.close()
    process.stop()


def test_the_demo_knows_payers_by_the_end_of_their_openid(tmp_path: Path) -> None:
    process = WechatPayProcess(tmp_path, "--demo-rules")
    director, client = process.director(), process.client()

    def refund_of(openid: str) -> tuple[int, dict]:
        number, amount = a_number("ORDER"), {"total": PAID_MINOR, "currency": "CNY"}
        page = read(client.pay(description="保证金", out_trade_no=number, amount=amount))[1]
        assert requests.post(f"{page['code_url']}?openid={openid}", timeout=10).ok
        payment = read(client.query(out_trade_no=number))[1]
        assert payment["payer"]["openid"] == openid
        return refund(client, payment["transaction_id"], a_number("R"))

    assert refund_of("oDemoPayer4001")[1]["code"] == "USER_ACCOUNT_ABNORMAL"
    assert refund_of("oDemoPayer4002")[1]["status"] == "ABNORMAL"
    assert refund_of("oDemoPayer4004")[1]["status"] == "PROCESSING"
    assert refund_of("oDemoPayer4000")[1]["status"] == "SUCCESS"
    director.close()
    process.stop()


def test_the_printed_settings_are_those_of_the_channel(
    process: WechatPayProcess, director: WechatPayDirector, capsys: pytest.CaptureFixture[str]
) -> None:
    port = process.base_url.rpartition(":")[2]
    asked = f"simulate-channel wechatpay --print-settings --port {port} --keys {process.keys}"
    with pytest.raises(SystemExit) as ended:
        main(asked.split())
    printed = json.loads(capsys.readouterr().out)
    channel = build_channels(printed, clock=read_clock).collecting("wechatpay")
    order = PayInOrder(
        number=a_number("ORDER"),
        amount=Money(PAID_MINOR, "CNY"),
        method=PayInMethod.QR_CODE,
        description="店铺保证金",
        expires_at=dt.datetime.fromtimestamp(director.book()["now"] + 3600, tz=dt.UTC),
    )

    opened = channel.open_pay_in(order, deadline_s=DEADLINE_S)
    assert isinstance(opened, PayInOpened), opened
    director.pay(order.number)

    assert ended.value.code == 0
    assert Path(printed["wechatpay"]["merchant_key_file"]).is_absolute()
    assert isinstance(channel.query_pay_in(order, deadline_s=DEADLINE_S), PayInPaid)
