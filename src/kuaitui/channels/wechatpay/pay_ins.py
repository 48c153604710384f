"""Money in: Native (a QR code) and H5 (a link), their query and their closing.

Source: reference §1.1, "WeChat Pay APIv3, collecting and refunding".
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from kuaitui.channels.port import (
    FailedDefinite,
    NotFound,
    NotSent,
    PayInClosed,
    PayInMethod,
    PayInOpened,
    PayInOrder,
    PayInOutcome,
    PayInPaid,
    PayInWaiting,
    Unknown,
)
from kuaitui.channels.wechatpay.client import Deadline, Reply, WeChatPayClient
from kuaitui.channels.wechatpay.replies import (
    BEIJING,
    AnswerUnreadable,
    after_a_call,
    moment,
    reference,
    refuses_us,
)
from kuaitui.channels.wechatpay.settings import CURRENCY, WeChatPaySettings
from kuaitui.kernel.money import MINOR_MAX, Money

TRANSACTIONS: Final = "/v3/pay/transactions"
NUMBER: Final = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
PAYER_IP: Final = re.compile(r"[0-9A-Fa-f.:]{2,45}")
DESCRIPTION_CHARACTERS_MAX: Final = 127
PAY_URL_CHARACTERS_MAX: Final = 2048
# For how long the code or the link may be used, and where the answer has it.
WAYS: Final[Mapping[PayInMethod, tuple[str, str, dt.timedelta]]] = {
    PayInMethod.QR_CODE: ("native", "code_url", dt.timedelta(hours=2)),
    PayInMethod.LINK: ("h5", "h5_url", dt.timedelta(minutes=5)),
}
# Refusals that leave no order behind, if WeChat Pay knows none under the number.
REFUSALS: Final = frozenset({"INVALID_REQUEST", "PARAM_ERROR"})


class PayIns:
    """Orders that a payer pays."""

    def __init__(self, settings: WeChatPaySettings, client: WeChatPayClient) -> None:
        self._settings = settings
        self._client = client

    def open(self, order: PayInOrder, now: dt.datetime, deadline: Deadline) -> PayInOutcome:
        """Let WeChat Pay wait for the payer. The same order may be opened again."""
        if unfit := _unfit(order):
            return FailedDefinite(unfit)
        way, url_name, usable_for = WAYS[order.method]
        document = render(self._settings, order)
        reply = self._client.call(
            "POST", f"{TRANSACTIONS}/{way}", document=document, deadline=deadline
        )
        if not isinstance(reply, Reply):
            return reply
        if reply.is_success:
            return _opened(reply, order, url_name, min(order.expires_at, now + usable_for))
        standing = self._after_refusal(reply, order, deadline)
        if not isinstance(standing, NotFound):
            return standing
        return FailedDefinite(reply.code) if reply.code in REFUSALS else reply.unmapped()

    def query(self, order: PayInOrder, deadline: Deadline) -> PayInOutcome:
        """Ask whether it was paid."""
        if NUMBER.fullmatch(order.number) is None:
            return Unknown("number_unfit")
        path = f"{self._path(order)}?mchid={self._settings.mchid}"
        reply = self._client.call("GET", path, deadline=deadline)
        if not isinstance(reply, Reply):
            return reply
        return read_order(reply, order, mchid=self._settings.mchid)

    def close(self, order: PayInOrder, deadline: Deadline) -> PayInOutcome:
        """Let nobody pay it any more. A refusal (paid, closed before) is followed by a question."""
        if NUMBER.fullmatch(order.number) is None:
            return Unknown("number_unfit")
        document = {"mchid": self._settings.mchid}
        reply = self._client.call(
            "POST", f"{self._path(order)}/close", document=document, deadline=deadline
        )
        if not isinstance(reply, Reply):
            return reply
        return PayInClosed() if reply.is_success else self._after_refusal(reply, order, deadline)

    def _after_refusal(self, reply: Reply, order: PayInOrder, deadline: Deadline) -> PayInOutcome:
        """How the order stands that a call was refused for."""
        if rejected := refuses_us(reply):
            return rejected
        if reply.status == 429 or not 400 <= reply.status < 500:
            return reply.unmapped()
        standing = self.query(order, deadline)
        match standing:
            case NotSent():
                return after_a_call(standing)
            case PayInWaiting():
                # It is not what was asked for that stands there, or we have no code to show.
                return reply.unmapped()
            case _:
                return standing

    def _path(self, order: PayInOrder) -> str:
        return f"{TRANSACTIONS}/out-trade-no/{quote(order.number, safe='')}"


def render(settings: WeChatPaySettings, order: PayInOrder) -> dict[str, Any]:
    """The request of an order, the same for the same order."""
    scene = {
        PayInMethod.QR_CODE: {},
        PayInMethod.LINK: {
            "scene_info": {"payer_client_ip": order.payer_ip, "h5_info": {"type": "Wap"}}
        },
    }
    expires_at = order.expires_at.astimezone(BEIJING)
    return {
        "appid": settings.appid,
        "mchid": settings.mchid,
        "description": order.description[:DESCRIPTION_CHARACTERS_MAX],
        "out_trade_no": order.number,
        "time_expire": expires_at.isoformat(timespec="seconds"),
        "notify_url": settings.notify_url,
        "amount": {"total": order.amount.minor, "currency": CURRENCY},
        **scene[order.method],
    }


def read_order(reply: Reply, order: PayInOrder, *, mchid: str) -> PayInOutcome:
    """How an order stands, if the answer is about this very order of ours."""
    if (reply.status, reply.code) == (404, "ORDER_NOT_EXIST"):
        return NotFound()
    if not reply.is_success:
        return refuses_us(reply) or reply.unmapped()
    document = reply.document
    if (document.get("out_trade_no"), document.get("mchid")) != (order.number, mchid):
        return Unknown("echo_mismatch")
    match document.get("trade_state"):
        case "SUCCESS" | "REFUND":  # REFUND: paid, and some of it sent back since
            return _paid(document)
        case "NOTPAY" | "USERPAYING" | "PAYERROR":
            return PayInWaiting()
        case "CLOSED" | "REVOKED":
            return PayInClosed()
        case _:
            return Unknown("state_unmapped")


def _paid(document: Mapping[str, Any]) -> PayInOutcome:
    """Paid with the amount that WeChat Pay names, be it what was asked or not."""
    try:
        transaction_id = reference(document, "transaction_id")
        return PayInPaid(transaction_id, _total(document), moment(document, "success_time"))
    except AnswerUnreadable:
        return Unknown("unreadable")


def _total(document: Mapping[str, Any]) -> Money:
    amount = document.get("amount")
    if not isinstance(amount, dict) or amount.get("currency") != CURRENCY:
        raise AnswerUnreadable("amount")
    total = amount.get("total")
    if type(total) is not int or not 0 < total <= MINOR_MAX:
        raise AnswerUnreadable("total")
    return Money(total, CURRENCY)


def _opened(
    reply: Reply, order: PayInOrder, url_name: str, usable_until: dt.datetime
) -> PayInOutcome:
    url = reply.document.get(url_name)
    if not isinstance(url, str) or not 0 < len(url) <= PAY_URL_CHARACTERS_MAX:
        return Unknown("unreadable")
    if order.method is PayInMethod.LINK and order.return_url:
        joint = "&" if "?" in url else "?"
        url = f"{url}{joint}redirect_url={quote(order.return_url, safe='')}"
    return PayInOpened(url, usable_until)


def _unfit(order: PayInOrder) -> str:
    """Why WeChat Pay could never take this; nothing was sent then."""
    if NUMBER.fullmatch(order.number) is None:
        return "NUMBER_UNFIT"
    if order.amount.currency != CURRENCY:
        return "CURRENCY_NOT_SUPPORTED"
    if order.method is PayInMethod.LINK and PAYER_IP.fullmatch(order.payer_ip) is None:
        return "PAYER_IP_MISSING"
    return ""
