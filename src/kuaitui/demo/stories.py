"""Applications of the demo: submitted days ago, decided, paid, unknown, returned.

The steps are the operations that pages and worker call; only the clock is the demo's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kuaitui.channels.registry import Channels
from kuaitui.demo.institutions import Institutions, noon
from kuaitui.demo.scenes import Story
from kuaitui.demo.world import DemoShop
from kuaitui.kernel.actor import Actor
from kuaitui.refunds import operations as refunds
from kuaitui.refunds import queries
from kuaitui.refunds.types import AmountChoice, Reason, RejectReason

HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Staff:
    """Who decides in the demo."""

    reviewer: Actor
    approver: Actor
    cashier: Actor
    """Releases batches: an approver who has approved nothing in them."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What the stories are played with."""

    staff: Staff
    channels: Channels
    institutions: Institutions
    now: dt.datetime

    def ago(self, **since: float) -> dt.datetime:
        """A moment before now."""
        return self.now - dt.timedelta(**since)

    def noon(self, days_ago: int) -> dt.datetime:
        """Noon of a day before today, where the institutions are."""
        return noon(self.now, days_ago)


def begin_stories(shops: Sequence[DemoShop], stage: Stage) -> None:
    """Give every shop whose scene has a story its application, up to the payout."""
    _play(STORIES, shops, stage)


def begin_late_stories(shops: Sequence[DemoShop], stage: Stage) -> None:
    """The same for those who apply when the first batch has left."""
    _play(LATE_STORIES, shops, stage)


def _play(
    stories: dict[Story, Callable[[DemoShop, Stage], None]],
    shops: Sequence[DemoShop],
    stage: Stage,
) -> None:
    for shop in shops:
        if play := stories.get(shop.scene.story):
            play(shop, stage)


def _submit(shop: DemoShop, at: dt.datetime, *, note: str = "") -> str:
    submitted = refunds.submit_application(
        shop_key=shop.shop_key,
        account_id=shop.account_id,
        choice=AmountChoice.WHOLE,
        amount=None,
        reason=Reason.CLOSING_SHOP,
        note=note,
        destination_id=shop.destination_id,
        request_key=f"demo-{shop.shop_id}",
        actor=shop.owner,
        now=at,
    )
    refunds.check_application(
        application_id=submitted.application_id, now=at + dt.timedelta(minutes=1)
    )
    return submitted.application_id


def _version(application_id: str, at: dt.datetime) -> int:
    return queries.case(application_id=application_id, now=at).application.version


def _approve(application_id: str, stage: Stage, at: dt.datetime) -> None:
    approval = queries.case(application_id=application_id, now=at).approval
    if approval is None:  # approved by rule already
        return
    refunds.approve_application(
        application_id=application_id,
        version=approval.version,
        approval_hash=approval.approval_hash,
        note="资料与事实一致",
        actor=stage.staff.reviewer,
        now=at,
    )


def _in_review(shop: DemoShop, stage: Stage) -> None:
    _submit(shop, stage.ago(days=1, hours=3), note="店铺不再经营，申请退还。")


def _late_in_review(shop: DemoShop, stage: Stage) -> None:
    _submit(shop, stage.ago(days=16))


def _more_information(shop: DemoShop, stage: Stage) -> None:
    application_id = _submit(shop, stage.ago(days=3))
    at = stage.ago(days=2)
    refunds.request_information(
        application_id=application_id,
        version=_version(application_id, at),
        question="请说明店铺最近一次更名的原因，并写出现在的营业执照名称。",
        actor=stage.staff.reviewer,
        now=at,
    )


def _second_approval(shop: DemoShop, stage: Stage) -> None:
    application_id = _submit(shop, stage.ago(days=2))
    _approve(application_id, stage, stage.ago(days=1))


def _reject(shop: DemoShop, stage: Stage) -> str:
    application_id = _submit(shop, stage.ago(days=6))
    at = stage.ago(days=4)
    refunds.reject_application(
        application_id=application_id,
        version=_version(application_id, at),
        reasons=(RejectReason.INFORMATION_WRONG,),
        text="登记的经营者与营业执照不一致。请先在平台更新主体信息，再重新申请。",
        actor=stage.staff.reviewer,
        now=at,
    )
    return application_id


def _rejected(shop: DemoShop, stage: Stage) -> None:
    _reject(shop, stage)


def _appealed(shop: DemoShop, stage: Stage) -> None:
    refunds.appeal_rejection(
        application_id=_reject(shop, stage),
        shop_key=shop.shop_key,
        text="营业执照上周已变更，平台信息已同步，请复核。",
        actor=shop.owner,
        now=stage.ago(days=2),
    )


def _withdrawn(shop: DemoShop, stage: Stage) -> None:
    refunds.withdraw_application(
        application_id=_submit(shop, stage.ago(days=5)),
        shop_key=shop.shop_key,
        actor=shop.owner,
        now=stage.ago(days=5) + HOUR,
    )


def _paid_out(shop: DemoShop, stage: Stage) -> None:
    _approve(_submit(shop, stage.noon(8)), stage, stage.noon(7))


def _paid_out_early(shop: DemoShop, stage: Stage) -> None:
    _approve(_submit(shop, stage.noon(14)), stage, stage.noon(14) + HOUR)


def _paid_out_lately(shop: DemoShop, stage: Stage) -> None:
    _approve(_submit(shop, stage.ago(hours=30)), stage, stage.ago(hours=4))


STORIES: dict[Story, Callable[[DemoShop, Stage], None]] = {
    Story.IN_REVIEW: _in_review,
    Story.LATE_IN_REVIEW: _late_in_review,
    Story.MORE_INFORMATION: _more_information,
    Story.SECOND_APPROVAL: _second_approval,
    Story.REJECTED: _rejected,
    Story.APPEALED: _appealed,
    Story.WITHDRAWN: _withdrawn,
    Story.PAID: _paid_out,
    Story.UNKNOWN_AT_CHANNEL: _paid_out,
    Story.STUCK_AT_CHANNEL: _paid_out,
    Story.WAITS_FOR_LIMIT: _paid_out,
    Story.SENT_BY_BANK: _paid_out_early,
}
# Played when the first batch has left: these are still under way.
LATE_STORIES: dict[Story, Callable[[DemoShop, Stage], None]] = {
    Story.SLOW_AT_CHANNEL: _paid_out_lately,
    Story.WAITS_FOR_BATCH: _paid_out_lately,
}
