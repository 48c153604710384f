"""The simulated WeChat Pay, driven over real HTTP by the SDK `wechatpayv3`, which nobody here wrote.

A fault of the SDK itself (see the reference) is worked around here, never in the simulator.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from wechatpayv3 import WeChatPay, WeChatPayType

from kuaitui.channels.simulator.wechatpay.director import WechatPayDirector
from kuaitui.channels.simulator.wechatpay.keys import MCHID
from kuaitui.channels.simulator.wechatpay.times import DAY_S, HOUR_S, beijing
from tests.support.receiver import Receiver
from tests.support.wechatpay import WechatPayProcess, a_number, read

PAID_MINOR = 50_000
# Without the certificates of the system, which take long to read.
browser = httpx.Client(
    trust_env=False, verify=False, limits=httpx.Limits(max_keepalive_connections=0)
)
pytestmark = pytest.mark.filterwarnings("ignore:.*not_valid_after.*")


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
    director.set(key_mode="public_key", processing_s="0", accepts_without_balance="0")
    director.close()


@pytest.fixture(params=["public_key", "certificate"])
def client(
    request: pytest.FixtureRequest, process: WechatPayProcess, director: WechatPayDirector
) -> WeChatPay:
    director.set(key_mode=request.param)
    return process.client(mode=request.param)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def sha1(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


def open_order(client: WeChatPay, number: str, **changes: Any) -> tuple[int, dict[str, Any]]:
    order = {"description": "店铺保证金", "amount": {"total": PAID_MINOR, "currency": "CNY"}}
    return read(client.pay(out_trade_no=number, **{**order, **changes}))


def pay_order(client: WeChatPay, director: WechatPayDirector, number: str) -> str:
    assert open_order(client, number)[0] == 200
    return director.pay(number)


def refund(
    client: WeChatPay, payment: str, number: str, amount_minor: int = PAID_MINOR
) -> tuple[int, dict[str, Any]]:
    amount = {"refund": amount_minor, "total": PAID_MINOR, "currency": "CNY"}
    return read(client.refund(out_refund_no=number, amount=amount, transaction_id=payment))


def transfer(client: WeChatPay, number: str, **changes: Any) -> tuple[int, dict[str, Any]]:
    document = {
        "transfer_scene_id": "1011",
        "openid": "oPayee0001",
        "transfer_amount": 20_000,
        "transfer_remark": "保证金退还",
        "transfer_scene_report_infos": [{"info_type": "赔付原因", "info_content": "保证金退还"}],
        **changes,
    }
    return read(client.mch_transfer_bills(out_bill_no=number, **document))


def test_an_order_is_opened_paid_and_found(client: WeChatPay, director: WechatPayDirector) -> None:
    number = a_number()

    status, opened = open_order(client, number)
    before = read(client.query(out_trade_no=number))[1]
    payment = director.pay(number)
    after = read(client.query(out_trade_no=number))[1]
    by_id = read(client.query(transaction_id=payment))[1]

    assert status == 200
    assert opened["code_url"].startswith("http")
    assert before["trade_state"] == "NOTPAY"
    assert "transaction_id" not in before
    assert (after["trade_state"], after["transaction_id"]) == ("SUCCESS", payment)
    assert after["amount"]["total"] == PAID_MINOR
    assert by_id == after


def test_the_qr_code_leads_to_a_page_where_the_order_is_paid_once(
    client: WeChatPay, director: WechatPayDirector
) -> None:
    number = a_number()
    page = open_order(client, number)[1]["code_url"]

    shown = browser.get(page)
    paid = browser.post(page)
    again = browser.post(page)

    assert "¥500.00" in shown.text
    assert "<button>" in shown.text
    assert "SUCCESS" in paid.text
    assert again.status_code == 409
    payments = [row for row in director.book()["payments"] if row["out_trade_no"] == number]
    assert len(payments) == 1


def test_a_payee_confirms_on_a_page_that_shows_what_people_wrote_as_they_wrote_it(
    process: WechatPayProcess, director: WechatPayDirector
) -> None:
    director.fund(20_000)
    number = a_number("T")
    created = transfer(process.client(), number, transfer_remark="<b>退还</b>")[1]
    page = f"{process.base_url}/sim/confirm/{created['package_info']}"

    shown = browser.get(page)
    confirmed = browser.post(page)

    assert "&lt;b&gt;退还&lt;/b&gt;" in shown.text
    assert "SUCCESS" in confirmed.text
    assert browser.post(page).status_code == 409
    assert browser.get(f"{process.base_url}/sim/confirm/another").status_code == 409
    assert director.paid()[number]["times_paid"] == 1


def test_many_at_once_under_one_number_pay_once(
    process: WechatPayProcess, director: WechatPayDirector
) -> None:
    client = process.client()
    payment, number = pay_order(client, director, a_number()), a_number("R")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: refund(client, payment, number), range(16)))

    assert answers == [answers[0]] * 16
    assert director.paid()[number]["times_paid"] == 1


def test_an_h5_order_gives_a_link(process: WechatPayProcess) -> None:
    client = process.client()

    status, opened = open_order(
        client,
        a_number(),
        pay_type=WeChatPayType.H5,
        scene_info={"payer_client_ip": "203.0.113.7", "h5_info": {"type": "Wap"}},
    )

    assert status == 200
    assert opened["h5_url"].startswith(process.base_url)


def test_the_same_order_again_is_the_same_and_another_is_refused(client: WeChatPay) -> None:
    number = a_number()
    first = open_order(client, number)

    again = open_order(client, number)
    other = open_order(client, number, amount={"total": PAID_MINOR + 1, "currency": "CNY"})

    assert again == first
    assert other[0] == 400
    assert other[1]["code"] == "INVALID_REQUEST"
    assert "268498688" in other[1]["message"]


def test_a_closed_order_cannot_be_paid_and_a_paid_one_cannot_be_closed(
    client: WeChatPay, director: WechatPayDirector
) -> None:
    closed, paid = a_number(), a_number()
    page = open_order(client, closed)[1]["code_url"]
    pay_order(client, director, paid)

    assert client.close(closed)[0] == 204
    assert client.close(closed)[0] == 204
    assert read(client.close(paid))[1]["code"] == "ORDERPAID"

    assert browser.post(page).status_code == 409
    assert read(client.query(out_trade_no=closed))[1]["trade_state"] == "CLOSED"
    assert read(client.query(out_trade_no=paid))[1]["trade_state"] == "SUCCESS"


def test_an_unknown_order_is_not_found(client: WeChatPay) -> None:
    status, answer = read(client.query(out_trade_no="NEVERORDERED"))

    assert (status, answer["code"]) == (404, "ORDER_NOT_EXIST")


def test_a_refund_is_paid_once_however_often_it_is_asked_for(
    client: WeChatPay, director: WechatPayDirector
) -> None:
    payment, number = pay_order(client, director, a_number()), a_number("R")

    first = refund(client, payment, number)
    again = refund(client, payment, number)
    found = read(client.query_refund(number))

    assert first[0] == 200
    assert first[1]["status"] == "SUCCESS"
    assert again == first == found
    assert director.paid()[number] == {
        "times_paid": 1,
        "times_returned": 0,
        "with_payee_minor": PAID_MINOR,
    }


def test_a_refund_number_with_other_content_is_refused_and_moves_nothing(
    client: WeChatPay, director: WechatPayDirector
) -> None:
    payment, number = pay_order(client, director, a_number()), a_number("R")
    refund(client, payment, number, 10_000)
    before = director.book()["movements"]

    status, answer = refund(client, payment, number, 10_001)

    assert (status, answer["code"]) == (400, "INVALID_REQUEST")
    assert director.book()["movements"] == before


def test_a_refund_that_nobody_asked_for_is_not_found(client: WeChatPay) -> None:
    status, answer = read(client.query_refund("NEVERASKED"))

    assert (status, answer["code"]) == (404, "RESOURCE_NOT_EXISTS")


def test_a_transfer_waits_for_its_payee_and_is_paid_when_confirmed(
    client: WeChatPay, director: WechatPayDirector
) -> None:
    director.fund(1_000_000)
    number = a_number("T")

    status, created = transfer(client, number)
    waiting = read(client.mch_transfer_bills_query(out_bill_no=number))[1]
    director.confirm(number)
    paid = read(client.mch_transfer_bills_query(transfer_bill_no=created["transfer_bill_no"]))[1]

    assert (status, created["state"]) == (200, "WAIT_USER_CONFIRM")
    assert created["package_info"]
    assert (waiting["state"], waiting["transfer_amount"]) == ("WAIT_USER_CONFIRM", 20_000)
    assert paid["state"] == "SUCCESS"
    assert director.paid()[number]["times_paid"] == 1


def test_a_name_is_decrypted_and_must_be_the_payees(
    client: WeChatPay, director: WechatPayDirector
) -> None:
    director.fund(1_000_000)
    director.set(**{"name:oPayee0002": "王小明"})
    right, wrong = a_number("T"), a_number("T")

    taken = transfer(
        client, right, openid="oPayee0002", user_name="王小明", transfer_amount=200_000
    )
    again = transfer(
        client, right, openid="oPayee0002", user_name="王小明", transfer_amount=200_000
    )
    refused = transfer(
        client, wrong, openid="oPayee0002", user_name="李四", transfer_amount=200_000
    )

    assert taken[1]["state"] == "WAIT_USER_CONFIRM"
    assert again == taken
    assert (refused[1]["state"], refused[1]["fail_reason"]) == ("FAIL", "NAME_NOT_CORRECT")
    assert wrong not in director.paid() or director.paid()[wrong]["times_paid"] == 0


def test_a_transfer_is_cancelled_and_its_money_comes_back(
    client: WeChatPay, director: WechatPayDirector
) -> None:
    balance = director.fund(20_000)
    number = a_number("T")
    transfer(client, number)

    status, cancelling = read(client.mch_transfer_bills_cancel(number))
    cancelled = read(client.mch_transfer_bills_query(out_bill_no=number))[1]
    again = read(client.mch_transfer_bills_cancel(number))[1]

    assert (status, cancelling["state"]) == (200, "CANCELING")
    assert (cancelled["state"], again["state"]) == ("CANCELLED", "CANCELLED")
    assert director.book()["balances"]["merchant"] == balance


def test_notifications_are_verified_and_decrypted_by_the_client(
    process: WechatPayProcess, director: WechatPayDirector, receiver: Receiver
) -> None:
    for mode in ("public_key", "certificate"):
        director.set(key_mode=mode)
        client = process.client(mode=mode, notify_url=receiver.url)
        number, refunded, transferred = a_number(), a_number("R"), a_number("T")

        payment = pay_order(client, director, number)
        refund(client, payment, refunded, 1_000)
        transfer(client, transferred)
        director.confirm(transferred)
        director.deliver()

        told = [client.callback(one.headers, one.body) for one in receiver.received]
        receiver.received.clear()
        assert [one["event_type"] for one in told] == [
            "TRANSACTION.SUCCESS",
            "REFUND.SUCCESS",
            "MCHTRANSFER.BILL.FINISHED",
        ]
        resources = [one["resource"] for one in told]
        assert resources[0]["out_trade_no"] == number
        assert resources[0]["amount"]["total"] == PAID_MINOR
        assert (resources[1]["out_refund_no"], resources[1]["refund_status"]) == (
            refunded,
            "SUCCESS",
        )
        assert (resources[2]["out_bill_no"], resources[2]["state"]) == (transferred, "SUCCESS")
        assert {one.get("mchid", one.get("mch_id")) for one in resources} == {MCHID}


def test_bills_are_asked_for_and_downloaded_and_their_hash_is_of_the_file(
    client: WeChatPay, director: WechatPayDirector
) -> None:
    number, refunded = a_number(), a_number("R")
    day = beijing(director.book()["now"]).date().isoformat()
    refund(client, pay_order(client, director, number), refunded)
    director.advance(seconds=DAY_S + 12 * HOUR_S)

    plain = read(client.trade_bill(day, tar_type=""))
    packed = read(client.fundflow_bill(day))
    trades = client.download_bill(plain[1]["download_url"])
    funds = client.download_bill(packed[1]["download_url"])
    long_ago = dt.date.fromisoformat(day) - dt.timedelta(days=60)
    empty = read(client.trade_bill(long_ago.isoformat()))

    assert (plain[0], packed[0], trades[0], funds[0]) == (200, 200, 200, 200)
    assert sha1(trades[1]) == plain[1]["hash_value"]
    assert sha1(gzip.decompress(funds[1])) == packed[1]["hash_value"]
    assert f"`{number},".encode() in trades[1]
    assert f"`{refunded}\r\n".encode() in gzip.decompress(funds[1])
    assert (empty[0], empty[1]["code"]) == (400, "NO_STATEMENT_EXIST")


def test_a_bill_is_downloaded_by_its_merchant_only(
    process: WechatPayProcess, director: WechatPayDirector
) -> None:
    client = process.client()
    day = beijing(director.book()["now"]).date().isoformat()
    pay_order(client, director, a_number())
    director.advance(seconds=DAY_S + 12 * HOUR_S)
    url = read(client.trade_bill(day))[1]["download_url"]

    assert browser.get(url).status_code == 401
    assert client.download_bill(url.replace("token=", "token=x"))[0] == 400


def test_keys_are_rotated_and_the_client_learns_the_new_certificate(
    process: WechatPayProcess, director: WechatPayDirector
) -> None:
    director.set(key_mode="certificate")
    client = process.client(mode="certificate")
    serial = director.rotate("certificate")

    status, _ = open_order(client, a_number())

    assert status == 200
    assert serial in {f"{known.serial_number:040X}" for known in client._core._certificates}


def test_a_rotated_public_key_is_not_the_old_one_and_the_old_is_still_understood(
    process: WechatPayProcess, director: WechatPayDirector
) -> None:
    old = process.client()
    key_id = director.rotate("public_key")
    new = process.client()

    assert new._core._public_key_id == key_id != old._core._public_key_id
    assert open_order(new, a_number())[0] == 200
    # The old key is asked for by name, so the answer is signed with it: nobody is cut off.
    assert open_order(old, a_number())[0] == 200


def test_new_merchants_have_no_certificates(
    process: WechatPayProcess, director: WechatPayDirector
) -> None:
    status, answer = read(process.client()._core.request("/v3/certificates"))

    assert (status, answer["code"]) == (404, "RESOURCE_NOT_EXISTS")


def test_a_request_of_somebody_else_is_refused_and_moves_nothing(
    process: WechatPayProcess, director: WechatPayDirector
) -> None:
    client = process.client()
    payment = pay_order(client, director, a_number())
    before = director.book()

    client._core._mchid = "1900000999"
    refused = refund(client, payment, a_number("R"))
    unsigned = browser.post(f"{process.base_url}/v3/refund/domestic/refunds", json={})

    assert (refused[0], refused[1]["code"]) == (401, "SIGN_ERROR")
    assert (unsigned.status_code, unsigned.json()["code"]) == (401, "SIGN_ERROR")
    after = director.book()
    assert (after["movements"], after["refunds"]) == (before["movements"], before["refunds"])


def test_a_number_is_asked_about_and_closed_by_its_own_merchant_only(
    process: WechatPayProcess,
) -> None:
    client, number = process.client(), a_number()
    open_order(client, number)

    asked = read(client.query(out_trade_no=number, mchid="1900000999"))
    closed = read(client.close(number, mchid="1900000999"))

    assert [answer[1]["code"] for answer in (asked, closed)] == ["PARAM_ERROR"] * 2
    assert read(client.query(out_trade_no=number))[1]["trade_state"] == "NOTPAY"


def test_a_name_sealed_for_a_key_that_is_not_ours_moves_nothing(
    process: WechatPayProcess, director: WechatPayDirector
) -> None:
    director.fund(1_000_000)
    client, before = process.client(), director.book()["movements"]
    client._core._public_key_id = "PUB_KEY_ID_0000000000"
    unknown = transfer(client, a_number("T"), user_name="王小明")
    other = process.client()
    other._core._public_key = process.client(mode="certificate")._core._certificates[0].public_key()
    wrong = transfer(other, a_number("T"), user_name="王小明")

    assert [answer[1]["code"] for answer in (unknown, wrong)] == ["PARAM_ERROR"] * 2
    assert director.book()["movements"] == before


def test_nobody_directs_without_the_key(process: WechatPayProcess) -> None:
    answer = browser.post(f"{process.base_url}/_sim/fund", json={"amount_minor": 1})

    assert answer.status_code == 401
