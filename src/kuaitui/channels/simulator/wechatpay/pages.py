"""Small pages that stand for the app: a payer pays an order, a payee confirms a transfer.

The QR code of an order and the H5 link lead to `/sim/pay/TOKEN`, where `?openid=…` says who pays;
`package_info` of a transfer is the last part of `/sim/confirm/PACKAGE_INFO`.
"""

from __future__ import annotations

import html
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from kuaitui.channels.simulator.serving import Reply
from kuaitui.channels.simulator.store import ChannelRefuses
from kuaitui.channels.simulator.wechatpay.bills import yuan
from kuaitui.channels.simulator.wechatpay.trades import DEFAULT_OPENID, Trades
from kuaitui.channels.simulator.wechatpay.transfers import Transfers

PAGE: Final = """<!doctype html>
<html lang="zh-Hans"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 22rem; margin: 3rem auto; padding: 0 1rem }}
.amount {{ font-size: 2.4rem; font-variant-numeric: tabular-nums; margin: .5rem 0 }}
button {{ font: inherit; width: 100%; min-height: 44px; border: 0; border-radius: 8px;
  color: #fff; background: #087a3f }}
small {{ color: #555 }}
</style>
<h1>{title}</h1>
<p>{what}</p>
<p class="amount">¥{amount}</p>
<p role="status">{state}</p>
{form}
<p><small>模拟渠道 · Simulated channel: no money moves.</small></p>
</html>
"""
FORM: Final = '<form method="post"><button>{label}</button></form>'


def show(path: str, *, is_post: bool, trades: Trades, transfers: Transfers) -> Reply:
    """The page at a path under `/sim/`, after doing what its button does when it was pressed."""
    place = urlsplit(path)
    kind, _, token = place.path.removeprefix("/sim/").partition("/")
    openid = parse_qs(place.query).get("openid", [DEFAULT_OPENID])[0]
    try:
        if kind == "pay":
            if is_post:
                trades.pay_as_offered(token, openid=openid)
            return _page(_pay_page(trades.offered(token)))
        if kind == "confirm":
            if is_post:
                transfers.confirm(token)
            return _page(_confirm_page(transfers.offered(token)))
    except ChannelRefuses as refusal:
        return _text(HTTPStatus.CONFLICT, refusal.message)
    return _text(HTTPStatus.NOT_FOUND, "404")


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


def _page(words: dict[str, str]) -> Reply:
    escaped = {name: html.escape(word) for name, word in words.items()}
    label = escaped.pop("label")
    escaped["form"] = FORM.format(label=label) if label else ""
    content = PAGE.format(**escaped).encode()
    return Reply(200, content, content_type="text/html; charset=utf-8")


def _text(status: int, message: str) -> Reply:
    return Reply(status, message.encode(), content_type="text/plain; charset=utf-8")
