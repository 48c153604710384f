"""How tests, demo and journey direct the simulated WeChat Pay."""

from __future__ import annotations

from typing import Any

from kuaitui.channels.simulator.director import Director


class WechatPayDirector(Director):
    """The director's side of `/_sim/` of the simulated WeChat Pay."""

    def pay(
        self, out_trade_no: str, *, amount_minor: int | None = None, openid: str | None = None
    ) -> str:
        """Play the payer, also twice, too late, with another amount or without an order.

        Returns the channel's number of the payment.
        """
        document: dict[str, Any] = {"out_trade_no": out_trade_no, "amount_minor": amount_minor}
        if openid is not None:
            document["openid"] = openid
        return str(self.call("POST", "/_sim/pay", document)["transaction_id"])

    def confirm(self, out_bill_no: str) -> None:
        """Play the payee who accepts a transfer."""
        self.call("POST", "/_sim/confirm", {"out_bill_no": out_bill_no})

    def fund(self, amount_minor: int) -> int:
        """Top the merchant's account up, or withdraw from it; returns its balance in fen."""
        answer = self.call("POST", "/_sim/fund", {"amount_minor": amount_minor})
        return int(answer["balance_minor"])

    def rotate(self, kind: str) -> str:
        """Let the channel use a new key of kind `public_key` or `certificate`; returns its id."""
        return str(self.call("POST", "/_sim/rotate", {"kind": kind})["key_id"])

    def deliver(self) -> None:
        """Let every notification that is due go out now."""
        self.call("POST", "/_sim/deliver", {})
