"""One door for all channels. Who knocks is proven by the channel's signature, not by a session.

Every notification takes the same way: size, signature and freshness (the adapter's), the replay
store (the inbox), a hint to whoever asks the channel, and the answer that the channel wants. What
it claims is not believed: we ask.
"""

from __future__ import annotations

import functools
from http import HTTPStatus
from typing import Final

import structlog
from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from kuaitui.channels.port import (
    Acknowledgement,
    Notification,
    NotificationRefused,
    NotificationSubject,
    RefusedBecause,
)
from kuaitui.channels.registry import Channels, ChannelUnknown, build_channels
from kuaitui.deposits.operations import note_pay_in_hint
from kuaitui.kernel.clock import read_clock
from kuaitui.kit import inbox
from kuaitui.kit.transactions import answered_within
from kuaitui.kit.web import public
from kuaitui.payouts.operations import note_hint

BODY_BYTES_MAX: Final = 64 * 1024
# Channels wait five seconds and then repeat themselves (reference §1.1); the rest is for the way.
DATABASE_WITHIN_S: Final = 3
OVERSIZED, TRUNCATED = "oversized", "truncated"

log = structlog.get_logger(__name__)


@public
@csrf_exempt
@require_POST
def notification(request: HttpRequest, channel: str) -> HttpResponse:
    """Take a channel's notification. Anything but success makes the channel send it again.

    A genuine one of nothing that we asked for is counted and acknowledged: it would come again and
    again, and channels stop calling an address that takes none.

    A genuine one about a number that is not ours gets the same answer as any other: nobody learns
    here which numbers exist. When the database is not there in time the answer is 503, and the
    channel's own repetition is our second chance.
    """
    try:
        adapter = _channels().get(channel)
    except ChannelUnknown:
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    now = read_clock()
    try:
        with answered_within(DATABASE_WITHIN_S):
            size = _wrong_size(request)
            if size is not None:
                return _refuse(channel, *size)
            told = adapter.read_notification(request.headers, request.body, now=now)
            if isinstance(told, NotificationRefused):
                refused = _refuse(
                    channel, told.reason.value, HTTPStatus.UNAUTHORIZED, body=request.body
                )
                is_ours = told.reason is not RefusedBecause.NOT_FOR_US
                return refused if is_ours else _acknowledge(adapter.acknowledgement)
            _take(channel, told, request.body)
    except DatabaseError:
        log.exception("channel.notification.put_off", channel=channel)
        return HttpResponse(status=HTTPStatus.SERVICE_UNAVAILABLE)
    return _acknowledge(adapter.acknowledgement)


def _acknowledge(answer: Acknowledgement) -> HttpResponse:
    return HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)


def _wrong_size(request: HttpRequest) -> tuple[str, HTTPStatus] | None:
    """Why a body is not even looked at."""
    announced = request.headers.get("Content-Length", "")
    if announced and not (announced.isascii() and announced.isdigit()):
        return TRUNCATED, HTTPStatus.BAD_REQUEST
    if int(announced or 0) > BODY_BYTES_MAX or len(request.body) > BODY_BYTES_MAX:
        return OVERSIZED, HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if announced and int(announced) != len(request.body):
        return TRUNCATED, HTTPStatus.BAD_REQUEST
    return None


def _refuse(channel: str, reason: str, status: HTTPStatus, *, body: bytes = b"") -> HttpResponse:
    inbox.note_refused(channel=channel, reason=reason, body=body, now=read_clock())
    log.warning("channel.notification.refused", channel=channel, reason=reason)
    return HttpResponse(status=status)


def _take(channel: str, told: Notification, body: bytes) -> None:
    """Write it down, hint, note that it was acted on: a death in between loses nothing."""
    now = read_clock()
    is_due = inbox.receive(
        channel=channel,
        event_id=told.event_id,
        subject=told.subject.value,
        number=told.number,
        body=body,
        now=now,
    )
    if not is_due:
        log.info("channel.notification.repeated", channel=channel, number=told.number[:64])
        return
    match told.subject:
        case NotificationSubject.PAYOUT:
            is_asked = note_hint(channel=channel, number=told.number, now=now)
        case NotificationSubject.PAY_IN:
            is_asked = note_pay_in_hint(channel=channel, number=told.number, now=now)
    inbox.note_taken(channel=channel, event_id=told.event_id, now=read_clock())
    log.info(
        "channel.notification.taken",
        channel=channel,
        subject=told.subject.value,
        number=told.number[:64],
        is_asked=is_asked,
    )


@functools.cache
def _channels() -> Channels:
    return build_channels(settings.KUAITUI_CHANNELS, clock=read_clock)
