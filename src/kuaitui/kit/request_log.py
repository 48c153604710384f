"""One log event for each request: the route, not the address; ids, no names, no tokens."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

import structlog
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from kuaitui.kernel.clock import read_stopwatch_s

logger = structlog.get_logger(__name__)
# What a proxy in front may name a request; anything else could forge lines or fields.
_REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")


class RequestLog:
    """Middleware: names each request, binds the name to every log line, and logs how it ended.

    The address itself is never written, since one-time links carry their token in it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Name the request, answer it, log how."""
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        started_s = read_stopwatch_s()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            request.META["KUAITUI_REQUEST_ID"] = request_id
            response = self.get_response(request)
            response.headers["X-Request-ID"] = request_id
            self._log(request, response, read_stopwatch_s() - started_s)
            structlog.contextvars.unbind_contextvars("viewer")
        return response

    def _log(self, request: HttpRequest, response: HttpResponseBase, duration_s: float) -> None:
        match = request.resolver_match
        logger.info(
            "http.request",
            method=request.method if request.method in _METHODS else "OTHER",
            route=f"/{match.route}" if match else None,
            status=response.status_code,
            duration_ms=round(duration_s * 1000, 1),
        )


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
