"""A refund to an Alipay account that the seller entered, from the page to Alipay's own book."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kuaitui.channels.port import PayeeKind
from kuaitui.channels.registry import Channels, build_channels
from kuaitui.channels.simulator.alipay.director import AlipayDirector
from kuaitui.channels.simulator.alipay.process import settings_entry
from kuaitui.deposits.operations import verify_destination
from kuaitui.deposits.queries import destinations
from kuaitui.deposits.types import Destination
from kuaitui.kernel.clock import read_clock
from kuaitui.payouts import operations
from kuaitui.payouts.queries import LegProgress, payout_of_application
from kuaitui.payouts.states import LegState
from kuaitui.refunds.states import State
from tests.support import given, payouts_given, portal_given
from tests.support.alipay_simulator import AlipayProcess
from tests.support.refunds_given import World

pytestmark = pytest.mark.django_db(transaction=True)
NAME = given.CHANNEL
MAIL = "xiaoming.wang@sim.invalid"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlipayProcess]:
    process = AlipayProcess(tmp_path_factory.mktemp("alipay"))
    yield process
    process.stop()


@pytest.fixture
def director(process: AlipayProcess) -> Iterator[AlipayDirector]:
    director = process.director()
    director.set(processing_s="0")
    yield director
    director.close()


@pytest.fixture(autouse=True)
def channels(process: AlipayProcess, settings: Any) -> Channels:
    settings.KUAITUI_CHANNELS = {NAME: dict(settings_entry(process.options))}
    settings.KUAITUI_PAYERS = {PayeeKind.ALIPAY_ACCOUNT.value: NAME}
    return build_channels(settings.KUAITUI_CHANNELS, clock=read_clock)


def enter(made: World, holder_name: str) -> Destination:
    """The seller enters the account on the page; somebody else vouches for it."""
    page = f"/shops/{made.shop.shop_id}/accounts/new/alipay"
    browser = portal_given.browser(made.shop.shop_key)
    answer = browser.post(page, {"holder_name": holder_name, "account_number": MAIL})
    assert answer.status_code == 302
    newest = destinations(shop_key=made.shop.shop_key)[0]
    verify_destination(destination_id=newest.destination_id, actor=given.reviewer(), now=made.now)
    return newest


def approve(made: World) -> None:
    made.now = read_clock()
    if made.state is State.SUBMITTED:
        made.check()
    made.approve()
    made.approve_whole()
    made.deliver()


def live_leg(made: World) -> LegProgress:
    (leg,) = (one for one in payout_of_application(made.application_id).legs if not one.is_replaced)
    return leg


def carry_out(made: World, channels: Channels) -> LegState | None:
    state = operations.carry_out_leg(
        leg_id=live_leg(made).leg_id, channels=channels, pace=payouts_given.PACE, clock=read_clock
    )
    made.now = read_clock()
    made.deliver()
    return state


def test_a_wrong_name_is_refused_by_alipay_and_the_right_one_is_paid_once(
    channels: Channels, director: AlipayDirector
) -> None:
    director.fund(20_000_00)
    director.set(**{f"name:{MAIL}": given.OWNER})
    now = read_clock()
    made = World(given.shop("¥10,000", route_open=False, now=now), now=now)
    misnamed = enter(made, "王小名")
    made.submit(destination_id=misnamed.destination_id)
    approve(made)

    assert carry_out(made, channels) is LegState.FAILED
    refused = live_leg(made)
    assert made.state is State.RETURNED
    assert director.paid() == {}

    made.repair(destination_id=enter(made, given.OWNER).destination_id)
    approve(made)
    again = live_leg(made)
    assert again.leg_id != refused.leg_id
    assert carry_out(made, channels) is LegState.PAID

    assert made.state is State.PAID
    (paid,) = director.paid().values()
    assert paid["times_paid"] == 1
    assert made.deposit.held.is_zero
