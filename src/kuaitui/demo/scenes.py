"""The situations of the demo's shops: what the marketplace reported, and what is held.

A scene is data; `world` plays it. Each answers one question a visitor asks: what does it look like
when … ?
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from kuaitui.facts.types import DebtKind, RestrictionKind, Standing


class Story(enum.Enum):
    """How far an application of the shop has come."""

    NONE = "none"
    IN_REVIEW = "in_review"
    LATE_IN_REVIEW = "late_in_review"
    MORE_INFORMATION = "more_information"
    SECOND_APPROVAL = "second_approval"
    REJECTED = "rejected"
    APPEALED = "appealed"
    WITHDRAWN = "withdrawn"
    PAID = "paid"
    UNKNOWN_AT_CHANNEL = "unknown_at_channel"
    SLOW_AT_CHANNEL = "slow_at_channel"
    STUCK_AT_CHANNEL = "stuck_at_channel"
    SENT_BY_BANK = "sent_by_bank"
    """Through the bank, which books it, refuses it or sends it back."""
    WAITS_FOR_BATCH = "waits_for_batch"
    WAITS_FOR_LIMIT = "waits_for_limit"
    PAYS_IN_PARTS = "pays_in_parts"
    ON_NO_BILL = "on_no_bill"
    """A payment that somebody entered and that no bill of the channel shows."""


class Hearing(enum.Enum):
    """How far a deduction from the shop's deposit has come."""

    NONE = "none"
    ANNOUNCED = "announced"
    OBJECTED = "objected"
    APPEALED = "appealed"


@dataclass(frozen=True, slots=True)
class Scene:
    """One situation, and how many shops are in it. Money in yuan, times in days ago."""

    name: str
    shops: int
    held_yuan: tuple[int, int] = (500, 5000)
    required_yuan: int = 500
    last_completed_days: tuple[int, int] = (60, 400)
    paid_in_days: tuple[int, int] = (120, 330)
    route_open: bool = True
    expired_yuan: int = 0
    """Paid so long ago that it cannot go back the way it came, beside `held_yuan`."""
    payer_tail: str = ""
    """Paid through WeChat Pay, by somebody whose openid ends so; empty: the plain channel."""
    open_orders: int = 0
    open_after_sales: int = 0
    open_disputes: int = 0
    violation: str = ""
    restriction: RestrictionKind | None = None
    restriction_ends_in_days: int | None = None
    standing: Standing = Standing.NORMAL
    expelled_days: int | None = None
    debt: DebtKind | None = None
    debt_yuan: int = 0
    listings: int = 0
    balance_yuan: int = 0
    closing_notice_days: int | None = None
    deducted_yuan: int = 0
    penalty: bool = False
    destination_tail: str = ""
    story: Story = Story.NONE
    hearing: Hearing = Hearing.NONE


