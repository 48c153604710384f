"""One door for all channels. Who knocks is proven by the channel's signature, not by a session."""

from __future__ import annotations

import functools

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from kuaitui.channels.port import NotificationRefused
from kuaitui.channels.registry import Channels, ChannelUnknown, build_channels
from kuaitui.kernel.clock import read_clock
from kuaitui.kit.web import public
from kuaitui.payouts.operations import note_hint

BODY_BYTES_MAX = 64 * 1024

log = structlog.get_logger(__name__)


@public
@csrf_exempt
@require_POST
def notification(request: HttpRequest, channel: str) -> HttpResponse:
    """Take a channel's notification. Anything but success makes the channel send it again.

    A genuine one about a number that is not ours gets the same answer as any other: nobody learns
    here which numbers exist.
    """
    try:
        adapter = _channels().get(channel)
    except ChannelUnknown:
        return HttpResponse(status=404)
    if int(request.headers.get("Content-Length") or 0) > BODY_BYTES_MAX:
        return HttpResponse(status=413)
    now = read_clock()
    told = adapter.read_notification(request.headers, request.body, now=now)
    if isinstance(told, NotificationRefused):
        log.warning("channel.notification.refused", channel=channel, reason=told.reason.value)
        return HttpResponse(status=401)
    is_asked = note_hint(channel=channel, number=told.number, now=now)
    log.info("channel.notification.taken", channel=channel, number=told.number, is_asked=is_asked)
    answer = adapter.acknowledgement
    return HttpResponse(answer.body, status=answer.status, content_type=answer.content_type)


@functools.cache
def _channels() -> Channels:
    return build_channels(settings.KUAITUI_CHANNELS, clock=read_clock)
