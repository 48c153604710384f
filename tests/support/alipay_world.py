"""The simulated Alipay's book in this process, under a clock that only the test moves."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from kuaitui.channels.simulator.alipay.amounts import yuan
from kuaitui.channels.simulator.alipay.bills import Bills
from kuaitui.channels.simulator.alipay.book import AlipayBook
from kuaitui.channels.simulator.alipay.keys import KEY_MODE
from kuaitui.channels.simulator.alipay.refunds import Refunds
from kuaitui.channels.simulator.alipay.times import BEIJING
from kuaitui.channels.simulator.alipay.trades import Trades
from kuaitui.channels.simulator.alipay.transfers import Transfers
from kuaitui.channels.simulator.faults import Faults

START = dt.datetime(2026, 3, 2, 12, 0, tzinfo=BEIJING)
DAY_S = 86400
CARD = "6225880112345678"
NO_FAULTS = Faults(())


class World:
    def __init__(self) -> None:
        self.book = AlipayBook(
            ":memory:", clock=START.timestamp, default_notify_url="https://merchant.invalid"
        )
        self.trades = Trades(self.book)
        self.refunds = Refunds(self.book, self.trades)
        self.transfers = Transfers(self.book)
        self.bills = Bills(self.book)
        self.book.on_due = [
            self.refunds.settle_due,
            self.transfers.settle_due,
            self.trades.settle_due,
        ]
        self._numbers = itertools.count(1)

    def number(self, prefix: str) -> str:
        return f"{prefix}{next(self._numbers):010d}"

    def offered(self, amount_minor: int) -> str:
        number = self.number("ORDER")
        self.trades.open(
            {"out_trade_no": number, "total_amount": yuan(amount_minor), "subject": "店铺保证金"},
            product="precreate",
            notify_url="",
            mode=KEY_MODE,
            faults=NO_FAULTS,
        )
        return number

    def refund(
        self, trade: str, amount_minor: int, *, number: str = "", faults: Faults = NO_FAULTS
    ) -> dict[str, Any]:
        document = {
            "out_trade_no": trade,
            "out_request_no": number or self.number("REFUND"),
            "refund_amount": yuan(amount_minor),
        }
        return self.refunds.apply(document, faults)

    def transfer(
        self,
        amount_minor: int,
        *,
        number: str = "",
        to_card: bool = True,
        faults: Faults = NO_FAULTS,
    ) -> dict[str, Any]:
        card = {"identity": CARD, "identity_type": "BANKCARD_ACCOUNT", "name": "王小明"}
        card |= {"bankcard_ext_info": {"account_type": "2"}}  # type: ignore[dict-item]
        account = {"identity": "2088000000000042", "identity_type": "ALIPAY_USER_ID"}
        document = {
            "out_biz_no": number or self.number("TRANSFER"),
            "trans_amount": yuan(amount_minor),
            "product_code": "TRANS_BANKCARD_NO_PWD" if to_card else "TRANS_ACCOUNT_NO_PWD",
            "biz_scene": "DIRECT_TRANSFER",
            "payee_info": card if to_card else account,
        }
        return self.transfers.apply(document, faults)
