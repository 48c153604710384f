"""Our Alipay adapter against the simulated Alipay: two people's reading of one protocol."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from kuaitui.channels.alipay import AlipayChannel, AlipaySettings
from kuaitui.channels.alipay.keys import read_certificate
from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    LineKind,
    NotFound,
    Notification,
    NotificationRefused,
    NotificationSubject,
    NotSent,
    OriginalPayment,
    PayeeAccount,
    PayeeKind,
    PayInClosed,
    PayInMethod,
    PayInOpened,
    PayInOrder,
    PayInPaid,
    PayInWaiting,
    PayoutInstruction,
    RefusedBecause,
    Returned,
    StatementAbsent,
    StatementEmpty,
    StatementFetched,
    StatementKind,
    StatementRefused,
    Succeeded,
    Unknown,
)
from kuaitui.channels.registry import build_channels
from kuaitui.channels.simulator.alipay.director import AlipayDirector
from kuaitui.channels.simulator.alipay.keys import CERTIFICATE_MODE, KEY_MODE
from kuaitui.channels.simulator.alipay.process import settings_entry
from kuaitui.channels.simulator.faults import Fault, Operation, Rule, troubles
from kuaitui.interfaces.cli.main import main
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.money import Money
from tests.support.alipay_simulator import PAYEE_ID, AlipayProcess
from tests.support.receiver import Receiver

DEADLINE_S = 5.0
SHORT_S = 0.5
DAY_S = 86400
PAID = Money(500_00, "CNY")
BEIJING = dt.timezone(dt.timedelta(hours=8))
CARD_NUMBER = "6225880112345678"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlipayProcess]:
    process = AlipayProcess(tmp_path_factory.mktemp("alipay"))
    yield process
    process.stop()


@pytest.fixture
def director(process: AlipayProcess) -> Iterator[AlipayDirector]:
    director = process.director()
    yield director
    director.behave()
    director.set(processing_s="0")
    director.close()


@pytest.fixture
def channel(process: AlipayProcess) -> AlipayChannel:
    return adapter(process)


@pytest.fixture
def in_key_mode(process: AlipayProcess) -> AlipayChannel:
    return adapter(process, mode=KEY_MODE)


def adapter(
    process: AlipayProcess, *, mode: str = CERTIFICATE_MODE, **changes: Any
) -> AlipayChannel:
    current = process.read(f"alipay/current_{mode}")
    settings = settings_of(process, mode, current)
    return AlipayChannel(replace(settings, **changes), clock=read_clock)


def printed(process: AlipayProcess) -> dict[str, Any]:
    """What the simulator prints for `KUAITUI_CHANNELS`."""
    return dict(settings_entry(process.options))


@functools.cache
def settings_of(process: AlipayProcess, mode: str, current: str) -> AlipaySettings:
    entry = {name: value for name, value in printed(process).items() if name != "adapter"}
    if mode == KEY_MODE:
        entry = {name: value for name, value in entry.items() if "certificate" not in name}
        entry["alipay_public_key_files"] = [str(process.keys / "alipay" / f"{current}.pem")]
    return AlipaySettings.parse(entry)


def a_number(prefix: str) -> str:
    return f"{prefix}{next(_numbers):020d}"


def an_order(method: PayInMethod = PayInMethod.QR_CODE) -> PayInOrder:
    # The simulator's clock jumps ahead for more than a year.
    expires_at = read_clock() + dt.timedelta(days=4000)
    return PayInOrder(a_number("KTP"), PAID, method, "店铺保证金", expires_at)


def a_payment(channel: AlipayChannel, director: AlipayDirector) -> OriginalPayment:
    """A deposit that was really paid in."""
    order = an_order()
    assert isinstance(channel.open_pay_in(order, deadline_s=DEADLINE_S), PayInOpened)
    return OriginalPayment(director.pay(order.number), order.amount)


def a_refund(
    channel: AlipayChannel, director: AlipayDirector, *, fen: int = 200_00
) -> PayoutInstruction:
    return PayoutInstruction(a_number("KTR"), Money(fen, "CNY"), a_payment(channel, director))


def to_card(*, fen: int = 200_00, name: str = "王小明", **changes: Any) -> PayoutInstruction:
    payee = PayeeAccount(name, "招商银行", CARD_NUMBER, PayeeKind.BANK_ACCOUNT, **changes)
    return PayoutInstruction(a_number("KTT"), Money(fen, "CNY"), payee)


def to_account(account: str = PAYEE_ID, *, name: str = "王小明") -> PayoutInstruction:
    payee = PayeeAccount(name, "", account, PayeeKind.ALIPAY_ACCOUNT)
    return PayoutInstruction(a_number("KTT"), Money(200_00, "CNY"), payee)


def an_instruction(
    kind: str, channel: AlipayChannel, director: AlipayDirector
) -> PayoutInstruction:
    director.fund(200_00)
    return a_refund(channel, director) if kind == "refund" else to_card()


def times_paid(director: AlipayDirector, instruction: PayoutInstruction) -> int:
    return director.paid().get(instruction.number, {"times_paid": 0})["times_paid"]


def test_what_the_simulator_prints_is_taken_unchanged(
    process: AlipayProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    port = process.base_url.rpartition(":")[2]
    arguments = ["--port", port, "--keys", str(process.keys), "--print-settings"]

    with pytest.raises(SystemExit) as ended:
        main(["simulate-channel", "alipay", *arguments])
    channel = build_channels(json.loads(capsys.readouterr().out), clock=read_clock)

    assert ended.value.code == 0
    order = an_order()
    collecting = channel.collecting("alipay")
    assert isinstance(collecting.open_pay_in(order, deadline_s=DEADLINE_S), PayInOpened)
    assert collecting.query_pay_in(order, deadline_s=DEADLINE_S) == PayInWaiting()


# Money in.


@pytest.mark.parametrize("mode", [KEY_MODE, CERTIFICATE_MODE])
@pytest.mark.parametrize("method", list(PayInMethod))
def test_a_deposit_is_opened_paid_and_found(
    process: AlipayProcess, method: PayInMethod, mode: str
) -> None:
    channel, order = adapter(process, mode=mode), an_order(method)

    opened = channel.open_pay_in(order, deadline_s=DEADLINE_S)
    assert isinstance(opened, PayInOpened)
    before = channel.query_pay_in(order, deadline_s=DEADLINE_S)
    with httpx.Client(follow_redirects=True, trust_env=False) as browser:
        page = browser.get(opened.pay_url)
        during = channel.query_pay_in(order, deadline_s=DEADLINE_S)
        browser.post(page.url)
    paid = channel.query_pay_in(order, deadline_s=DEADLINE_S)

    assert before == during == PayInWaiting()
    assert isinstance(paid, PayInPaid)
    assert paid.amount == PAID


def test_a_deposit_paid_before_it_is_closed_is_paid(
    channel: AlipayChannel, director: AlipayDirector
) -> None:
    order, other = an_order(), an_order()
    for one in (order, other):
        assert isinstance(channel.open_pay_in(one, deadline_s=DEADLINE_S), PayInOpened)
    director.pay(order.number)

    closed = channel.close_pay_in(order, deadline_s=DEADLINE_S)
    opened = channel.open_pay_in(order, deadline_s=DEADLINE_S)

    assert isinstance(closed, PayInPaid)
    assert opened == closed
    # Nobody has scanned its code, so Alipay does not know it, and it can still be paid.
    assert channel.close_pay_in(other, deadline_s=DEADLINE_S) == NotFound()


def test_a_deposit_that_somebody_looked_at_is_closed(
    channel: AlipayChannel, director: AlipayDirector
) -> None:
    order = an_order()
    opened = channel.open_pay_in(order, deadline_s=DEADLINE_S)
    assert isinstance(opened, PayInOpened)
    httpx.get(opened.pay_url, trust_env=False)

    assert channel.close_pay_in(order, deadline_s=DEADLINE_S) == PayInClosed()
    assert channel.query_pay_in(order, deadline_s=DEADLINE_S) == PayInClosed()
    assert channel.open_pay_in(order, deadline_s=DEADLINE_S) == PayInClosed()


def test_a_deposit_under_a_number_of_another_order_is_never_opened_as_new(
    channel: AlipayChannel, director: AlipayDirector
) -> None:
    order = an_order()
    channel.open_pay_in(order, deadline_s=DEADLINE_S)

    changed = channel.open_pay_in(replace(order, amount=Money(1, "CNY")), deadline_s=DEADLINE_S)

    assert changed == Unknown("ACQ.CONTEXT_INCONSISTENT")


def test_a_deposit_paid_with_another_amount_says_so(
    channel: AlipayChannel, director: AlipayDirector
) -> None:
    order = an_order()
    channel.open_pay_in(order, deadline_s=DEADLINE_S)
    director.pay(order.number, amount_minor=7)

    paid = channel.query_pay_in(order, deadline_s=DEADLINE_S)

    assert isinstance(paid, PayInPaid)
    assert paid.amount == Money(7, "CNY")


def test_a_deposit_that_went_back_whole_was_paid_all_the_same(
    channel: AlipayChannel, director: AlipayDirector
) -> None:
    order = an_order()
    channel.open_pay_in(order, deadline_s=DEADLINE_S)
    payment = OriginalPayment(director.pay(order.number), PAID)
    channel.submit(PayoutInstruction(a_number("KTR"), PAID, payment), deadline_s=DEADLINE_S)

    assert isinstance(channel.query_pay_in(order, deadline_s=DEADLINE_S), PayInPaid)


# Money out: along the payment.


@pytest.mark.parametrize("mode", [KEY_MODE, CERTIFICATE_MODE])
def test_a_refund_is_paid_once_and_the_query_says_so(
    process: AlipayProcess, director: AlipayDirector, mode: str
) -> None:
    channel = adapter(process, mode=mode)
    refund = a_refund(channel, director)

    before = channel.query(refund, deadline_s=DEADLINE_S)
    with ThreadPoolExecutor(4) as threads:
        outcomes = list(
            threads.map(lambda _: channel.submit(refund, deadline_s=DEADLINE_S), range(8))
        )

    assert before == NotFound()
    assert sum(isinstance(outcome, Succeeded) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Accepted) for outcome in outcomes) == 7
    assert isinstance(channel.query(refund, deadline_s=DEADLINE_S), Succeeded)
    assert times_paid(director, refund) == 1


def test_a_refund_takes_its_time(channel: AlipayChannel, director: AlipayDirector) -> None:
    director.set(processing_s="3600")
    refund = a_refund(channel, director)

    submitted = channel.submit(refund, deadline_s=DEADLINE_S)
    early = channel.query(refund, deadline_s=DEADLINE_S)
    director.advance(seconds=3601)

    assert isinstance(submitted, Accepted)
    assert early == NotFound()
    assert isinstance(channel.query(refund, deadline_s=DEADLINE_S), Succeeded)
    assert times_paid(director, refund) == 1


def test_a_refund_that_was_accepted_and_failed_pays_later_under_its_number(
    channel: AlipayChannel, director: AlipayDirector
) -> None:
    refund = a_refund(channel, director)
    director.misbehave(Rule(Fault.FAIL_LATER, number=refund.number, times=1))

    accepted = channel.submit(refund, deadline_s=DEADLINE_S)
    asked = channel.query(refund, deadline_s=DEADLINE_S)
    director.advance(seconds=3)
    again = channel.submit(refund, deadline_s=DEADLINE_S)

    assert isinstance(accepted, Accepted)
    assert asked == NotFound()
    assert isinstance(again, Succeeded)
    assert times_paid(director, refund) == 1


def test_a_number_with_another_amount_is_not_this_refund(
    channel: AlipayChannel, director: AlipayDirector
) -> None:
    refund = a_refund(channel, director)
    channel.submit(refund, deadline_s=DEADLINE_S)
    changed = replace(refund, amount=Money(1, "CNY"))

    assert channel.submit(changed, deadline_s=DEADLINE_S) == Unknown(
        "ACQ.DISCORDANT_REPEAT_REQUEST"
    )
    assert channel.query(changed, deadline_s=DEADLINE_S) == Unknown("echo_mismatch")
    assert times_paid(director, refund) == 1


def test_a_second_refund_within_three_seconds_is_unknown_and_pays_later_under_its_number(
    channel: AlipayChannel, director: AlipayDirector
) -> None:
    first = a_refund(channel, director)
    second = replace(first, number=a_number("KTR"))
    channel.submit(first, deadline_s=DEADLINE_S)

    hasty = channel.submit(second, deadline_s=DEADLINE_S)
    director.advance(seconds=3)
    patient = channel.submit(second, deadline_s=DEADLINE_S)

    assert hasty == Unknown("ACQ.SYSTEM_ERROR")
    assert isinstance(patient, Succeeded)
    assert times_paid(director, second) == 1


def test_more_than_was_paid_is_not_given_back(
    channel: AlipayChannel, director: AlipayDirector
) -> None:
    refund = a_refund(channel, director, fen=500_01)

    outcome = channel.submit(refund, deadline_s=DEADLINE_S)

    assert outcome == FailedDefinite("REASON_TRADE_REFUND_FEE_ERR")
    assert times_paid(director, refund) == 0


@pytest.mark.parametrize("kind", ["refund", "transfer"])
def test_without_money_the_same_number_pays_after_a_top_up(
    channel: AlipayChannel, director: AlipayDirector, kind: str
) -> None:
    instruction = an_instruction(kind, channel, director)
    balance = director.book()["balances"]["merchant"]
    director.fund(-balance)

    poor = channel.submit(instruction, deadline_s=DEADLINE_S)
    director.fund(balance)
    rich = channel.submit(instruction, deadline_s=DEADLINE_S)

    assert isinstance(poor, FailedDefinite)
    assert poor.same_key_retry_ok
    assert isinstance(rich, Succeeded)
    assert times_paid(director, instruction) == 1


def test_a_payment_of_long_ago_is_not_refunded(
    channel: AlipayChannel, director: AlipayDirector
) -> None:
    refund = a_refund(channel, director)
    director.advance(seconds=366 * DAY_S)

    outcome = channel.submit(refund, deadline_s=DEADLINE_S)

    assert outcome == FailedDefinite("TRADE_HAS_FINISHED")
    assert times_paid(director, refund) == 0


# Every fault that an answer can have. What the query finds then is the truth.

TAKEN = [
    (Fault.DROP_ANSWER, "remote_protocol_error"),
    (Fault.ERROR_AFTER, "unsigned.isp.unknow-error"),
    (Fault.BUSY_AFTER, "SYSTEM_ERROR"),
    (Fault.GARBAGE, "unreadable"),
    (Fault.BAD_SIGNATURE, "signature_wrong"),
    (Fault.UNSIGNED, "unsigned.10000"),
    (Fault.OTHER_NUMBER, "echo_mismatch"),
    (Fault.NEW_CODE, "ACQ.CODE_OF_TOMORROW"),
]
LOST = [
    (Fault.ERROR_BEFORE, "unsigned.isp.unknow-error"),
    (Fault.BUSY_BEFORE, "SYSTEM_ERROR"),
    (Fault.DROP_BEFORE, "remote_protocol_error"),
    (Fault.NOT_PERMITTED, "unsigned.isv.insufficient-isv-permissions"),
]


def says(outcome: object, cause: str) -> bool:
    return isinstance(outcome, Unknown) and outcome.cause.removeprefix("ACQ.") == (
        cause.removeprefix("ACQ.")
    )


@pytest.mark.parametrize("kind", ["refund", "transfer"])
@pytest.mark.parametrize(("fault", "cause"), TAKEN)
def test_a_lost_or_strange_answer_is_unknown_and_the_query_finds_what_was_done(
    channel: AlipayChannel, director: AlipayDirector, kind: str, fault: Fault, cause: str
) -> None:
    instruction = an_instruction(kind, channel, director)
    director.misbehave(Rule(fault, number=instruction.number))

    assert says(channel.submit(instruction, deadline_s=DEADLINE_S), cause)
    assert isinstance(channel.query(instruction, deadline_s=DEADLINE_S), Succeeded)
    assert times_paid(director, instruction) == 1


@pytest.mark.parametrize("kind", ["refund", "transfer"])
@pytest.mark.parametrize(("fault", "cause"), LOST)
def test_what_never_got_in_is_not_found_and_the_same_number_pays_later(
    channel: AlipayChannel, director: AlipayDirector, kind: str, fault: Fault, cause: str
) -> None:
    instruction = an_instruction(kind, channel, director)
    director.misbehave(Rule(fault, number=instruction.number, times=1))

    assert says(channel.submit(instruction, deadline_s=DEADLINE_S), cause)
    assert channel.query(instruction, deadline_s=DEADLINE_S) == NotFound()
    assert times_paid(director, instruction) == 0
    assert isinstance(channel.submit(instruction, deadline_s=DEADLINE_S), Succeeded)
    assert times_paid(director, instruction) == 1


@pytest.mark.parametrize(
    ("kind", "code"), [("refund", "TRADE_NOT_ALLOW_REFUND"), ("transfer", "PAYEE_NOT_EXIST")]
)
def test_a_refusal_is_definite(
    channel: AlipayChannel, director: AlipayDirector, kind: str, code: str
) -> None:
    instruction = an_instruction(kind, channel, director)
    director.misbehave(Rule(Fault.REFUSE, number=instruction.number))

    assert channel.submit(instruction, deadline_s=DEADLINE_S) == FailedDefinite(code)
    assert times_paid(director, instruction) == 0


@pytest.mark.parametrize("kind", ["refund", "transfer"])
@pytest.mark.parametrize(("fault", "cause"), [*TAKEN, *LOST, (Fault.OTHER_AMOUNT, "echo_mismatch")])
def test_a_question_with_a_strange_answer_says_nothing(
    channel: AlipayChannel, director: AlipayDirector, kind: str, fault: Fault, cause: str
) -> None:
    instruction = an_instruction(kind, channel, director)
    channel.submit(instruction, deadline_s=DEADLINE_S)
    director.misbehave(Rule(fault, Operation.QUERY, number=instruction.number, times=1))

    assert says(channel.query(instruction, deadline_s=DEADLINE_S), cause)
    assert isinstance(channel.query(instruction, deadline_s=DEADLINE_S), Succeeded)


def test_a_refund_of_less_than_was_asked_is_not_believed(
    channel: AlipayChannel, director: AlipayDirector
) -> None:
    refund = a_refund(channel, director)
    director.misbehave(Rule(Fault.OTHER_AMOUNT, number=refund.number))

    assert channel.submit(refund, deadline_s=DEADLINE_S) == Unknown("echo_mismatch")
    assert isinstance(channel.query(refund, deadline_s=DEADLINE_S), Succeeded)


@pytest.mark.parametrize("fault", [Fault.LATE_ANSWER, Fault.DRIP_ANSWER])
def test_the_deadline_holds_for_the_whole_call(
    channel: AlipayChannel, director: AlipayDirector, fault: Fault
) -> None:
    refund = a_refund(channel, director)
    director.misbehave(Rule(fault, number=refund.number, seconds=3))
    started_s = time.monotonic()

    outcome = channel.submit(refund, deadline_s=SHORT_S)

    assert outcome == Unknown("deadline")
    assert time.monotonic() - started_s < SHORT_S + 2


def test_a_channel_that_is_not_there_is_not_sent_to(
    process: AlipayProcess, channel: AlipayChannel, director: AlipayDirector
) -> None:
    nobody = adapter(process, base_url="http://127.0.0.1:9")

    assert nobody.submit(a_refund(channel, director), deadline_s=DEADLINE_S) == NotSent(
        "connect_error"
    )


# Money out: to accounts and cards.


@pytest.mark.parametrize("instruction", [to_account(), to_account("payee@sim.invalid"), to_card()])
def test_a_transfer_is_paid_once_and_the_query_says_so(
    channel: AlipayChannel, director: AlipayDirector, instruction: PayoutInstruction
) -> None:
    director.fund(200_00)

    before = channel.query(instruction, deadline_s=DEADLINE_S)
    outcomes = [channel.submit(instruction, deadline_s=DEADLINE_S) for _ in range(3)]
    after = channel.query(instruction, deadline_s=DEADLINE_S)

    assert before == NotFound()
    assert isinstance(after, Succeeded)
    assert {type(outcome) for outcome in outcomes} == {Succeeded}
    assert times_paid(director, instruction) == 1


def test_a_company_s_account_is_paid_with_the_number_of_its_bank(
    channel: AlipayChannel, director: AlipayDirector
) -> None:
    director.fund(200_00)
    whole = to_card(is_company=True, bank_code="308584001032")
    without = to_card(is_company=True)

    assert isinstance(channel.submit(whole, deadline_s=DEADLINE_S), Succeeded)
    assert channel.submit(without, deadline_s=DEADLINE_S) == FailedDefinite("missing_bank_details")


def test_a_transfer_is_dealt_with_then_paid_then_returned(
    channel: AlipayChannel, director: AlipayDirector
) -> None:
    director.fund(200_00)
    director.set(processing_s="3600")
    transfer = to_card()
    director.misbehave(
        Rule(Fault.RETURN_LATER, number=transfer.number, seconds=3 * DAY_S, code="CARD_CLOSED")
    )

    outcomes = [channel.submit(transfer, deadline_s=DEADLINE_S)]
    for seconds in (3600, 3 * DAY_S):
        director.advance(seconds=seconds)
        outcomes.append(channel.query(transfer, deadline_s=DEADLINE_S))

    assert [type(outcome) for outcome in outcomes] == [Accepted, Succeeded, Returned]
    assert isinstance(outcomes[2], Returned)
    assert outcomes[2].code == "CARD_CLOSED"
    assert director.paid()[transfer.number]["with_payee_minor"] == 0


def test_a_transfer_that_failed_says_why_and_was_not_paid(
    channel: AlipayChannel, director: AlipayDirector
) -> None:
    director.fund(200_00)
    transfer = to_card()
    director.misbehave(Rule(Fault.FAIL_LATER, number=transfer.number))

    channel.submit(transfer, deadline_s=DEADLINE_S)

    assert channel.query(transfer, deadline_s=DEADLINE_S) == FailedDefinite("PAYEE_CARD_INFO_ERROR")
    assert times_paid(director, transfer) == 0


def test_a_name_that_is_not_the_account_s_is_refused(
    channel: AlipayChannel, director: AlipayDirector
) -> None:
    director.fund(200_00)
    director.set(**{"name:other@sim.invalid": "王小明"})
    transfer = to_account("other@sim.invalid", name="李小红")

    outcome = channel.submit(transfer, deadline_s=DEADLINE_S)

    assert outcome == FailedDefinite("PAYEE_USER_INFO_ERROR")
    assert times_paid(director, transfer) == 0


def test_a_paid_transfer_can_be_not_found_for_a_while(
    channel: AlipayChannel, director: AlipayDirector
) -> None:
    director.fund(200_00)
    transfer = to_card()
    director.misbehave(
        Rule(Fault.HIDDEN, number=transfer.number, seconds=300),
        Rule(Fault.DROP_ANSWER, number=transfer.number),
    )

    channel.submit(transfer, deadline_s=DEADLINE_S)
    hidden = channel.query(transfer, deadline_s=DEADLINE_S)
    director.advance(seconds=301)

    assert hidden == NotFound()
    assert isinstance(channel.query(transfer, deadline_s=DEADLINE_S), Succeeded)
    assert times_paid(director, transfer) == 1


def test_a_number_with_another_amount_is_not_this_transfer(
    channel: AlipayChannel, director: AlipayDirector
) -> None:
    director.fund(400_00)
    transfer = to_card()
    channel.submit(transfer, deadline_s=DEADLINE_S)
    changed = replace(transfer, amount=Money(100, "CNY"))

    assert channel.submit(changed, deadline_s=DEADLINE_S) == Unknown("PAYMENT_INFO_INCONSISTENCY")
    assert channel.query(changed, deadline_s=DEADLINE_S) == Unknown("echo_mismatch")
    assert times_paid(director, transfer) == 1


# Keys.


def test_an_exchanged_certificate_is_unknown_until_its_file_is_there(
    process: AlipayProcess, director: AlipayDirector
) -> None:
    old = adapter(process)
    refund = a_refund(old, director)
    new_file = Path(director.rotate(CERTIFICATE_MODE))
    both = adapter(process, alipay_keys=(*old._settings.alipay_keys, read_certificate(new_file)))

    assert old.submit(refund, deadline_s=DEADLINE_S) == Unknown("certificate_unknown")
    assert isinstance(both.query(refund, deadline_s=DEADLINE_S), Succeeded)
    assert times_paid(director, refund) == 1


def test_an_exchanged_public_key_is_unknown_until_its_file_is_there(
    process: AlipayProcess, director: AlipayDirector, in_key_mode: AlipayChannel
) -> None:
    refund = a_refund(in_key_mode, director)
    director.rotate(KEY_MODE)

    assert in_key_mode.submit(refund, deadline_s=DEADLINE_S) == Unknown("signature_wrong")
    new = adapter(process, mode=KEY_MODE)
    assert isinstance(new.query(refund, deadline_s=DEADLINE_S), Succeeded)


# Notifications.


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ((), [True]),
        ((Fault.NOTIFY_TWICE,), [True, True]),
        ((Fault.NOTIFY_NEVER,), []),
        ((Fault.NOTIFY_FORGED,), [RefusedBecause.FORGED, True]),
        ((Fault.NOTIFY_CHANGED,), [RefusedBecause.FORGED, True]),
        ((Fault.NOTIFY_STALE,), [RefusedBecause.STALE, True]),
    ],
)
def test_a_notification_names_its_number_if_it_is_genuine(
    process: AlipayProcess,
    director: AlipayDirector,
    faults: tuple[Fault, ...],
    told: list[object],
) -> None:
    receiver = Receiver(b"success")
    channel, order = adapter(process, notify_url=receiver.url), an_order()
    director.misbehave(*(Rule(fault, Operation.PAY, number=order.number) for fault in faults))

    channel.open_pay_in(order, deadline_s=DEADLINE_S)
    director.pay(order.number)
    director.deliver()

    receiver.close()
    read = [channel.read_notification({}, one.body, now=read_clock()) for one in receiver.received]
    assert [
        one.reason if isinstance(one, NotificationRefused) else one.number == order.number
        for one in read
    ] == told
    genuine = [one for one in read if isinstance(one, Notification)]
    assert {one.subject for one in genuine} <= {NotificationSubject.PAY_IN}
    assert len({one.event_id for one in genuine}) <= 1


# Bills. They have a process of their own, whose clock was set back: its day is over for us.


@pytest.fixture(scope="module")
def past_day() -> dt.date:
    return read_clock().astimezone(BEIJING).date() - dt.timedelta(days=2)


@pytest.fixture(scope="module")
def day(
    tmp_path_factory: pytest.TempPathFactory, past_day: dt.date
) -> Iterator[tuple[AlipayProcess, PayInOrder, PayoutInstruction, PayoutInstruction]]:
    """A day on which a deposit came, a part went back, a transfer was paid and came back."""
    noon = dt.datetime.combine(past_day, dt.time(12), BEIJING)
    process = AlipayProcess(tmp_path_factory.mktemp("bills"), "--clock", noon.isoformat())
    channel, director = adapter(process), process.director()
    director.fund(1_000_00)
    order, transfer = an_order(), to_card()
    channel.open_pay_in(order, deadline_s=DEADLINE_S)
    payment = OriginalPayment(director.pay(order.number), PAID)
    refund = PayoutInstruction(a_number("KTR"), Money(123_45, "CNY"), payment)
    channel.submit(refund, deadline_s=DEADLINE_S)
    channel.submit(transfer, deadline_s=DEADLINE_S)
    director.return_now(transfer.number, code="CARD_CLOSED")
    director.advance(seconds=2 * DAY_S)
    director.close()
    yield process, order, refund, transfer
    process.stop()


def test_a_day_s_bills_say_what_happened(day: Any, past_day: dt.date) -> None:
    process, order, refund, transfer = day
    channel = adapter(process)

    bills = {}
    for kind in StatementKind:
        fetched = channel.fetch_statement(kind, past_day, deadline_s=DEADLINE_S)
        assert isinstance(fetched, StatementFetched)
        bills[kind] = channel.read_statement(kind, fetched.content)

    assert {bill.day for bill in bills.values()} == {past_day}
    assert {
        (one.kind, one.number, one.amount.minor) for one in bills[StatementKind.TRADES].lines
    } == {
        (LineKind.PAY_IN, order.number, 500_00),
        (LineKind.REFUND, refund.number, 123_45),
    }
    assert {
        (one.kind, one.number, one.amount.minor) for one in bills[StatementKind.FUNDS].lines
    } == {
        (LineKind.TRANSFER, "top_up-0", 1_000_00),
        (LineKind.PAY_IN, order.number, 500_00),
        (LineKind.REFUND, "", 123_45),
        (LineKind.PAYOUT, transfer.number, 200_00),
        (LineKind.RETURN, transfer.number, 200_00),
    }
    closing = 1_000_00 + 500_00 - 123_45 - 200_00 + 200_00
    assert bills[StatementKind.FUNDS].closing_balance == Money(closing, "CNY")
    assert bills[StatementKind.TRADES].closing_balance is None


def test_a_day_without_events_has_no_bill(day: Any, past_day: dt.date) -> None:
    channel = adapter(day[0])
    empty = past_day - dt.timedelta(days=1)

    for kind in StatementKind:
        assert channel.fetch_statement(kind, empty, deadline_s=DEADLINE_S) == StatementEmpty()


@pytest.mark.parametrize("kind", list(StatementKind))
@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault.BILL_LATE, StatementAbsent()),
        (Fault.ERROR_BEFORE, Unknown("unsigned.isp.unknow-error")),
        (Fault.UNSIGNED, Unknown("unsigned.10000")),
        (Fault.GARBAGE, Unknown("unreadable")),
    ],
)
def test_a_bill_that_is_late_or_announced_by_nobody_is_not_taken(
    day: Any, past_day: dt.date, kind: StatementKind, fault: Fault, outcome: object
) -> None:
    director = day[0].director()
    director.misbehave(Rule(fault, Operation.STATEMENT))

    fetched = adapter(day[0]).fetch_statement(kind, past_day, deadline_s=DEADLINE_S)

    director.behave()
    director.close()
    assert fetched == outcome


@pytest.mark.parametrize("kind", list(StatementKind))
@pytest.mark.parametrize("fault", [Fault.LINE_DECIMALS, Fault.TOTALS_WRONG])
def test_a_bill_that_does_not_add_up_is_refused(
    day: Any, past_day: dt.date, kind: StatementKind, fault: Fault
) -> None:
    fetched = fetched_with(fault, day[0], kind, past_day)

    with pytest.raises(StatementRefused):
        adapter(day[0]).read_statement(kind, fetched.content)


@pytest.mark.parametrize("kind", list(StatementKind))
@pytest.mark.parametrize("fault", [Fault.LINE_EXTRA, Fault.LINE_MISSING, Fault.LINE_CHANGED])
def test_a_bill_that_adds_up_and_lies_is_read_for_reconciliation_to_see(
    day: Any, past_day: dt.date, kind: StatementKind, fault: Fault
) -> None:
    channel = adapter(day[0])
    honest = channel.fetch_statement(kind, past_day, deadline_s=DEADLINE_S)
    lying = fetched_with(fault, day[0], kind, past_day)
    assert isinstance(honest, StatementFetched)

    truth, lie = (channel.read_statement(kind, one.content).lines for one in (honest, lying))

    assert [(one.number, one.amount) for one in lie] != [(one.number, one.amount) for one in truth]


def fetched_with(
    fault: Fault, process: AlipayProcess, kind: StatementKind, day: dt.date
) -> StatementFetched:
    director = process.director()
    director.misbehave(Rule(fault, Operation.STATEMENT))
    fetched = adapter(process).fetch_statement(kind, day, deadline_s=DEADLINE_S)
    director.behave()
    director.close()
    assert isinstance(fetched, StatementFetched)
    return fetched


# Everything at once.


@pytest.mark.parametrize("seed", [1, 2])
def test_in_any_trouble_nothing_is_raised_and_nothing_is_paid_twice(
    channel: AlipayChannel, director: AlipayDirector, seed: int
) -> None:
    director.fund(600_00)
    instructions = [a_refund(channel, director) for _ in range(3)]
    instructions += [to_card() for _ in range(3)]
    director.set(seed=str(seed))
    director.misbehave(*troubles(0.5))

    for _ in range(2):
        for instruction in instructions:
            channel.submit(instruction, deadline_s=DEADLINE_S)
            channel.query(instruction, deadline_s=DEADLINE_S)
    director.behave()

    for instruction in instructions:
        paid = times_paid(director, instruction)
        said = channel.query(instruction, deadline_s=DEADLINE_S)
        assert paid <= 1
        assert isinstance(said, Succeeded) == (paid == 1)
