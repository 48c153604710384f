"""Where people decide about money, the pages can be read by everybody, on any screen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from kuaitui.accounts.types import Role
from kuaitui.channels.port import Accepted, FailedDefinite, NeededAction, NeedsAction
from kuaitui.deposits import operations as deposits
from kuaitui.kit import outbox
from kuaitui.payouts import operations as payouts
from kuaitui.payouts.queries import payout_of_application
from kuaitui.payouts.types import BalanceSource, LimitScope
from kuaitui.refunds.states import State
from tests.support import given, payouts_given, portal_given, refunds_given
from tests.support import pay_ins_given as pig
from tests.support import send_backs_given as sbg
from tests.support.clock import standing_at
from tests.support.console_given import desk
from tests.support.pages import DESK, PHONE, Watched, cut_off_rows, overflow_px, violations

pytestmark = pytest.mark.django_db(transaction=True)
SHOTS = os.environ.get("KUAITUI_SCREENSHOTS", "")
LOOKS = (("light", DESK, "zh-CN"), ("dark", PHONE, "en-US"))
ALL_LOOKS = tuple(
    (scheme, size, language)
    for scheme in ("light", "dark")
    for size in (DESK, PHONE)
    for language in ("zh-CN", "en-US")
)


@pytest.fixture(autouse=True)
def now(settings: object) -> Iterator[None]:
    with payouts_given.confirming_channel(settings), standing_at(given.NOW + 120 * given.DAY):
        yield


def leg_of(made: refunds_given.World) -> str:
    payout = payout_of_application(made.application_id)
    assert payout is not None
    return payout.legs[0].leg_id


def set_aside() -> list[str]:
    """Money out and money in that wait for a person, each for another reason."""
    large, sealed = (leg_of(refunds_given.application(State.PAYING)) for _ in range(2))
    payouts_given.limit(LimitScope.CHANNEL_DAY, "100")
    payouts.claim_leg(leg_id=large, pace=payouts_given.PACE, now=given.NOW + given.DAY)
    payouts.set_leg_aside(leg_id=sealed, reason="SealBroken", now=given.NOW)
    order = pig.waiting()
    deposits.set_pay_in_aside(order_id=order.order_id, reason="ChannelUnknown", now=order.now)
    return [
        "/console/payouts/set-aside",
        f"/console/payouts/set-aside/{order.order_id}",
        f"/console/payouts/{large}/put-back",
    ]


def suspense() -> list[str]:
    """Payments in suspense in each state, one of them on its way back."""
    going = sbg.ordered()
    going.channel_says(Accepted("50300102026112300000001"))
    failed = sbg.ordered()
    failed.channel_says(FailedDefinite("USER_ACCOUNT_ABNORMAL"))
    kept = sbg.ordered()
    payouts.set_send_back_aside(
        send_back_id=kept.send_back_id, reason="ChannelUnknown", now=kept.now
    )
    case = "/console/suspense"
    return [
        case,
        f"{case}/{going.suspense_id}",
        f"{case}/{failed.suspense_id}",
        f"{case}/{failed.suspense_id}/propose",
        f"{case}/{kept.suspense_id}",
        f"{case}/{kept.suspense_id}/let-go-on",
    ]


def interventions() -> list[str]:
    """A stuck refund before and after a proposal, and a payee who does not confirm."""
    stuck = refunds_given.application(State.PAYING)
    stuck.channel_answers(NeedsAction(NeededAction.ABNORMAL_REFUND, "REFUND0001"))
    account = given.destination(stuck.shop).destination_id
    proposed = refunds_given.application(State.PAYING)
    proposed.channel_answers(NeedsAction(NeededAction.ABNORMAL_REFUND, "REFUND0002"))
    other = given.destination(proposed.shop).destination_id
    payouts.propose_hand_over(
        leg_id=leg_of(proposed), destination_id=other, reason="原卡已注销，卖家提供了新卡",
        actor=given.reviewer(), now=proposed.now,
    )  # fmt: skip
    waiting = refunds_given.application(State.PAYING)
    waiting.channel_answers(payouts_given.to_confirm())
    assert account
    page = "/console/payouts"
    return [
        f"{page}/{leg_of(stuck)}",
        f"{page}/{leg_of(stuck)}/hand-over",
        f"{page}/{leg_of(proposed)}",
        f"{page}/{leg_of(proposed)}/hand-over/confirm",
        f"{page}/{leg_of(waiting)}/call-back",
    ]


def hear_all_news() -> None:
    """What one story tells at its end is not yet due when the next one begins."""
    while outbox.deliver_due(now=given.NOW + 120 * given.DAY):
        pass


def returned() -> refunds_given.World:
    """Money that came back and that its seller had time to repair."""
    hear_all_news()
    made = refunds_given.application(State.RETURNED)
    made.let_repair_time_pass()
    return made


def close_outs() -> list[str]:
    """Money that came back and that nobody repaired, before and after a proposal."""
    proposed = returned()
    proposed.propose_close_out()
    back = returned()
    hear_all_news()
    page = f"/console/applications/{back.application_id}"
    other = f"/console/applications/{proposed.application_id}"
    return [f"{page}/close-out", other, f"{other}/confirm-close-out"]


def controls() -> list[str]:
    """Limits in force and proposed, a balance, and a hold."""
    payouts_given.limit(LimitScope.RULE_DAY, "200,000")
    payouts.propose_limit(
        scope=LimitScope.CHANNEL_FLOOR, channel=given.CHANNEL, amount=given.yuan("10,000"),
        currency="CNY", actor=given.approver(), now=given.NOW,
    )  # fmt: skip
    payouts.note_balance(
        channel=given.CHANNEL, balance=given.yuan("1,234,567.89"), as_of=given.NOW,
        source=BalanceSource.PERSON, actor=given.approver(), now=given.NOW,
    )  # fmt: skip
    return ["/console/payouts/controls", "/console/payouts", "/console/"]


def look(page: Page, path: str, name: str, *, is_examined: bool) -> list[str]:
    """What is wrong with a page. Axe takes a second, so each page is examined in one look."""
    answer = page.goto(path)
    assert answer is not None
    assert answer.status == 200, path
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
    wide = overflow_px(page)
    found = [*cut_off_rows(page), *(violations(page) if is_examined else [])]
    return [*found, *([f"{path} is {wide} px too wide"] if wide > 0 else [])]


REVIEWERS = ("/propose", "/close-out", "/hand-over", "/call-back")


def test_where_staff_decide_about_money_every_page_is_accessible_and_fits(
    chromium: Browser, address: str
) -> None:
    pages = [*interventions(), *suspense(), *close_outs(), *set_aside(), *controls()]
    keys = {
        role: desk(role).cookies["kuaitui_session"].value for role in (Role.REVIEWER, Role.APPROVER)
    }
    problems: list[str] = []
    for turn, (scheme, size, language) in enumerate(ALL_LOOKS if SHOTS else LOOKS):
        options = {"viewport": size, "color_scheme": scheme, "locale": language}
        with Watched(chromium, address, **options) as watched:
            page = watched.context.new_page()
            for number, path in enumerate(pages):
                is_reviewers = path.endswith(REVIEWERS)
                watched.log_in(keys[Role.REVIEWER if is_reviewers else Role.APPROVER])
                name = f"staff-{number:02}-{size['width']}-{scheme}-{language[:2]}"
                is_turn = bool(SHOTS) or number % len(LOOKS) == turn
                problems += look(page, path, name, is_examined=is_turn)
            problems += watched.complaints

    assert problems == []


def test_what_a_seller_reads_of_money_kept_apart_is_accessible_and_fits(
    chromium: Browser, address: str
) -> None:
    made = pig.paid()
    made.hint()
    made.channel_says(made.payment(reference="SECOND"))
    order = pig.waiting()
    deposits.set_pay_in_aside(order_id=order.order_id, reason="DataError", now=order.now)
    key = portal_given.browser(made.shop.shop_key, order.shop.shop_key).cookies["kuaitui_session"]
    pages = [
        f"/shops/{made.shop.shop_id}/",
        f"/shops/{order.shop.shop_id}/pay-ins/{order.order_id}",
    ]
    problems: list[str] = []
    for turn, (scheme, size, language) in enumerate(ALL_LOOKS if SHOTS else LOOKS):
        options = {"viewport": size, "color_scheme": scheme, "locale": language}
        with Watched(chromium, address, **options) as watched:
            watched.log_in(key.value)
            page = watched.context.new_page()
            for number, path in enumerate(pages):
                name = f"seller-{number}-{size['width']}-{scheme}-{language[:2]}"
                is_turn = bool(SHOTS) or number % len(LOOKS) == turn
                problems += look(page, path, name, is_examined=is_turn)
            problems += watched.complaints

    assert problems == []
