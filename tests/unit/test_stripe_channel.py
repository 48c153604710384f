"""Stripe over real HTTP, against a stand-in that keeps keys as Stripe does."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NeededAction,
    NeedsAction,
    NotFound,
    NotSent,
    OriginalPayment,
    Outcome,
    PayeeAccount,
    PayInClosed,
    PayInMethod,
    PayInOpened,
    PayInOrder,
    PayInOutcome,
    PayInPaid,
    PayInWaiting,
    PayoutInstruction,
    RejectedConfig,
    Route,
    Succeeded,
    Unknown,
)
from kuaitui.channels.registry import ChannelExtraMissing, build_channels
from kuaitui.channels.stripe import StripeChannel, StripeSettings
from kuaitui.channels.stripe.settings import StripeSettingsWrong
from kuaitui.deposits.types import PayInPace
from kuaitui.kernel.money import Money
from kuaitui.payouts.rules import LegFacts, decide
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind, Pace
from tests.support.stripe import API_KEY, SECRET, StripeStandIn

NOW = dt.datetime(2026, 11, 25, 12, 0, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
DEADLINE_S = 10.0
PAYMENT = OriginalPayment("pi_1", Money(500_000, "EUR"))
INSTRUCTION = PayoutInstruction("pay_1_a", Money(120_050, "EUR"), PAYMENT)
ORDER = PayInOrder(
    "payin_1",
    Money(500_000, "EUR"),
    PayInMethod.LINK,
    "Shop deposit",
    expires_at=NOW + PayInPace().valid_for,
    return_url="https://desk.test/deposits",
)
IS_OPEN = PayInOpened("https://checkout.stripe.test/1", ORDER.expires_at)


@pytest.fixture(scope="module")
def server() -> Iterator[StripeStandIn]:
    server = StripeStandIn()
    yield server
    server.stop()


@pytest.fixture
def stand_in(server: StripeStandIn) -> StripeStandIn:
    server.book.__init__(now_s=int(NOW.timestamp()))  # type: ignore[misc]
    return server


def settings(base_url: str, **changes: object) -> StripeSettings:
    given = {"api_key": API_KEY, "webhook_secrets": (SECRET,), "base_url": base_url}
    return StripeSettings(**{**given, **changes})


@pytest.fixture
def channel(stand_in: StripeStandIn) -> StripeChannel:
    return StripeChannel(settings(stand_in.base_url), clock=lambda: NOW)


def submit(channel: StripeChannel) -> Outcome:
    return channel.submit(INSTRUCTION, deadline_s=DEADLINE_S)


def query(channel: StripeChannel) -> Outcome:
    return channel.query(INSTRUCTION, deadline_s=DEADLINE_S)


def test_a_refund_goes_back_along_its_payment_under_our_number(
    channel: StripeChannel, stand_in: StripeStandIn
) -> None:
    outcome = submit(channel)

    assert outcome == Succeeded("re_1", NOW)
    ((method, path, form, headers),) = stand_in.book.calls
    assert (method, path) == ("POST", "/v1/refunds")
    assert form == {
        "amount": "120050",
        "payment_intent": "pi_1",
        "metadata[kuaitui_number]": "pay_1_a",
    }
    assert headers["Idempotency-Key"] == "pay_1_a"


def test_a_payment_known_by_its_charge_is_refunded_by_it(
    channel: StripeChannel, stand_in: StripeStandIn
) -> None:
    target = OriginalPayment("ch_1", PAYMENT.total)
    instruction = dataclasses.replace(INSTRUCTION, target=target)

    submitted = channel.submit(instruction, deadline_s=DEADLINE_S)

    assert channel.query(instruction, deadline_s=DEADLINE_S) == submitted
    assert [call[2].get("charge") for call in stand_in.book.calls] == ["ch_1", "ch_1"]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("pending", Accepted("re_1")),
        ("requires_action", NeedsAction(NeededAction.USER_CONFIRM, "re_1")),
        ("succeeded", Succeeded("re_1", NOW)),
        ("failed", FailedDefinite("failed")),
        ("canceled", FailedDefinite("canceled")),
        ("another", Unknown("state_unmapped")),
    ],
)
def test_what_a_state_of_a_refund_means(
    channel: StripeChannel, stand_in: StripeStandIn, status: str, outcome: Outcome
) -> None:
    stand_in.book.refund_status = status

    assert submit(channel) == outcome
    assert query(channel) == outcome


def test_a_refund_that_was_paid_and_fails_later_is_returned(
    channel: StripeChannel, stand_in: StripeStandIn
) -> None:
    paid = submit(channel)
    stand_in.book.refunds[0].update(status="failed", failure_reason="lost_or_stolen_card")
    leg = LegFacts(
        state=LegState.PAID,
        first_sent_at=NOW,
        last_sent_at=NOW,
        is_acknowledged=True,
        settled_at=NOW,
        has_doubtful_send=False,
        refused_code="",
        put_off_code="",
        checks=1,
        sends=1,
    )

    later = query(channel)
    step = decide(
        leg,
        kind=AttemptKind.QUERY,
        outcome=later,
        capabilities=channel.capabilities,
        pace=Pace(),
        now=NOW,
    )

    assert isinstance(paid, Succeeded)
    assert later == FailedDefinite("lost_or_stolen_card")
    assert (step.state, step.code) == (LegState.RETURNED, "lost_or_stolen_card")


def test_a_lost_answer_is_unknown_and_the_same_number_refunds_once(
    channel: StripeChannel, stand_in: StripeStandIn
) -> None:
    stand_in.book.loses_answer = True

    lost = submit(channel)
    found = query(channel)
    again = submit(channel)

    assert isinstance(lost, Unknown)
    assert found == again == Succeeded("re_1", NOW)
    assert len(stand_in.book.refunds) == 1


def test_what_stripe_forgot_is_found_and_never_has_to_be_sent_again(
    channel: StripeChannel, stand_in: StripeStandIn
) -> None:
    submit(channel)
    stand_in.book.forget_keys()

    assert query(channel) == Succeeded("re_1", NOW)
    assert channel.capabilities.resend_window < 24 * HOUR


def test_a_question_changes_nothing(channel: StripeChannel, stand_in: StripeStandIn) -> None:
    assert query(channel) == NotFound()
    assert stand_in.book.refunds == []
    assert {call[0] for call in stand_in.book.calls} == {"GET"}


def test_another_refund_of_the_payment_is_not_taken_for_ours(channel: StripeChannel) -> None:
    other = dataclasses.replace(INSTRUCTION, number="pay_2_a")
    channel.submit(other, deadline_s=DEADLINE_S)

    assert query(channel) == NotFound()


def test_a_refund_of_another_amount_is_no_answer(
    channel: StripeChannel, stand_in: StripeStandIn
) -> None:
    submit(channel)
    for change in ({"amount": 1}, {"currency": "usd"}):
        stand_in.book.refunds[0].update(change)
        assert query(channel) == Unknown("echo_mismatch")


@pytest.mark.parametrize(
    "change", [{"amount": 1.5}, {"amount": None}, {"id": ""}, {"currency": "x"}]
)
def test_a_refund_that_cannot_be_read_is_unknown(
    channel: StripeChannel, stand_in: StripeStandIn, change: dict[str, object]
) -> None:
    submit(channel)
    stand_in.book.refunds[0].update(change)

    assert query(channel) == Unknown("unreadable")


def test_the_same_number_for_something_else_is_unknown(
    channel: StripeChannel, stand_in: StripeStandIn
) -> None:
    submit(channel)
    other = dataclasses.replace(INSTRUCTION, amount=Money(1, "EUR"))

    assert isinstance(channel.submit(other, deadline_s=DEADLINE_S), Unknown)
    assert len(stand_in.book.refunds) == 1


ERRORS: list[tuple[int, dict[str, object], Outcome]] = [
    (400, {"code": "charge_already_refunded"}, FailedDefinite("charge_already_refunded")),
    (400, {"code": "balance_insufficient"}, FailedDefinite("balance_insufficient")),
    (404, {"code": "resource_missing"}, FailedDefinite("resource_missing")),
    (400, {"code": "a_code_nobody_knows"}, Unknown("a_code_nobody_knows")),
    (400, {}, Unknown("http_400")),
    (401, {}, RejectedConfig("http_401")),
    (403, {}, RejectedConfig("http_403")),
    (402, {"code": "resource_missing", "type": "card_error"}, Unknown("resource_missing")),
    (409, {}, Unknown("http_409")),
    (429, {}, Unknown("http_429")),
    (500, {}, Unknown("http_500")),
]


@pytest.mark.parametrize(("status", "error", "outcome"), ERRORS)
def test_what_an_error_means(
    channel: StripeChannel,
    stand_in: StripeStandIn,
    status: int,
    error: dict[str, object],
    outcome: Outcome,
) -> None:
    stand_in.book.error = (status, {"type": "invalid_request_error", **error})

    assert submit(channel) == outcome
    assert stand_in.book.refunds == []


def test_an_error_of_a_question_never_fails_the_refund(
    channel: StripeChannel, stand_in: StripeStandIn
) -> None:
    submit(channel)
    body = json.dumps({"error": {"type": "invalid_request_error", "code": "resource_missing"}})
    stand_in.book.breaks = (404, body.encode())

    assert query(channel) == Unknown("resource_missing")


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b"\xff", b"{}", b'{"data": 3}', b'{"data": [3]}', b"[" * 9999],
    ids=range(9),
)
def test_an_answer_that_cannot_be_read_is_unknown(
    channel: StripeChannel, stand_in: StripeStandIn, body: bytes
) -> None:
    stand_in.book.breaks = (200, body)

    assert isinstance(submit(channel), Unknown)
    outcome = query(channel)
    if body == b'{"data": [3]}':
        assert outcome in (Unknown("unreadable"), NotFound())
    else:
        assert isinstance(outcome, Unknown)


@pytest.mark.parametrize("error", [[1], 3, None, {"code": 3}, {"code": ["x"]}])
def test_an_error_of_no_known_form_is_unknown(
    channel: StripeChannel, stand_in: StripeStandIn, error: object
) -> None:
    stand_in.book.breaks = (400, json.dumps({"error": error}).encode())

    assert isinstance(submit(channel), Unknown)


def test_an_answer_about_another_number_is_no_answer(
    channel: StripeChannel, stand_in: StripeStandIn
) -> None:
    channel.submit(dataclasses.replace(INSTRUCTION, number="pay_2_a"), deadline_s=DEADLINE_S)
    stand_in.book.breaks = (200, json.dumps(stand_in.book.refunds[0]).encode())

    assert submit(channel) == Unknown("echo_mismatch")


def test_a_wrong_key_stops_the_channel_and_moves_nothing(stand_in: StripeStandIn) -> None:
    stranger = StripeChannel(settings(stand_in.base_url, api_key="sk_wrong"), clock=lambda: NOW)
    stand_in.book.error = (401, {})

    assert isinstance(submit(stranger), RejectedConfig)
    assert stand_in.book.refunds == []


def test_a_refused_connection_is_not_sent() -> None:
    channel = StripeChannel(settings("http://127.0.0.1:1"), clock=lambda: NOW)

    assert isinstance(submit(channel), NotSent)


def test_no_account_of_a_seller_is_declared_or_paid(
    channel: StripeChannel, stand_in: StripeStandIn
) -> None:
    account = PayeeAccount("Ada", "Bank", "DE89370400440532013000")
    instruction = dataclasses.replace(INSTRUCTION, target=account)

    assert channel.capabilities.routes == {Route.ORIGINAL}
    assert channel.capabilities.payee_kinds == set()
    assert channel.capabilities.statement_kinds == set()
    assert channel.submit(instruction, deadline_s=DEADLINE_S) == FailedDefinite("route_not_offered")
    assert channel.query(instruction, deadline_s=DEADLINE_S) == NotFound()
    assert stand_in.book.calls == []


def test_a_page_is_opened_once_under_our_number(
    channel: StripeChannel, stand_in: StripeStandIn
) -> None:
    first = channel.open_pay_in(ORDER, deadline_s=DEADLINE_S)
    second = channel.open_pay_in(ORDER, deadline_s=DEADLINE_S)

    assert first == second == IS_OPEN
    assert len(stand_in.book.sessions) == 1
    form = stand_in.book.calls[0][2]
    assert form["payment_intent_data[metadata][kuaitui_number]"] == "payin_1"
    assert form["line_items[0][price_data][currency]"] == "eur"
    assert form["success_url"] == ORDER.return_url


@pytest.mark.parametrize(
    "waited", [dt.timedelta(0), PayInPace().valid_for - dt.timedelta(seconds=1)]
)
def test_a_page_opened_at_any_moment_of_its_order_is_taken_and_is_usable_until_the_order_ends(
    channel: StripeChannel, stand_in: StripeStandIn, waited: dt.timedelta
) -> None:
    stand_in.book.now_s += int(waited.total_seconds())

    assert channel.open_pay_in(ORDER, deadline_s=DEADLINE_S) == IS_OPEN
    assert channel.query_pay_in(ORDER, deadline_s=DEADLINE_S) == PayInWaiting()


def test_a_qr_code_is_not_offered(channel: StripeChannel, stand_in: StripeStandIn) -> None:
    order = dataclasses.replace(ORDER, method=PayInMethod.QR_CODE)

    outcome = channel.open_pay_in(order, deadline_s=DEADLINE_S)

    assert outcome == FailedDefinite("method_not_offered")
    assert stand_in.book.calls == []
    assert channel.capabilities.pay_in_methods == {PayInMethod.LINK}


PAID = {"status": "complete", "payment_status": "paid", "payment_intent": "pi_1"}
CHARGED = {"id": "pi_1", "latest_charge": {"created": int((NOW - HOUR).timestamp())}}
IS_PAID = PayInPaid("pi_1", ORDER.amount, NOW)
SESSIONS: list[tuple[dict[str, object], PayInOutcome]] = [
    ({}, PayInWaiting()),
    ({"status": "complete"}, PayInWaiting()),
    (PAID, IS_PAID),
    ({**PAID, "payment_intent": CHARGED}, dataclasses.replace(IS_PAID, paid_at=NOW - HOUR)),
    (
        {
            **PAID,
            "payment_status": "unpaid",
            "payment_intent": {"id": "pi_1", "status": "processing"},
        },
        PayInWaiting(),
    ),
    (
        {
            **PAID,
            "payment_status": "unpaid",
            "payment_intent": {"id": "pi_1", "status": "requires_payment_method"},
        },
        PayInClosed(),
    ),
    ({**PAID, "amount_total": 1}, dataclasses.replace(IS_PAID, amount=Money(1, "EUR"))),
    ({"status": "expired"}, PayInClosed()),
    ({"status": "expired", "payment_status": "paid"}, Unknown("state_unmapped")),
    ({"status": "another"}, Unknown("state_unmapped")),
    ({**PAID, "payment_intent": None}, Unknown("unreadable")),
    ({**PAID, "amount_total": None}, Unknown("unreadable")),
    ({**PAID, "amount_total": 0}, Unknown("unreadable")),
]


@pytest.mark.parametrize(("change", "outcome"), SESSIONS)
def test_what_a_state_of_a_page_means(
    channel: StripeChannel,
    stand_in: StripeStandIn,
    change: dict[str, object],
    outcome: PayInOutcome,
) -> None:
    channel.open_pay_in(ORDER, deadline_s=DEADLINE_S)
    stand_in.book.sessions[0].update(change)

    assert channel.query_pay_in(ORDER, deadline_s=DEADLINE_S) == outcome


def test_a_page_is_found_among_many_and_missed_when_it_is_not_there(
    channel: StripeChannel, stand_in: StripeStandIn
) -> None:
    for number in range(150):
        other = dataclasses.replace(ORDER, number=f"other_{number}")
        stand_in.book.sessions.append(
            {
                "id": f"cs_x{number}",
                "created": stand_in.book.now_s,
                "status": "open",
                "client_reference_id": other.number,
            }
        )

    missed = channel.query_pay_in(ORDER, deadline_s=DEADLINE_S)
    channel.open_pay_in(ORDER, deadline_s=DEADLINE_S)

    assert missed == NotFound()
    assert channel.query_pay_in(ORDER, deadline_s=DEADLINE_S) == PayInWaiting()


def test_too_many_pages_to_look_through_are_not_called_not_found(
    channel: StripeChannel, stand_in: StripeStandIn
) -> None:
    stand_in.book.sessions.extend(
        {"id": f"cs_x{number}", "created": stand_in.book.now_s, "client_reference_id": "x"}
        for number in range(1001)
    )

    outcome = channel.query_pay_in(ORDER, deadline_s=DEADLINE_S)

    assert outcome == Unknown("too_many_sessions")


def test_closing_lets_nobody_pay_any_more(channel: StripeChannel, stand_in: StripeStandIn) -> None:
    channel.open_pay_in(ORDER, deadline_s=DEADLINE_S)

    assert channel.close_pay_in(ORDER, deadline_s=DEADLINE_S) == PayInClosed()
    assert channel.close_pay_in(ORDER, deadline_s=DEADLINE_S) == PayInClosed()
    assert stand_in.book.sessions[0]["status"] == "expired"


def test_whoever_pays_faster_than_the_closing_has_paid(
    channel: StripeChannel, stand_in: StripeStandIn
) -> None:
    channel.open_pay_in(ORDER, deadline_s=DEADLINE_S)
    stand_in.book.sessions[0].update(PAID)

    assert channel.close_pay_in(ORDER, deadline_s=DEADLINE_S) == IS_PAID


def test_closing_what_was_never_opened_finds_nothing(channel: StripeChannel) -> None:
    assert channel.close_pay_in(ORDER, deadline_s=DEADLINE_S) == NotFound()


def entry(directory: Path) -> dict[str, object]:
    (directory / "key").write_text(API_KEY)
    (directory / "secret").write_text(SECRET.decode())
    return {
        "api_key_file": str(directory / "key"),
        "webhook_secret_files": [str(directory / "secret")],
    }


def test_the_registry_makes_it_from_files(tmp_path: Path) -> None:
    channels = build_channels({"stripe": entry(tmp_path)}, clock=lambda: NOW)

    assert isinstance(channels.get("stripe"), StripeChannel)


def test_without_the_extra_it_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "stripe", None)
    for name in [one for one in sys.modules if one.startswith("kuaitui.channels.stripe")]:
        monkeypatch.delitem(sys.modules, name)

    with pytest.raises(ChannelExtraMissing, match=r"install=kuaitui\[stripe\]"):
        build_channels({"stripe": entry(tmp_path)}, clock=lambda: NOW)


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        ({"api_key_file": None}, "setting=api_key_file"),
        ({"webhook_secret_files": "one"}, "setting=webhook_secret_files"),
        ({"resend_window_s": 86_400}, "setting=resend_window_s"),
        ({"api_key": "sk_in_the_settings"}, "setting=api_key"),
        ({"api_key_file": "absent"}, "file=absent"),
        ({"webhook_secret_files": []}, "settings_wrong"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(
    tmp_path: Path, change: dict[str, object], setting: str
) -> None:
    document = {k: v for k, v in {**entry(tmp_path), **change}.items() if v is not None}

    with pytest.raises(StripeSettingsWrong, match=setting):
        StripeSettings.parse(document)


def test_no_secret_is_shown_when_settings_are() -> None:
    shown = repr(settings("http://127.0.0.1:1"))

    assert API_KEY not in shown
    assert SECRET.decode() not in shown


def test_the_library_retries_nothing_by_itself(
    channel: StripeChannel, stand_in: StripeStandIn
) -> None:
    stand_in.book.breaks = (503, b"{}")

    assert submit(channel) == Unknown("http_503")
    assert len(stand_in.book.calls) == 1


def test_the_library_writes_no_line_about_a_payment(
    channel: StripeChannel, stand_in: StripeStandIn, caplog: pytest.LogCaptureFixture
) -> None:
    stand_in.book.error = (400, {"message": "a name", "type": "invalid_request_error"})

    with caplog.at_level(logging.DEBUG):
        submit(channel)

    assert [record for record in caplog.records if record.name.startswith("stripe")] == []
