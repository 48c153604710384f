"""The simulated WeChat Pay's book in this process, under a clock that only the test moves."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path
from typing import Any

from kuaitui.channels.simulator.faults import Fault, Faults, Rule
from kuaitui.channels.simulator.wechatpay.bills import Bills
from kuaitui.channels.simulator.wechatpay.book import WechatPayBook
from kuaitui.channels.simulator.wechatpay.keys import APPID, MCHID
from kuaitui.channels.simulator.wechatpay.refunds import Refunds
from kuaitui.channels.simulator.wechatpay.times import BEIJING
from kuaitui.channels.simulator.wechatpay.trades import Trades
from kuaitui.channels.simulator.wechatpay.transfers import Transfers

START = dt.datetime(2026, 3, 2, 12, 0, tzinfo=BEIJING)
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400


class World:
    def __init__(self, folder: Path | None = None) -> None:
        file = str(folder / "wechatpay.sqlite3") if folder else ":memory:"
        self.book = WechatPayBook(
            file, clock=START.timestamp, default_notify_url="https://merchant.invalid"
        )
        self.trades = Trades(self.book)
        self.refunds = Refunds(self.book)
        self.transfers = Transfers(self.book)
        self.bills = Bills(self.book)
        self.book.on_due = [
            self.trades.settle_due,
            self.refunds.settle_due,
            self.transfers.settle_due,
        ]
        self._numbers = itertools.count(1)

    def number(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers):010d}"

    def opened(
        self,
        amount_minor: int = 50_000,
        *,
        number: str = "",
        method: str = "native",
        **changes: Any,
    ) -> str:
        number = number or self.number("ORDER")
        document = {
            "appid": APPID,
            "mchid": MCHID,
            "description": "店铺保证金",
            "out_trade_no": number,
            "notify_url": "https://merchant.invalid/pay",
            "amount": {"total": amount_minor, "currency": "CNY"},
            **changes,
        }
        self.trades.open(document, method=method, faults=Faults(()))
        return number

    def paid(self, amount_minor: int = 50_000) -> str:
        return str(self.trades.pay(self.opened(amount_minor))["transaction_id"])

    def refund(
        self,
        payment: str,
        amount_minor: int,
        *,
        number: str = "",
        total_minor: int = 50_000,
        faults: Faults | None = None,
    ) -> dict[str, Any]:
        document = {
            "transaction_id": payment,
            "out_refund_no": number or self.number("REFUND"),
            "amount": {"refund": amount_minor, "total": total_minor, "currency": "CNY"},
        }
        return self.refunds.apply(document, faults or Faults(()))

    def transfer(
        self,
        amount_minor: int = 20_000,
        *,
        number: str = "",
        name: str = "",
        faults: Faults | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        document = {
            "appid": APPID,
            "out_bill_no": number or self.number("TRANSFER"),
            "transfer_scene_id": "1011",
            "openid": "oPayee0001",
            "transfer_amount": amount_minor,
            "transfer_remark": "保证金退还",
            "transfer_scene_report_infos": [{"info_type": "赔付原因", "info_content": "退还"}],
            **changes,
        }
        return self.transfers.apply(document, name, faults or Faults(()))

    def told(self) -> list[str]:
        return [
            row["state"] for row in self.book.rows("SELECT state FROM announcement ORDER BY id")
        ]

    def movements(self) -> list[dict[str, Any]]:
        return self.book.rows("SELECT * FROM movement ORDER BY id")


def with_fault(fault: Fault, **details: Any) -> Faults:
    return Faults([Rule(fault, **details)])
