"""Webhooks: a signature with its time, and a number in the metadata."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from kuaitui.channels.port import (
    Notification,
    NotificationRefused,
    NotificationSubject,
    RefusedBecause,
)
from kuaitui.channels.stripe.refunds import NUMBER

HEADER: Final = "Stripe-Signature"
HEADER_CHARACTERS_MAX: Final = 4096
TOLERANCE: Final = dt.timedelta(seconds=300)
SUBJECTS: Final = {
    "refund": NotificationSubject.PAYOUT,
    "checkout.session": NotificationSubject.PAY_IN,
    "payment_intent": NotificationSubject.PAY_IN,
}


def read_webhook(
    headers: Mapping[str, str], body: bytes, *, secrets: Iterable[bytes], now: dt.datetime
) -> Notification | NotificationRefused:
    """Which of our numbers an event speaks of. Its signature is looked at before its content."""
    signed_at_s, signatures = _signed(headers.get(HEADER, ""))
    text = signed_at_s.encode() + b"." + body
    known = [hmac.new(secret, text, hashlib.sha256).hexdigest() for secret in secrets]
    if not any(hmac.compare_digest(one, said) for one in known for said in signatures):
        return NotificationRefused(RefusedBecause.FORGED)
    age_s = now.timestamp() - int(signed_at_s)
    if abs(age_s) > TOLERANCE.total_seconds():
        return NotificationRefused(RefusedBecause.STALE)
    return _told(body)


def _signed(header: str) -> tuple[str, list[str]]:
    """The time that was signed, and every signature of the one scheme that counts."""
    pairs = [part.strip().partition("=") for part in header[:HEADER_CHARACTERS_MAX].split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) < 12):
        return "", []
    return times[0], [v for name, _, v in pairs if name == "v1" and v.isascii()]


def _told(body: bytes) -> Notification | NotificationRefused:
    """An event of another sort, or of what was made in Stripe's own pages, has no number of ours."""
    try:
        event: Any = json.loads(body)
        event_id, subject = event["id"], event["data"]["object"]
        kind = SUBJECTS.get(subject["object"])
        number = (subject.get("metadata") or {}).get(NUMBER)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return NotificationRefused(RefusedBecause.UNREADABLE)
    if not isinstance(event_id, str):
        return NotificationRefused(RefusedBecause.UNREADABLE)
    if kind is None or number is None:
        return NotificationRefused(RefusedBecause.NOT_FOR_US)
    if not isinstance(number, str) or not number:
        return NotificationRefused(RefusedBecause.UNREADABLE)
    return Notification(event_id, kind, number)
