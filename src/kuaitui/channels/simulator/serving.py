"""What the HTTP servers of all simulated channels share: calls in, answers out, and who directs.

    GET  /_sim/book             what the channel took in and what it paid: the oracle
    GET|POST|DELETE /_sim/rules faults, see `faults.Rule`
    POST /_sim/settings         settings of the channel, by name
    POST /_sim/advance          {"seconds": 86400}: its clock jumps ahead

A channel adds directions of its own. Whoever directs signs every call with the shared key.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias, cast

from kuaitui.channels.simulator.faults import Fault, Faults, parse_rule
from kuaitui.channels.simulator.signing import NONCE_HEADER, SIGNATURE_HEADER, is_signed, sign
from kuaitui.channels.simulator.store import ChannelRefuses, Store

BODY_BYTES_MAX = 64 * 1024
SOCKET_TIMEOUT_S = 60
DRIP_EVERY_S = 0.05
Document: TypeAlias = Mapping[str, object]
Directive: TypeAlias = dict[str, Any]
Directions: TypeAlias = Mapping[tuple[str, str], Callable[[Any, Directive], Document]]


class SimulatorServer(ThreadingHTTPServer):
    """One simulated channel on one port."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(
        self,
        *,
        host: str,
        port: int,
        store: Store,
        key: bytes,
        handler: type[CallHandler],
    ) -> None:
        super().__init__((host, port), handler)
        self.store = store
        self.key = key

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base's
        """Callers hang up as they like, and die: that is theirs. Anything else is ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back over the wire, byte for byte."""

    status: int
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    def render(self) -> bytes:
        """The whole answer as bytes."""
        lines = [f"HTTP/1.1 {int(self.status)} {HTTPStatus(self.status).phrase}"]
        if self.content:
            lines.append(f"Content-Type: {self.content_type}")
        if self.status != HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {len(self.content)}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.content


class CallHandler(BaseHTTPRequestHandler):
    """One call to a simulated channel. A channel's own handler answers what is not for `/_sim/`."""

    protocol_version = "HTTP/1.1"
    timeout = SOCKET_TIMEOUT_S
    server_version = "kuaitui-simulator"
    sys_version = ""

    @property
    def directions(self) -> Directions:
        """What its director may ask besides what all simulators offer, by method and path."""
        return {}

    def answer_call(self, body: bytes) -> None:
        """Answer a client of the channel."""
        raise NotImplementedError

    def do_GET(self) -> None:
        """A call without a body."""
        self._serve(b"")

    def do_DELETE(self) -> None:
        """A call without a body."""
        self._serve(b"")

    def do_POST(self) -> None:
        """A call with a body, or an empty one."""
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            self.write(Reply(HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
            return
        self._serve(self.rfile.read(int(length)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing: the book remembers every request."""

    def write(self, reply: Reply) -> None:
        """Send an answer as it should be sent."""
        self._write_bytes(reply.render())

    def write_with(self, faults: Faults, reply: Reply) -> None:
        """Send an answer the way the faults want it sent."""
        if Fault.LATE_ANSWER in faults:
            time.sleep(faults.seconds(Fault.LATE_ANSWER))
        wire = reply.render()
        if Fault.ANSWER_TWICE in faults:
            wire += wire
        if Fault.DRIP_ANSWER in faults:
            self._drip(wire)
        else:
            self._write_bytes(wire)

    def hang_up(self) -> None:
        """Let the caller never hear."""
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def is_signed_by_director(self, body: bytes) -> bool:
        """Whether whoever calls has the shared key."""
        nonce = self.headers.get(NONCE_HEADER, "")
        signature = self.headers.get(SIGNATURE_HEADER, "")
        parts = (self.command.encode(), self.path.encode(), nonce.encode(), body)
        return bool(nonce) and is_signed(self._simulator.key, signature, *parts)

    def reply_to_director(self, status: int, document: Document) -> Reply:
        """A document, signed with the shared key over the caller's nonce."""
        content = json.dumps(document).encode()
        nonce = self.headers.get(NONCE_HEADER, "")
        signature = sign(self._simulator.key, str(int(status)).encode(), nonce.encode(), content)
        return Reply(status, content, {SIGNATURE_HEADER: signature})

    @property
    def _simulator(self) -> SimulatorServer:
        return cast("SimulatorServer", self.server)

    def _serve(self, body: bytes) -> None:
        if self.path.startswith("/_sim/"):
            self.write(self.reply_to_director(*self._direct(body)))
        else:
            self.answer_call(body)

    def _direct(self, body: bytes) -> tuple[int, Document]:
        """Do what the director asks, through one table."""
        if not self.is_signed_by_director(body):
            return HTTPStatus.UNAUTHORIZED, {"code": "SIGNATURE_WRONG"}
        direction = {**DIRECTIONS, **self.directions}.get((self.command, self.path))
        if direction is None:
            return HTTPStatus.NOT_FOUND, {"code": "NO_SUCH_ADDRESS"}
        try:
            return 200, direction(self._simulator.store, json.loads(body) if body else {})
        except ChannelRefuses as refusal:
            return refusal.status, {"code": refusal.code, "problem": refusal.message}
        except (ValueError, TypeError, KeyError) as problem:
            return HTTPStatus.BAD_REQUEST, {"code": "NOT_UNDERSTOOD", "problem": str(problem)}

    def _write_bytes(self, wire: bytes) -> None:
        try:
            self.wfile.write(wire)
        except OSError:
            self.close_connection = True  # the caller has given up: that is the caller's business

    def _drip(self, wire: bytes) -> None:
        for position in range(len(wire)):
            self._write_bytes(wire[position : position + 1])
            if self.close_connection:
                return
            time.sleep(DRIP_EVERY_S)


def _add_rules(store: Store, document: Directive) -> Document:
    for rule in [parse_rule(entry) for entry in document["rules"]]:
        store.add_rule(rule)
    return {"rules": store.rules()}


def _clear_rules(store: Store, _document: Directive) -> Document:
    store.clear_rules()
    return {"rules": []}


def _set_settings(store: Store, document: Directive) -> Document:
    store.set_settings({str(name): str(value) for name, value in document.items()})
    return {"settings": document}


DIRECTIONS: Directions = {
    ("GET", "/_sim/book"): lambda store, _: store.statement(),
    ("GET", "/_sim/rules"): lambda store, _: {"rules": store.rules()},
    ("POST", "/_sim/rules"): _add_rules,
    ("DELETE", "/_sim/rules"): _clear_rules,
    ("POST", "/_sim/settings"): _set_settings,
    ("POST", "/_sim/advance"): lambda store, document: {
        "ahead_s": store.advance(float(document["seconds"]))
    },
}
