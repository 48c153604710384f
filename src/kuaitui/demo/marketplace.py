"""The demo's marketplace as a whole: seeded once, visited by one-time links."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.conf import settings

from kuaitui.accounts.operations import create_user, issue_one_time_link
from kuaitui.accounts.queries import find_user_id
from kuaitui.accounts.types import Role
from kuaitui.channels.registry import build_channels
from kuaitui.channels.simulator.director import Director
from kuaitui.demo.stories import Staff, Stage, begin_stories, end_stories
from kuaitui.demo.world import SEEDER, Casting, cast, play_scene
from kuaitui.kernel.actor import Actor, ActorKind
from kuaitui.kernel.errors import Refusal, RefusalKind
from kuaitui.kernel.invariants import ensure

LINK_LIFETIME = dt.timedelta(hours=12)
STAFF = (
    ("reviewer", "林晓", Role.REVIEWER),
    ("approver", "周岚", Role.APPROVER),
    ("auditor", "吴衡", Role.AUDITOR),
)
LAST_OF_FIRST_PART = STAFF[2][0]
VISITS = (
    ("eligible", "Seller, can have the whole deposit back now 可全额退还"),
    ("excess_while_trading", "Seller, trading, can have the excess back 可退超额"),
    ("many_reasons", "Seller, not yet: several reasons 暂不可退，多个原因"),
    ("hold_running", "Seller, not yet: holding period 保留期未满"),
    ("in_review", "Seller, application in review 审核中"),
    ("more_information", "Seller, asked for more information 待补充材料"),
    ("rejected", "Seller, rejected, may appeal 被驳回，可申诉"),
    ("unknown_at_channel", "Seller, being verified with the bank 银行核实中"),
    ("returned_by_bank", "Seller, bank sent the money back 银行退票"),
    ("deducted", "Seller, with a deduction 有扣除"),
    ("paid", "Seller, paid 已到账"),
)


class DemoHalfMade(Refusal):
    """The making of the demo was interrupted. Remove its folder (var/demo) and start it again."""

    code = "demo.half_made"
    kind = RefusalKind.CONFLICT


class Marketplace:
    """Makes the demo's marketplace: first one shop of every scene, then the crowd.

    Each part is made once; started again on the same data, what is there is left as it is.
    """

    def __init__(self, *, director: Director, seed: int, now: dt.datetime) -> None:
        self._director = director
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
        for username, name, role in STAFF[:2]:
            _create_staff(username, name, role, self._now)
        self._make([casting for casting in cast() if casting.is_first_of_scene])
        _create_staff(*STAFF[2], self._now)

    def make_crowd(self) -> int:
        """All other shops; returns how many the marketplace has.

        Raises:
            DemoHalfMade: an earlier start was interrupted here.
        """
        castings = cast()
        if find_user_id(username=castings[-1].username) is None:
            crowd = [casting for casting in castings if not casting.is_first_of_scene]
            if find_user_id(username=crowd[0].username) is not None:
                raise DemoHalfMade
            self._make(crowd)
        return len(castings)

    def _make(self, castings: Sequence[Casting]) -> None:
        stage = Stage(
            staff=Staff(_staff_member("reviewer"), _staff_member("approver")),
            channels=build_channels(settings.KUAITUI_CHANNELS, clock=lambda: self._now),
            advance_channel=lambda span: self._director.advance(seconds=span.total_seconds()),
            now=self._now,
        )
        shops = [play_scene(casting, now=self._now, seed=self._seed) for casting in castings]
        begin_stories(shops, stage)
        end_stories(stage)


def visitors_links(*, now: dt.datetime) -> list[tuple[str, str]]:
    """One-time links for one seller of each kind and for each member of staff."""
    first = {
        casting.scene.name: casting.username for casting in cast() if casting.is_first_of_scene
    }
    people = [(words, first[scene]) for scene, words in VISITS]
    people += [(f"Staff: {role.value} {name}", username) for username, name, role in STAFF]
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
