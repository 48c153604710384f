"""The demo's marketplace as a whole: seeded once, visited by one-time links."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.conf import settings

from kuaitui.accounts.operations import create_user, issue_one_time_link
from kuaitui.accounts.queries import find_user_id
from kuaitui.accounts.types import Role
from kuaitui.channels.registry import build_channels
from kuaitui.demo.days import bring_bills, carry_on, live_through
from kuaitui.demo.institutions import Institutions
from kuaitui.demo.stories import Staff, Stage, begin_stories
from kuaitui.demo.world import SEEDER, Casting, DemoShop, cast, play_scene
from kuaitui.kernel.actor import Actor, ActorKind
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal, RefusalKind
from kuaitui.kernel.invariants import ensure
from kuaitui.payouts.queries import StoredInbox
from kuaitui.policy.calendar import is_working_day

LINK_LIFETIME = dt.timedelta(hours=12)
STAFF = (
    ("reviewer", "林晓", Role.REVIEWER),
    ("approver", "周岚", Role.APPROVER),
    ("cashier", "陈序", Role.APPROVER),
    ("auditor", "吴衡", Role.AUDITOR),
)
LAST_OF_FIRST_PART = STAFF[-1][0]
VISITS = (
    ("eligible", "can have the whole deposit back now 可全额退还"),
    ("excess_while_trading", "trading, can have the excess back 可退超额"),
    ("many_reasons", "not yet: several reasons 暂不可退，多个原因"),
    ("hold_running", "not yet: holding period 保留期未满"),
    ("shortfall", "must add money: WeChat QR code or link 待补缴，微信扫码或链接"),
    ("in_review", "application in review 审核中"),
    ("more_information", "asked for more information 待补充材料"),
    ("rejected", "rejected, may appeal 被驳回，可申诉"),
    ("split_refund", "refund in two parts, one waits for a batch 分两路退，一路待批次"),
    ("waits_for_limit", "payout waits for a limit 打款超限额，待处理"),
    ("unknown_at_channel", "being verified with WeChat Pay 微信支付核实中"),
    ("stuck_at_wechat", "WeChat refund is stuck (ABNORMAL) 微信退款异常"),
    ("returned_by_bank", "bank sent it back, another account 银行退票，待换账户"),
    ("deducted", "with a deduction 有扣除"),
    ("deduction_announced", "a deduction is announced, may reply 拟扣除，可回复"),
    ("deduction_appealed", "appealed a deduction 扣除申诉中"),
    ("paid", "paid 已到账"),
)
DESKS = {
    "reviewer": "reviews, builds batches 初审，建批次",
    "approver": "second approval, suspense, differences 复核，挂账，差异",
    "cashier": "releases batches, approved none 放行批次（未经手审批）",
    "auditor": "sees all, changes nothing 审计，只读",
}


class DemoHalfMade(Refusal):
    """The making of the demo was interrupted. Remove its folder (var/demo) and start it again."""

    code = "demo.half_made"
    kind = RefusalKind.CONFLICT


class Marketplace:
    """Makes the demo's marketplace: first one shop of every scene, then the crowd.

    Each part is made once; started again on the same data, what is there is left as it is.
    """

    def __init__(self, *, institutions: Institutions, seed: int, now: dt.datetime) -> None:
        self._institutions = institutions
        self._seed = seed
        self._now = now

    def make_visited_shops(self) -> None:
        """One shop of every scene with its story, and the staff.

        Raises:
            DemoHalfMade: an earlier start was interrupted here.
        """
        if find_user_id(username=LAST_OF_FIRST_PART) is not None:
            return
        if find_user_id(username=STAFF[0][0]) is not None:
            raise DemoHalfMade
        for username, name, role in STAFF[:-1]:
            _create_staff(username, name, role, self._now)
        stage = self._stage()
        shops = self._play([one for one in cast() if one.is_first_of_scene])
        begin_stories(shops, stage)
        live_through(shops, stage)
        bring_bills(stage)
        _create_staff(*STAFF[-1], self._now)

    def make_crowd(self) -> int:
        """All other shops; returns how many the marketplace has.

        Raises:
            DemoHalfMade: an earlier start was interrupted here.
        """
        castings = cast()
        crowd = [casting for casting in castings if not casting.is_first_of_scene]
        if find_user_id(username=crowd[-1].username) is None:
            if find_user_id(username=crowd[0].username) is not None:
                raise DemoHalfMade
            stage = self._stage()
            begin_stories(self._play(crowd), stage)
            carry_on(stage, at=stage.ago(hours=2))
        return len(castings)

    def _play(self, castings: Sequence[Casting]) -> list[DemoShop]:
        pay = self._institutions.pay_by_wechat
        return [play_scene(one, now=self._now, seed=self._seed, pay=pay) for one in castings]

    def _stage(self) -> Stage:
        return Stage(
            staff=Staff(*(_staff_member(name) for name in ("reviewer", "approver", "cashier"))),
            channels=build_channels(
                settings.KUAITUI_CHANNELS,
                clock=read_clock,
                inbox=StoredInbox(),
                is_business_day=is_working_day,
            ),
            institutions=self._institutions,
            now=self._now,
        )


def visitors_links(*, now: dt.datetime) -> list[tuple[str, str]]:
    """One-time links for one seller of each kind and for each member of staff."""
    first = {
        casting.scene.name: casting.username for casting in cast() if casting.is_first_of_scene
    }
    people = [(f"Seller, {words}", first[scene]) for scene, words in VISITS]
    people += [
        (f"Staff, {name} {username}: {DESKS[username]}", username) for username, name, _ in STAFF
    ]
    links = []
    for words, username in people:
        user_id = find_user_id(username=username)
        if user_id is not None:
            token = issue_one_time_link(
                user_id=user_id, lifetime=LINK_LIFETIME, actor=SEEDER, now=now
            )
            links.append((words, f"/link/{token}"))
    return links


def _create_staff(username: str, name: str, role: Role, now: dt.datetime) -> None:
    create_user(
        username=username, display_name=name, role=role, password=None, actor=SEEDER, now=now
    )


def _staff_member(username: str) -> Actor:
    user_id = find_user_id(username=username)
    ensure(user_id is not None, f"the demo has a {username}")
    return Actor(ActorKind.STAFF, str(user_id))
