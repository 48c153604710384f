"""How tests, demo and journey direct the simulated Alipay."""

from __future__ import annotations

from typing import Any

from kuaitui.channels.simulator.director import Director


class AlipayDirector(Director):
    """The director's side of `/_sim/` of the simulated Alipay."""

    def pay(
        self, out_trade_no: str, *, amount_minor: int | None = None, buyer_id: str | None = None
    ) -> str:
        """Play the buyer, also with an amount that no buyer could choose; the trade's number."""
        document: dict[str, Any] = {"out_trade_no": out_trade_no, "amount_minor": amount_minor}
        if buyer_id is not None:
            document["buyer_id"] = buyer_id
        return str(self.call("POST", "/_sim/pay", document)["trade_no"])

    def fund(self, amount_minor: int) -> int:
        """Top the merchant's account up, or withdraw from it; returns its balance in fen."""
        answer = self.call("POST", "/_sim/fund", {"amount_minor": amount_minor})
        return int(answer["balance_minor"])

    def rotate(self, mode: str) -> str:
        """Let Alipay use a new key in a mode, `public_key` or `certificate`; returns its file."""
        return str(self.call("POST", "/_sim/rotate", {"mode": mode})["file"])

    def deliver(self) -> None:
        """Let every notification that is due go out now."""
        self.call("POST", "/_sim/deliver", {})
