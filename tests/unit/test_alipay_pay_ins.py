"""Money in through Alipay: QR code and link, and what every answer means."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from urllib.parse import parse_qsl, urlsplit

import pytest

from kuaitui.channels.port import (
    FailedDefinite,
    NotFound,
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
from kuaitui.kernel.money import Money
from tests.support.alipay import (
    DEADLINE_S,
    NOW,
    StandIn,
    answer,
    failure,
    is_signed_by,
    success,
    written,
)

OPEN, QUERY, CLOSE = "alipay.trade.precreate", "alipay.trade.query", "alipay.trade.close"
CODE = "https://qr.alipay.com/bax00001"
HOUR = dt.timedelta(hours=1)
ORDER = PayInOrder(
    "payin_1",
    Money(100_000, "CNY"),
    PayInMethod.QR_CODE,
    "店铺保证金",
    expires_at=NOW + HOUR,
    payer_ip="203.0.113.7",
    return_url="https://desk.test/deposits",
)
LINK = dataclasses.replace(ORDER, method=PayInMethod.LINK)
OPENED = success(out_trade_no="payin_1", qr_code=CODE)
PAID_AT = dt.datetime(2026, 11, 25, 11, 30, 0, tzinfo=dt.UTC)
PAID = success(
    out_trade_no="payin_1",
    trade_no="2026112522001",
    trade_status="TRADE_SUCCESS",
    total_amount="1000.00",
    send_pay_date="2026-11-25 19:30:00",
)
IS_PAID = PayInPaid("2026112522001", Money(100_000, "CNY"), PAID_AT)


@pytest.fixture
def alipay() -> StandIn:
    return StandIn()


def opened(alipay: StandIn, told: dict[str, object], order: PayInOrder = ORDER) -> PayInOutcome:
    alipay.will_answer(OPEN, told)
    return alipay.channel().open_pay_in(order, deadline_s=DEADLINE_S)


def queried(alipay: StandIn, told: dict[str, object], order: PayInOrder = ORDER) -> PayInOutcome:
    alipay.will_answer(QUERY, told)
    return alipay.channel().query_pay_in(order, deadline_s=DEADLINE_S)


def closed(alipay: StandIn, told: dict[str, object]) -> PayInOutcome:
    alipay.will_answer(CLOSE, told)
    return alipay.channel().close_pay_in(ORDER, deadline_s=DEADLINE_S)


def test_a_qr_code_is_asked_for_in_the_body_and_says_where_to_notify(alipay: StandIn) -> None:
    outcome = opened(alipay, OPENED)

    assert outcome == PayInOpened(CODE, ORDER.expires_at)
    (call,) = alipay.calls
    assert call.url == "https://gateway.test/gateway.do"
    assert call.form["notify_url"] == "https://desk.test/callbacks/alipay"
    assert call.content == {
        "out_trade_no": "payin_1",
        "total_amount": "1000.00",
        "subject": "店铺保证金",
        "time_expire": "2026-11-25 21:00:00",
    }


def test_a_qr_code_lasts_two_hours_at_most(alipay: StandIn) -> None:
    tomorrow = dataclasses.replace(ORDER, expires_at=NOW + 24 * HOUR)

    assert opened(alipay, OPENED, tomorrow) == PayInOpened(CODE, NOW + 2 * HOUR)


def test_the_same_order_makes_the_same_content_every_time(alipay: StandIn) -> None:
    for _ in range(2):
        opened(alipay, OPENED)

    first, second = (call.form["biz_content"] for call in alipay.calls)
    assert first == second


def test_a_subject_holds_nothing_that_alipay_does_not_take(alipay: StandIn) -> None:
    opened(alipay, OPENED, dataclasses.replace(ORDER, description="A/B=C&D" + "x" * 300))

    subject = alipay.calls[0].content["subject"]
    assert subject.startswith("A B C D")
    assert len(subject) == 128


def test_a_link_is_signed_calls_nobody_and_does_not_say_who_pays(alipay: StandIn) -> None:
    outcome = alipay.channel().open_pay_in(LINK, deadline_s=DEADLINE_S)

    assert isinstance(outcome, PayInOpened)
    assert outcome.usable_until == LINK.expires_at
    assert alipay.calls == []
    address = urlsplit(outcome.pay_url)
    assert f"{address.scheme}://{address.netloc}{address.path}" == "https://gateway.test/gateway.do"
    form = dict(parse_qsl(address.query, strict_parsing=True))
    signature = form.pop("sign")
    text = "&".join(f"{name}={form[name]}" for name in sorted(form))
    assert is_signed_by("app", text.encode(), signature)
    assert form["method"] == "alipay.trade.wap.pay"
    assert form["return_url"] == LINK.return_url
    assert json.loads(form["biz_content"]) == {
        "out_trade_no": "payin_1",
        "total_amount": "1000.00",
        "subject": "店铺保证金",
        "time_expire": "2026-11-25 21:00:00",
        "product_code": "QUICK_WAP_WAY",
    }
    assert LINK.payer_ip not in outcome.pay_url


@pytest.mark.parametrize("order", [ORDER, LINK], ids=["code", "link"])
def test_another_currency_is_refused_before_anything_is_sent(
    alipay: StandIn, order: PayInOrder
) -> None:
    dollars = dataclasses.replace(order, amount=Money(100, "USD"))

    assert opened(alipay, OPENED, dollars) == FailedDefinite("currency_not_offered")
    assert alipay.calls == []


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ({**OPENED, "out_trade_no": "payin_2"}, Unknown("echo_mismatch")),
        ({**OPENED, "qr_code": ""}, Unknown("unreadable")),
        ({**OPENED, "qr_code": "javascript:alert(1)"}, Unknown("unreadable")),
        ({**OPENED, "qr_code": "http://elsewhere.test/bax00001"}, Unknown("unreadable")),
        (failure("ACQ.INVALID_PARAMETER"), FailedDefinite("INVALID_PARAMETER")),
        (failure("ACQ.TOTAL_FEE_EXCEED"), FailedDefinite("TOTAL_FEE_EXCEED")),
        (failure("ACQ.ACCESS_FORBIDDEN"), RejectedConfig("ACCESS_FORBIDDEN")),
        (failure("ACQ.CONTEXT_INCONSISTENT"), Unknown("ACQ.CONTEXT_INCONSISTENT")),
        (failure("ACQ.SYSTEM_ERROR"), Unknown("ACQ.SYSTEM_ERROR")),
        (failure("isp.unknow-error", code="20000"), Unknown("isp.unknow-error")),
    ],
)
def test_what_the_answer_to_an_opening_means(
    alipay: StandIn, told: dict[str, object], outcome: PayInOutcome
) -> None:
    assert opened(alipay, told) == outcome


TRADES: list[tuple[dict[str, object], PayInOutcome]] = [
    (PAID, IS_PAID),
    ({**PAID, "trade_status": "TRADE_FINISHED"}, IS_PAID),
    ({**PAID, "trade_status": "WAIT_BUYER_PAY"}, PayInWaiting()),
    ({**PAID, "trade_status": "TRADE_CLOSED", "send_pay_date": ""}, PayInClosed()),
    ({**PAID, "trade_status": "TRADE_CLOSED"}, IS_PAID),
    ({**PAID, "trade_status": "ANOTHER"}, Unknown("state_unmapped")),
    ({**PAID, "out_trade_no": "payin_2"}, Unknown("echo_mismatch")),
    ({**PAID, "total_amount": "1000.001"}, Unknown("unreadable")),
    ({**PAID, "total_amount": "0.00"}, Unknown("unreadable")),
    ({**PAID, "trade_no": ""}, Unknown("unreadable")),
    ({**PAID, "send_pay_date": "today"}, Unknown("unreadable")),
    (failure("ACQ.TRADE_NOT_EXIST"), PayInWaiting()),
    (failure("ACQ.SYSTEM_ERROR"), Unknown("ACQ.SYSTEM_ERROR")),
    (failure("ACQ.INVALID_PARAMETER"), Unknown("ACQ.INVALID_PARAMETER")),
]


@pytest.mark.parametrize(("told", "outcome"), TRADES)
def test_what_alipay_says_of_a_trade_means(
    alipay: StandIn, told: dict[str, object], outcome: PayInOutcome
) -> None:
    assert queried(alipay, told) == outcome


def test_another_amount_is_told_as_alipay_tells_it(alipay: StandIn) -> None:
    outcome = queried(alipay, {**PAID, "total_amount": "999.99"})

    assert outcome == dataclasses.replace(IS_PAID, amount=Money(99_999, "CNY"))


def test_a_number_nobody_began_to_pay_waits_until_it_may_no_longer_be_paid(
    alipay: StandIn,
) -> None:
    over = dataclasses.replace(ORDER, expires_at=NOW)

    assert queried(alipay, failure("ACQ.TRADE_NOT_EXIST")) == PayInWaiting()
    assert queried(alipay, failure("ACQ.TRADE_NOT_EXIST"), over) == NotFound()


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        (success(out_trade_no="payin_1", trade_no="2026112522001"), PayInClosed()),
        (success(out_trade_no="payin_2"), Unknown("echo_mismatch")),
        (failure("ACQ.TRADE_NOT_EXIST"), NotFound()),
        (failure("ACQ.SYSTEM_ERROR"), Unknown("ACQ.SYSTEM_ERROR")),
        (failure("ACQ.INVALID_PARAMETER"), Unknown("ACQ.INVALID_PARAMETER")),
    ],
)
def test_what_the_answer_to_a_closing_means(
    alipay: StandIn, told: dict[str, object], outcome: PayInOutcome
) -> None:
    assert closed(alipay, told) == outcome


@pytest.mark.parametrize(
    "sub_code",
    ["ACQ.TRADE_STATUS_ERROR", "ACQ.REASON_TRADE_STATUS_INVALID", "ACQ.REASON_ILLEGAL_STATUS"],
)
def test_whoever_pays_faster_than_the_closing_has_paid(alipay: StandIn, sub_code: str) -> None:
    alipay.will_answer(QUERY, PAID)

    assert closed(alipay, failure(sub_code)) == IS_PAID


@pytest.mark.parametrize(
    ("trade", "outcome"),
    [
        (PAID, IS_PAID),
        ({**PAID, "trade_status": "TRADE_CLOSED", "send_pay_date": ""}, PayInClosed()),
        ({**PAID, "trade_status": "WAIT_BUYER_PAY"}, Unknown("ended_and_not")),
        (failure("ACQ.SYSTEM_ERROR"), Unknown("ended_and_not")),
    ],
)
def test_opening_what_has_ended_asks_how_it_ended(
    alipay: StandIn, trade: dict[str, object], outcome: PayInOutcome
) -> None:
    alipay.will_answer(QUERY, trade)

    assert opened(alipay, failure("ACQ.TRADE_HAS_SUCCESS")) == outcome


def test_nothing_unsigned_is_believed(alipay: StandIn) -> None:
    alipay.will_send(QUERY, answer(QUERY, written(PAID), is_signed=False))

    outcome = alipay.channel().query_pay_in(ORDER, deadline_s=DEADLINE_S)

    assert outcome == Unknown("unsigned.10000")


def test_both_ways_to_pay_in_are_declared(alipay: StandIn) -> None:
    for with_certificates in (True, False):
        channel = StandIn().channel(with_certificates=with_certificates)
        assert channel.capabilities.pay_in_methods == set(PayInMethod)
