"""The simulated WeChat Pay as an HTTP server.

Besides the interfaces of APIv3 (`calls.ROUTES`) and those that say who a user is (`identities`) it
has pages under `/sim/` that stand for the app, and
directions under `/_sim/`: those of `serving`, and

    POST /_sim/pay      {"out_trade_no", "amount_minor", "openid"}: a payer pays, in any way
    POST /_sim/confirm  {"out_bill_no"}: a payee accepts a transfer
    POST /_sim/fund     {"amount_minor"}: top the merchant's account up, or withdraw from it
    POST /_sim/rotate   {"kind": "public_key" | "certificate"}: a new key from now on
    POST /_sim/deliver  notifications that are due go out before the answer

Settings: `key_mode` (public_key, certificate), `processing_s`, `accepts_without_balance`,
`payees_confirm`, `closing_lag_s`, `cancelling_s`, `stamps_own_clock`, `name:OPENID`, `seed`,
`fee_rate`, `fee_comes_back`, `who_looks` (the openid of whoever opens a page), `who_looks_is_guest`.
"""

from __future__ import annotations

import json
import threading
from http import HTTPStatus
from typing import Final, cast

from kuaitui.channels.simulator.faults import Fault, Faults
from kuaitui.channels.simulator.notifier import Notifier
from kuaitui.channels.simulator.serving import (
    CallHandler,
    Directions,
    Directive,
    Document,
    Reply,
    SimulatorServer,
)
from kuaitui.channels.simulator.store import ChannelRefuses
from kuaitui.channels.simulator.wechatpay import pages
from kuaitui.channels.simulator.wechatpay.book import STATUSES, WechatPayBook, refuse
from kuaitui.channels.simulator.wechatpay.calls import ROUTES, Answer, Asked, Call
from kuaitui.channels.simulator.wechatpay.institution import WechatPay
from kuaitui.channels.simulator.wechatpay.wire_protocol import signed_headers

GARBAGE: Final = b"<html>\xff not what you asked for"
NO_FAULTS: Final = Faults(())


class WechatPayServer(SimulatorServer):
    """One simulated WeChat Pay on one port."""

    def __init__(self, *, host: str, port: int, wechat_pay: WechatPay, key: bytes) -> None:
        super().__init__(host=host, port=port, store=wechat_pay.book, key=key, handler=Handler)
        self.wechat_pay = wechat_pay
        self.notifier: Notifier | None = None


class Handler(CallHandler):
    """One call."""

    def answer_call(self, body: bytes) -> None:
        """Check the signature, find out what is asked, do it, answer."""
        if self.path.startswith("/sim/"):
            self.write(self._show_page())
            return
        path, _, query = self.path.partition("?")
        identity = self._wechat_pay.identities.answer(path, query)
        if identity is not None:
            self.write(identity)
            return
        try:
            self._wechat_pay.require_authorized(
                self.headers.get("Authorization", ""),
                method=self.command,
                target=self.path,
                body=body,
            )
            asked = self._what_is_asked(body)
            faults = self._draw(asked)
            answer = self._carry_out(asked, faults)
        except ChannelRefuses as refusal:
            self.write(self._render(_error(refusal), NO_FAULTS))
            return
        if asked.operation is not None:
            said = "nothing" if answer is None else str(answer.status)
            self._wechat_pay.book.note(asked.operation, asked.number, said)
        if answer is None:
            self.hang_up()
            return
        self.write_with(faults, self._render(_distort(answer, faults), faults))

    @property
    def _server(self) -> WechatPayServer:
        return cast("WechatPayServer", self.server)

    @property
    def _wechat_pay(self) -> WechatPay:
        return self._server.wechat_pay

    @property
    def directions(self) -> Directions:
        """What the director may ask here."""
        return _directions(self._server)

    def _draw(self, asked: Asked) -> Faults:
        if asked.operation is None:
            return NO_FAULTS
        return self._wechat_pay.book.draw_faults(asked.operation, asked.number, asked.tail)

    def _show_page(self) -> Reply:
        return pages.show(
            self.path,
            is_post=self.command == "POST",
            trades=self._wechat_pay.trades,
            transfers=self._wechat_pay.transfers,
        )

    def _what_is_asked(self, body: bytes) -> Asked:
        """The first route that fits; a document that is not of its form is the caller's error."""
        path, _, query = self.path.partition("?")
        for method, pattern, ask in ROUTES:
            match = pattern.fullmatch(path)
            if method == self.command and match:
                return Call(
                    self._wechat_pay,
                    ask=ask,
                    parts=match.groupdict(),
                    query=query,
                    body=body,
                    key_id=self.headers.get("Wechatpay-Serial", ""),
                    base_url=f"http://{self.headers.get('Host', '')}",
                ).understood()
        raise refuse("RESOURCE_NOT_EXISTS", "请求的资源不存在")

    def _carry_out(self, asked: Asked, faults: Faults) -> Answer | None:
        """Do it; nothing means that the caller never hears."""
        stopped = faults.before_acceptance()
        if stopped is not None:
            return _keep_out(stopped, faults, asked)
        answer = _do(asked, faults)
        if Fault.NOTIFY_FIRST in faults and self._server.notifier is not None:
            self._server.notifier.deliver()
        return None if Fault.DROP_ANSWER in faults else answer

    def _render(self, answer: Answer, faults: Faults) -> Reply:
        content = answer.content
        if content is None:
            content = json.dumps(answer.document, ensure_ascii=False).encode()
        if Fault.GARBAGE in faults:
            content = GARBAGE
        if answer.status == HTTPStatus.NO_CONTENT:
            content = b""
        headers: dict[str, str] = {}
        if answer.is_signed and Fault.UNSIGNED not in faults:
            key = self._wechat_pay.answering_key(self.headers.get("Wechatpay-Serial", ""))
            signed = b"another body" if Fault.BAD_SIGNATURE in faults else content
            now = self._wechat_pay.book.wall_now()
            headers = signed_headers(key.private, key.key_id, signed, now=now)
        return Reply(answer.status, content, headers, answer.content_type)


