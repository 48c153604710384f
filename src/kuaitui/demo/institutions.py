"""The simulated institutions of the demo: their clocks run together, and the demo plays the payers.

They begin two weeks ago, so that what happened on those days stands in their books as in ours, and
have come to the present when the visitors do.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from kuaitui.channels.simulator.director import Director
from kuaitui.channels.simulator.signing import shared_key
from kuaitui.channels.simulator.wechatpay.director import WechatPayDirector
from kuaitui.demo.processes import Installation
from kuaitui.kernel.money import Money

# WeChat Pay is the first way to pay in that sellers are offered.
NAMES: Final = ("wechatpay", "simulator", "bank")
ZONE: Final = ZoneInfo("Asia/Shanghai")
NOON: Final = dt.time(12)
# Longer than the longest run of days on which no bank books, and a payment that comes back.
DAYS_BEFORE: Final = 15


def noon(now: dt.datetime, days_ago: int) -> dt.datetime:
    """Noon, where the institutions are, so many days ago: far from midnight and its two dates."""
    day = now.astimezone(ZONE).date() - dt.timedelta(days=days_ago)
    return dt.datetime.combine(day, NOON, ZONE).astimezone(dt.UTC)


@dataclass(slots=True)
class Institutions:
    """Whoever directs them all. `at` is what their clocks were last set to."""

    simulator: Director
    wechatpay: WechatPayDirector
    bank: Director
    at: dt.datetime

    @classmethod
    def of(cls, installation: Installation, *, at: dt.datetime) -> Institutions:
        """Those of an installation, whose clocks were started at `at`."""
        key = shared_key(installation.simulator_key)
        return cls(
            simulator=Director(installation.url_of("simulator"), key),
            wechatpay=WechatPayDirector(installation.url_of("wechatpay"), key),
            bank=Director(installation.url_of("bank"), key),
            at=at,
        )

    def close(self) -> None:
        """Close the connections."""
        for director in (self.simulator, self.wechatpay, self.bank):
            director.close()

    def come_to(self, moment: dt.datetime) -> None:
        """Let time pass everywhere until a moment; what is past stays past."""
        span_s = (moment - self.at).total_seconds()
        if span_s <= 0:
            return
        for director in (self.simulator, self.wechatpay, self.bank):
            director.advance(seconds=span_s)
        self.at = moment

    def pay_by_wechat(self, number: str, amount: Money, payer: str) -> str:
        """Play a payer of WeChat Pay; returns the channel's number of the payment."""
        return self.wechatpay.pay(number, amount_minor=amount.minor, openid=payer)
