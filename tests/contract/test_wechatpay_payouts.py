"""What WeChat Pay waits for a person for, from the books to its own book, over real HTTP."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.db import connection, transaction

from kuaitui.channels.port import PayeeKind
from kuaitui.channels.registry import Channels, build_channels
from kuaitui.channels.simulator.faults import Fault, Rule
from kuaitui.channels.simulator.wechatpay.director import WechatPayDirector
from kuaitui.channels.simulator.wechatpay.process import settings_entry
from kuaitui.kernel.clock import read_clock
from kuaitui.payouts import operations, queries
from kuaitui.payouts.queries import Confirmation, confirmations_of
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import AttemptKind
from tests.support import given
from tests.support import payouts_given as pg
from tests.support.given import yuan
from tests.support.wechatpay import WechatPayProcess, a_number

pytestmark = pytest.mark.django_db(transaction=True)
NAME = given.CHANNEL
PAID = yuan("¥1,000")
HOUR = dt.timedelta(hours=1)
SCENE = {
    "scene_id": "1011",
    "reports": [{"info_type": "赔付原因", "info_content": "退还保证金"}],
    "remark": "退还保证金",
}


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WechatPayProcess]:
    process = WechatPayProcess(tmp_path_factory.mktemp("wechatpay"))
    yield process
    process.stop()


@pytest.fixture
def director(process: WechatPayProcess) -> Iterator[WechatPayDirector]:
    director = process.director()
    director.fund(10_000_00)
    yield director
    director.behave()
    director.close()


@pytest.fixture(autouse=True)
def channels(process: WechatPayProcess, settings: Any) -> Channels:
    entry = {**settings_entry(process.options), "transfer_scene": SCENE}
    settings.KUAITUI_CHANNELS = {NAME: entry}
    settings.KUAITUI_PAYERS = {PayeeKind.WECHAT_USER.value: NAME}
    return build_channels(settings.KUAITUI_CHANNELS, clock=read_clock)


class Walk:
    """A payout through WeChat Pay, one attempt after the other, on a clock that jumps."""

    def __init__(self, channels: Channels, world: pg.World) -> None:
        self.world = world
        self._channels = channels
        self.now = read_clock()

    def step(self, *, hours: int = 1) -> LegState | None:
        self.now += hours * HOUR
        return operations.carry_out_leg(
            leg_id=self.world.leg_id,
            channels=self._channels,
            pace=pg.PACE,
            clock=lambda: self.now,
        )

    def confirmation(self) -> Confirmation:
        (found,) = confirmations_of(
            application_id=self.world.application_id, shop_key=self.world.shop.shop_key
        )
        return found


def refund(channels: Channels, director: WechatPayDirector, *faults: Fault) -> Walk:
    """Money that came in by WeChat Pay and goes back the same way."""
    now = read_clock()
    payment = director.pay(a_number("ORDER"), amount_minor=PAID.minor)
    shop = given.shop((), now=now)
    paid_at = now - given.DAY
    given.pay_in(shop.account_id, "¥1,000", reference=payment, paid_at=paid_at, now=now)
    world = pg.payout_of(shop, "¥1,000", application_id=a_number("rfa_"), now=now)
    return walk(channels, director, world, faults)


def transfer(channels: Channels, director: WechatPayDirector, *faults: Fault) -> Walk:
    """Money that goes to a WeChat user, since the way back has closed."""
    now = read_clock()
    shop = given.shop("¥1,000", route_open=False, now=now)
    account = given.destination(shop, now=now).destination_id
    # Sellers cannot yet enter a WeChat user themselves.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE deposits_destination SET kind = 'wechat_user' WHERE public_id = %s", [account]
        )
    world = pg.payout_of(
        shop, "¥1,000", application_id=a_number("rfa_"), destination_id=account, now=now
    )
    return walk(channels, director, world, faults)


def walk(
    channels: Channels, director: WechatPayDirector, world: pg.World, faults: tuple[Fault, ...]
) -> Walk:
    number = queries.leg(world.leg_id).channel_number
    if faults:
        director.misbehave(*(Rule(fault, number=number) for fault in faults))
    return Walk(channels, world)


def times_paid(director: WechatPayDirector, walked: Walk) -> int:
    number = queries.leg(walked.world.leg_id).channel_number
    return director.paid().get(number, {"times_paid": 0})["times_paid"]


def hand_over(walked: Walk, account: str) -> None:
    leg_id, now = walked.world.leg_id, walked.now
    operations.propose_hand_over(
        leg_id=leg_id,
        destination_id=account,
        reason="The card it came from is closed.",
        actor=given.reviewer(),
        now=now,
    )
    operations.confirm_hand_over(
        leg_id=leg_id, destination_id=account, actor=given.approver(), now=now
    )


def test_a_stuck_refund_goes_to_a_bank_account_and_is_paid_once(
    channels: Channels, director: WechatPayDirector
) -> None:
    walked = refund(channels, director, Fault.ABNORMAL)
    assert walked.step() is LegState.NEEDS_ACTION
    account = given.destination(walked.world.shop, now=walked.now).destination_id
    before = walked.world.held()

    assert walked.step() is LegState.NEEDS_ACTION
    assert walked.world.held() == before
    hand_over(walked, account)
    assert walked.step() is LegState.PAID

    assert times_paid(director, walked) == 1
    assert walked.world.held() == {}
    assert walked.world.kinds()[-1] is AttemptKind.HAND_OVER
    (row,) = [one for one in director.book()["refunds"] if one["received_account"]]
    assert row["received_account"] == "CMB_DEBIT4562"


def test_a_payee_confirms_on_the_page_that_the_seller_was_shown(
    channels: Channels, director: WechatPayDirector
) -> None:
    walked = transfer(channels, director)
    assert walked.step() is LegState.NEEDS_ACTION
    found = walked.confirmation()
    assert found.until == walked.now + given.DAY
    assert walked.step() is LegState.NEEDS_ACTION
    assert walked.confirmation() == found

    assert httpx.post(found.page, timeout=5).status_code == 200

    assert walked.step() is LegState.PAID
    assert times_paid(director, walked) == 1
    assert walked.world.held() == {}


def test_a_transfer_that_is_wanted_again_is_handed_over_again_and_paid_once(
    channels: Channels, director: WechatPayDirector
) -> None:
    walked = transfer(channels, director, Fault.WANTS_AGAIN)
    assert walked.step() is LegState.ACCEPTED
    pg.stop(now=walked.now)
    assert walked.step() is LegState.ACCEPTED
    pg.resume(now=walked.now)

    assert walked.step() is LegState.NEEDS_ACTION
    # Only the answer to an order tells how the payee confirms.
    assert httpx.post(walked.confirmation().page, timeout=5).status_code == 200
    assert walked.step() is LegState.PAID

    kinds = [AttemptKind.SEND, AttemptKind.QUERY, AttemptKind.SEND_AGAIN, AttemptKind.QUERY]
    assert walked.world.kinds() == kinds
    assert times_paid(director, walked) == 1
    assert walked.world.held() == {}


@pytest.mark.parametrize("code", ["PARAM_ERROR", "INVALID_REQUEST"])
def test_a_transfer_refused_for_what_we_wrote_goes_out_under_its_number_once_that_is_mended(
    channels: Channels, director: WechatPayDirector, code: str
) -> None:
    walked = transfer(channels, director)
    number = queries.leg(walked.world.leg_id).channel_number
    director.misbehave(Rule(Fault.REFUSE, number=number, code=code, times=3))

    assert [walked.step() for _ in range(3)] == [LegState.READY] * 3
    assert queries.openings(walked.world.leg_id, now=walked.now).can_stop_trying

    assert walked.step() is LegState.NEEDS_ACTION
    assert not queries.openings(walked.world.leg_id, now=walked.now).can_stop_trying
    assert httpx.post(walked.confirmation().page, timeout=5).status_code == 200
    assert walked.step() is LegState.PAID
    assert times_paid(director, walked) == 1


def test_what_nobody_confirms_is_closed_and_repaired_in_place(
    channels: Channels, director: WechatPayDirector
) -> None:
    walked = transfer(channels, director)
    walked.step()

    director.advance(seconds=25 * 3600)

    assert walked.step() is LegState.FAILED
    assert times_paid(director, walked) == 0
    assert repaired(walked) is LegState.READY


def test_what_is_called_back_is_not_paid_and_repaired_in_place(
    channels: Channels, director: WechatPayDirector
) -> None:
    walked = transfer(channels, director)
    walked.step()

    operations.call_back(
        leg_id=walked.world.leg_id,
        reason="The phone is lost.",
        actor=given.reviewer(),
        now=walked.now,
    )

    assert walked.step() is LegState.FAILED
    assert walked.world.kinds()[-1] is AttemptKind.CANCEL
    assert times_paid(director, walked) == 0
    assert repaired(walked) is LegState.READY


def repaired(walked: Walk) -> LegState:
    leg = walked.world.legs[-1]
    with transaction.atomic():
        operations.repair_leg(
            leg_id=leg.leg_id,
            destination_id=leg.destination_id,
            approval_hash="another approval by two people",
            now=walked.now,
        )
    return walked.world.state
