"""The institution as a whole: its book, its keys, and who may ask it for something."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kuaitui.channels.simulator.alipay.bills import Bills
from kuaitui.channels.simulator.alipay.book import AlipayBook
from kuaitui.channels.simulator.alipay.keys import APP_ID, CERTIFICATE_MODE, KEY_MODE, Keys
from kuaitui.channels.simulator.alipay.refunds import Refunds
from kuaitui.channels.simulator.alipay.refusals import refuse
from kuaitui.channels.simulator.alipay.times import read
from kuaitui.channels.simulator.alipay.trades import Trades
from kuaitui.channels.simulator.alipay.transfers import Transfers
from kuaitui.channels.simulator.alipay.wire_protocol import SIGN_TYPE, is_signed, text_to_sign

REQUIRED: Final = {
    "app_id": "isv.missing-app-id",
    "method": "isv.missing-method",
    "sign": "isv.missing-signature",
    "sign_type": "isv.missing-signature-type",
    "timestamp": "isv.missing-timestamp",
    "version": "isv.missing-version",
}


@dataclass(frozen=True, slots=True)
class Request:
    """What a merchant asks, once it is known that it is the merchant."""

    method: str
    document: dict[str, Any]
    notify_url: str
    mode: str


@dataclass(slots=True)
class Alipay:
    """The institution: one book, one folder of keys."""

    book: AlipayBook
    keys: Keys
    trades: Trades
    refunds: Refunds
    transfers: Transfers
    bills: Bills

    @classmethod
    def open(cls, book: AlipayBook, keys: Keys) -> Alipay:
        """Put it together around its book."""
        trades, transfers = Trades(book), Transfers(book)
        refunds = Refunds(book, trades)
        book.on_due = [refunds.settle_due, transfers.settle_due, trades.settle_due]
        return cls(book, keys, trades, refunds, transfers, Bills(book))

    def authorize(self, fields: Mapping[str, str]) -> Request:
        """Check what the gateway checks before it looks at the business.

        The timestamp must be one, but of no certain hour: clients send their local time.

        Raises:
            ChannelRefuses: a field is missing or wrong, or the application did not sign this.
        """
        for name, sub_code in REQUIRED.items():
            if not fields.get(name):
                raise refuse(sub_code, name)
        if fields["app_id"] != APP_ID:
            raise refuse("isv.invalid-app-id", "无效的AppID参数")
        if fields["sign_type"] != SIGN_TYPE:
            raise refuse("isv.invalid-signature-type", "无效的签名类型")
        if fields.get("charset", "utf-8").lower() != "utf-8":
            raise refuse("isv.invalid-charset", "无效的字符集")
        mode = self._mode(fields)
        if not is_signed(self.keys.app_key, text_to_sign(fields), fields["sign"]):
            raise refuse("isv.invalid-signature", "无效签名")
        try:
            read(fields["timestamp"])
        except ValueError:
            raise refuse("isv.invalid-timestamp", "无效的时间戳") from None
        return Request(fields["method"], _document(fields), fields.get("notify_url", ""), mode)

    def rotate(self, mode: str) -> str:
        """Use a new key in that mode from now on; returns the file that the merchant needs."""
        now = dt.datetime.fromtimestamp(self.book.wall_now(), tz=dt.UTC)
        return str(self.keys.rotate(mode, now=now))

    def _mode(self, fields: Mapping[str, str]) -> str:
        """Certificate mode is what a request with certificates' numbers is in."""
        names = ("app_cert_sn", "alipay_root_cert_sn")
        if not any(fields.get(name) for name in names):
            return KEY_MODE
        if tuple(fields.get(name) for name in names) != (
            self.keys.app_serial,
            self.keys.root_serial,
        ):
            raise refuse("isv.invalid-signature", "证书序列号不匹配")
        return CERTIFICATE_MODE


def _document(fields: Mapping[str, str]) -> dict[str, Any]:
    try:
        document = json.loads(fields.get("biz_content") or "{}")
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise refuse("isv.invalid-format", "biz_content")
    return document
