"""The demo's last two weeks, day by day: batches leave, banks answer, sellers pay in, bills come.

What the worker and people do is done here by the same operations, at the hour the stories want.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.conf import settings

from kuaitui.channels.bank import MailboxRead
from kuaitui.channels.port import PayInMethod
from kuaitui.demo.names import CURRENCY, yuan
from kuaitui.demo.scenes import Story
from kuaitui.demo.stories import HOUR, Stage, begin_late_stories
from kuaitui.demo.world import SEEDER, WECHAT, DemoShop
from kuaitui.deposits import operations as deposits
from kuaitui.deposits import queries as deposit_queries
from kuaitui.deposits.operations import PayerDetails
from kuaitui.deposits.types import PayInChoice, PayInPace
from kuaitui.kit import outbox
from kuaitui.payouts import operations as payouts
from kuaitui.payouts import queries as payout_queries
from kuaitui.payouts.types import LimitScope, Pace
from kuaitui.reconciliation import operations as reconciliation
from kuaitui.reconciliation import queries as reconciliation_queries

MINUTE = dt.timedelta(minutes=1)
BATCH_DAY = 13
# The first of them lies before the days whose bills are compared: what is unknown or stuck since
# then would be a difference on its day.
LATER_DAYS = range(6, 0, -1)
PART = yuan(1000)
LEG_LIMIT = yuan(20_000)
STRANGERS_NUMBER = "offline20261120A"
STRANGERS_AMOUNT = yuan(680)
BILL_DAYS = 3


def live_through(shops: Sequence[DemoShop], stage: Stage) -> None:
    """From the first batch to the present, in the order of time."""
    _set_limit(stage)
    _come_to(stage.noon(BATCH_DAY), stage)
    _release_batch(stage, stage.noon(BATCH_DAY))
    carry_on(stage, at=stage.noon(BATCH_DAY))
    first_day, last_day = _days_with_bills(stage)
    for days_ago in LATER_DAYS:
        at = stage.noon(days_ago)
        _come_to(at, stage)
        if last_day <= days_ago <= first_day:
            _pay_in_parts(shops, stage, at)
        if days_ago == first_day:
            _pay_by_nobodys_order(stage, at)
        if days_ago == last_day:
            _enter_what_no_bill_shows(shops, at)
        _hear_from_bank(stage, at)
        carry_on(stage, at=at, turns=3 if days_ago == LATER_DAYS[0] else 1)
    begin_late_stories(shops, stage)
    _come_to(stage.now, stage)
    carry_on(stage, at=stage.ago(hours=2))


def carry_on(stage: Stage, *, at: dt.datetime, turns: int = 3) -> None:
    """What the worker does, at an hour: deliver news, carry out what is due, a few times over."""
    for turn in range(turns):
        moment = at + turn * 10 * MINUTE
        _deliver(moment)
        for leg_id in payout_queries.due_legs(now=moment, limit=200):
            _carry_out(leg_id, stage, moment)
    _deliver(at + HOUR)


def bring_bills(stage: Stage) -> None:
    """The bills of the last days, compared with the books: some prove the day, one does not."""
    plan = reconciliation.Plan.parse(settings.KUAITUI_BILLS)
    today = stage.now.astimezone(plan.zone).date()
    first_day, last_day = _days_with_bills(stage)
    given = reconciliation_queries.bills_given(stage.channels)
    for days_ago in range(first_day, last_day - 1, -1):
        day = today - dt.timedelta(days=days_ago)
        for channel, kinds in given.items():
            for bill in sorted(kinds):
                reconciliation.fetch_bill(
                    channel=channel,
                    channels=stage.channels,
                    bill=bill,
                    day=day,
                    plan=plan,
                    now=stage.now,
                )
                reconciliation.compare_bill(
                    channel=channel, bill=bill, day=day, zone=plan.zone, today=today, now=stage.now
                )


def _come_to(moment: dt.datetime, stage: Stage) -> None:
    stage.institutions.come_to(moment)


def _days_with_bills(stage: Stage) -> tuple[int, int]:
    """How many days ago the first and the last day lie whose bills there are by now."""
    plan = reconciliation.Plan.parse(settings.KUAITUI_BILLS)
    last = 1 if stage.now.astimezone(plan.zone).time() >= plan.fetch_from else 2
    return last + BILL_DAYS - 1, last


def _set_limit(stage: Stage) -> None:
    """Above it a part of a refund waits for people: one proposed it, another confirmed it."""
    at = stage.noon(BATCH_DAY)
    limit_id = payouts.propose_limit(
        scope=LimitScope.CHANNEL_LEG,
        channel=WECHAT,
        currency=CURRENCY,
        amount=LEG_LIMIT,
        actor=stage.staff.reviewer,
        now=at,
    )
    payouts.confirm_limit(
        limit_id=limit_id, amount=LEG_LIMIT, actor=stage.staff.approver, now=at + HOUR
    )


def _release_batch(stage: Stage, at: dt.datetime) -> None:
    _deliver(at)
    bank = stage.channels.batching("bank")
    batch_id = payouts.build_batch(channel=bank, actor=stage.staff.reviewer, now=at)
    payouts.release_batch(
        channel=bank,
        batch_id=batch_id,
        content_hash=payout_queries.batch(batch_id).content_hash,
        actor=stage.staff.cashier,
        now=at,
    )


def _hear_from_bank(stage: Stage, at: dt.datetime) -> None:
    bank = stage.channels.batching("bank")
    read = bank.fetch_mailbox(deadline_s=10)
    if isinstance(read, MailboxRead):
        for content in payouts.not_taken_in(channel=bank, contents=read.contents):
            payouts.take_in_from_mailbox(channel=bank, content=content, now=at)


def _pay_in_parts(shops: Sequence[DemoShop], stage: Stage, at: dt.datetime) -> None:
    """Somebody adds to the deposit by QR code, and lacks more still."""
    pace = PayInPace.brisk()
    for shop in shops:
        if shop.scene.story is not Story.PAYS_IN_PARTS:
            continue
        order_id = deposits.start_pay_in(
            account_id=shop.account_id,
            shop_key=shop.shop_key,
            choice=PayInChoice.OTHER,
            amount=PART,
            channel=WECHAT,
            method=PayInMethod.QR_CODE,
            request_key=f"demo-{at.date()}",
            payer=PayerDetails(),
            channels=stage.channels,
            pace=pace,
            actor=shop.owner,
            now=at,
        )
        _ask_about(order_id, stage, pace, at)
        order = deposit_queries.pay_in_order(order_id=order_id, shop_key=shop.shop_key)
        stage.institutions.wechatpay.pay(order.number)
        _ask_about(order_id, stage, pace, at + MINUTE)


def _ask_about(order_id: str, stage: Stage, pace: PayInPace, at: dt.datetime) -> None:
    deposits.carry_out_pay_in(
        order_id=order_id, channels=stage.channels, pace=pace, clock=lambda: at
    )


def _pay_by_nobodys_order(stage: Stage, at: dt.datetime) -> None:
    """Money under a number that nobody here has: it is found, and kept in suspense."""
    stage.institutions.wechatpay.pay(STRANGERS_NUMBER, amount_minor=STRANGERS_AMOUNT.minor)
    deposits.note_pay_in_hint(channel=WECHAT, number=STRANGERS_NUMBER, now=at)
    deposits.ask_about_stray(
        channel=WECHAT,
        number=STRANGERS_NUMBER,
        channels=stage.channels,
        pace=PayInPace.brisk(),
        clock=lambda: at + MINUTE,
    )


def _enter_what_no_bill_shows(shops: Sequence[DemoShop], at: dt.datetime) -> None:
    for shop in shops:
        if shop.scene.story is Story.ON_NO_BILL:
            deposits.record_pay_in(
                account_id=shop.account_id,
                amount=PART,
                channel=WECHAT,
                channel_reference=f"4200000000{at:%Y%m%d}0000000042",
                paid_at=at,
                refundable_until=at + 365 * dt.timedelta(days=1),
                actor=SEEDER,
                now=at + HOUR,
            )


def _deliver(at: dt.datetime) -> None:
    while outbox.deliver_due(now=at):
        pass


def _carry_out(leg_id: str, stage: Stage, moment: dt.datetime) -> None:
    payouts.carry_out_leg(
        leg_id=leg_id, channels=stage.channels, pace=Pace.brisk(), clock=lambda: moment
    )
