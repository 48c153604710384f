"""A stand-in for Stripe over real HTTP: objects, idempotency keys, and faults on demand.

As Stripe does, it keeps the first answer under a key, errors included, and forgets keys after a day
(here: when told to).
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

API_KEY = "sk_test_stand_in"
SECRET = b"whsec_stand_in"

# "anywhere from 30 minutes to 24 hours after Checkout Session creation" (Stripe's API reference)
PAGE_LASTS_S = range(30 * 60, 24 * 3600 + 1)

Form = dict[str, str]


@dataclass
class Book:
    """What the stand-in holds."""

    refunds: list[dict[str, Any]] = field(default_factory=list)
    sessions: list[dict[str, Any]] = field(default_factory=list)
    keys: dict[str, tuple[Form, int, bytes]] = field(default_factory=dict)
    calls: list[tuple[str, str, Form, dict[str, str]]] = field(default_factory=list)
    now_s: int = 0
    refund_status: str = "succeeded"
    error: tuple[int, dict[str, Any]] | None = None
    """Answered to the next creation instead of doing it."""
    loses_answer: bool = False
    """The next answer is lost after the work was done."""
    breaks: tuple[int, bytes] | None = None
    """Answered to every call, after the work was done."""
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def forget_keys(self) -> None:
        self.keys.clear()


class StripeStandIn(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.book = Book()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


def nested(form: Form, name: str) -> dict[str, str]:
    return {
        key[len(name) + 1 : -1]: value
        for key, value in form.items()
        if key.startswith(f"{name}[") and key.count("[") == 1
    }


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        address = urlsplit(self.path)
        form = dict(parse_qsl(address.query))
        book = self._seen(address.path, form)
        if address.path == "/v1/refunds":
            payment = form.get("payment_intent") or form.get("charge")
            found = [one for one in book.refunds if one["payment"] == payment]
        else:
            after = (
                [one["id"] for one in book.sessions].index(form["starting_after"]) + 1
                if ("starting_after" in form)
                else 0
            )
            times = nested_range(form)
            found = [one for one in book.sessions[after:] if one["created"] in times]
        limit = int(form["limit"])
        page = {"object": "list", "data": found[:limit], "has_more": len(found) > limit}
        self._tell(200, json.dumps({**page, "url": address.path}).encode())

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        form = dict(parse_qsl(content))
        book = self._seen(self.path, form)
        key = self.headers["Idempotency-Key"]
        if key in book.keys and book.keys[key][0] != form:
            self._tell(400, problem("idempotency_error", ""))
        elif key in book.keys:
            self._tell(*book.keys[key][1:])
        else:
            status, body = self._do(book, form)
            book.keys[key] = (form, status, body)
            self._tell(status, body)

    def _do(self, book: Book, form: Form) -> tuple[int, bytes]:
        if book.error is not None:
            (status, error), book.error = book.error, None
            return status, json.dumps({"error": error}).encode()
        if self.path == "/v1/refunds":
            return 200, json.dumps(self._refund(book, form)).encode()
        if self.path == "/v1/checkout/sessions":
            if int(form["expires_at"]) - book.now_s not in PAGE_LASTS_S:
                return 400, problem("invalid_request_error", "")
            return 200, json.dumps(self._session(book, form)).encode()
        (session,) = [one for one in book.sessions if one["id"] == self.path.split("/")[-2]]
        if session["status"] != "open":
            return 400, problem("invalid_request_error", "resource_missing")
        session["status"] = "expired"
        return 200, json.dumps(session).encode()

    def _refund(self, book: Book, form: Form) -> dict[str, Any]:
        payment = form.get("payment_intent") or form["charge"]
        refund = {
            "id": f"re_{next(book.numbers)}",
            "object": "refund",
            "amount": int(form["amount"]),
            "currency": "eur",
            "payment": payment,
            "status": book.refund_status,
            "metadata": nested(form, "metadata"),
        }
        book.refunds.append(refund)
        return refund

    def _session(self, book: Book, form: Form) -> dict[str, Any]:
        number = next(book.numbers)
        session = {
            "id": f"cs_{number}",
            "object": "checkout.session",
            "client_reference_id": form["client_reference_id"],
            "created": book.now_s,
            "expires_at": int(form["expires_at"]),
            "url": f"https://checkout.stripe.test/{number}",
            "status": "open",
            "payment_status": "unpaid",
            "payment_intent": None,
            "amount_total": int(form["line_items[0][price_data][unit_amount]"]),
            "currency": form["line_items[0][price_data][currency]"],
            "metadata": nested(form, "metadata"),
        }
        book.sessions.append(session)
        return session

    def _seen(self, path: str, form: Form) -> Book:
        assert isinstance(self.server, StripeStandIn)
        self.server.book.calls.append((self.command, path, form, dict(self.headers)))
        return self.server.book

    def _tell(self, status: int, body: bytes) -> None:
        assert isinstance(self.server, StripeStandIn)
        book = self.server.book
        if self.headers["Authorization"] != f"Bearer {API_KEY}":
            status, body = 401, problem("invalid_request_error", "")
        if book.loses_answer:
            book.loses_answer = False
            self.close_connection = True
            return
        status, body = book.breaks or (status, body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def problem(kind: str, code: str) -> bytes:
    return json.dumps({"error": {"type": kind, "code": code, "message": "…"}}).encode()


def nested_range(form: Form) -> range:
    created = nested(form, "created")
    return range(int(created["gte"]), int(created["lte"]) + 1)


def signature(body: bytes, at_s: int, *, secret: bytes = SECRET, scheme: str = "v1") -> str:
    text = str(at_s).encode() + b"." + body
    return f"t={at_s},{scheme}={hmac.new(secret, text, hashlib.sha256).hexdigest()}"
