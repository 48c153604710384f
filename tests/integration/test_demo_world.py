"""The demo's marketplace is made by the operations everybody uses, so its books are true."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from kuaitui.accounts.operations import redeem_one_time_link
from kuaitui.channels.registry import declared
from kuaitui.demo.institutions import DAYS_BEFORE, NAMES, ZONE, Institutions, noon
from kuaitui.demo.marketplace import STAFF, VISITS, Marketplace, visitors_links
from kuaitui.demo.processes import Installation
from kuaitui.demo.scenes import SCENES
from kuaitui.demo.world import cast, play_scene
from kuaitui.deposits.queries import deposit, deposits_of_shop, suspense_cases
from kuaitui.facts.queries import find_shop
from kuaitui.kernel.money import Money
from kuaitui.ledger import queries as ledger
from kuaitui.payouts import queries as payouts
from kuaitui.payouts.states import LegState
from kuaitui.reconciliation import queries as reconciliation
from kuaitui.reconciliation.types import BreakKind, DayState, WithPayee
from kuaitui.refunds import queries as refunds
from kuaitui.refunds.states import State

DAY = dt.timedelta(days=1)
S, L = State, LegState
# scene: how its application stands, and where its money is.
ENDS = {
    "paid": (S.PAID, {("simulator", L.PAID)}),
    "unknown_at_channel": (S.PAYING, {("wechatpay", L.UNKNOWN)}),
    "slow_at_channel": (S.PAYING, {("wechatpay", L.ACCEPTED)}),
    "stuck_at_wechat": (S.PAYING, {("wechatpay", L.NEEDS_ACTION)}),
    "returned_by_bank": (S.RETURNED, {("bank", L.RETURNED)}),
    "refused_by_bank": (S.RETURNED, {("bank", L.FAILED)}),
    "paid_by_bank": (S.PAID, {("bank", L.PAID)}),
    "split_refund": (S.PAYING, {("wechatpay", L.PAID), ("bank", L.READY)}),
    "waits_for_limit": (S.PAYING, {("wechatpay", L.READY)}),
}
NOW = dt.datetime(2026, 11, 23, 2, 30, tzinfo=dt.UTC)
# A weekend, or the holiday week of October, in the two weeks before must not spoil a story.
MOMENTS = (NOW, dt.datetime(2026, 10, 9, 18, tzinfo=dt.UTC))

pytestmark = pytest.mark.django_db(transaction=True)


def made_up(number: str, amount: Money, payer: str) -> str:
    """A payment number that no channel knows, for shops that are only looked at."""
    return f"4200{number}{amount.minor}{payer}"


def test_every_scene_can_be_played_and_the_books_are_true() -> None:
    firsts = [casting for casting in cast() if casting.is_first_of_scene]

    shops = [play_scene(casting, now=NOW, seed=1, pay=made_up) for casting in firsts]

    held = {shop.scene.name: deposit(shop.account_id) for shop in shops}

    assert len(shops) == len(SCENES)
    assert ledger.differences() == []
    assert held["no_deposit_yet"].paid_in.is_zero
    assert held["deducted"].deducted.minor == 64_000
    assert held["deducted_beyond_the_deposit"].owed.is_positive


def test_the_demo_has_a_few_hundred_shops() -> None:
    castings = cast()

    assert 300 <= len(castings) <= 500
    assert len({casting.shop_id for casting in castings}) == len(castings)


def test_the_crowd_comes_after_those_who_are_visited(tmp_path: Path, settings: Any) -> None:
    with begun(tmp_path, NOW, settings) as institutions:
        marketplace = Marketplace(institutions=institutions, seed=7, now=NOW)
        marketplace.make_visited_shops()

        count = marketplace.make_crowd()

        assert count == len([find_shop(shop_id=one.shop_id) for one in cast()])
        assert ledger.differences() == []


@pytest.mark.parametrize("now", MOMENTS, ids=lambda now: f"{now:%Y-%m-%d}")
def test_two_weeks_are_lived_through_over_simulated_institutions(
    now: dt.datetime, tmp_path: Path, settings: Any
) -> None:
    with begun(tmp_path, now, settings) as institutions:
        Marketplace(institutions=institutions, seed=7, now=now).make_visited_shops()

        assert_the_stories_are_told(now)
        assert_money_came_in()
        assert_the_books_agree(institutions)
        assert_one_day_has_a_difference(now)
        assert_every_link_lets_somebody_in(now)


@contextmanager
def begun(var: Path, now: dt.datetime, settings: Any) -> Iterator[Institutions]:
    """The institutions as processes; their clocks begin in the past of `now`."""
    began_at = noon(now, DAYS_BEFORE)
    with Installation(var, institutions=NAMES) as installation:
        installation.name_channels()
        options = ("--demo-rules", "--clock", began_at.isoformat())
        installation.start_institutions(**dict.fromkeys(NAMES, options))
        settings.KUAITUI_CHANNELS = json.loads(installation.channels_file.read_text())
        settings.KUAITUI_PAYERS = {"bank_account": "bank"}
        with closing(Institutions.of(installation, at=began_at)) as institutions:
            yield institutions


def shop_key_of(scene: str) -> int:
    number = next(one for one in cast() if one.scene.name == scene)
    return find_shop(shop_id=number.shop_id).key


def assert_the_stories_are_told(now: dt.datetime) -> None:
    told = {}
    for scene in ENDS:
        shop_key = shop_key_of(scene)
        (summary,) = refunds.applications_of_shop(shop_key=shop_key, now=now)
        legs = payouts.payout_of_application(summary.application_id).legs
        told[scene] = (summary.state, {(leg.channel, leg.state) for leg in legs})
    assert told == ENDS


def assert_money_came_in() -> None:
    (account,) = deposits_of_shop(shop_key=shop_key_of("shortfall"))
    (stranger,) = suspense_cases()

    assert account.paid_in.minor == 350_000
    assert stranger.amount.minor == 68_000
    assert payouts.kill_switches() == ()


def assert_the_books_agree(institutions: Institutions) -> None:
    assert ledger.differences() == []
    for channel, director in (
        ("simulator", institutions.simulator),
        ("wechatpay", institutions.wechatpay),
        ("bank", institutions.bank),
    ):
        theirs = {
            number: WithPayee(said["times_paid"], said["times_returned"], said["with_payee_minor"])
            for number, said in director.paid().items()
        }
        compared = reconciliation.compare_with_channel(channel=channel, theirs=theirs)
        # The channel paid what it does not tell of: that is what is unknown.
        unknown = {BreakKind.MISSING_IN_LEDGER} if channel == "wechatpay" else set()
        assert {found.kind for found in compared.breaks} == unknown


def assert_one_day_has_a_difference(now: dt.datetime) -> None:
    channels = declared(django_settings.KUAITUI_CHANNELS)
    given = {name: channel.statement_kinds for name, channel in channels.items()}
    today = now.astimezone(ZONE).date()
    days = reconciliation.board(needed=given, first=today - 5 * DAY, last=today - DAY)
    states = Counter(day.state for day in days)

    assert states[DayState.OPEN_BREAKS] == 1
    assert states[DayState.PROVEN] == 3 * len(given) - 1


def assert_every_link_lets_somebody_in(now: dt.datetime) -> None:
    links = visitors_links(now=now)

    assert len(links) == len(VISITS) + len(STAFF)
    assert all(redeem_one_time_link(token=path[6:], now=now).is_active for _, path in links)
