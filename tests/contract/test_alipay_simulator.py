"""The simulated Alipay judged by a client that nobody here wrote: python-alipay-sdk, in both modes."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Iterator
from http.client import RemoteDisconnected
from urllib.parse import urlencode
from urllib.request import HTTPErrorProcessor, Request, build_opener, urlopen

import pytest
from alipay import AliPay
from alipay.exceptions import AliPayException, AliPayValidationError

from kuaitui.channels.simulator.alipay.director import AlipayDirector
from kuaitui.channels.simulator.alipay.keys import CERTIFICATE_MODE, KEY_MODE, SELLER_ID
from kuaitui.channels.simulator.faults import Fault, Operation, Rule
from tests.support.alipay_simulator import PAYEE_ID, AlipayProcess, a_number, form_of, raw
from tests.support.receiver import Receiver

DAY_S = 86400
PAID_MINOR = 500_00
PAID = "500.00"
REPEATS_S = [240, 600, 600, 3600, 7200, 21600, 54000]
TRANSFER = "alipay.fund.trans.uni.transfer"
TRANSFER_QUERY = "alipay.fund.trans.common.query"
BILL = "alipay.data.dataservice.bill.downloadurl.query"
CARD = {
    "identity": "6225880112345678",
    "identity_type": "BANKCARD_ACCOUNT",
    "name": "王小明",
    "bankcard_ext_info": {"account_type": "2", "inst_name": "招商银行"},
}


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
    director.set(processing_s="0", begins_when_scanned="1")
    director.close()


@pytest.fixture
def receiver(director: AlipayDirector) -> Iterator[Receiver]:
    receiver = Receiver(b"success")
    yield receiver
    receiver.answers.clear()
    director.deliver()  # or what is left would be repeated through all later tests
    receiver.close()


@pytest.fixture(params=[KEY_MODE, CERTIFICATE_MODE])
def client(request: pytest.FixtureRequest, process: AlipayProcess, receiver: Receiver) -> AliPay:
    return process.client(request.param, notify_url=receiver.url)


@pytest.fixture
def with_certificates(process: AlipayProcess) -> AliPay:
    return process.client(CERTIFICATE_MODE)


def offered(client: AliPay, *, number: str = "", amount: str = PAID) -> str:
    number = number or a_number("ORDER")
    answer = client.server_api(
        "alipay.trade.precreate",
        {"out_trade_no": number, "total_amount": amount, "subject": "店铺保证金"},
    )
    assert answer["code"] == "10000"
    return number


def paid(client: AliPay, director: AlipayDirector) -> str:
    number = offered(client)
    director.pay(number)
    return number


def refund(client: AliPay, number: str, request: str, amount: str = "200.00") -> dict:
    return client.server_api(
        "alipay.trade.refund",
        {"out_trade_no": number, "out_request_no": request, "refund_amount": amount},
    )


def refund_query(client: AliPay, number: str, request: str) -> dict:
    return client.server_api(
        "alipay.trade.fastpay.refund.query", {"out_trade_no": number, "out_request_no": request}
    )


def to_card(number: str, amount: str = "200.00", **payee: object) -> dict:
    return {
        "out_biz_no": number,
        "trans_amount": amount,
        "product_code": "TRANS_BANKCARD_NO_PWD",
        "biz_scene": "DIRECT_TRANSFER",
        "payee_info": {**CARD, **payee},
    }


def times_paid(director: AlipayDirector, number: str) -> int:
    return director.paid().get(number, {"times_paid": 0})["times_paid"]


# Money in.


def test_a_trade_begins_when_its_code_is_scanned_and_is_paid_on_the_page(
    client: AliPay, director: AlipayDirector
) -> None:
    number = a_number("ORDER")
    content = {"out_trade_no": number, "total_amount": PAID, "subject": "店铺保证金"}
    page = client.server_api("alipay.trade.precreate", content)["qr_code"]

    before = client.api_alipay_trade_query(out_trade_no=number)
    with urlopen(page) as shown:
        assert PAID in shown.read().decode()
    scanned = client.api_alipay_trade_query(out_trade_no=number)
    with urlopen(page, data=b"") as shown:
        assert "TRADE_SUCCESS" in shown.read().decode()
    after = client.api_alipay_trade_query(out_trade_no=number)

    assert before["sub_code"] == "ACQ.TRADE_NOT_EXIST"
    assert scanned["trade_status"] == "WAIT_BUYER_PAY"
    assert (after["trade_status"], after["total_amount"]) == ("TRADE_SUCCESS", PAID)
    assert client.api_alipay_trade_query(trade_no=after["trade_no"]) == after


def test_a_link_leads_to_the_page_of_its_trade(client: AliPay) -> None:
    number = a_number("ORDER")
    link = client.api_alipay_trade_wap_pay("店铺保证金", number, PAID)

    with urlopen(f"{client._gateway}?{link}") as page:
        shown = page.read().decode()

    assert PAID in shown
    assert client.api_alipay_trade_query(out_trade_no=number)["trade_status"] == "WAIT_BUYER_PAY"


def test_a_link_that_somebody_changed_leads_nowhere(client: AliPay) -> None:
    number = a_number("ORDER")
    link = client.api_alipay_trade_wap_pay("店铺保证金", number, PAID).replace("500.00", "5.00")
    opener = build_opener(HTTPErrorProcessor)

    with opener.open(f"{client._gateway}?{link}") as page:
        assert b"isv.invalid-signature" in page.read()
    assert client.api_alipay_trade_query(out_trade_no=number)["sub_code"] == "ACQ.TRADE_NOT_EXIST"


def test_a_trade_is_opened_again_only_as_it_was(client: AliPay, director: AlipayDirector) -> None:
    number = offered(client)
    offered(client, number=number)

    def changed(amount: str) -> str:
        content = {"out_trade_no": number, "total_amount": amount, "subject": "店铺保证金"}
        return client.server_api("alipay.trade.precreate", content)["sub_code"]

    assert changed("1.00") == "ACQ.CONTEXT_INCONSISTENT"
    director.pay(number)
    assert changed(PAID) == "ACQ.TRADE_HAS_SUCCESS"


def test_a_trade_is_closed_once_and_only_unpaid(client: AliPay, director: AlipayDirector) -> None:
    director.set(begins_when_scanned="0")
    waiting, done = offered(client), paid(client, director)

    def close(number: str) -> dict:
        return client.server_api("alipay.trade.close", {"out_trade_no": number})

    assert close(waiting)["code"] == "10000"
    assert close(waiting)["sub_code"] == "ACQ.TRADE_STATUS_ERROR"
    assert close(done)["sub_code"] == "ACQ.TRADE_STATUS_ERROR"
    assert client.api_alipay_trade_query(out_trade_no=waiting)["trade_status"] == "TRADE_CLOSED"
    assert client.api_alipay_trade_query(out_trade_no=done)["trade_status"] == "TRADE_SUCCESS"


def test_cancelling_closes_what_waits_and_gives_back_what_was_paid(
    client: AliPay, director: AlipayDirector
) -> None:
    director.set(begins_when_scanned="0")
    waiting, done = offered(client), paid(client, director)

    cancelled = [client.api_alipay_trade_cancel(out_trade_no=n) for n in (waiting, done, done)]

    assert [answer.get("action") for answer in cancelled] == ["close", "refund", None]
    trade = client.api_alipay_trade_query(out_trade_no=done)
    assert trade["trade_status"] == "TRADE_CLOSED"
    assert director.book()["collected"][trade["trade_no"]]["refunded_minor"] == PAID_MINOR


def test_what_nobody_pays_closes_after_its_time(client: AliPay, director: AlipayDirector) -> None:
    director.set(begins_when_scanned="0")
    number = offered(client)

    director.advance(seconds=2 * 3600 + 1)

    assert client.api_alipay_trade_query(out_trade_no=number)["trade_status"] == "TRADE_CLOSED"


# Money back.


def test_a_refund_is_done_once_and_its_repeat_changes_nothing(
    client: AliPay, director: AlipayDirector
) -> None:
    number, request = paid(client, director), a_number("REFUND")

    before = refund_query(client, number, request)
    first, again = refund(client, number, request), refund(client, number, request)
    found = refund_query(client, number, request)

    assert "refund_status" not in before
    assert (first["fund_change"], again["fund_change"]) == ("Y", "N")
    assert first["code"] == again["code"] == "10000"
    assert (found["refund_status"], found["refund_amount"]) == ("REFUND_SUCCESS", "200.00")
    assert times_paid(director, request) == 1


def test_a_second_part_is_counted_on_top_and_comes_three_seconds_later(
    client: AliPay, director: AlipayDirector
) -> None:
    number, first, second = paid(client, director), a_number("REFUND"), a_number("REFUND")
    refund(client, number, first)

    hasty = refund(client, number, second, "300.00")
    assert times_paid(director, second) == 0
    director.advance(seconds=3)
    patient = refund(client, number, second, "300.00")

    assert hasty["sub_code"] == "ACQ.SYSTEM_ERROR"
    assert (patient["fund_change"], patient["refund_fee"]) == ("Y", PAID)
    assert client.api_alipay_trade_query(out_trade_no=number)["trade_status"] == "TRADE_CLOSED"
    assert refund(client, number, first)["fund_change"] == "N"


@pytest.mark.parametrize(
    ("request_no", "amount", "sub_code"),
    [
        ("FIRST", "100.00", "ACQ.DISCORDANT_REPEAT_REQUEST"),
        ("OTHER", "300.01", "ACQ.REASON_TRADE_REFUND_FEE_ERR"),
        ("OTHER", "1.001", "INVALID_PARAMETER"),
        ("OTHER", "0.00", "INVALID_PARAMETER"),
    ],
)
def test_a_refund_that_cannot_be_is_refused_and_moves_nothing(
    client: AliPay, director: AlipayDirector, request_no: str, amount: str, sub_code: str
) -> None:
    number = paid(client, director)
    refund(client, number, f"{number}FIRST")
    director.advance(seconds=3)
    moved = director.book()["movements"]

    refused = refund(client, number, f"{number}{request_no}", amount)

    assert (refused["code"], refused["sub_code"]) == ("40004", sub_code)
    assert director.book()["movements"] == moved


def test_what_is_too_old_is_finished_and_not_refunded(
    client: AliPay, director: AlipayDirector
) -> None:
    number = paid(client, director)
    director.advance(seconds=365 * DAY_S)

    refused = refund(client, number, a_number("REFUND"))

    assert refused["sub_code"] == "ACQ.TRADE_HAS_FINISHED"
    assert client.api_alipay_trade_query(out_trade_no=number)["trade_status"] == "TRADE_FINISHED"


def test_without_money_the_same_refund_is_done_after_a_top_up(
    client: AliPay, director: AlipayDirector
) -> None:
    number, request = paid(client, director), a_number("REFUND")
    balance = director.book()["balances"]["merchant"]
    director.fund(-balance)

    poor = refund(client, number, request)
    director.fund(balance)
    rich = refund(client, number, request)

    assert poor["sub_code"] == "ACQ.SELLER_BALANCE_NOT_ENOUGH"
    assert rich["fund_change"] == "Y"


def test_a_refund_under_way_has_changed_nothing_yet(
    client: AliPay, director: AlipayDirector
) -> None:
    director.set(processing_s="3600")
    number, request = paid(client, director), a_number("REFUND")

    accepted = refund(client, number, request)
    early = refund_query(client, number, request)
    paid_before = times_paid(director, request)
    director.advance(seconds=3600)
    late = refund_query(client, number, request)

    assert (accepted["fund_change"], paid_before) == ("N", 0)
    assert "refund_status" not in early
    assert late["refund_status"] == "REFUND_SUCCESS"
    assert times_paid(director, request) == 1


# Money out: certificate mode only.


def test_a_transfer_to_an_account_is_paid_once(
    with_certificates: AliPay, director: AlipayDirector
) -> None:
    director.fund(1_000_00)
    number = a_number("TRANSFER")

    answers = [
        with_certificates.api_alipay_fund_trans_uni_transfer(
            number, "ALIPAY_USER_ID", PAYEE_ID, "200.00", name="王小明"
        )
        for _ in range(2)
    ]
    found = with_certificates.server_api(TRANSFER_QUERY, {"out_biz_no": number})

    assert [answer["status"] for answer in answers] == ["SUCCESS", "SUCCESS"]
    assert (found["status"], found["trans_amount"]) == ("SUCCESS", "200.00")
    assert found["order_id"] == answers[0]["order_id"]
    assert times_paid(director, number) == 1


def test_transfers_need_certificates(process: AlipayProcess, director: AlipayDirector) -> None:
    client, number = process.client(KEY_MODE), a_number("TRANSFER")

    with pytest.raises(AliPayException, match="isv.insufficient-isv-permissions"):
        client.server_api(TRANSFER, to_card(number))
    assert times_paid(director, number) == 0


def test_a_transfer_to_a_card_takes_its_time_and_may_come_back_days_later(
    with_certificates: AliPay, director: AlipayDirector
) -> None:
    director.fund(1_000_00)
    director.set(processing_s="7200")
    number = a_number("TRANSFER")
    director.misbehave(Rule(Fault.RETURN_LATER, number=number, seconds=2 * DAY_S))
    states = [with_certificates.server_api(TRANSFER, to_card(number))["status"]]

    for seconds in (7200, 2 * DAY_S):
        director.advance(seconds=seconds)
        found = with_certificates.server_api(TRANSFER_QUERY, {"out_biz_no": number})
        states.append(found["status"])

    assert states == ["DEALING", "SUCCESS", "REFUND"]
    paid_out = director.paid()[number]
    assert (paid_out["times_paid"], paid_out["with_payee_minor"]) == (1, 0)


def test_a_transfer_that_fails_leaves_the_money(
    with_certificates: AliPay, director: AlipayDirector
) -> None:
    balance = director.fund(1_000_00)
    number = a_number("TRANSFER")
    director.set(**{f"name:{CARD['identity']}": "王小红"})

    answer = with_certificates.server_api(TRANSFER, to_card(number))
    found = with_certificates.server_api(TRANSFER_QUERY, {"out_biz_no": number})

    director.set(**{f"name:{CARD['identity']}": ""})
    assert answer["status"] == found["status"] == "FAIL"
    assert found["error_code"] == "PAYEE_CARD_INFO_ERROR"
    assert director.book()["balances"]["merchant"] == balance


@pytest.mark.parametrize(
    ("change", "sub_code"),
    [
        ({"trans_amount": "0.09"}, "EXCEED_LIMIT_SM_MIN_AMOUNT"),
        ({"trans_amount": "99999999.00"}, "BALANCE_IS_NOT_ENOUGH"),
        ({"payee_info": {**CARD, "identity": "nobody"}}, "CARD_BIN_ERROR"),
        ({"payee_info": {**CARD, "name": ""}}, "INVALID_PARAMETER"),
        (
            {"payee_info": {**CARD, "bankcard_ext_info": {"account_type": "1"}}},
            "INVALID_PARAMETER",
        ),
        ({"payee_info": {}}, "INVALID_PARAMETER"),
    ],
)
def test_a_transfer_that_cannot_be_is_refused_and_unknown(
    with_certificates: AliPay, director: AlipayDirector, change: dict, sub_code: str
) -> None:
    number = a_number("TRANSFER")
    moved = director.book()["movements"]

    refused = with_certificates.server_api(TRANSFER, {**to_card(number), **change})
    asked = with_certificates.server_api(TRANSFER_QUERY, {"out_biz_no": number})

    assert (refused["code"], refused["sub_code"]) == ("40004", sub_code)
    assert asked["sub_code"] == "ORDER_NOT_EXIST"
    assert director.book()["movements"] == moved


def test_names_of_accounts_are_checked_and_demanded_of_logons(
    with_certificates: AliPay, director: AlipayDirector
) -> None:
    director.fund(1_000_00)
    logon = "seller@sim.invalid"
    director.set(**{f"name:{logon}": "王小明"})

    def transfer(name: str | None) -> dict:
        return with_certificates.api_alipay_fund_trans_uni_transfer(
            a_number("TRANSFER"), "ALIPAY_LOGON_ID", logon, "1.00", name=name
        )

    assert transfer(None)["sub_code"] == "INVALID_PARAMETER"
    assert transfer("王小红")["sub_code"] == "PAYEE_USER_INFO_ERROR"
    assert transfer("王小明")["status"] == "SUCCESS"


def test_a_number_with_other_parameters_is_refused(
    with_certificates: AliPay, director: AlipayDirector
) -> None:
    director.fund(1_000_00)
    number = a_number("TRANSFER")
    with_certificates.server_api(TRANSFER, to_card(number))

    changed = with_certificates.server_api(TRANSFER, to_card(number, "100.00"))

    assert changed["sub_code"] == "PAYMENT_INFO_INCONSISTENCY"
    assert director.paid()[number]["with_payee_minor"] == 200_00


def test_an_order_that_does_not_exist_yet_was_paid_all_the_same(
    with_certificates: AliPay, director: AlipayDirector
) -> None:
    director.fund(1_000_00)
    number = a_number("TRANSFER")
    director.misbehave(Rule(Fault.HIDDEN, number=number, seconds=300))
    with_certificates.server_api(TRANSFER, to_card(number))

    early = with_certificates.server_api(TRANSFER_QUERY, {"out_biz_no": number})
    paid_already = times_paid(director, number)
    director.advance(seconds=300)
    late = with_certificates.server_api(TRANSFER_QUERY, {"out_biz_no": number})

    assert (early["sub_code"], paid_already) == ("ORDER_NOT_EXIST", 1)
    assert late["status"] == "SUCCESS"


def test_the_balance_is_that_of_the_book(
    with_certificates: AliPay, director: AlipayDirector
) -> None:
    minor = director.fund(123_45)

    answer = with_certificates.server_api(
        "alipay.fund.account.query", {"alipay_user_id": SELLER_ID}
    )

    assert answer["available_amount"] == f"{minor // 100}.{minor % 100:02d}"


# What the gateway refuses, and how it answers.


def test_what_the_gateway_refuses_is_not_signed(process: AlipayProcess, client: AliPay) -> None:
    answers = [raw(client, "alipay.trade.nothing")]
    client._appid = "2021999999999999"
    answers += [raw(client, "alipay.trade.query")]

    assert [next(iter(answer.values()))["sub_code"] for answer in answers] == [
        "isv.invalid-method",
        "isv.invalid-app-id",
    ]
    assert all("sign" not in answer for answer in answers)


@pytest.mark.parametrize("way", ["GET", "POST"])
def test_a_request_is_taken_both_ways_and_never_changed(client: AliPay, way: str) -> None:
    signed = client.sign_data(client.build_body("alipay.trade.query", {"out_trade_no": a_number()}))

    def ask(form: str) -> bytes:
        request = Request(client._gateway, data=form.encode())
        with urlopen(f"{client._gateway}?{form}" if way == "GET" else request) as answer:
            return answer.read()

    assert b"ACQ.TRADE_NOT_EXIST" in ask(signed)
    assert b"isv.invalid-signature" in ask(signed.replace("K0", "K1"))
    assert b"isv.missing-signature" in ask(signed.partition("&sign=")[0])


def test_an_unknown_error_is_not_signed_and_a_business_error_is(
    client: AliPay, director: AlipayDirector
) -> None:
    number = paid(client, director)
    director.misbehave(Rule(Fault.ERROR_AFTER, number=f"{number}R", times=1))

    with pytest.raises(AliPayException, match="code:20000.*isp.unknow-error"):
        refund(client, number, f"{number}R")

    assert refund_query(client, number, f"{number}R")["refund_status"] == "REFUND_SUCCESS"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.DROP_ANSWER, RemoteDisconnected),
        (Fault.BAD_SIGNATURE, AliPayValidationError),
        (Fault.UNSIGNED, AliPayException),
        (Fault.GARBAGE, ValueError),
    ],
)
def test_a_refund_is_done_however_its_answer_is_lost(
    client: AliPay, director: AlipayDirector, fault: Fault, error: type[Exception]
) -> None:
    number = paid(client, director)
    director.misbehave(Rule(fault, number=f"{number}R", times=1))

    with pytest.raises(error):
        refund(client, number, f"{number}R")

    assert times_paid(director, f"{number}R") == 1


@pytest.mark.parametrize(
    "fault", [Fault.ERROR_BEFORE, Fault.BUSY_BEFORE, Fault.REFUSE, Fault.NOT_PERMITTED]
)
def test_what_is_kept_out_moves_nothing(
    client: AliPay, director: AlipayDirector, fault: Fault
) -> None:
    number = paid(client, director)
    director.misbehave(Rule(fault, number=f"{number}R", times=1))

    content = {"out_trade_no": number, "out_request_no": f"{number}R", "refund_amount": "1.00"}
    answer = raw(client, "alipay.trade.refund", content)["alipay_trade_refund_response"]

    assert answer["code"] != "10000"
    assert times_paid(director, f"{number}R") == 0
    assert refund(client, number, f"{number}R", "1.00")["fund_change"] == "Y"


@pytest.mark.parametrize("mode", [KEY_MODE, CERTIFICATE_MODE])
def test_after_a_rotation_answers_are_signed_with_the_new_key(
    process: AlipayProcess, director: AlipayDirector, mode: str
) -> None:
    before = process.client(mode)
    director.rotate(mode)
    after = process.client(mode)

    with pytest.raises(AliPayValidationError):
        before.api_alipay_trade_query(out_trade_no="nothing")
    assert after.api_alipay_trade_query(out_trade_no="nothing")["code"] == "40004"


def test_a_killed_alipay_has_forgotten_nothing(
    process: AlipayProcess, director: AlipayDirector
) -> None:
    client = process.client()
    number = paid(client, director)
    refund(client, number, f"{number}R")

    process.stop(kill=True)
    process.start()

    assert refund_query(client, number, f"{number}R")["refund_status"] == "REFUND_SUCCESS"


def test_what_was_hung_up_on_is_done_later_all_the_same(
    client: AliPay, director: AlipayDirector
) -> None:
    number = paid(client, director)
    director.misbehave(Rule(Fault.ACCEPT_LATER, number=f"{number}R", times=1, seconds=0.2))

    with pytest.raises(RemoteDisconnected):
        refund(client, number, f"{number}R")
    deadline_s = time.monotonic() + 10
    while not times_paid(director, f"{number}R") and time.monotonic() < deadline_s:
        time.sleep(0.02)

    assert times_paid(director, f"{number}R") == 1
    assert refund(client, number, f"{number}R")["fund_change"] == "N"


def test_in_the_demo_the_end_of_an_account_says_what_goes_wrong(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    process = AlipayProcess(tmp_path_factory.mktemp("demo"), "--demo-rules")
    director, client = process.director(), process.client()
    director.fund(1_000_00)

    def transfer(tail: str) -> dict:
        payee = {"identity": f"622588011234{tail}"}
        return client.server_api(TRANSFER, to_card(a_number("TRANSFER"), "1.00", **payee))

    assert transfer("4001")["sub_code"] == "PAYEE_NOT_EXIST"
    returned = transfer("4002")
    director.advance(seconds=2 * DAY_S)
    found = client.server_api(TRANSFER_QUERY, {"out_biz_no": returned["out_biz_no"]})
    with pytest.raises(RemoteDisconnected):
        transfer("4006")

    assert (returned["status"], found["status"]) == ("SUCCESS", "REFUND")
    assert transfer("4004")["status"] == "DEALING"
    assert transfer("4005")["status"] == "FAIL"
    assert transfer("4000")["status"] == "SUCCESS"
    director.close()
    process.stop()


def test_by_chance_some_numbers_are_in_trouble_and_others_are_not(
    process: AlipayProcess, director: AlipayDirector
) -> None:
    client = process.client()
    director.set(seed="1")
    director.misbehave(Rule(Fault.BUSY_BEFORE, Operation.QUERY_PAY_IN, chance=0.5))

    drawn = {
        client.api_alipay_trade_query(out_trade_no=f"SEED{number}")["sub_code"]
        for number in range(12)
    }

    assert drawn == {"ACQ.SYSTEM_ERROR", "ACQ.TRADE_NOT_EXIST"}


# Notifications.


def test_a_payment_is_told_until_it_is_heard(
    client: AliPay, director: AlipayDirector, receiver: Receiver
) -> None:
    number = offered(client)
    receiver.answers = [500] * len(REPEATS_S)
    trade_no = director.pay(number)
    director.deliver()
    for seconds in REPEATS_S:
        director.advance(seconds=seconds)
        director.deliver()
    director.advance(seconds=DAY_S)
    director.deliver()

    forms = [form_of(received.body) for received in receiver.received]
    assert len(forms) == 1 + len(REPEATS_S)
    assert len({fields["notify_id"] for fields, _ in forms}) == 1
    for fields, signature in forms:
        assert (fields["out_trade_no"], fields["trade_no"]) == (number, trade_no)
        assert (fields["trade_status"], fields["total_amount"]) == ("TRADE_SUCCESS", PAID)
        assert fields["seller_id"] == SELLER_ID
        assert client.verify(dict(fields), signature)


@pytest.mark.parametrize(("said", "times"), [(b"success", 1), (b"ok", 2), (b"", 2)])
def test_only_the_word_success_is_heard(
    process: AlipayProcess, director: AlipayDirector, said: bytes, times: int
) -> None:
    receiver = Receiver(said)
    number = offered(process.client(notify_url=receiver.url))
    director.pay(number)
    director.deliver()

    director.advance(seconds=REPEATS_S[0])
    director.deliver()

    told = [form_of(received.body)[0]["out_trade_no"] for received in receiver.received]
    receiver.close()
    assert told == [number] * times


@pytest.mark.parametrize("fault", [Fault.NOTIFY_FORGED, Fault.NOTIFY_CHANGED])
def test_a_forged_notification_comes_first_and_once(
    client: AliPay, director: AlipayDirector, receiver: Receiver, fault: Fault
) -> None:
    number = offered(client)
    receiver.answers = [500]
    director.misbehave(Rule(fault, Operation.PAY, number=number))
    director.pay(number)
    director.deliver()

    forms = [form_of(received.body) for received in receiver.received]

    assert [client.verify(*form) for form in forms] == [False, True]


# Bills.


@pytest.mark.parametrize("kind", ["trade", "signcustomer"])
def test_a_bill_is_made_the_next_morning_and_its_address_works_for_30_seconds(
    process: AlipayProcess, client: AliPay, director: AlipayDirector, kind: str
) -> None:
    number = paid(client, director)
    trade = client.api_alipay_trade_query(out_trade_no=number)
    day = trade["send_pay_date"][:10]

    def ask() -> dict:
        return client.server_api(BILL, {"bill_type": kind, "bill_date": day})

    early = ask()
    director.advance(seconds=DAY_S + 9 * 3600)
    address = ask()["bill_download_url"]
    with urlopen(address) as answer:
        files = zipfile.ZipFile(io.BytesIO(answer.read()))
    detail = next(name for name in files.namelist() if "汇总" not in name)
    text = files.read(detail).decode("gbk")
    director.advance(seconds=31)
    late = build_opener(_NoErrors).open(address)

    assert early["sub_code"] == "BILL_NOT_EXIST"
    assert f"[{SELLER_ID}" in text
    assert [line for line in text.splitlines() if number in line and PAID in line]
    assert late.status == 403


class _NoErrors(HTTPErrorProcessor):
    def http_response(self, request, response):
        return response


def test_a_day_without_anything_has_no_bill(client: AliPay) -> None:
    content = {"bill_type": "trade", "bill_date": "2020-01-01"}

    assert client.server_api(BILL, content)["sub_code"] == "NO_BILL_DATA"


def test_nobody_directs_without_the_key(process: AlipayProcess) -> None:
    form = urlencode({"amount_minor": 1}).encode()
    late = build_opener(_NoErrors).open(f"{process.base_url}/_sim/fund", data=form)

    assert late.status == 401
