"""What a channel gives for its payee is kept sealed, shown to its seller alone, and then forgotten."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape

import pytest

from kuaitui.channels.port import (
    Accepted,
    FailedDefinite,
    NeededAction,
    NeedsAction,
    NotFound,
    Outcome,
    Unknown,
)
from kuaitui.kit.encryption import SealBroken
from kuaitui.notifications.queries import notices_of
from kuaitui.payouts.models import PayoutLeg
from kuaitui.payouts.queries import Confirmation, confirmations_of
from kuaitui.payouts.states import LegState
from kuaitui.refunds.states import State
from tests.support import given, portal_given, refunds_given
from tests.support import payouts_given as pg
from tests.support.clock import standing_at
from tests.support.given import NOW
from tests.support.payouts_given import World, attempt, payout, to_confirm
from tests.support.raw_sql import refuse

pytestmark = pytest.mark.django_db
RawSql = Callable[..., None]
PACKAGE = "package/info+that=opens"


@pytest.fixture(autouse=True)
def channel(settings: object) -> Iterator[None]:
    with pg.confirming_channel(settings):
        yield


def waiting(hand_over: str = PACKAGE) -> World:
    world = payout()
    attempt(world, to_confirm(hand_over))
    return world


def shown(world: World) -> Confirmation:
    (found,) = confirmations_of(application_id=world.application_id, shop_key=world.shop.shop_key)
    return found


def later(world: World, *outcomes: Outcome) -> None:
    for nth, outcome in enumerate(outcomes, start=1):
        attempt(world, outcome, now=NOW + nth * given.DAY / 24)


def test_a_seller_sees_what_to_confirm_and_until_when() -> None:
    found = shown(waiting())

    assert found.hand_over == PACKAGE
    assert found.until == NOW + given.DAY
    assert found.page == "https://app.invalid/confirm/package%2Finfo%2Bthat%3Dopens"


def test_another_shop_sees_nothing_of_it() -> None:
    world, other = waiting(), given.shop("¥10,000")

    assert confirmations_of(application_id=world.application_id, shop_key=other.shop_key) == ()


@pytest.mark.parametrize(
    "answer",
    [to_confirm(""), Unknown("timeout"), NotFound()],
    ids=["without it", "unknown", "not found"],
)
def test_a_later_answer_without_it_takes_nothing_away(answer: Outcome) -> None:
    world = waiting()

    later(world, answer, to_confirm(""))

    assert shown(world).hand_over == PACKAGE


def test_it_outlives_another_state_on_the_way() -> None:
    world = waiting()

    later(world, Accepted("SIM0001"), to_confirm(""))

    assert shown(world).hand_over == PACKAGE


@pytest.mark.parametrize("answer", [pg.succeeded(), FailedDefinite("OVERDUE_CLOSE")])
def test_it_is_gone_when_the_leg_has_ended(answer: Outcome) -> None:
    world = waiting()

    later(world, answer)

    row = PayoutLeg.objects.get(public_id=world.leg_id)
    assert (row.hand_over_sealed, row.hand_over_key_id) == (None, "")
    assert confirmations_of(application_id=world.application_id, shop_key=world.shop.shop_key) == ()


def test_nobody_reads_it_in_the_row_or_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    world = waiting()

    row = PayoutLeg.objects.get(public_id=world.leg_id)
    assert row.hand_over_sealed is not None
    assert PACKAGE.encode() not in bytes(row.hand_over_sealed)
    assert PACKAGE not in caplog.text + repr(shown(world))


def test_it_does_not_open_in_another_leg(raw_sql: RawSql) -> None:
    world = waiting()
    other = payout(application_id="rfa_other")
    attempt(other, to_confirm("of the other"))
    raw_sql(
        "UPDATE payouts_leg AS mine SET hand_over_sealed = its.hand_over_sealed FROM payouts_leg AS its"
        " WHERE mine.public_id = %s AND its.public_id = %s",
        (world.leg_id, other.leg_id),
    )

    with pytest.raises(SealBroken):
        shown(world)


def test_the_database_keeps_it_while_it_is_needed(raw_sql: RawSql) -> None:
    world = waiting()

    refuse(
        raw_sql,
        ("payouts_leg",),
        "UPDATE payouts_leg SET hand_over_sealed = NULL, hand_over_key_id = '' WHERE public_id = %s",
        (world.leg_id,),
        breaks="a_hand_over_is_kept_while_it_is_needed",
    )


@pytest.mark.parametrize(
    "change",
    [
        "hand_over_key_id = ''",
        "hand_over_sealed = NULL",
        "state = 'accepted', hand_over_sealed = NULL",
    ],
)
def test_the_database_refuses_half_of_it(raw_sql: RawSql, change: str) -> None:
    world = waiting()

    refuse(
        raw_sql,
        ("payouts_leg",),
        f"UPDATE payouts_leg SET {change} WHERE public_id = %s",
        (world.leg_id,),
        breaks="only_a_leg_under_way_keeps_a_hand_over|a_hand_over_is_kept_while_it_is_needed",
    )


@pytest.mark.parametrize("paid", [True, False])
def test_the_database_lets_no_leg_end_with_it(raw_sql: RawSql, paid: bool) -> None:
    world = payout()
    attempt(world, pg.succeeded() if paid else FailedDefinite("CLOSED"))
    assert world.state is (LegState.PAID if paid else LegState.FAILED)

    refuse(
        raw_sql,
        ("payouts_leg",),
        "UPDATE payouts_leg SET hand_over_sealed = 'x', hand_over_key_id = 'k1' WHERE public_id = %s",
        (world.leg_id,),
        breaks="only_a_leg_under_way_keeps_a_hand_over",
    )


# The seller's page


def page_of(made: refunds_given.World, *, language: str = "en", agent: str = "") -> str:
    client = portal_given.browser(made.shop.shop_key, language=language)
    response = client.get(
        f"/shops/{made.shop.shop_id}/refunds/{made.application_id}", headers={"user-agent": agent}
    )
    assert response.status_code == 200
    return response.text


def paying(outcome: Outcome) -> refunds_given.World:
    made = refunds_given.application(State.PAYING)
    made.channel_answers(outcome)
    return made


def told_of(made: refunds_given.World) -> int:
    codes = [notice.code for notice in notices_of(shop_key=made.shop.shop_key)]
    return codes.count("payout.confirm_receipt")


def test_a_seller_is_told_once_that_money_waits_for_them() -> None:
    made = paying(to_confirm(PACKAGE))
    made.now += given.DAY / 24
    made.channel_answers(to_confirm(PACKAGE))

    assert told_of(made) == 1


def test_a_refund_that_is_stuck_is_not_told_as_one_to_confirm() -> None:
    made = paying(NeedsAction(NeededAction.ABNORMAL_REFUND, "SIM0001"))

    assert told_of(made) == 0


def test_the_page_says_what_to_do_until_when_and_where_the_money_is() -> None:
    with standing_at(NOW):
        page = page_of(paying(to_confirm(PACKAGE)))

    assert "Confirm that you receive the money" in page
    assert 'href="https://app.invalid/confirm/package%2Finfo%2Bthat%3Dopens"' in page
    assert "With the payment channel, waiting for your confirmation" in page
    assert "Please confirm by" in page


def test_without_a_page_the_app_is_given_what_opens_it(settings: object) -> None:
    with pg.confirming_channel(settings, replace(pg.CONFIRMING, confirm_page="")), standing_at(NOW):
        page = page_of(paying(to_confirm("package-info")))

    assert 'data-package-info="package-info"' in page
    assert "mini program" in page
    assert "Confirm receipt</a>" not in page


ASKABLE = replace(
    pg.CONFIRMING, confirm_page="", confirm_call=(("mchId", "1900000109"), ("appId", "wx0001"))
)


@pytest.mark.parametrize("is_in_wechat", [True, False])
def test_a_page_opened_in_wechat_can_ask_it_and_elsewhere_it_is_a_code_to_scan(
    settings: object, is_in_wechat: bool
) -> None:
    agent = "Mozilla/5.0 (Linux) MicroMessenger/8.0.50" if is_in_wechat else "Mozilla/5.0 (Linux)"
    with pg.confirming_channel(settings, ASKABLE), standing_at(NOW):
        page = page_of(paying(to_confirm(PACKAGE)), agent=agent)

    buttons = re.findall('data-wechat-transfer="([^"]*)"', page)
    assert [json.loads(unescape(told)) for told in buttons] == (
        [{"mchId": "1900000109", "appId": "wx0001", "package": PACKAGE}] if is_in_wechat else []
    )
    assert ('class="qr"' in page) is not is_in_wechat


def test_without_a_package_there_is_nothing_to_ask_wechat_with(settings: object) -> None:
    with pg.confirming_channel(settings, ASKABLE), standing_at(NOW):
        page = page_of(paying(to_confirm("")), agent="MicroMessenger/8.0.50")

    assert "data-wechat-transfer" not in page
    assert "gave us no way to open its confirm page" in page


def test_a_lost_package_is_said_plainly() -> None:
    with standing_at(NOW):
        page = page_of(paying(to_confirm("")))

    assert "gave us no way to open its confirm page" in page


def test_a_refund_that_is_stuck_asks_nothing_of_its_seller() -> None:
    with standing_at(NOW):
        page = page_of(paying(NeedsAction(NeededAction.ABNORMAL_REFUND, "SIM0001")))

    assert "The way back is blocked; we look for another" in page
    assert "Confirm receipt" not in page


def test_the_page_speaks_chinese() -> None:
    with standing_at(NOW):
        page = page_of(paying(to_confirm(PACKAGE)), language="zh-hans")

    assert "请确认收款" in page
    assert "在支付渠道，等您确认收款" in page
