"""The page that stands for Alipay's app: a buyer scans a code, or follows a link, and pays.

`/sim/pay/TOKEN?buyer_id=…` says who pays.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kuaitui.channels.simulator.alipay.amounts import yuan
from kuaitui.channels.simulator.alipay.trades import DEFAULT_BUYER, Trades
from kuaitui.channels.simulator.pages import app_page, text_page
from kuaitui.channels.simulator.serving import Reply
from kuaitui.channels.simulator.store import ChannelRefuses


def show(path: str, *, is_post: bool, trades: Trades) -> Reply:
    """The page at a path, after doing what its button does when it was pressed."""
    place = urlsplit(path)
    token = place.path.removeprefix("/sim/pay/")
    buyer_id = parse_qs(place.query).get("buyer_id", [DEFAULT_BUYER])[0]
    try:
        trade = trades.scan(token)
        if is_post:
            trades.pay(trade["out_trade_no"], buyer_id=buyer_id)
            trade = trades.scan(token)
    except ChannelRefuses as refusal:
        return text_page(HTTPStatus.CONFLICT, refusal.message)
    return app_page(_words(trade))


def _words(trade: dict[str, Any]) -> dict[str, str]:
    return {
        "title": "支付宝（模拟）",
        "what": trade["subject"],
        "amount": yuan(trade["total_minor"]),
        "state": trade["state"],
        "label": "支付 Pay" if trade["state"] == "WAIT_BUYER_PAY" else "",
    }
