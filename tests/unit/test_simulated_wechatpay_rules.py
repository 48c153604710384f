"""The rules of the simulated WeChat Pay, one by one: windows, counts, waits, states, money."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from kuaitui.channels.simulator.faults import Fault
from kuaitui.channels.simulator.store import ChannelRefuses
from kuaitui.channels.simulator.wechatpay.times import rfc3339
from tests.support.wechatpay_world import DAY_S, HOUR_S, MINUTE_S, START, World, with_fault


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.book.close()


def refused(world: World, act: Callable[[], object], code: str, status: int = 400) -> None:
    """Whatever is refused moves nothing and tells nobody."""
    before = (world.movements(), world.told(), world.book.rows("SELECT * FROM refund"))
    with pytest.raises(ChannelRefuses) as refusal:
        act()
    assert (refusal.value.status, refusal.value.code) == (status, code)
    assert (world.movements(), world.told(), world.book.rows("SELECT * FROM refund")) == before


def state_of(world: World, order: str) -> str:
    return str(world.trades.query(out_trade_no=order)["trade_state"])


# Orders


def test_an_order_closes_at_its_own_time(world: World) -> None:
    order = world.opened(time_expire=rfc3339(START.timestamp() + 30 * MINUTE_S))

    world.book.advance(30 * MINUTE_S - 1)
    before = state_of(world, order)
    world.book.advance(1)

    assert (before, state_of(world, order)) == ("NOTPAY", "CLOSED")


def test_an_order_closes_after_seven_days_by_itself(world: World) -> None:
    order = world.opened()

    world.book.advance(7 * DAY_S)

    assert state_of(world, order) == "CLOSED"
    refused(
        world,
        lambda: world.trades.pay_as_offered(world.book.rows("SELECT token FROM trade")[0]["token"]),
        "ORDER_CLOSED",
    )


@pytest.mark.parametrize(
    ("method", "lasts_s", "more"),
    [("native", 2 * HOUR_S, {}), ("h5", 5 * MINUTE_S, {"payer_client_ip": "203.0.113.7"})],
)
def test_a_link_grows_old_before_its_order_and_asking_again_makes_it_fresh(
    world: World, method: str, lasts_s: int, more: dict
) -> None:
    order = world.opened(method=method, scene_info=more)
    token = world.book.rows("SELECT token FROM trade")[0]["token"]
    world.book.advance(lasts_s)

    refused(world, lambda: world.trades.pay_as_offered(token), "ORDER_CLOSED")
    world.opened(number=order, method=method, scene_info=more)
    world.trades.pay_as_offered(token)

    assert state_of(world, order) == "SUCCESS"
    refused(world, lambda: world.trades.pay_as_offered(token), "ORDER_CLOSED")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": {"total": 0, "currency": "CNY"}},
        {"amount": {"total": 1.5, "currency": "CNY"}},
        {"amount": {"total": True, "currency": "CNY"}},
        {"amount": {"total": 100, "currency": "USD"}},
        {"out_trade_no": "short"},
        {"out_trade_no": "x" * 33},
        {"notify_url": ""},
        {"time_expire": "2020-01-01T00:00:00+08:00"},
    ],
)
def test_an_order_that_is_not_well_formed_is_refused(world: World, changes: dict) -> None:
    refused(world, lambda: world.opened(**changes), "PARAM_ERROR")


def test_the_real_world_pays_twice_too_late_another_amount_and_what_nobody_ordered(
    world: World,
) -> None:
    twice, late, other = world.opened(), world.opened(), world.opened()
    world.trades.close(late)

    payments = [
        world.trades.pay(twice),
        world.trades.pay(twice),
        world.trades.pay(late),
        world.trades.pay(other, amount_minor=49_999),
        world.trades.pay("NOBODYORDERED", amount_minor=1_234),
    ]

    assert len({payment["transaction_id"] for payment in payments}) == 5
    assert state_of(world, late) == "SUCCESS"
    assert world.trades.query(out_trade_no=other)["amount"]["total"] == 49_999
    assert world.trades.query(out_trade_no="NOBODYORDERED")["trade_state"] == "SUCCESS"
    assert world.book.balance("merchant") == 3 * 50_000 + 49_999 + 1_234
    assert world.told() == ["TRANSACTION.SUCCESS"] * 5


# Refunds


def test_refunds_of_one_payment_are_a_minute_apart(world: World) -> None:
    payment = world.paid()
    world.refund(payment, 100)

    refused(world, lambda: world.refund(payment, 100), "FREQUENCY_LIMITED", 429)
    world.book.advance(MINUTE_S)

    assert world.refund(payment, 100)["status"] == "SUCCESS"


def test_a_payment_is_refunded_in_fifty_parts_and_no_more(world: World) -> None:
    payment = world.paid()
    for _ in range(50):
        world.refund(payment, 100)
        world.book.advance(MINUTE_S)

    refused(world, lambda: world.refund(payment, 100), "INVALID_REQUEST")


def test_a_payment_is_refunded_for_365_days(world: World) -> None:
    payment = world.paid()

    world.book.advance(365 * DAY_S)
    assert world.refund(payment, 100)["status"] == "SUCCESS"
    world.book.advance(MINUTE_S)

    refused(world, lambda: world.refund(payment, 100), "INVALID_REQUEST")


def test_no_more_is_refunded_than_was_paid(world: World) -> None:
    payment = world.paid()
    world.paid()  # so that the balance is not what stands in the way
    world.refund(payment, 49_000)
    world.book.advance(MINUTE_S)

    refused(world, lambda: world.refund(payment, 1_001), "INVALID_REQUEST")
    refused(world, lambda: world.refund(payment, 1_000, total_minor=60_000), "INVALID_REQUEST")

    assert world.refund(payment, 1_000)["status"] == "SUCCESS"


def test_without_balance_nothing_is_taken_in_and_the_same_number_works_later(world: World) -> None:
    payment = world.paid()
    world.book.fund(-1)

    refused(world, lambda: world.refund(payment, 50_000, number="R1"), "NOT_ENOUGH", 403)
    refused(world, lambda: world.refunds.query("R1"), "RESOURCE_NOT_EXISTS", 404)
    world.book.fund(1)

    assert world.refund(payment, 50_000, number="R1")["status"] == "SUCCESS"


def test_a_refund_that_waits_seven_days_for_balance_is_closed(world: World) -> None:
    world.book.set_settings({"accepts_without_balance": "1"})
    payment, waiting = world.paid(), world.paid()
    world.book.fund(-100_000)
    world.refund(payment, 50_000, number="R1")
    world.refund(waiting, 50_000, number="R2")

    world.book.advance(7 * DAY_S - 1)
    before = world.refunds.query("R1")["status"]
    world.book.fund(50_000)
    world.book.advance(1)

    assert before == "PROCESSING"
    assert world.refunds.query("R1")["status"] == "SUCCESS"
    assert world.refunds.query("R2")["status"] == "CLOSED"
    assert world.told()[-2:] == ["REFUND.SUCCESS", "REFUND.CLOSED"]
    assert world.book.balance("refunds") == 0
    # A closed refund is the one case in which a new number is right.
    world.book.fund(50_000)
    assert world.refund(waiting, 50_000, number="R3")["status"] == "SUCCESS"


def test_processing_takes_its_time_and_then_tells(world: World) -> None:
    world.book.set_settings({"processing_s": "300"})
    payment = world.paid()

    answered = world.refund(payment, 50_000, number="R1")["status"]
    lying = world.book.balance("refunds")
    world.book.advance(300)

    assert (answered, lying) == ("PROCESSING", 50_000)
    assert world.refunds.query("R1")["status"] == "SUCCESS"
    assert world.book.balance("refunds") == 0
    assert world.told()[-1] == "REFUND.SUCCESS"


@pytest.mark.parametrize(
    ("way", "account"), [("USER_BANK_CARD", "6225880000006789"), ("MERCHANT_BANK_CARD", "")]
)
def test_a_stuck_refund_keeps_its_money_until_it_is_sent_on_once(
    world: World, way: str, account: str
) -> None:
    payment = world.paid()
    stuck = world.refund(payment, 50_000, faults=with_fault(Fault.ABNORMAL))
    lying = world.book.balance("refunds")
    order = {"out_refund_no": stuck["out_refund_no"], "type": way, "bank_type": "CMB_DEBIT"}

    sent = world.refunds.send_on(stuck["refund_id"], order, account)
    again = world.refunds.send_on(stuck["refund_id"], order, account)

    assert (stuck["status"], lying) == ("ABNORMAL", 50_000)
    assert sent == again
    assert sent["status"] == "SUCCESS"
    assert world.book.balance("refunds") == 0
    assert world.told()[-2:] == ["REFUND.ABNORMAL", "REFUND.SUCCESS"]


def test_a_refund_that_is_not_stuck_is_not_sent_on(world: World) -> None:
    payment = world.paid()
    done = world.refund(payment, 50_000)
    order = {"out_refund_no": done["out_refund_no"], "type": "MERCHANT_BANK_CARD"}

    refused(world, lambda: world.refunds.send_on(done["refund_id"], order, ""), "INVALID_REQUEST")


def test_a_refund_that_fails_for_good_gives_the_merchant_its_money_back(world: World) -> None:
    payment = world.paid()

    failed = world.refund(payment, 50_000, faults=with_fault(Fault.FAIL_LATER))

    assert failed["status"] == "CLOSED"
    assert world.book.balance("merchant") == 50_000


# Transfers


@pytest.fixture
def rich(world: World) -> World:
    world.book.fund(1_000_000)
    return world


def test_a_transfer_locks_its_money_until_it_is_confirmed(rich: World) -> None:
    bill = rich.transfer(number="T1")
    locked = (rich.book.balance("merchant"), rich.book.balance("transfers"))

    rich.transfers.confirm(bill["package_info"])

    assert locked == (980_000, 20_000)
    assert (rich.book.balance("transfers"), rich.book.balance("payees")) == (0, 20_000)
    assert rich.told() == ["MCHTRANSFER.BILL.FINISHED"]


def test_an_unconfirmed_transfer_is_closed_after_a_day(rich: World) -> None:
    bill = rich.transfer(number="T1")

    rich.book.advance(24 * HOUR_S - 1)
    before = rich.transfers.query(out_bill_no="T1")["state"]
    rich.book.advance(1)
    after = rich.transfers.query(out_bill_no="T1")

    assert before == "WAIT_USER_CONFIRM"
    assert (after["state"], after["fail_reason"]) == ("FAIL", "OVERDUE_CLOSE")
    assert rich.book.balance("merchant") == 1_000_000
    refused(rich, lambda: rich.transfers.confirm(bill["package_info"]), "INVALID_REQUEST")


def test_closing_may_lag_and_nobody_can_confirm_meanwhile(rich: World) -> None:
    bill = rich.transfer(number="T1", faults=with_fault(Fault.CLOSE_LATE, seconds=2 * HOUR_S))

    rich.book.advance(25 * HOUR_S)

    assert rich.transfers.query(out_bill_no="T1")["state"] == "WAIT_USER_CONFIRM"
    refused(rich, lambda: rich.transfers.confirm(bill["package_info"]), "INVALID_REQUEST")
    rich.book.advance(HOUR_S)
    assert rich.transfers.query(out_bill_no="T1")["state"] == "FAIL"


def test_a_payee_has_a_day_from_when_there_is_something_to_confirm(rich: World) -> None:
    rich.transfer(number="T1", faults=with_fault(Fault.SLOW, seconds=DAY_S))

    states = []
    for seconds in (0, DAY_S, DAY_S - 1, 1):
        rich.book.advance(seconds)
        states.append(rich.transfers.query(out_bill_no="T1")["state"])

    assert states == ["ACCEPTED", "WAIT_USER_CONFIRM", "WAIT_USER_CONFIRM", "FAIL"]


def test_a_transfer_without_its_money_waits_for_the_same_order_once_more(rich: World) -> None:
    rich.transfer(number="T1", faults=with_fault(Fault.WANTS_AGAIN))
    rich.book.advance(2 * DAY_S)
    waiting = rich.transfers.query(out_bill_no="T1")["state"]
    unlocked = (rich.book.balance("merchant"), rich.book.balance("transfers"))

    bill = rich.transfer(number="T1")

    assert waiting == "PROCESSING"
    assert unlocked == (1_000_000, 0)
    assert bill["state"] == "WAIT_USER_CONFIRM"
    assert (rich.book.balance("merchant"), rich.book.balance("transfers")) == (980_000, 20_000)
    rich.book.advance(DAY_S - 1)
    rich.transfers.confirm(bill["package_info"])
    assert rich.book.balance("payees") == 20_000


def test_the_same_order_once_more_helps_nothing_without_money(world: World) -> None:
    world.book.fund(20_000)
    world.transfer(number="T1", faults=with_fault(Fault.WANTS_AGAIN))
    world.transfer(number="T2")

    assert world.transfer(number="T1")["state"] == "PROCESSING"
    world.book.fund(20_000)
    assert world.transfer(number="T1")["state"] == "WAIT_USER_CONFIRM"


def test_what_never_had_its_money_gives_none_back(rich: World) -> None:
    rich.transfer(number="T1", faults=with_fault(Fault.WANTS_AGAIN))

    assert rich.transfers.cancel("T1")["state"] == "CANCELLED"

    assert (rich.book.balance("merchant"), rich.book.balance("transfers")) == (1_000_000, 0)
    assert rich.transfer(number="T1")["state"] == "CANCELLED"


def test_a_transfer_is_found_for_thirty_days(rich: World) -> None:
    rich.transfer(number="T1")
    rich.book.advance(30 * DAY_S)
    assert rich.transfers.query(out_bill_no="T1")["state"] == "FAIL"

    rich.book.advance(1)

    refused(rich, lambda: rich.transfers.query(out_bill_no="T1"), "NOT_FOUND", 404)


@pytest.mark.parametrize(
    ("amount_minor", "changes"),
    [
        (9, {}),
        (200_000, {}),
        (20_000, {"number": "with-dash"}),
        (20_000, {"transfer_remark": "长" * 33}),
        (20_000, {"transfer_scene_report_infos": []}),
    ],
)
def test_a_transfer_that_breaks_a_rule_is_refused(
    rich: World, amount_minor: int, changes: dict
) -> None:
    refused(rich, lambda: rich.transfer(amount_minor, **changes), "PARAM_ERROR")


def test_the_least_transfer_and_the_first_with_a_name_are_taken(rich: World) -> None:
    assert rich.transfer(10)["state"] == "WAIT_USER_CONFIRM"
    assert rich.transfer(199_999)["state"] == "WAIT_USER_CONFIRM"
    assert rich.transfer(200_000, name="王小明")["state"] == "WAIT_USER_CONFIRM"


def test_a_transfer_without_balance_is_refused(world: World) -> None:
    refused(world, lambda: world.transfer(), "NOT_ENOUGH", 403)


def test_a_transfer_number_with_other_content_is_refused(rich: World) -> None:
    first = rich.transfer(number="T1", name="王小明")

    assert rich.transfer(number="T1", name="王小明") == first
    refused(rich, lambda: rich.transfer(number="T1", name="李四"), "INVALID_REQUEST")
    refused(rich, lambda: rich.transfer(20_001, number="T1", name="王小明"), "INVALID_REQUEST")


def test_cancelling_takes_its_time_and_a_paid_transfer_is_not_cancelled(rich: World) -> None:
    rich.book.set_settings({"cancelling_s": "60"})
    paid = rich.transfer(number="T1")
    rich.transfer(number="T2")
    rich.transfers.confirm(paid["package_info"])

    refused(rich, lambda: rich.transfers.cancel("T1"), "INVALID_REQUEST")
    rich.transfers.cancel("T2")
    meanwhile = rich.transfers.query(out_bill_no="T2")["state"]
    rich.book.advance(60)

    assert meanwhile == "CANCELING"
    assert rich.transfers.query(out_bill_no="T2")["state"] == "CANCELLED"
    assert rich.book.balance("merchant") == 980_000


def test_a_confirmed_transfer_may_still_fail(rich: World) -> None:
    bill = rich.transfer(number="T1", faults=with_fault(Fault.FAIL_LATER, code="ACCOUNT_FROZEN"))

    rich.transfers.confirm(bill["package_info"])

    failed = rich.transfers.query(out_bill_no="T1")
    assert (failed["state"], failed["fail_reason"]) == ("FAIL", "ACCOUNT_FROZEN")
    assert rich.book.balance("merchant") == 1_000_000


def test_payees_may_confirm_by_themselves(rich: World) -> None:
    rich.book.set_settings({"payees_confirm": "1"})

    assert rich.transfer(number="T1")["state"] == "SUCCESS"


# The public contract


def test_answers_have_every_field_that_the_public_contract_requires(rich: World) -> None:
    """Names as in the community's description TheNorthMemory/wechatpay-openapi, docs/v3."""
    refund = rich.refund(rich.paid(), 50_000)
    bill = rich.transfer(number="T1")
    queried = rich.transfers.query(out_bill_no="T1")
    cancelled = rich.transfers.cancel("T1")

    names = "refund_id out_refund_no transaction_id out_trade_no channel user_received_account"
    assert {*names.split(), "create_time", "status", "amount"} <= set(refund)
    names = "total refund payer_total payer_refund settlement_refund settlement_total"
    assert {*names.split(), "discount_refund", "currency"} <= set(refund["amount"])
    names = "out_bill_no transfer_bill_no state"
    assert {*names.split(), "create_time"} <= set(bill)
    assert {*names.split(), "update_time"} == set(cancelled)
    more = "mch_id appid transfer_amount transfer_remark create_time update_time"
    assert {*names.split(), *more.split()} <= set(queried)
    assert bill["create_time"] == "2026-03-02T12:00:00.000+08:00"
    assert refund["create_time"] == "2026-03-02T12:00:00+08:00"
