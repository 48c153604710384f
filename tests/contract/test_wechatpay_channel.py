"""Our WeChat Pay adapter against the simulated WeChat Pay: two people's reading of one protocol."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    LineKind,
    NeededAction,
    NeedsAction,
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
    RejectedConfig,
    StatementEmpty,
    StatementFetched,
    StatementKind,
    StatementNotReady,
    StatementRefused,
    Succeeded,
    Unknown,
)
from kuaitui.channels.simulator.faults import Fault, Operation, Rule, troubles
from kuaitui.channels.simulator.wechatpay.director import WechatPayDirector
from kuaitui.channels.simulator.wechatpay.process import settings_entry
from kuaitui.channels.wechatpay import KeyMode, WeChatPayChannel, WeChatPaySettings
from kuaitui.channels.wechatpay.keys import read_public_key
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.money import Money
from tests.support.receiver import Receiver
from tests.support.wechatpay import WechatPayProcess

DEADLINE_S = 5.0
SHORT_S = 0.5
DAY_S = 86400
PAID = Money(500_00, "CNY")
BEIJING = dt.timezone(dt.timedelta(hours=8))
CARD = PayeeAccount("王小明", "招商银行", "6225880112345678")
_numbers = itertools.count(1)


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
    director.set(
        key_mode="public_key", processing_s="0", accepts_without_balance="0", cancelling_s="0"
    )
    director.close()


@pytest.fixture
def channel(process: WechatPayProcess) -> WeChatPayChannel:
    return adapter(process)


def adapter(process: WechatPayProcess, **changes: Any) -> WeChatPayChannel:
    return WeChatPayChannel(replace(settings_of(process), **changes), clock=read_clock)


@functools.cache
def settings_of(process: WechatPayProcess) -> WeChatPaySettings:
    """What the simulator prints for `KUAITUI_CHANNELS`, as the adapter reads it."""
    return WeChatPaySettings.parse(
        {
            name: value
            for name, value in settings_entry(process.options).items()
            if name != "adapter"
        }
    )


def a_number(prefix: str) -> str:
    return f"{prefix}{next(_numbers):020d}"


def an_order(method: PayInMethod = PayInMethod.QR_CODE, **changes: Any) -> PayInOrder:
    return PayInOrder(
        number=a_number("KTP"),
        amount=PAID,
        method=method,
        description="店铺保证金",
        # The simulator's clock jumps ahead for more than a year.
        expires_at=read_clock() + dt.timedelta(days=4000),
        payer_ip="203.0.113.7",
        **changes,
    )


def a_payment(channel: WeChatPayChannel, director: WechatPayDirector) -> OriginalPayment:
    """A deposit that was really paid in."""
    order = an_order()
    assert isinstance(channel.open_pay_in(order, deadline_s=DEADLINE_S), PayInOpened)
    return OriginalPayment(director.pay(order.number), order.amount)


def a_refund(
    channel: WeChatPayChannel, director: WechatPayDirector, *, fen: int = 200_00
) -> PayoutInstruction:
    return PayoutInstruction(a_number("KTR"), Money(fen, "CNY"), a_payment(channel, director))


def a_transfer(*, fen: int = 200_00, name: str = "王小明") -> PayoutInstruction:
    payee = PayeeAccount(name, "", "oPayee0001", PayeeKind.WECHAT_USER)
    return PayoutInstruction(a_number("KTT"), Money(fen, "CNY"), payee)


def times_paid(director: WechatPayDirector, instruction: PayoutInstruction) -> int:
    return director.paid().get(instruction.number, {"times_paid": 0})["times_paid"]


# Money in.


@pytest.mark.parametrize("method", list(PayInMethod))
def test_a_deposit_is_opened_paid_and_found(
    channel: WeChatPayChannel, director: WechatPayDirector, method: PayInMethod
) -> None:
    order = an_order(method)

    unknown = channel.query_pay_in(order, deadline_s=DEADLINE_S)
    opened = channel.open_pay_in(order, deadline_s=DEADLINE_S)
    again = channel.open_pay_in(order, deadline_s=DEADLINE_S)
    waiting = channel.query_pay_in(order, deadline_s=DEADLINE_S)
    payment = director.pay(order.number)
    paid = channel.query_pay_in(order, deadline_s=DEADLINE_S)

    assert unknown == NotFound()
    assert isinstance(opened, PayInOpened)
    assert isinstance(again, PayInOpened)
    assert again.pay_url == opened.pay_url
    assert waiting == PayInWaiting()
    assert isinstance(paid, PayInPaid)
    assert (paid.reference, paid.amount) == (payment, PAID)


def test_a_deposit_paid_before_it_is_closed_is_paid(
    channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    order, other = an_order(), an_order()
    for one in (order, other):
        channel.open_pay_in(one, deadline_s=DEADLINE_S)
    director.pay(order.number)

    closed = channel.close_pay_in(order, deadline_s=DEADLINE_S)
    opened = channel.open_pay_in(order, deadline_s=DEADLINE_S)
    empty = channel.close_pay_in(other, deadline_s=DEADLINE_S)

    assert isinstance(closed, PayInPaid)
    assert opened == closed
    assert empty == PayInClosed()
    assert channel.query_pay_in(other, deadline_s=DEADLINE_S) == PayInClosed()
    assert channel.open_pay_in(other, deadline_s=DEADLINE_S) == PayInClosed()
    assert channel.close_pay_in(an_order(), deadline_s=DEADLINE_S) == NotFound()


def test_a_deposit_under_a_number_of_another_order_is_never_opened_as_new(
    channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    order = an_order()
    channel.open_pay_in(order, deadline_s=DEADLINE_S)

    changed = channel.open_pay_in(replace(order, amount=Money(1, "CNY")), deadline_s=DEADLINE_S)

    assert changed == Unknown("http_400_INVALID_REQUEST")


def test_a_deposit_paid_with_another_amount_says_so(
    channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    order = an_order()
    channel.open_pay_in(order, deadline_s=DEADLINE_S)
    director.pay(order.number, amount_minor=7)

    paid = channel.query_pay_in(order, deadline_s=DEADLINE_S)

    assert isinstance(paid, PayInPaid)
    assert paid.amount == Money(7, "CNY")


# Money out: along the payment.


def test_a_refund_is_paid_once_and_the_query_says_so(
    channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    refund = a_refund(channel, director)

    before = channel.query(refund, deadline_s=DEADLINE_S)
    with ThreadPoolExecutor(4) as threads:
        outcomes = list(
            threads.map(lambda _: channel.submit(refund, deadline_s=DEADLINE_S), range(8))
        )

    assert before == NotFound()
    assert isinstance(outcomes[0], Succeeded)
    assert len(set(outcomes)) == 1
    assert channel.query(refund, deadline_s=DEADLINE_S) == outcomes[0]
    assert times_paid(director, refund) == 1


def test_a_refund_takes_its_time(channel: WeChatPayChannel, director: WechatPayDirector) -> None:
    director.set(processing_s="3600")
    refund = a_refund(channel, director)

    submitted = channel.submit(refund, deadline_s=DEADLINE_S)
    paid_before = times_paid(director, refund)
    director.advance(seconds=3601)

    assert isinstance(submitted, Accepted)
    assert paid_before == 0
    assert isinstance(channel.query(refund, deadline_s=DEADLINE_S), Succeeded)
    assert times_paid(director, refund) == 1


def test_a_number_with_another_amount_is_not_this_refund(
    channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    refund = a_refund(channel, director)
    channel.submit(refund, deadline_s=DEADLINE_S)
    changed = replace(refund, amount=Money(1, "CNY"))

    assert channel.query(changed, deadline_s=DEADLINE_S) == Unknown("echo_mismatch")
    assert channel.submit(changed, deadline_s=DEADLINE_S) == Unknown("echo_mismatch")
    assert times_paid(director, refund) == 1


def test_a_second_refund_within_a_minute_is_unknown_and_pays_later_under_its_number(
    channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    first = a_refund(channel, director)
    second = replace(first, number=a_number("KTR"))
    channel.submit(first, deadline_s=DEADLINE_S)

    hasty = channel.submit(second, deadline_s=DEADLINE_S)
    director.advance(seconds=61)
    patient = channel.submit(second, deadline_s=DEADLINE_S)

    assert hasty == Unknown("http_429_FREQUENCY_LIMITED")
    assert isinstance(patient, Succeeded)
    assert times_paid(director, second) == 1


def test_without_money_the_same_number_pays_after_a_top_up(
    channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    refund = a_refund(channel, director)
    balance = director.book()["balances"]["merchant"]
    director.fund(-balance)

    poor = channel.submit(refund, deadline_s=DEADLINE_S)
    director.fund(balance)
    rich = channel.submit(refund, deadline_s=DEADLINE_S)

    assert poor == FailedDefinite("NOT_ENOUGH", same_key_retry_ok=True)
    assert isinstance(rich, Succeeded)
    assert times_paid(director, refund) == 1


def test_a_refund_without_money_for_seven_days_is_closed_for_good(
    channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    director.set(accepts_without_balance="1")
    refund = a_refund(channel, director)
    balance = director.book()["balances"]["merchant"]
    director.fund(-balance)

    accepted = channel.submit(refund, deadline_s=DEADLINE_S)
    director.advance(seconds=8 * DAY_S)
    closed = channel.query(refund, deadline_s=DEADLINE_S)
    director.fund(balance)

    assert isinstance(accepted, Accepted)
    assert closed == FailedDefinite("CLOSED")
    assert channel.query(refund, deadline_s=DEADLINE_S) == closed
    assert times_paid(director, refund) == 0


def test_a_payment_of_more_than_a_year_ago_is_not_refunded(
    channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    refund = a_refund(channel, director)
    director.advance(seconds=366 * DAY_S)

    outcome = channel.submit(refund, deadline_s=DEADLINE_S)

    assert outcome == FailedDefinite("INVALID_REQUEST")
    assert times_paid(director, refund) == 0


def test_a_stuck_refund_waits_for_a_person_and_goes_to_a_card(
    channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    refund = a_refund(channel, director)
    director.misbehave(Rule(Fault.ABNORMAL, number=refund.number))

    stuck = channel.submit(refund, deadline_s=DEADLINE_S)
    assert isinstance(stuck, NeedsAction)
    paid_before = times_paid(director, refund)
    sent_on = [
        channel.hand_over(refund, reference=stuck.reference, payee=CARD, deadline_s=DEADLINE_S)
        for _ in range(2)
    ]

    assert stuck.action is NeededAction.ABNORMAL_REFUND
    assert paid_before == 0
    assert isinstance(sent_on[0], Succeeded)
    assert sent_on[1] == sent_on[0]
    assert times_paid(director, refund) == 1
    row = next(row for row in director.book()["refunds"] if row["out_refund_no"] == refund.number)
    assert row["received_account"] == "CMB_DEBIT5678"


# Every fault that an answer can have. What the query finds then is the truth.

TAKEN = [
    (Fault.DROP_ANSWER, Unknown("remote_protocol_error")),
    (Fault.ERROR_AFTER, Unknown("http_500_SYSTEM_ERROR")),
    (Fault.BUSY_AFTER, Unknown("http_429_FREQUENCY_LIMITED")),
    (Fault.GARBAGE, Unknown("unreadable")),
    (Fault.BAD_SIGNATURE, Unknown("signature_wrong")),
    (Fault.UNSIGNED, Unknown("signature_missing")),
    (Fault.OTHER_NUMBER, Unknown("echo_mismatch")),
    (Fault.NEW_CODE, Unknown("http_400_CODE_OF_TOMORROW")),
]
LOST = [
    (Fault.ERROR_BEFORE, Unknown("http_500_SYSTEM_ERROR")),
    (Fault.BUSY_BEFORE, Unknown("http_429_FREQUENCY_LIMITED")),
    (Fault.DROP_BEFORE, Unknown("remote_protocol_error")),
]
REFUSED = [
    (Fault.REFUSE, FailedDefinite("USER_ACCOUNT_ABNORMAL")),
    (Fault.NOT_PERMITTED, RejectedConfig("NO_AUTH")),
]


@pytest.mark.parametrize(
    ("fault", "outcome"), [*TAKEN, (Fault.OTHER_AMOUNT, Unknown("echo_mismatch"))]
)
def test_a_refund_with_a_lost_or_strange_answer_is_unknown_and_the_query_finds_it(
    channel: WeChatPayChannel, director: WechatPayDirector, fault: Fault, outcome: Unknown
) -> None:
    refund = a_refund(channel, director)
    director.misbehave(Rule(fault, number=refund.number))

    assert channel.submit(refund, deadline_s=DEADLINE_S) == outcome
    assert isinstance(channel.query(refund, deadline_s=DEADLINE_S), Succeeded)
    assert times_paid(director, refund) == 1


@pytest.mark.parametrize(("fault", "outcome"), TAKEN)
def test_a_transfer_with_a_lost_or_strange_answer_is_unknown_and_the_query_finds_it(
    channel: WeChatPayChannel, director: WechatPayDirector, fault: Fault, outcome: Unknown
) -> None:
    director.fund(200_00)
    transfer = a_transfer()
    director.misbehave(Rule(fault, number=transfer.number))

    assert channel.submit(transfer, deadline_s=DEADLINE_S) == outcome
    found = channel.query(transfer, deadline_s=DEADLINE_S)
    assert isinstance(found, NeedsAction)
    again = channel.submit(transfer, deadline_s=DEADLINE_S)
    assert isinstance(again, NeedsAction | Unknown)
    director.confirm(transfer.number)
    assert isinstance(channel.query(transfer, deadline_s=DEADLINE_S), Succeeded)
    assert times_paid(director, transfer) == 1


@pytest.mark.parametrize("kind", ["refund", "transfer"])
@pytest.mark.parametrize(("fault", "outcome"), [*LOST, *REFUSED])
def test_what_never_got_in_is_not_found_and_the_same_number_pays_later(
    channel: WeChatPayChannel,
    director: WechatPayDirector,
    kind: str,
    fault: Fault,
    outcome: Unknown,
) -> None:
    director.fund(200_00)
    instruction = a_refund(channel, director) if kind == "refund" else a_transfer()
    director.misbehave(Rule(fault, number=instruction.number, times=1))

    assert channel.submit(instruction, deadline_s=DEADLINE_S) == outcome
    assert channel.query(instruction, deadline_s=DEADLINE_S) == NotFound()
    assert times_paid(director, instruction) == 0
    assert isinstance(channel.submit(instruction, deadline_s=DEADLINE_S), Succeeded | NeedsAction)


@pytest.mark.parametrize(
    ("fault", "outcome"), [*TAKEN, *LOST, (Fault.OTHER_AMOUNT, Unknown("echo_mismatch"))]
)
def test_a_question_with_a_strange_answer_says_nothing(
    channel: WeChatPayChannel, director: WechatPayDirector, fault: Fault, outcome: Unknown
) -> None:
    refund = a_refund(channel, director)
    paid = channel.submit(refund, deadline_s=DEADLINE_S)
    director.misbehave(Rule(fault, Operation.QUERY, number=refund.number, times=1))

    assert channel.query(refund, deadline_s=DEADLINE_S) == outcome
    assert channel.query(refund, deadline_s=DEADLINE_S) == paid


@pytest.mark.parametrize("fault", [Fault.LATE_ANSWER, Fault.DRIP_ANSWER])
def test_the_deadline_holds_for_the_whole_call(
    channel: WeChatPayChannel, director: WechatPayDirector, fault: Fault
) -> None:
    refund = a_refund(channel, director)
    director.misbehave(Rule(fault, number=refund.number, seconds=3))
    started_s = time.monotonic()

    outcome = channel.submit(refund, deadline_s=SHORT_S)

    assert outcome == Unknown("deadline")
    assert time.monotonic() - started_s < SHORT_S + 1


def test_the_deadline_is_one_for_a_refusal_and_the_question_after_it(
    channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    transfer = a_transfer(fen=900_000_00)
    director.misbehave(Rule(Fault.LATE_ANSWER, Operation.QUERY, number=transfer.number, seconds=3))
    started_s = time.monotonic()

    outcome = channel.submit(transfer, deadline_s=SHORT_S)

    assert isinstance(outcome, Unknown)
    assert outcome.cause.endswith("deadline")
    assert time.monotonic() - started_s < SHORT_S + 1


def test_a_number_hidden_for_a_while_is_not_found_until_it_shows(
    channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    refund = a_refund(channel, director)
    director.misbehave(
        Rule(Fault.HIDDEN, number=refund.number, seconds=300),
        Rule(Fault.DROP_ANSWER, number=refund.number),
    )

    channel.submit(refund, deadline_s=DEADLINE_S)
    hidden = channel.query(refund, deadline_s=DEADLINE_S)
    director.advance(seconds=301)

    assert hidden == NotFound()
    assert isinstance(channel.query(refund, deadline_s=DEADLINE_S), Succeeded)


def test_a_channel_that_is_not_there_is_not_sent_to(
    process: WechatPayProcess, channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    nobody = adapter(process, base_url="http://127.0.0.1:9")

    assert nobody.submit(a_refund(channel, director), deadline_s=DEADLINE_S) == NotSent(
        "connect_error"
    )


# Money out: to a user.


def test_a_transfer_is_paid_when_the_payee_confirms(
    channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    director.fund(200_00)
    transfer = a_transfer()

    waits = channel.submit(transfer, deadline_s=DEADLINE_S)
    again = channel.submit(transfer, deadline_s=DEADLINE_S)
    paid_before = times_paid(director, transfer)
    director.confirm(transfer.number)
    paid = channel.query(transfer, deadline_s=DEADLINE_S)

    assert isinstance(waits, NeedsAction)
    assert waits.action is NeededAction.USER_CONFIRM
    assert waits.hand_over
    assert again == waits
    assert paid_before == 0
    assert isinstance(paid, Succeeded)
    assert times_paid(director, transfer) == 1


def test_a_large_transfer_goes_with_the_name_that_only_wechat_pay_can_read(
    channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    director.fund(2 * 3_000_00)
    director.set(**{"name:oPayee0001": "王小明"})
    right, wrong = a_transfer(fen=3_000_00), a_transfer(fen=3_000_00, name="李小红")

    assert isinstance(channel.submit(right, deadline_s=DEADLINE_S), NeedsAction)
    assert channel.submit(wrong, deadline_s=DEADLINE_S) == FailedDefinite("NAME_NOT_CORRECT")
    director.set(**{"name:oPayee0001": ""})


def test_a_transfer_nobody_confirms_is_closed_later_than_promised(
    channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    director.fund(200_00)
    transfer = a_transfer()
    director.misbehave(Rule(Fault.CLOSE_LATE, number=transfer.number, seconds=3600))

    channel.submit(transfer, deadline_s=DEADLINE_S)
    director.advance(seconds=DAY_S + 60)
    still = channel.query(transfer, deadline_s=DEADLINE_S)
    director.advance(seconds=3600)
    closed = channel.query(transfer, deadline_s=DEADLINE_S)

    assert isinstance(still, NeedsAction)
    assert closed == FailedDefinite("OVERDUE_CLOSE")
    assert times_paid(director, transfer) == 0


def test_a_transfer_is_called_back_before_it_is_confirmed(
    channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    director.fund(200_00)
    director.set(cancelling_s="60")
    transfer = a_transfer()
    channel.submit(transfer, deadline_s=DEADLINE_S)

    underway = channel.cancel(transfer, deadline_s=DEADLINE_S)
    director.advance(seconds=61)
    cancelled = channel.cancel(transfer, deadline_s=DEADLINE_S)

    assert isinstance(underway, Accepted)
    assert cancelled == FailedDefinite("CANCELLED")
    assert times_paid(director, transfer) == 0


def test_a_confirmed_transfer_cannot_be_called_back(
    channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    director.fund(200_00)
    transfer = a_transfer()
    channel.submit(transfer, deadline_s=DEADLINE_S)
    director.confirm(transfer.number)

    assert isinstance(channel.cancel(transfer, deadline_s=DEADLINE_S), Succeeded)
    assert times_paid(director, transfer) == 1


# Keys.


def test_in_certificate_mode_certificates_are_learned_from_answers(
    process: WechatPayProcess, director: WechatPayDirector
) -> None:
    director.set(key_mode="certificate")
    channel = adapter(process, key_mode=KeyMode.CERTIFICATE, wechatpay_keys={})
    director.fund(3_000_00)

    first = channel.submit(a_transfer(fen=3_000_00), deadline_s=DEADLINE_S)
    director.rotate("certificate")
    refund = a_refund(channel, director)
    second = channel.submit(refund, deadline_s=DEADLINE_S)

    assert isinstance(first, NeedsAction)
    assert isinstance(second, Succeeded)


def test_a_new_public_key_is_used_beside_the_old_one(
    process: WechatPayProcess, director: WechatPayDirector
) -> None:
    old = adapter(process)
    key_id = director.rotate("public_key")
    settings_of.cache_clear()  # the tests after this one know the new key only
    refund = a_refund(old, director)
    new_key = read_public_key(key_id, (process.keys / "platform" / f"{key_id}.pem").read_bytes())
    both = adapter(process, wechatpay_keys={key_id: new_key, **old._settings.wechatpay_keys})

    assert isinstance(old.submit(refund, deadline_s=DEADLINE_S), Succeeded)
    assert isinstance(both.query(refund, deadline_s=DEADLINE_S), Succeeded)


def test_a_merchant_s_key_that_is_not_known_refuses_us(
    process: WechatPayProcess, channel: WeChatPayChannel, director: WechatPayDirector
) -> None:
    stranger = adapter(process, merchant_serial="00FF")

    outcome = stranger.submit(a_refund(channel, director), deadline_s=DEADLINE_S)

    assert outcome == RejectedConfig("SIGN_ERROR")


# Notifications.


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ((), [True]),
        ((Fault.NOTIFY_TWICE,), [True, True]),
        ((Fault.NOTIFY_NEVER,), []),
        ((Fault.NOTIFY_FIRST,), [True]),
        ((Fault.NOTIFY_PROBE,), [RefusedBecause.PROBE, True]),
        ((Fault.NOTIFY_FORGED,), [RefusedBecause.FORGED, True]),
        ((Fault.NOTIFY_CHANGED,), [RefusedBecause.FORGED, True]),
        ((Fault.NOTIFY_STALE,), [RefusedBecause.STALE, True]),
    ],
)
def test_a_notification_of_a_refund_names_its_number_if_it_is_genuine(
    process: WechatPayProcess,
    director: WechatPayDirector,
    receiver: Receiver,
    faults: tuple[Fault, ...],
    told: list[object],
) -> None:
    channel = adapter(process, notify_url=receiver.url)
    refund = a_refund(adapter(process), director)
    director.misbehave(*(Rule(fault, number=refund.number) for fault in faults))

    channel.submit(refund, deadline_s=DEADLINE_S)
    director.deliver()
    receiver.await_(len(told))

    read = [
        channel.read_notification(one.headers, one.body, now=read_clock())
        for one in receiver.received
    ]
    assert [
        one.reason if isinstance(one, NotificationRefused) else one.number == refund.number
        for one in read
    ] == told
    assert len({one.event_id for one in read if isinstance(one, Notification)}) <= 1


def test_each_event_says_what_it_is_about(
    process: WechatPayProcess, director: WechatPayDirector, receiver: Receiver
) -> None:
    channel = adapter(process, notify_url=receiver.url)
    director.fund(200_00)
    order, transfer = an_order(), a_transfer()

    channel.open_pay_in(order, deadline_s=DEADLINE_S)
    director.pay(order.number)
    channel.submit(transfer, deadline_s=DEADLINE_S)
    director.confirm(transfer.number)
    director.deliver()

    read = [
        channel.read_notification(one.headers, one.body, now=read_clock())
        for one in receiver.received
    ]
    assert {(one.subject, one.number) for one in read if isinstance(one, Notification)} == {
        (NotificationSubject.PAY_IN, order.number),
        (NotificationSubject.PAYOUT, transfer.number),
    }


# Bills. They have a process of their own, whose clock was set back: its day is over for us.


@pytest.fixture(scope="module")
def past_day() -> dt.date:
    return read_clock().astimezone(BEIJING).date() - dt.timedelta(days=2)


@pytest.fixture(scope="module")
def day(
    tmp_path_factory: pytest.TempPathFactory, past_day: dt.date
) -> Iterator[tuple[WechatPayProcess, PayInOrder, PayoutInstruction, PayoutInstruction]]:
    """A day on which a deposit came, a part went back, a transfer was paid, and money was added."""
    noon = dt.datetime.combine(past_day, dt.time(12), BEIJING)
    process = WechatPayProcess(tmp_path_factory.mktemp("bills"), "--clock", noon.isoformat())
    channel, director = adapter(process), process.director()
    director.fund(1_000_00)
    order, transfer = an_order(), a_transfer()
    channel.open_pay_in(order, deadline_s=DEADLINE_S)
    payment = OriginalPayment(director.pay(order.number), PAID)
    refund = PayoutInstruction(a_number("KTR"), Money(123_45, "CNY"), payment)
    channel.submit(refund, deadline_s=DEADLINE_S)
    channel.submit(transfer, deadline_s=DEADLINE_S)
    director.confirm(transfer.number)
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
        assert fetched.file_name.endswith(".csv.gz")
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
        (LineKind.REFUND, refund.number, 123_45),
        (LineKind.PAYOUT, transfer.number, 200_00),
    }


def test_a_day_without_events_has_no_bill(day: Any, past_day: dt.date) -> None:
    channel = adapter(day[0])
    empty = past_day - dt.timedelta(days=1)

    for kind in StatementKind:
        assert channel.fetch_statement(kind, empty, deadline_s=DEADLINE_S) == StatementEmpty()


@pytest.mark.parametrize("kind", list(StatementKind))
@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault.BILL_LATE, StatementNotReady()),
        (Fault.HASH_WRONG, Unknown("hash_mismatch")),
        (Fault.ERROR_BEFORE, Unknown("http_500_SYSTEM_ERROR")),
        (Fault.UNSIGNED, Unknown("signature_missing")),
        (Fault.GARBAGE, Unknown("unreadable")),
    ],
)
def test_a_bill_that_is_late_or_not_what_was_announced_is_not_taken(
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
    director, channel = day[0].director(), adapter(day[0])
    director.misbehave(Rule(fault, Operation.STATEMENT))
    fetched = channel.fetch_statement(kind, past_day, deadline_s=DEADLINE_S)
    director.behave()
    director.close()
    assert isinstance(fetched, StatementFetched)

    with pytest.raises(StatementRefused):
        channel.read_statement(kind, fetched.content)


@pytest.mark.parametrize("kind", list(StatementKind))
@pytest.mark.parametrize("fault", [Fault.LINE_EXTRA, Fault.LINE_MISSING, Fault.LINE_CHANGED])
def test_a_bill_that_adds_up_and_lies_is_read_for_reconciliation_to_see(
    day: Any, past_day: dt.date, kind: StatementKind, fault: Fault
) -> None:
    director, channel = day[0].director(), adapter(day[0])
    honest = channel.fetch_statement(kind, past_day, deadline_s=DEADLINE_S)
    director.misbehave(Rule(fault, Operation.STATEMENT))
    lying = channel.fetch_statement(kind, past_day, deadline_s=DEADLINE_S)
    director.behave()
    director.close()
    assert isinstance(honest, StatementFetched)
    assert isinstance(lying, StatementFetched)

    truth, lie = (channel.read_statement(kind, one.content).lines for one in (honest, lying))

    assert [(one.number, one.amount) for one in lie] != [(one.number, one.amount) for one in truth]


# Everything at once.


@pytest.mark.parametrize("seed", [1, 2])
def test_in_any_trouble_nothing_is_raised_and_nothing_is_paid_twice(
    process: WechatPayProcess, channel: WeChatPayChannel, director: WechatPayDirector, seed: int
) -> None:
    director.fund(600_00)
    instructions = [a_refund(channel, director) for _ in range(3)]
    instructions += [a_transfer() for _ in range(3)]
    director.set(seed=str(seed))
    director.misbehave(*troubles(0.5))

    for _ in range(2):
        for instruction in instructions:
            channel.submit(instruction, deadline_s=DEADLINE_S)
            channel.query(instruction, deadline_s=DEADLINE_S)
            channel.cancel(instruction, deadline_s=DEADLINE_S)
    director.behave()

    for instruction in instructions:
        paid = times_paid(director, instruction)
        said = channel.query(instruction, deadline_s=DEADLINE_S)
        assert paid <= 1
        assert isinstance(said, Succeeded) == (paid == 1)
