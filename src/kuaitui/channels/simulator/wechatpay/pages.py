"""Small pages that stand for the app: a payer pays an order, a payee confirms a transfer.

The QR code of an order and the H5 link lead to `/sim/pay/TOKEN`, where `?openid=…` says who pays;
`package_info` of a transfer is the last part of `/sim/confirm/PACKAGE_INFO`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kuaitui.channels.simulator.pages import app_page, text_page
from kuaitui.channels.simulator.serving import Reply
from kuaitui.channels.simulator.store import ChannelRefuses
from kuaitui.channels.simulator.wechatpay.bills import yuan
from kuaitui.channels.simulator.wechatpay.trades import DEFAULT_OPENID, Trades
from kuaitui.channels.simulator.wechatpay.transfers import Transfers


def show(path: str, *, is_post: bool, trades: Trades, transfers: Transfers) -> Reply:
    """The page at a path under `/sim/`, after doing what its button does when it was pressed."""
    place = urlsplit(path)
    kind, _, token = place.path.removeprefix("/sim/").partition("/")
    openid = parse_qs(place.query).get("openid", [DEFAULT_OPENID])[0]
    try:
        if kind == "pay":
            if is_post:
                trades.pay_as_offered(token, openid=openid)
            return app_page(_pay_page(trades.offered(token)))
        if kind == "confirm":
            if is_post:
                transfers.confirm(token)
            return app_page(_confirm_page(transfers.offered(token)))
    except ChannelRefuses as refusal:
        return text_page(HTTPStatus.CONFLICT, refusal.message)
    return text_page(HTTPStatus.NOT_FOUND, "404")


def _pay_page(trade: dict[str, Any]) -> dict[str, str]:
    return {
        "title": "微信支付（模拟）",
        "what": trade["description"],
        "amount": yuan(trade["amount_minor"]),
        "state": trade["trade_state"],
        "label": "支付 Pay" if trade["trade_state"] == "NOTPAY" else "",
    }


def _confirm_page(transfer: dict[str, Any]) -> dict[str, str]:
    return {
        "title": "确认收款（模拟）",
        "what": transfer["remark"],
        "amount": yuan(transfer["amount_minor"]),
        "state": transfer["state"],
        "label": "收款 Confirm" if transfer["state"] == "WAIT_USER_CONFIRM" else "",
    }
