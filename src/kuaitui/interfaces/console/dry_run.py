"""What would happen to these legs if they were released now. Nothing is asked of anybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from kuaitui.channels.bank import BankChannel
from kuaitui.kernel.money import Money
from kuaitui.payouts.queries import LegInBatch
from kuaitui.payouts.queries import limits as limits_in_force
from kuaitui.payouts.states import LegState
from kuaitui.payouts.types import LimitScope


@dataclass(frozen=True, slots=True)
class DryRun:
    """The figures one looks at before letting money go."""

    legs_count: int
    total: Money
    execute_on: dt.date
    is_today: bool
    """Whether the bank's cut-off of today can still be met."""
    above_limit: tuple[LegInBatch, ...]
    """These would be set aside for people."""
    is_above_day: bool
    """Whether a part would wait for the channel's limit of a day."""
    stuck: tuple[LegInBatch, ...]
    """These cannot be sent any more, so the batch cannot be released as it is."""


def dry_run(channel: BankChannel, legs: Sequence[LegInBatch], *, now: dt.datetime) -> DryRun:
    """Look at the legs with the channel's limits and the bank's hours."""
    limits = {
        one.scope: one.amount
        for one in limits_in_force()
        if (one.channel, one.currency) == (channel.name, channel.currency) and one.is_in_force
    }
    total = sum((leg.amount for leg in legs), start=Money.zero(channel.currency))
    leg_max = limits.get(LimitScope.CHANNEL_LEG)
    day_max = limits.get(LimitScope.CHANNEL_DAY)
    execute_on = channel.execution_day(now)
    return DryRun(
        legs_count=len(legs),
        total=total,
        execute_on=execute_on,
        is_today=execute_on == channel.local_day(now),
        above_limit=tuple(leg for leg in legs if leg_max is not None and leg.amount > leg_max),
        is_above_day=day_max is not None and total > day_max,
        stuck=tuple(
            leg
            for leg in legs
            if leg.has_left or leg.is_set_aside or leg.state is not LegState.READY
        ),
    )
