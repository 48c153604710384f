"""The institution as a whole: its book, its keys, and what it does with them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import cast

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from kuaitui.channels.simulator.wechatpay.bills import Bills
from kuaitui.channels.simulator.wechatpay.book import WechatPayBook, refuse
from kuaitui.channels.simulator.wechatpay.identities import Identities
from kuaitui.channels.simulator.wechatpay.keys import MCHID, Keys, PlatformKey
from kuaitui.channels.simulator.wechatpay.refunds import Refunds
from kuaitui.channels.simulator.wechatpay.trades import Trades
from kuaitui.channels.simulator.wechatpay.transfers import Transfers
from kuaitui.channels.simulator.wechatpay.wire_protocol import (
    Authorization,
    AuthorizationRefused,
    decrypt_field,
)


@dataclass(slots=True)
class WechatPay:
    """The institution: one book, one folder of keys."""

    book: WechatPayBook
    keys: Keys
    trades: Trades
    refunds: Refunds
    transfers: Transfers
    bills: Bills
    identities: Identities

    @classmethod
    def open(cls, book: WechatPayBook, keys: Keys) -> WechatPay:
        """Put it together around its book."""
        trades, refunds, transfers = Trades(book), Refunds(book), Transfers(book)
        book.on_due = [trades.settle_due, refunds.settle_due, transfers.settle_due]
        identities = Identities(book, keys)
        return cls(book, keys, trades, refunds, transfers, Bills(book), identities)

    def require_authorized(self, header: str, *, method: str, target: str, body: bytes) -> None:
        """Whether the merchant signed this request, these minutes.

        Raises:
            ChannelRefuses: it did not.
        """
        try:
            given = Authorization.parse(header)
            given.require_valid(
                method=method,
                target=target,
                body=body,
                key=cast("RSAPublicKey", self.keys.merchant.public_key()),
                now=self.book.wall_now(),
            )
        except AuthorizationRefused as problem:
            raise refuse("SIGN_ERROR", str(problem)) from None
        if (given.mchid, given.serial_no) != (MCHID, self.keys.merchant_serial):
            raise refuse("SIGN_ERROR", "no such merchant or certificate")

    def rotate(self, kind: str) -> str:
        """Use a new key of that kind from now on; returns its id."""
        now = dt.datetime.fromtimestamp(self.book.wall_now(), tz=dt.UTC)
        return self.keys.rotate(kind, now=now)

    def confirm(self, out_bill_no: str) -> None:
        """Let the payee of a transfer accept it.

        Raises:
            ChannelRefuses: there is no such transfer, or it does not wait.
        """
        self.transfers.confirm(self.transfers.package_of(out_bill_no))

    def decrypt(self, sealed: str, key_id: str) -> str:
        """A sensitive field, sealed for the key that the request names.

        Raises:
            ChannelRefuses: the key is none of ours, or the field was sealed for another.
        """
        key = self.keys.find(key_id)
        if key is None:
            raise refuse("PARAM_ERROR", "Wechatpay-Serial")
        try:
            return decrypt_field(key.private, sealed)
        except ValueError:
            raise refuse("PARAM_ERROR", "敏感字段解密失败") from None

    def answering_key(self, key_id: str) -> PlatformKey:
        """The key an answer is signed with: the one the request names, or the mode's current."""
        named = self.keys.find(key_id) if key_id else None
        return named or self.keys.current(self.book.setting("key_mode", "public_key"))
