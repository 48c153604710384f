"""The simulated channel as an HTTP server: two calls for its clients, `/_sim/` for who directs it.

    POST /v1/payouts            take an instruction in
    GET  /v1/payouts/NUMBER     what became of it

    GET  /_sim/book             what it took in and what it paid: the oracle
    GET|POST|DELETE /_sim/rules faults, see `faults.Rule`
    POST /_sim/settings         balance_minor, balance_floor_minor, forgets_numbers, processing_s
    POST /_sim/advance          {"seconds": 86400}: its clock jumps ahead
    POST /_sim/return           {"number": "…", "code": "…"}: give a paid amount back now

Every request and every answer is signed with the shared key, the director's too.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from kuaitui.channels.simulator.book import Book, ChannelRefuses, Request, parse_rule
from kuaitui.channels.simulator.faults import Fault, Faults, Operation
from kuaitui.channels.simulator.signing import NONCE_HEADER, SIGNATURE_HEADER, is_signed, sign

BODY_BYTES_MAX = 64 * 1024
SOCKET_TIMEOUT_S = 60
PAYOUTS = "/v1/payouts"
Document = Mapping[str, object]
Directive = dict[str, Any]


class SimulatorServer(ThreadingHTTPServer):
    """One simulated channel on one port."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, *, host: str, port: int, book: Book, key: bytes) -> None:
        super().__init__((host, port), Handler)
        self.book = book
        self.key = key

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base's
        """Callers hang up as they like, and die: that is theirs. Anything else is ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Answer(Exception):  # noqa: N818 - how a step ends the call early
    """What goes back over the wire."""

    def __init__(self, status: int, document: Document) -> None:
        super().__init__(status)
        self.status = status
        self.document = document

    @classmethod
    def error(cls, status: int, code: str) -> Answer:
        """An answer that refuses."""
        return cls(status, {"code": code})


class Handler(BaseHTTPRequestHandler):
    """One call."""

    protocol_version = "HTTP/1.1"
    timeout = SOCKET_TIMEOUT_S
    server_version = "kuaitui-simulator"
    sys_version = ""

    def do_GET(self) -> None:
        """A query, or the book."""
        self._serve(b"")

    def do_DELETE(self) -> None:
        """Rules away."""
        self._serve(b"")

    def do_POST(self) -> None:
        """An instruction, or a direction."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            self._send(Answer.error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "BODY_TOO_LARGE"))
            return
        self._serve(self.rfile.read(int(length)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing: the book remembers every request."""

    @property
    def _book(self) -> Book:
        return cast("SimulatorServer", self.server).book

    def _serve(self, body: bytes) -> None:
        """Check the signature, do what is asked, answer."""
        try:
            self._require_signature(body)
            if self.path.startswith("/_sim/"):
                self._send(Answer(200, self._direct(body)))
                return
            operation, number, tail = self._what_is_asked(body)
            faults = self._book.draw_faults(operation, number, tail)
            answer = self._carry_out(operation, number, body, faults)
        except Answer as early:
            self._send(early)
            return
        except ChannelRefuses as refusal:
            self._send(Answer.error(refusal.status, refusal.code))
            return
        if answer is None:
            self._book.note(operation, number, "nothing")
            self._hang_up()
            return
        answer = _distort(answer, faults)
        self._book.note(operation, number, str(answer.document.get("state", answer.status)))
        self._send_with(faults, answer)

    def _require_signature(self, body: bytes) -> None:
        nonce = self.headers.get(NONCE_HEADER, "")
        signature = self.headers.get(SIGNATURE_HEADER, "")
        key = cast("SimulatorServer", self.server).key
        parts = (self.command.encode(), self.path.encode(), nonce.encode(), body)
        if not nonce or not is_signed(key, signature, *parts):
            raise Answer.error(HTTPStatus.UNAUTHORIZED, "SIGNATURE_WRONG")

    def _what_is_asked(self, body: bytes) -> tuple[Operation, str, str]:
        if self.command == "POST" and self.path == PAYOUTS:
            request = _parse(body)
            return Operation.SUBMIT, request.number, request.tail
        number = self.path.removeprefix(f"{PAYOUTS}/")
        if self.command == "GET" and number != self.path and "/" not in number:
            return Operation.QUERY, number, self._book.tail_of(number)
        raise Answer.error(HTTPStatus.NOT_FOUND, "NO_SUCH_ADDRESS")

    def _carry_out(
        self, operation: Operation, number: str, body: bytes, faults: Faults
    ) -> Answer | None:
        """Take in or look up; nothing means that the caller never hears."""
        stopped = faults.before_acceptance()
        if stopped is not None:
            return self._keep_out(stopped, faults, body)
        try:
            if operation is Operation.SUBMIT:
                document: Document | None = self._book.accept(_parse(body), faults)
            else:
                document = self._book.find(number)
        except ChannelRefuses as refusal:
            return Answer.error(refusal.status, refusal.code)
        if document is None:
            return Answer.error(HTTPStatus.NOT_FOUND, "NUMBER_UNKNOWN")
        return None if Fault.DROP_ANSWER in faults else Answer(200, document)

    def _keep_out(self, fault: Fault, faults: Faults, body: bytes) -> Answer | None:
        match fault:
            case Fault.REFUSE:
                return Answer.error(HTTPStatus.UNPROCESSABLE_ENTITY, faults.code(fault))
            case Fault.NOT_PERMITTED:
                return Answer.error(HTTPStatus.FORBIDDEN, "NOT_PERMITTED")
            case Fault.ERROR_BEFORE:
                return Answer.error(HTTPStatus.INTERNAL_SERVER_ERROR, "SYSTEM_ERROR")
            case Fault.BUSY_BEFORE:
                return Answer.error(HTTPStatus.TOO_MANY_REQUESTS, "BUSY")
            case Fault.ACCEPT_LATER:
                later = threading.Timer(
                    faults.seconds(fault), self._book.accept, (_parse(body), Faults(()))
                )
                later.daemon = True
                later.start()
        return None

    def _send_with(self, faults: Faults, answer: Answer) -> None:
        """Send the answer the way the faults want it sent."""
        if Fault.LATE_ANSWER in faults:
            time.sleep(faults.seconds(Fault.LATE_ANSWER))
        broken = Fault.BAD_SIGNATURE in faults
        content = b"<html>\xff not what you asked for" if Fault.GARBAGE in faults else None
        wire = self._render(answer, content=content, broken=broken)
        if Fault.ANSWER_TWICE in faults:
            wire += wire
        if Fault.DRIP_ANSWER in faults:
            self._drip(wire)
        else:
            self._write(wire)

    def _send(self, answer: Answer) -> None:
        self._write(self._render(answer))

    def _render(
        self, answer: Answer, *, content: bytes | None = None, broken: bool = False
    ) -> bytes:
        body = json.dumps(answer.document).encode() if content is None else content
        key = b"another key" if broken else cast("SimulatorServer", self.server).key
        nonce = self.headers.get(NONCE_HEADER, "") if self.headers else ""
        signature = sign(key, str(int(answer.status)).encode(), nonce.encode(), body)
        head = (
            f"HTTP/1.1 {int(answer.status)} {HTTPStatus(answer.status).phrase}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"{SIGNATURE_HEADER}: {signature}\r\n\r\n"
        )
        return head.encode() + body

    def _write(self, wire: bytes) -> None:
        try:
            self.wfile.write(wire)
        except OSError:
            self.close_connection = True  # the caller has given up: that is the caller's business

    def _drip(self, wire: bytes) -> None:
        for position in range(len(wire)):
            self._write(wire[position : position + 1])
            if self.close_connection:
                return
            time.sleep(0.05)

    def _hang_up(self) -> None:
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def _direct(self, body: bytes) -> Document:
        """What the director asks, through one table."""
        direction = DIRECTIONS.get((self.command, self.path))
        if direction is None:
            raise Answer.error(HTTPStatus.NOT_FOUND, "NO_SUCH_ADDRESS")
        try:
            document = json.loads(body) if body else {}
            return direction(self._book, document)
        except (ValueError, TypeError, KeyError) as problem:
            raise Answer(
                HTTPStatus.BAD_REQUEST, {"code": "NOT_UNDERSTOOD", "problem": str(problem)}
            ) from problem


def _add_rules(book: Book, document: Directive) -> Document:
    for rule in [parse_rule(entry) for entry in document["rules"]]:
        book.add_rule(rule)
    return {"rules": book.rules()}


def _clear_rules(book: Book, _document: Directive) -> Document:
    book.clear_rules()
    return {"rules": []}


def _set_settings(book: Book, document: Directive) -> Document:
    book.set_settings({str(name): str(value) for name, value in document.items()})
    return {"settings": document}


def _return(book: Book, document: Directive) -> Document:
    book.return_now(document["number"], document.get("code", "ACCOUNT_CLOSED"))
    return {}


DIRECTIONS: Mapping[tuple[str, str], Callable[[Book, Directive], Document]] = {
    ("GET", "/_sim/book"): lambda book, _: book.statement(),
    ("GET", "/_sim/rules"): lambda book, _: {"rules": book.rules()},
    ("POST", "/_sim/rules"): _add_rules,
    ("DELETE", "/_sim/rules"): _clear_rules,
    ("POST", "/_sim/settings"): _set_settings,
    ("POST", "/_sim/advance"): lambda book, document: {
        "ahead_s": book.advance(float(document["seconds"]))
    },
    ("POST", "/_sim/return"): _return,
}


def _parse(body: bytes) -> Request:
    try:
        document = json.loads(body)
        request = Request(
            number=str(document["number"]),
            amount_minor=document["amount_minor"],
            currency=str(document["currency"]),
            route=str(document["route"]),
            target=str(document["target"]["number"]),
            body=body,
        )
    except (ValueError, TypeError, KeyError) as problem:
        raise Answer.error(HTTPStatus.BAD_REQUEST, "NOT_UNDERSTOOD") from problem
    if type(request.amount_minor) is not int or request.amount_minor <= 0 or not request.number:
        raise Answer.error(HTTPStatus.BAD_REQUEST, "NOT_UNDERSTOOD")
    return request


def _distort(answer: Answer, faults: Faults) -> Answer:
    """Replace the right answer by a wrong one."""
    if Fault.ERROR_AFTER in faults:
        return Answer.error(HTTPStatus.INTERNAL_SERVER_ERROR, "SYSTEM_ERROR")
    if Fault.BUSY_AFTER in faults:
        return Answer.error(HTTPStatus.TOO_MANY_REQUESTS, "BUSY")
    if Fault.NEW_CODE in faults:
        return Answer.error(HTTPStatus.BAD_REQUEST, "CODE_OF_TOMORROW")
    changes: dict[str, object] = {}
    if Fault.OTHER_AMOUNT in faults:
        changes["amount_minor"] = 1
    if Fault.OTHER_NUMBER in faults:
        changes["number"] = "somebody-elses"
    return Answer(answer.status, {**answer.document, **changes})
