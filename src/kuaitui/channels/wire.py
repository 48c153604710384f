"""One HTTP call with one deadline, and the knowledge whether the request had left.

Whether a byte has left decides between *not sent* and *unknown*, so the transport's own trace is
listened to, not the class of an exception. The deadline is one for the whole call: read timeouts
alone would let a channel that drips its answer hold us for ever.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from kuaitui.channels.port import NotSent, Unknown
from kuaitui.kernel.clock import read_stopwatch_s
from kuaitui.kit.crashpoints import reach

ANSWER_BYTES_MAX: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class WireReply:
    """An answer as it came. Nobody has checked yet whose it is."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)


class Wire:
    """The line to one channel.

    With a `transport` of one's own (tests) every request counts as having left.
    """

    def __init__(self, base_url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self._is_own_transport = transport is not None
        # A connection is never used twice: a stray second answer must not meet another question.
        self._http = httpx.Client(
            base_url=base_url,
            transport=transport,
            verify=_authorities(),
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=False,
            follow_redirects=False,
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        deadline_s: float,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        answer_bytes_max: int = ANSWER_BYTES_MAX,
    ) -> WireReply | NotSent | Unknown:
        """Make one call. Raises nothing for what the network or the other side does."""
        with _Deadline(deadline_s, has_left=self._is_own_transport) as deadline:
            try:
                with self._http.stream(
                    method,
                    path,
                    content=content,
                    headers=dict(headers or {}),
                    timeout=deadline_s,
                    extensions={"trace": deadline.trace},
                ) as response:
                    answer = _read_limited(response, answer_bytes_max)
            except (httpx.HTTPError, httpx.InvalidURL, OSError, _TooLate, _TooLong) as problem:
                cause = "deadline" if deadline.is_over else _snake(type(problem).__name__)
                return Unknown(cause) if deadline.request_left else NotSent(cause)
        return WireReply(response.status_code, response.headers, answer)


@functools.cache
def _authorities() -> ssl.SSLContext:
    """Whom TLS trusts, read once: reading it takes longer than most calls."""
    return httpx.create_ssl_context(trust_env=False)


def _read_limited(response: httpx.Response, bytes_max: int) -> bytes:
    content = bytearray()
    for part in response.iter_bytes():
        content += part
        if len(content) > bytes_max:
            raise _TooLong
    return bytes(content)


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).strip("_")


class _TooLate(Exception):  # noqa: N818 - internal to one call
    """The deadline was over before the first byte."""


class _TooLong(Exception):  # noqa: N818 - internal to one call
    """The answer is larger than any answer."""


class _Deadline:
    """One deadline for a whole call; it also notices the moment the request leaves."""

    def __init__(self, seconds: float, *, has_left: bool) -> None:
        self._ends_s = read_stopwatch_s() + seconds
        self._socket: socket.socket | None = None
        self._is_done = False
        self.request_left = has_left

    def __enter__(self) -> _Deadline:
        _alarms.set(self._ends_s, self)
        return self

    def __exit__(self, *_: object) -> None:
        self._is_done, self._socket = True, None

    @property
    def is_over(self) -> bool:
        """Whether the time is used up."""
        return read_stopwatch_s() >= self._ends_s

    def trace(self, event: str, details: dict[str, Any]) -> None:
        """Hear what the transport does, before it does it."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self._socket = details["return_value"].get_extra_info("socket")
        elif event == "http11.send_request_headers.started":
            if self.is_over:
                raise _TooLate
            self.request_left = True
        elif event == "http11.send_request_body.complete":
            reach("channel.request_written")

    def cut(self) -> None:
        """Wake whoever waits on the socket; closing it alone would not."""
        waiting_on = self._socket
        if waiting_on is not None and not self._is_done:
            try:
                waiting_on.shutdown(socket.SHUT_RDWR)
            except OSError:
                return


class _Alarms:
    """Cuts calls whose time is over: one thread for all of them. One for each would cost as much as
    the call.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, _Deadline]] = []
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None

    def set(self, at_s: float, deadline: _Deadline) -> None:
        """Have a call cut at that moment, unless it is done by then."""
        with self._changed:
            # A process that was forked has none of the threads of its parent.
            if self._thread is None or not self._thread.is_alive():
                self._waiting.clear()
                self._thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                self._thread.start()
            is_first = not self._waiting or at_s < self._waiting[0][0]
            heapq.heappush(self._waiting, (at_s, next(self._numbers), deadline))
            if is_first:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            for deadline in self._wait():
                deadline.cut()

    def _wait(self) -> list[_Deadline]:
        """Rest until the next moment or a change; the calls whose moment has come."""
        with self._changed:
            rest_s = self._waiting[0][0] - read_stopwatch_s() if self._waiting else None
            if rest_s is None or rest_s > 0:
                self._changed.wait(rest_s)
            now_s, over = read_stopwatch_s(), []
            while self._waiting and self._waiting[0][0] <= now_s:
                over.append(heapq.heappop(self._waiting)[2])
            return over


_alarms = _Alarms()
