"""Stripe's client on our wire: one deadline a call, no retries, and whether a byte had left."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

import httpx
import stripe

from kuaitui.channels.port import (
    FailedDefinite,
    NotSent,
    RejectedConfig,
    Unknown,
)
from kuaitui.channels.stripe.settings import StripeSettings
from kuaitui.channels.wire import Wire

ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
CODE_CHARACTERS_MAX: Final = 64
# Refusals of one payment that say that it did not happen. Every other error is Unknown.
REFUSED: Final = frozenset(
    {
        "amount_too_large",
        "amount_too_small",
        "balance_insufficient",
        "charge_already_refunded",
        "charge_disputed",
        "insufficient_funds",
        "refund_disputed_payment",
        "resource_missing",
    }
)

# The library would write down addresses and messages of every call; our log has events and ids.
logging.getLogger("stripe").setLevel(logging.CRITICAL)

Told = dict[str, Any]
Object = TypeVar("Object", bound=stripe.StripeObject)
Failure = FailedDefinite | RejectedConfig | NotSent | Unknown

_deadline_s: ContextVar[float] = ContextVar("stripe_deadline_s")


class Line:
    """The line to one Stripe account."""

    def __init__(
        self, settings: StripeSettings, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.client = stripe.StripeClient(
            settings.api_key,
            base_addresses={"api": settings.base_url},
            http_client=_OnWire(Wire(settings.base_url, transport=transport)),
            max_network_retries=0,
        )

    def ask(self, call: Callable[[], Object], *, deadline_s: float) -> Told | Failure:
        """Make one call of the client, and return what it told as plain values."""
        with _within(deadline_s):
            try:
                return call().to_dict()
            except _Unanswered as lost:
                return lost.outcome
            except stripe.StripeError as error:
                return meaning_of(error)
            except (AttributeError, KeyError, TypeError, ValueError):
                # An object of no form that the client knows: nobody can say what it means.
                return Unknown("unreadable")


def meaning_of(error: stripe.StripeError) -> Failure:
    """What an error of Stripe's means. What is not named here is Unknown."""
    code = error.code if isinstance(error.code, str) else ""
    cause = _plain(code) or f"http_{error.http_status}"
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return RejectedConfig(cause)
    if isinstance(error, stripe.InvalidRequestError) and code in REFUSED:
        return FailedDefinite(code)
    return Unknown(cause)


def _plain(code: str) -> str:
    kept = [sign for sign in code[:CODE_CHARACTERS_MAX] if sign.isascii() and sign.isprintable()]
    return "".join(kept)


@contextmanager
def _within(deadline_s: float) -> Iterator[None]:
    token = _deadline_s.set(deadline_s)
    try:
        yield
    finally:
        _deadline_s.reset(token)


class _Unanswered(Exception):  # noqa: N818 - internal to one call
    """No answer of Stripe's was heard."""

    def __init__(self, outcome: NotSent | Unknown) -> None:
        super().__init__(outcome.cause)
        self.outcome = outcome


class _OnWire(stripe.HTTPClient):
    """What the client calls in place of its own HTTP."""

    name = "kuaitui"

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: object = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """One request. Raises `_Unanswered` where there is no answer that could be read."""
        content = post_data.encode() if isinstance(post_data, str) else b""
        reply = self._wire.call(
            method.upper(),
            url,
            content=content,
            headers=headers,
            deadline_s=_deadline_s.get(),
            answer_bytes_max=ANSWER_BYTES_MAX,
        )
        if isinstance(reply, NotSent | Unknown):
            raise _Unanswered(reply)
        try:
            body = reply.content.decode()
            is_object = isinstance(json.loads(body), dict)
        except (ValueError, RecursionError):
            is_object = False
        if not is_object:
            raise _Unanswered(Unknown("unreadable"))
        return body, reply.status, dict(reply.headers)

    def close(self) -> None:
        """Nothing is kept open between calls."""
