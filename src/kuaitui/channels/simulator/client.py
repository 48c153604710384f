"""The simulator's adapter: renders instructions, maps answers, raises for nothing the channel does.

Whether a byte has left decides between *not sent* and *unknown*, so the transport's own trace is
listened to, not the class of an exception. The deadline is one for the whole call: read timeouts
alone would let a channel that drips its answer hold us for ever.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from kuaitui.channels.port import (
    Accepted,
    ChannelCapabilities,
    FailedDefinite,
    NeededAction,
    NeedsAction,
    NotFound,
    NotSent,
    OriginalPayment,
    PayoutInstruction,
    QueryOutcome,
    RejectedConfig,
    Returned,
    Route,
    SubmitOutcome,
    Succeeded,
    Unknown,
)
from kuaitui.channels.simulator.signing import (
    NONCE_HEADER,
    SIGNATURE_HEADER,
    is_signed,
    shared_key,
    sign,
)
from kuaitui.kernel.clock import read_stopwatch_s
from kuaitui.kit.crashpoints import reach

PAYOUTS = "/v1/payouts"
ANSWER_BYTES_MAX: Final = 64 * 1024
# The errors whose meaning is written down. Every other error is Unknown.
REFUSALS: Final[dict[tuple[int, str], QueryOutcome]] = {
    (422, "ACCOUNT_CLOSED"): FailedDefinite("ACCOUNT_CLOSED"),
    (422, "ACCOUNT_NAME_MISMATCH"): FailedDefinite("ACCOUNT_NAME_MISMATCH"),
    (422, "PAYMENT_TOO_OLD"): FailedDefinite("PAYMENT_TOO_OLD"),
    (403, "NOT_ENOUGH"): FailedDefinite("NOT_ENOUGH", same_key_retry_ok=True),
    (403, "NOT_PERMITTED"): RejectedConfig("NOT_PERMITTED"),
    (401, "SIGNATURE_WRONG"): RejectedConfig("SIGNATURE_WRONG"),
}
ACTIONS: Final = {action.name: action for action in NeededAction}


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """Where the simulator is, and how long its promises hold."""

    base_url: str
    key: bytes
    not_found_floor_s: float = 600.0
    resend_window_s: float = 30 * 86400.0
    return_window_s: float = 30 * 86400.0

    @classmethod
    def parse(cls, document: dict[str, Any]) -> SimulatorSettings:
        """Read one entry of the channel settings; the key lies in `key_file` or the environment."""
        settings = {name: document[name] for name in document if name != "key_file"}
        return cls(key=shared_key(Path(document["key_file"])), **settings)


class SimulatorChannel:
    """The port, spoken to the simulator."""

    name = "simulator"

    def __init__(self, settings: SimulatorSettings) -> None:
        self._settings = settings
        # A connection is never used twice: a stray second answer must not meet another question.
        self._http = httpx.Client(
            base_url=settings.base_url,
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=False,
        )
        self.capabilities = ChannelCapabilities(
            routes=frozenset(Route),
            not_found_floor=dt.timedelta(seconds=settings.not_found_floor_s),
            resend_window=dt.timedelta(seconds=settings.resend_window_s),
            return_window=dt.timedelta(seconds=settings.return_window_s),
        )

    def submit(self, instruction: PayoutInstruction, *, deadline_s: float) -> SubmitOutcome:
        """Hand the instruction over."""
        reply = self._call("POST", PAYOUTS, render(instruction), deadline_s)
        if not isinstance(reply, _Reply):
            return reply
        outcome = read_reply(reply, instruction)
        # A channel that has just been handed a number cannot not know it.
        return Unknown("not_found_after_submit") if isinstance(outcome, NotFound) else outcome

    def query(self, instruction: PayoutInstruction, *, deadline_s: float) -> QueryOutcome:
        """Ask what became of it."""
        reply = self._call("GET", f"{PAYOUTS}/{instruction.number}", b"", deadline_s)
        return read_reply(reply, instruction) if isinstance(reply, _Reply) else reply

    def read_notification(self, headers: Mapping[str, str], body: bytes) -> str | None:
        """The number a genuine notification speaks of."""
        nonce = headers.get(NONCE_HEADER, "").encode()
        if not is_signed(self._settings.key, headers.get(SIGNATURE_HEADER, ""), nonce, body):
            return None
        try:
            number = json.loads(body)["number"]
        except (ValueError, TypeError, KeyError):
            return None
        return number if isinstance(number, str) else None

    def _call(
        self, method: str, path: str, body: bytes, deadline_s: float
    ) -> _Reply | NotSent | Unknown:
        nonce = secrets.token_hex(16)
        key = self._settings.key
        signature = sign(key, method.encode(), path.encode(), nonce.encode(), body)
        with _Deadline(deadline_s) as deadline:
            try:
                with self._http.stream(
                    method,
                    path,
                    content=body,
                    headers={NONCE_HEADER: nonce, SIGNATURE_HEADER: signature},
                    timeout=deadline_s,
                    extensions={"trace": deadline.trace},
                ) as response:
                    content = _read_limited(response)
            except (httpx.HTTPError, httpx.InvalidURL, OSError, _TooLate, _TooLong) as problem:
                cause = "deadline" if deadline.is_over else _snake(type(problem).__name__)
                return Unknown(cause) if deadline.request_left else NotSent(cause)
        signed = response.headers.get(SIGNATURE_HEADER, "")
        if not is_signed(key, signed, str(response.status_code).encode(), nonce.encode(), content):
            return Unknown("signature_wrong")
        return _Reply(response.status_code, content)


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer whose signature is right."""

    status: int
    content: bytes