SCENES: tuple[Scene, ...] = (
    # Free to go.
    Scene("eligible", 58),
    Scene("eligible_large", 6, held_yuan=(60_000, 100_000)),
    Scene(
        "eligible_route_expired",
        12,
        paid_in_days=(420, 900),
        route_open=False,
        destination_tail="8888",
    ),
    Scene("excess_while_trading", 24, held_yuan=(3000, 9000), open_orders=3, listings=40),
    # Blocked, each for one reason.
    Scene("order_open", 28, open_orders=2),
    Scene("after_sale_open", 14, open_after_sales=1),
    Scene("dispute_open", 14, open_disputes=1),
    Scene("violation_open", 10, violation="open"),
    Scene("violation_appealed", 6, violation="appealing"),
    Scene(
        "restricted_for_a_while", 8, restriction=RestrictionKind.SALES, restriction_ends_in_days=12
    ),
    Scene("restricted", 6, restriction=RestrictionKind.LIVE),
    Scene("banned", 4, standing=Standing.BANNED),
    Scene("expelled", 4, standing=Standing.EXPELLED, expelled_days=40),
    Scene("owes_commission", 10, debt=DebtKind.COMMISSION, debt_yuan=36),
    Scene("goods_on_sale", 12, listings=7),
    Scene("balance_not_withdrawn", 10, balance_yuan=820),
    Scene("hold_running", 26, last_completed_days=(3, 24)),
    Scene("closing_notice_running", 6, closing_notice_days=9),
    Scene(
        "many_reasons",
        4,
        open_orders=4,
        open_disputes=1,
        listings=12,
        debt=DebtKind.DELIVERY,
        debt_yuan=88,
    ),
    # Nothing, less than nothing, or less than before.
    Scene("no_deposit_yet", 6, held_yuan=(0, 0)),
    Scene("below_required", 6, held_yuan=(300, 400), required_yuan=1000, open_orders=1),
    Scene("deducted", 10, held_yuan=(3000, 5000), deducted_yuan=640),
    Scene("deducted_beyond_the_deposit", 3, held_yuan=(500, 600), deducted_yuan=900, penalty=True),
    # Under way.
    Scene("in_review", 14, held_yuan=(6000, 20_000), story=Story.IN_REVIEW),
    Scene("late_in_review", 4, held_yuan=(6000, 20_000), story=Story.LATE_IN_REVIEW),
    Scene("more_information", 4, held_yuan=(6000, 20_000), story=Story.MORE_INFORMATION),
    Scene("second_approval", 4, held_yuan=(55_000, 90_000), story=Story.SECOND_APPROVAL),
    Scene("rejected", 4, held_yuan=(6000, 9000), story=Story.REJECTED),
    Scene("appealed", 3, held_yuan=(6000, 9000), story=Story.APPEALED),
    Scene("withdrawn", 4, held_yuan=(6000, 9000), story=Story.WITHDRAWN),
    # At the channels. The last four digits decide what goes wrong there.
    Scene("paid", 16, story=Story.PAID),
    Scene("unknown_at_channel", 1, payer_tail="4003", story=Story.UNKNOWN_AT_CHANNEL),
    Scene("slow_at_channel", 1, payer_tail="4004", story=Story.SLOW_AT_CHANNEL),
    Scene("stuck_at_wechat", 1, payer_tail="4002", story=Story.STUCK_AT_CHANNEL),
    Scene(
        "returned_by_bank",
        1,
        paid_in_days=(420, 900),
        route_open=False,
        destination_tail="4002",
        story=Story.SENT_BY_BANK,
    ),
    Scene(
        "refused_by_bank",
        1,
        paid_in_days=(420, 900),
        route_open=False,
        destination_tail="4001",
        story=Story.SENT_BY_BANK,
    ),
    Scene(
        "paid_by_bank",
        1,
        paid_in_days=(420, 900),
        route_open=False,
        destination_tail="8888",
        story=Story.SENT_BY_BANK,
    ),
    Scene(
        "split_refund",
        1,
        held_yuan=(2000, 2000),
        expired_yuan=3000,
        payer_tail="0001",
        destination_tail="8888",
        story=Story.WAITS_FOR_BATCH,
    ),
    Scene(
        "waits_for_limit",
        1,
        held_yuan=(30_000, 30_000),
        payer_tail="0001",
        story=Story.WAITS_FOR_LIMIT,
    ),
    # Money in.
    Scene(
        "shortfall",
        1,
        held_yuan=(500, 500),
        required_yuan=5000,
        open_orders=2,
        listings=18,
        story=Story.PAYS_IN_PARTS,
    ),
    Scene("on_no_bill", 1, open_orders=1, listings=9, story=Story.ON_NO_BILL),
    # A deduction, and what is said to it.
    Scene(
        "deduction_announced", 3, held_yuan=(2000, 4000), open_orders=2, hearing=Hearing.ANNOUNCED
    ),
    Scene("deduction_objected", 3, held_yuan=(2000, 4000), hearing=Hearing.OBJECTED),
    Scene("deduction_appealed", 2, held_yuan=(2000, 4000), hearing=Hearing.APPEALED),
)
