"""Deductions that are announced, replied to, or appealed: what a visitor can go on with."""

from __future__ import annotations

import datetime as dt

from kuaitui.deductions import operations
from kuaitui.deductions.queries import case
from kuaitui.deductions.types import Reply
from kuaitui.demo.names import number_of, yuan
from kuaitui.demo.reports import DAY
from kuaitui.demo.scenes import Hearing
from kuaitui.deposits.types import DeductionItem, DeductionPurpose
from kuaitui.kernel.actor import Actor

ANNOUNCER = Actor.system("demo.rules")
DECIDER = Actor.system("demo.desk")


def hear(
    hearing: Hearing,
    *,
    account_id: str,
    shop_key: int,
    shop_id: str,
    owner: Actor,
    now: dt.datetime,
) -> None:
    """Bring a deduction from this deposit to where its scene shows it."""
    if hearing is Hearing.NONE:
        return
    days_ago = {Hearing.ANNOUNCED: 2, Hearing.OBJECTED: 4, Hearing.APPEALED: 15}[hearing]
    announced_at = now - days_ago * DAY
    case_id = _announce(account_id, shop_id, announced_at)
    if hearing is Hearing.ANNOUNCED:
        return
    operations.reply_to_deduction(
        case_id=case_id,
        shop_key=shop_key,
        reply=Reply.OBJECTS,
        text="三单都按时交给了快递，揽收记录延迟是因为大雪。运费那一项我认可。",
        actor=owner,
        now=announced_at + DAY,
    )
    if hearing is Hearing.OBJECTED:
        return
    decided_at = announced_at + 5 * DAY
    operations.take_items(
        case_id=case_id,
        version=case(case_id, now=decided_at).version,
        numbers=[1, 2],
        text="快递公司记录显示三单在承诺时间之后才揽收，当日当地无天气预警。",
        actor=DECIDER,
        now=decided_at,
    )
    operations.appeal_deduction(
        case_id=case_id,
        shop_key=shop_key,
        text="附近两个县当天封路，快递公司的停运公告可以查到，请再核实。",
        actor=owner,
        now=now - DAY,
    )


def _announce(account_id: str, shop_id: str, now: dt.datetime) -> str:
    orders = tuple(number_of("2026", shop_id, place) for place in range(3))
    items = (
        DeductionItem("发货超时赔付", 3, yuan(60), orders),
        DeductionItem("退货运费", 2, yuan(20), (orders[0], number_of("AS", shop_id, 7))),
    )
    return operations.announce_deduction(
        account_id=account_id,
        items=items,
        purpose=DeductionPurpose.COMPENSATION,
        reason="三笔订单在承诺的发货时间之后才交给快递，买家要求赔付。",
        clause="示例规则 3.2（发货时效）",
        reference=f"demo-case-{shop_id}",
        actor=ANNOUNCER,
        now=now,
    )