def render(instruction: PayoutInstruction) -> bytes:
    """The request, the same bytes for the same instruction every time."""
    target = instruction.target
    if isinstance(target, OriginalPayment):
        payee: dict[str, str] = {"number": target.payment_reference}
    else:
        payee = {
            "number": target.account_number,
            "holder": target.holder_name,
            "bank": target.bank_name,
        }
    document = {
        "number": instruction.number,
        "amount_minor": instruction.amount.minor,
        "currency": instruction.amount.currency,
        "route": instruction.route.value,
        "target": payee,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def read_reply(reply: _Reply, instruction: PayoutInstruction) -> QueryOutcome:
    """What a properly signed answer means. Whatever is not written down here is Unknown."""
    try:
        document = json.loads(reply.content)
    except ValueError:
        return Unknown("unreadable")
    if not isinstance(document, dict):
        return Unknown("unreadable")
    if reply.status == 404 and document.get("code") == "NUMBER_UNKNOWN":
        return NotFound()
    if reply.status != 200:
        known = REFUSALS.get((reply.status, str(document.get("code"))))
        return known or Unknown(f"http_{reply.status}")
    echo = (document.get("number"), document.get("amount_minor"), document.get("currency"))
    if echo != (instruction.number, instruction.amount.minor, instruction.amount.currency):
        return Unknown("echo_mismatch")
    try:
        return _read_state(document)
    except (KeyError, TypeError, ValueError, OverflowError):
        return Unknown("unreadable")


def _read_state(document: dict[str, Any]) -> QueryOutcome:
    reference = str(document["reference"])
    code = str(document["code"])
    match document["state"]:
        case "PROCESSING":
            return Accepted(reference)
        case "PAID":
            return Succeeded(reference, _moment(document["paid_at"]))
        case "FAILED":
            return FailedDefinite(code)
        case "RETURNED":
            return Returned(reference, code, _moment(document["returned_at"]))
        case "ACTION" if code in ACTIONS:
            return NeedsAction(ACTIONS[code], reference)
        case _:
            return Unknown("state_unmapped")


def _moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _read_limited(response: httpx.Response) -> bytes:
    content = b""
    for part in response.iter_raw():
        content += part
        if len(content) > ANSWER_BYTES_MAX:
            raise _TooLong
    return content


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).strip("_")


class _TooLate(Exception):  # noqa: N818 - internal to one call
    """The deadline was over before the first byte."""


class _TooLong(Exception):  # noqa: N818 - internal to one call
    """The answer is larger than any answer."""


class _Deadline:
    """One deadline for a whole call; it also notices the moment the request leaves."""

    def __init__(self, seconds: float) -> None:
        self._ends_s = read_stopwatch_s() + seconds
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._socket: socket.socket | None = None
        self.request_left = False

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

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

    def _cut(self) -> None:
        """Wake whoever waits on the socket; closing it alone would not."""
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return
