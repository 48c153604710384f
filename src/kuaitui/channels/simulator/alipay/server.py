"""The simulated Alipay as an HTTP server.

    GET|POST /gateway.do       every method of `calls.METHODS`, its fields in the address or the body
    GET      /sim/bill?token=  a bill, for 30 seconds
    GET|POST /sim/pay/TOKEN    the page on which a buyer pays; opening it scans the code

Directions under `/_sim/` are those of `serving`, and

    POST /_sim/pay      {"out_trade_no", "amount_minor", "buyer_id"}: a buyer pays
    POST /_sim/return   {"number"[, "code"]}: the payee's bank gives a transfer back
    POST /_sim/fund     {"amount_minor"}: top the merchant's account up, or withdraw from it
    POST /_sim/rotate   {"mode": "public_key" | "certificate"}: a new key from now on
    POST /_sim/deliver  notifications that are due go out before the answer

Settings: `processing_s`, `begins_when_scanned`, `refundable_days`, `fee_rate`, `fee_comes_back`,
`stamps_own_clock`, `seed`, and `name:ACCOUNT`, the real name of a payee.
"""

from __future__ import annotations

import threading
from http import HTTPStatus
from typing import Final, cast
from urllib.parse import parse_qsl, urlsplit

from kuaitui.channels.simulator.alipay import pages
from kuaitui.channels.simulator.alipay.answers import (
    CONTENT_TYPE,
    distorted,
    envelope,
    kept_out,
    member_of,
    told_wrongly,
)
from kuaitui.channels.simulator.alipay.book import AlipayBook
from kuaitui.channels.simulator.alipay.calls import METHODS, WAP_PAY, Asked, Call, Document
from kuaitui.channels.simulator.alipay.institution import Alipay, Request
from kuaitui.channels.simulator.alipay.keys import AlipayKey
from kuaitui.channels.simulator.alipay.refusals import SUCCESS, described, is_signed
from kuaitui.channels.simulator.faults import Fault, Faults, Operation
from kuaitui.channels.simulator.notifier import Notifier
from kuaitui.channels.simulator.pages import text_page
from kuaitui.channels.simulator.serving import (
    CallHandler,
    Directions,
    Directive,
    Reply,
    SimulatorServer,
)
from kuaitui.channels.simulator.store import ChannelRefuses

NO_FAULTS: Final = Faults(())
GATEWAY: Final = "/gateway.do"


class AlipayServer(SimulatorServer):
    """One simulated Alipay on one port."""

    def __init__(self, *, host: str, port: int, alipay: Alipay, key: bytes) -> None:
        super().__init__(host=host, port=port, store=alipay.book, key=key, handler=Handler)
        self.alipay = alipay
        self.notifier: Notifier | None = None