def _directions(server: WechatPayServer) -> Directions:
    wechat_pay = server.wechat_pay

    def confirm(_book: WechatPayBook, document: Directive) -> Document:
        wechat_pay.confirm(document["out_bill_no"])
        return {}

    def deliver(_book: WechatPayBook, _document: Directive) -> Document:
        if server.notifier is not None:
            server.notifier.deliver()
        return {}

    return {
        ("POST", "/_sim/pay"): lambda _, document: wechat_pay.trades.pay(**document),
        ("POST", "/_sim/confirm"): confirm,
        ("POST", "/_sim/deliver"): deliver,
        ("POST", "/_sim/rotate"): lambda _, document: {
            "key_id": wechat_pay.rotate(document["kind"])
        },
        ("POST", "/_sim/fund"): lambda book, document: {
            "balance_minor": book.fund(document["amount_minor"])
        },
    }


def _do(asked: Asked, faults: Faults) -> Answer:
    try:
        return asked.carry_out(faults)
    except ChannelRefuses as refusal:
        return _error(refusal)


def _error(refusal: ChannelRefuses) -> Answer:
    return Answer(refusal.status, {"code": refusal.code, "message": refusal.message})


def _named(code: str) -> Answer:
    return Answer(STATUSES.get(code, 400), {"code": code, "message": "模拟"})


def _keep_out(fault: Fault, faults: Faults, asked: Asked) -> Answer | None:
    match fault:
        case Fault.REFUSE:
            return _named(faults.code(fault, "USER_ACCOUNT_ABNORMAL"))
        case Fault.NOT_PERMITTED:
            return _named("NO_AUTH")
        case Fault.ERROR_BEFORE:
            return _named("SYSTEM_ERROR")
        case Fault.BUSY_BEFORE:
            return _named("FREQUENCY_LIMITED")
        case Fault.ACCEPT_LATER:
            later = threading.Timer(faults.seconds(fault), _do, (asked, NO_FAULTS))
            later.daemon = True
            later.start()
    return None


def _distort(answer: Answer, faults: Faults) -> Answer:
    """Replace the right answer by a wrong one."""
    if Fault.ERROR_AFTER in faults:
        return _named("SYSTEM_ERROR")
    if Fault.BUSY_AFTER in faults:
        return _named("FREQUENCY_LIMITED")
    if Fault.NEW_CODE in faults:
        return _named("CODE_OF_TOMORROW")
    if answer.content is not None:
        return answer
    document = dict(answer.document)
    if Fault.OTHER_NUMBER in faults:
        document |= {name: "somebodyelses" for name in document if name.startswith("out_")}
    if Fault.OTHER_AMOUNT in faults and "transfer_amount" in document:
        document["transfer_amount"] = 1
    if Fault.OTHER_AMOUNT in faults and isinstance(amount := document.get("amount"), dict):
        document["amount"] = {
            name: 1 if type(value) is int else value for name, value in amount.items()
        }
    return Answer(answer.status, document, is_signed=answer.is_signed)
