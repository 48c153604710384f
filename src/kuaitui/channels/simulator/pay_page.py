"""The page on which a payer pays, as the app of a real channel would show it."""

from __future__ import annotations

import html
from http import HTTPStatus
from typing import Any, Final

from kuaitui.channels.simulator.book import Book
from kuaitui.channels.simulator.serving import Reply
from kuaitui.channels.simulator.store import ChannelRefuses
from kuaitui.channels.simulator.till import find_order, pay_order

WORDS: Final = {
    "WAITING": "等待付款 · Waiting for you to pay",
    "PAID": "支付成功 · Paid",
    "CLOSED": "订单已关闭 · This order is closed",
    "NUMBER_UNKNOWN": "没有这个订单 · There is no such order",
}
PAGE: Final = """<!doctype html>
<html lang="zh-Hans"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>模拟支付 · Simulated payment</title></head>
<body><main><h1>模拟支付 · Simulated payment</h1><p>{description}</p><p>{amount}</p>
<p><strong>{state}</strong></p>{button}</main></body></html>
"""
BUTTON: Final = '<form method="post"><button>付款 · Pay</button></form>'


def pay_page(book: Book, number: str, *, is_paying: bool) -> Reply:
    """The order and a button, or what became of it."""
    try:
        order = pay_order(book, number) if is_paying else find_order(book, number)
    except ChannelRefuses as refusal:
        order = {"state": refusal.code}
    is_unknown = order["state"] == "NUMBER_UNKNOWN"
    return Reply(
        HTTPStatus.NOT_FOUND if is_unknown else HTTPStatus.OK,
        _draw(order).encode(),
        {"Referrer-Policy": "no-referrer"},
        "text/html; charset=utf-8",
    )


def _draw(order: dict[str, Any]) -> str:
    state, minor = str(order["state"]), order.get("amount_minor")
    return PAGE.format(
        description=html.escape(str(order.get("description", ""))),
        amount=f"{order['currency']} {minor // 100}.{minor % 100:02d}" if minor else "",
        state=html.escape(WORDS.get(state, state)),
        button=BUTTON if state == "WAITING" else "",
    )