class Handler(CallHandler):
    """One call."""

    def answer_call(self, body: bytes) -> None:
        """A call of the gateway, a page, or a bill."""
        place = urlsplit(self.path)
        if place.path == GATEWAY:
            self._answer_gateway(dict(parse_qsl(f"{place.query}&{_text(body)}")))
        elif place.path == "/sim/bill":
            self._send_bill(dict(parse_qsl(place.query)).get("token", ""))
        elif place.path.startswith("/sim/pay/"):
            is_post = self.command == "POST"
            self.write(pages.show(self.path, is_post=is_post, trades=self._alipay.trades))
        else:
            self.write(text_page(HTTPStatus.NOT_FOUND, "404"))

    @property
    def directions(self) -> Directions:
        """What the director may ask here."""
        return _directions(self._server)

    @property
    def _server(self) -> AlipayServer:
        return cast("AlipayServer", self.server)

    @property
    def _alipay(self) -> Alipay:
        return self._server.alipay

    def _answer_gateway(self, fields: dict[str, str]) -> None:
        method = fields.get("method", "")
        try:
            request = self._alipay.authorize(fields)
        except ChannelRefuses as refusal:
            content = envelope(
                member_of(method if method in METHODS else ""), described(refusal), None, NO_FAULTS
            )
            self.write(Reply(HTTPStatus.OK, content, content_type=CONTENT_TYPE))
            return
        try:
            base_url = f"http://{self.headers.get('Host', '')}"
            asked = Call(self._alipay, request, base_url).understood()
        except ChannelRefuses as refusal:
            self.write(self._reply_refused(request, refusal, NO_FAULTS))
            return
        faults = self._alipay.book.draw_faults(asked.operation, asked.number, asked.tail)
        reply = self._carry_out(request, asked, faults)
        said = "nothing" if reply is None else "something"
        self._alipay.book.note(asked.operation, asked.number, said)
        if reply is None:
            self.hang_up()
        else:
            self.write_with(faults, reply)

    def _carry_out(self, request: Request, asked: Asked, faults: Faults) -> Reply | None:
        """Do it; nothing means that the caller never hears."""
        try:
            document = self._do(request, asked, faults)
            if document is None:
                return None
        except ChannelRefuses as refusal:
            if Fault.DROP_ANSWER in faults:
                return None
            return self._reply_refused(request, refusal, faults)
        if request.method == WAP_PAY:
            return Reply(HTTPStatus.FOUND, b"", {"Location": document["qr_code"]})
        key = self._alipay.keys.current(request.mode)
        return self._reply(request, {**SUCCESS, **distorted(document, faults)}, faults, key)

    def _do(self, request: Request, asked: Asked, faults: Faults) -> Document | None:
        stopped = faults.before_acceptance()
        if stopped is not None:
            if stopped is Fault.ACCEPT_LATER:
                later = threading.Timer(faults.seconds(stopped), _do_unheard, (asked,))
                later.daemon = True
                later.start()
            if refusal := kept_out(stopped, faults, request.method):
                raise refusal
            return None
        document = asked.carry_out(faults)
        if Fault.NOTIFY_FIRST in faults and self._server.notifier is not None:
            self._server.notifier.deliver()
        if Fault.DROP_ANSWER in faults:
            return None
        if refusal := told_wrongly(faults, request.method):
            raise refusal
        return document

    def _reply_refused(self, request: Request, refusal: ChannelRefuses, faults: Faults) -> Reply:
        key = self._alipay.keys.current(request.mode) if is_signed(refusal) else None
        return self._reply(request, described(refusal), faults, key)

    def _reply(
        self, request: Request, document: Document, faults: Faults, key: AlipayKey | None
    ) -> Reply:
        content = envelope(member_of(request.method), document, key, faults)
        return Reply(HTTPStatus.OK, content, content_type=CONTENT_TYPE)

    def _send_bill(self, token: str) -> None:
        faults = self._alipay.book.draw_faults(Operation.DOWNLOAD, token, "")
        try:
            name, content = self._alipay.bills.fetch(token)
        except ChannelRefuses as refusal:
            self.write(text_page(HTTPStatus.FORBIDDEN, refusal.message))
            return
        if Fault.DROP_ANSWER in faults or faults.before_acceptance() is not None:
            self.hang_up()
            return
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        self.write_with(faults, Reply(HTTPStatus.OK, content, headers, "application/zip"))


def _directions(server: AlipayServer) -> Directions:
    alipay = server.alipay

    def return_(_book: AlipayBook, document: Directive) -> Document:
        alipay.transfers.return_now(
            document["number"], code=str(document.get("code", "PAYEE_CARD_INFO_ERROR"))
        )
        return {}

    def deliver(_book: AlipayBook, _document: Directive) -> Document:
        if server.notifier is not None:
            server.notifier.deliver()
        return {}

    return {
        ("POST", "/_sim/pay"): lambda _, document: alipay.trades.pay(**document),
        ("POST", "/_sim/return"): return_,
        ("POST", "/_sim/deliver"): deliver,
        ("POST", "/_sim/rotate"): lambda _, document: {"file": alipay.rotate(document["mode"])},
        ("POST", "/_sim/fund"): lambda book, document: {
            "balance_minor": book.fund(document["amount_minor"])
        },
    }


def _do_unheard(asked: Asked) -> None:
    """What is done after its caller was hung up on: nobody hears of a refusal either."""
    try:
        asked.carry_out(NO_FAULTS)
    except ChannelRefuses:
        return


def _text(body: bytes) -> str:
    return body.decode("utf-8", errors="replace")
