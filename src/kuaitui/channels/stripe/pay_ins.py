"""Money in: a payment page of Stripe's (Checkout), found again by our number."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from stripe.params.checkout import SessionCreateParams, SessionListParams

from kuaitui.channels.port import (
    FailedDefinite,
    NotFound,
    PayInClosed,
    PayInMethod,
    PayInOpened,
    PayInOrder,
    PayInOutcome,
    PayInPaid,
    PayInWaiting,
    Unknown,
)
from kuaitui.channels.stripe.amounts import read_amount, read_moment, write_currency
from kuaitui.channels.stripe.line import Failure, Line, Told
from kuaitui.channels.stripe.refunds import NUMBER, PAGE
from kuaitui.kernel.clock import read_stopwatch_s

PAGES_MAX: Final = 10
# A page lives for a day at most, so its session was made in the day before its order ends.
SESSION_LASTS: Final = dt.timedelta(hours=25)
# Stripe takes no page that would end within half an hour, and an order may be opened up to its last
# moment. So the page ends later than the order; when the order ends, the page is closed by us.
PAGE_OUTLIVES_ORDER: Final = dt.timedelta(minutes=35)
DESCRIPTION_CHARACTERS_MAX: Final = 250


class PayIns:
    """The pay-ins of one account."""

    def __init__(self, line: Line, *, cancel_url: str) -> None:
        self._line = line
        self._cancel_url = cancel_url

    def open(self, order: PayInOrder, *, deadline_s: float) -> PayInOutcome:
        """Make the page. The same number makes it once as long as Stripe remembers it."""
        if order.method is not PayInMethod.LINK:
            return FailedDefinite("method_not_offered")
        content = session_content(order, cancel_url=self._cancel_url)
        sessions = self._line.client.v1.checkout.sessions
        told = self._line.ask(
            lambda: sessions.create(content, {"idempotency_key": order.number}),
            deadline_s=deadline_s,
        )
        return read_opened(told, order) if isinstance(told, dict) else told

    def query(self, order: PayInOrder, *, deadline_s: float, now: dt.datetime) -> PayInOutcome:
        """Look for the number among the sessions of its day."""
        found = self._find(order, deadline_s=deadline_s)
        return read_session(found, order, now=now) if isinstance(found, dict) else found

    def close(self, order: PayInOrder, *, deadline_s: float, now: dt.datetime) -> PayInOutcome:
        """Let the page expire, unless somebody paid on it."""
        ends_s = read_stopwatch_s() + deadline_s
        found = self._find(order, deadline_s=deadline_s)
        if not isinstance(found, dict):
            return found
        known = read_session(found, order, now=now)
        if not isinstance(known, PayInWaiting):
            return known
        left_s = ends_s - read_stopwatch_s()
        if left_s <= 0:
            return Unknown("deadline")
        sessions, reference = self._line.client.v1.checkout.sessions, str(found["id"])
        told = self._line.ask(lambda: sessions.expire(reference), deadline_s=left_s)
        if isinstance(told, FailedDefinite):
            return Unknown(told.code)
        return read_session(told, order, now=now) if isinstance(told, dict) else told

    def _find(self, order: PayInOrder, *, deadline_s: float) -> Told | NotFound | Failure:
        ends_s = read_stopwatch_s() + deadline_s
        content: SessionListParams = {
            "created": {
                "gte": int((order.expires_at - SESSION_LASTS).timestamp()),
                "lte": int(order.expires_at.timestamp()),
            },
            "limit": PAGE,
            "expand": ["data.payment_intent.latest_charge"],
        }
        for _ in range(PAGES_MAX):
            page = self._page(content, ends_s - read_stopwatch_s())
            if not isinstance(page, _Page):
                return page
            for session in page.sessions:
                if session.get("client_reference_id") == order.number:
                    return session
            if page.is_last:
                return NotFound()
            content["starting_after"] = str(page.sessions[-1].get("id"))
        return Unknown("too_many_sessions")

    def _page(self, content: SessionListParams, left_s: float) -> _Page | Failure:
        if left_s <= 0:
            return Unknown("deadline")
        sessions = self._line.client.v1.checkout.sessions
        told = self._line.ask(lambda: sessions.list(content), deadline_s=left_s)
        if isinstance(told, FailedDefinite):
            return Unknown(told.code)
        if not isinstance(told, dict):
            return told
        sessions_told, has_more = told.get("data"), told.get("has_more")
        if not isinstance(sessions_told, list) or not isinstance(has_more, bool):
            return Unknown("unreadable")
        if not all(isinstance(one, dict) for one in sessions_told) or has_more > len(sessions_told):
            return Unknown("unreadable")
        return _Page(sessions_told, is_last=not has_more)


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of the list; another one follows it only if it holds something."""

    sessions: list[Told]
    is_last: bool


def session_content(order: PayInOrder, *, cancel_url: str) -> SessionCreateParams:
    """The request for a page, the same for the same order every time."""
    content: SessionCreateParams = {
        "mode": "payment",
        "client_reference_id": order.number,
        "metadata": {NUMBER: order.number},
        "payment_intent_data": {"metadata": {NUMBER: order.number}},
        "success_url": order.return_url,
        "expires_at": int((order.expires_at + PAGE_OUTLIVES_ORDER).timestamp()),
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": write_currency(order.amount),
                    "unit_amount": order.amount.minor,
                    "product_data": {"name": order.description[:DESCRIPTION_CHARACTERS_MAX]},
                },
            }
        ],
    }
    if cancel_url:
        content["cancel_url"] = cancel_url
    return content


def read_opened(session: Told, order: PayInOrder) -> PayInOutcome:
    """What a session that was just made, or made before under this number, means."""
    if session.get("client_reference_id") != order.number:
        return Unknown("echo_mismatch")
    url = session.get("url")
    if not isinstance(url, str) or not url.startswith("https://"):
        return Unknown("unreadable")
    try:
        return PayInOpened(url, min(order.expires_at, read_moment(session.get("expires_at"))))
    except ValueError:
        return Unknown("unreadable")


def read_session(session: Told, order: PayInOrder, *, now: dt.datetime) -> PayInOutcome:
    """How a session stands. It can be complete before the money is there."""
    if session.get("client_reference_id") != order.number:
        return Unknown("echo_mismatch")
    match session.get("status"), session.get("payment_status"):
        case "complete", "paid":
            return _paid(session, now)
        case "open", _:
            return PayInWaiting()
        case "complete", "unpaid":
            return PayInClosed() if _has_failed(session) else PayInWaiting()
        case "expired", "unpaid":
            return PayInClosed()
        case _:
            return Unknown("state_unmapped")


def _has_failed(session: Told) -> bool:
    """Whether a payment that takes days came to nothing. Its page is complete and stays unpaid."""
    payment = session.get("payment_intent")
    status = payment.get("status") if isinstance(payment, dict) else None
    return status in {"requires_payment_method", "canceled"}


def _paid(session: Told, now: dt.datetime) -> PayInOutcome:
    payment = session.get("payment_intent")
    charge = payment.get("latest_charge") if isinstance(payment, dict) else None
    reference = payment.get("id") if isinstance(payment, dict) else payment
    try:
        amount = read_amount(session.get("amount_total"), session.get("currency"))
        paid_at = read_moment(charge.get("created")) if isinstance(charge, dict) else now
    except ValueError:
        return Unknown("unreadable")
    if not isinstance(reference, str) or not reference or not amount.is_positive:
        return Unknown("unreadable")
    return PayInPaid(reference, amount, paid_at)
