"""Money comes in through WeChat Pay: the same operations, its adapter, its simulator as a process."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from kuaitui.channels.port import OriginalPayment, PayeeAccount, PayInMethod, PayoutInstruction
from kuaitui.channels.registry import Channels, build_channels
from kuaitui.channels.simulator.faults import Fault, Operation, Rule
from kuaitui.channels.simulator.wechatpay.director import WechatPayDirector
from kuaitui.channels.simulator.wechatpay.process import settings_entry
from kuaitui.channels.wechatpay import WeChatPayChannel
from kuaitui.deposits import operations, queries
from kuaitui.deposits.states import PayInState, SuspenseState
from kuaitui.deposits.types import FoundBy, SuspenseReason
from kuaitui.kernel.clock import read_clock
from kuaitui.payouts import operations as payouts
from kuaitui.payouts.queries import SendBackView, send_back
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import Pace
from tests.support import pay_ins_given as pig
from tests.support import send_backs_given as sbg
from tests.support.given import DAY, yuan
from tests.support.wechatpay import WechatPayProcess, a_number

pytestmark = pytest.mark.django_db(transaction=True)
CHANNEL = "wechatpay"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WechatPayProcess]:
    process = WechatPayProcess(tmp_path_factory.mktemp("wechatpay"))
    yield process
    process.stop()


@pytest.fixture
def channels(process: WechatPayProcess) -> Channels:
    return build_channels({CHANNEL: settings_entry(process.options)}, clock=read_clock)


@pytest.fixture
def director(process: WechatPayProcess) -> Iterator[WechatPayDirector]:
    director = process.director()
    yield director
    director.close()


def started(channels: Channels, method: PayInMethod = PayInMethod.QR_CODE) -> pig.World:
    made = pig.world("¥200", required="¥500")
    made.now = read_clock()
    made.start(channel=CHANNEL, method=method, channels=channels)
    return made


def call(made: pig.World, channels: Channels) -> PayInState:
    """Make the next call now, as a hint would have it made."""
    operations.note_pay_in_hint(channel=CHANNEL, number=made.order.number, now=read_clock())
    operations.carry_out_pay_in(
        order_id=made.order_id, channels=channels, pace=pig.PACE, clock=read_clock
    )
    return made.state


@pytest.mark.parametrize("method", PayInMethod)
def test_a_payment_arrives_and_can_go_back_for_a_year(
    channels: Channels, director: WechatPayDirector, method: PayInMethod
) -> None:
    made = started(channels, method)
    assert call(made, channels) is PayInState.WAITING
    assert made.order.can_be_met(now=read_clock())

    transaction_id = director.pay(made.order.number)

    assert call(made, channels) is PayInState.PAID
    lot = queries.deposit(made.shop.account_id).lots[-1]
    assert (lot.amount, lot.channel_reference) == (yuan("¥300"), transaction_id)
    assert lot.refundable_until is not None
    assert (lot.refundable_until - lot.paid_at).days == 365


def test_an_order_is_closed_when_it_is_called_off(channels: Channels) -> None:
    made = started(channels)
    call(made, channels)
    operations.call_off_pay_in(
        order_id=made.order_id,
        shop_key=made.shop.shop_key,
        actor=made.shop.seller,
        now=read_clock(),
    )

    states = [call(made, channels) for _ in range(2)]

    assert states[-1] is PayInState.CLOSED


def test_money_for_a_number_nobody_here_has_lies_in_suspense(
    channels: Channels, director: WechatPayDirector
) -> None:
    about = {"channel": CHANNEL, "number": "strayNumber0001"}
    reference = director.pay(about["number"], amount_minor=700)

    operations.note_pay_in_hint(**about, now=read_clock())
    operations.ask_about_stray(**about, channels=channels, pace=pig.PACE, clock=read_clock)

    (case,) = queries.suspense_cases()
    assert (case.why, case.reference) == (SuspenseReason.NEVER_HEARD_OF, reference)
    assert case.amount == yuan("¥7")


def test_a_second_payment_of_one_order_lies_in_suspense(
    channels: Channels, director: WechatPayDirector
) -> None:
    made = started(channels)
    call(made, channels)
    director.pay(made.order.number)
    assert call(made, channels) is PayInState.PAID

    reference = director.pay(made.order.number)
    call(made, channels)
    found = {one.reference for one in queries.suspense_cases()}

    # A query may tell of the first payment only; then the bill names the second.
    if not found:
        operations.note_found_payment(
            found=operations.FoundPayment(
                channel=CHANNEL,
                reference=reference,
                number=made.order.number,
                amount=yuan("¥300"),
                paid_at=read_clock(),
                refundable_until=None,
            ),
            found_by=FoundBy.BILL,
            now=read_clock(),
        )
    (case,) = queries.suspense_cases()
    assert (case.why, case.reference) == (SuspenseReason.PAID_TWICE, reference)
    assert made.paid_in == yuan("¥500")


def test_a_number_of_a_channel_that_is_gone_is_given_up_and_stops_nobody_else() -> None:
    about = {"channel": "gone", "number": "strayNumber0002"}
    now = read_clock()
    operations.note_pay_in_hint(**about, now=now)

    for minutes in range(10):
        at = now + minutes * pig.MINUTE
        operations.ask_about_stray(
            **about, channels=Channels({}), pace=pig.PACE, clock=lambda at=at: at
        )

    assert queries.due_strays(now=now + DAY) == []


def ordered_back(channels: Channels, director: WechatPayDirector) -> SendBackView:
    """A payment that nobody here knows, and that two people ordered back."""
    number = a_number("STRANGE")
    payment = director.pay(number, amount_minor=300_00)
    director.fund(1_000_00)
    operations.note_pay_in_hint(channel=CHANNEL, number=number, now=read_clock())
    operations.ask_about_stray(
        channel=CHANNEL, number=number, channels=channels, pace=pig.PACE, clock=read_clock
    )
    case = next(one for one in queries.suspense_cases() if one.reference == payment)
    sbg.order_back(case.suspense_id, now=read_clock())
    send_back_id = payouts.begin_send_back(suspense_id=case.suspense_id, now=read_clock())
    assert send_back_id is not None
    return send_back(send_back_id)


def test_a_payment_nobody_knows_goes_back_along_itself_once_though_the_answer_was_lost(
    channels: Channels, director: WechatPayDirector
) -> None:
    back = ordered_back(channels, director)
    ours = back.number
    director.misbehave(Rule(Fault.DROP_ANSWER, Operation.SUBMIT, number=ours, times=1))

    states = [carried(back.send_back_id, channels, minutes=5 * turn) for turn in range(2)]

    assert states == [LegState.UNKNOWN, LegState.PAID]
    assert director.paid()[ours]["times_paid"] == 1
    case = queries.suspense_case(back.suspense_id)
    assert case.state is SuspenseState.SENT_BACK
    (refunded,) = [one for one in director.book()["refunds"] if one["out_refund_no"] == ours]
    assert refunded["transaction_id"] == case.reference


def test_a_refund_stuck_at_the_channel_is_settled_there_and_its_result_is_taken(
    channels: Channels, director: WechatPayDirector
) -> None:
    back = ordered_back(channels, director)
    director.misbehave(Rule(Fault.ABNORMAL, number=back.number))

    turns = [carried(back.send_back_id, channels, minutes=5 * turn) for turn in range(2)]
    assert turns == [LegState.NEEDS_ACTION, LegState.NEEDS_ACTION]
    assert director.paid()[back.number]["times_paid"] == 0
    settle_at_the_channel(channels, send_back(back.send_back_id))

    assert carried(back.send_back_id, channels, minutes=10) is LegState.PAID
    assert director.paid()[back.number]["times_paid"] == 1
    assert queries.suspense_case(back.suspense_id).state is SuspenseState.SENT_BACK


def settle_at_the_channel(channels: Channels, back: SendBackView) -> None:
    """A person lets it go to a card of its payer, in the channel's own console."""
    case = queries.suspense_case(back.suspense_id)
    along = OriginalPayment(case.reference, back.amount)
    card = PayeeAccount("王小明", "招商银行", "6225880112345678")
    console = channels.get(CHANNEL)
    assert isinstance(console, WeChatPayChannel)
    console.hand_over(
        PayoutInstruction(back.number, back.amount, along),
        reference=back.channel_reference,
        payee=card,
        deadline_s=5,
    )


def carried(send_back_id: str, channels: Channels, *, minutes: int) -> LegState | None:
    """What the call comes to that is due by then."""
    return payouts.carry_out_send_back(
        send_back_id=send_back_id,
        channels=channels,
        pace=Pace(),
        clock=lambda: read_clock() + dt.timedelta(minutes=minutes),
    )
