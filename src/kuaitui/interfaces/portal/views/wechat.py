"""A seller's WeChat as a payee: WeChat says who they are, they say their name."""

from __future__ import annotations

from urllib.parse import urlencode

import structlog
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponseBase, HttpResponseRedirect
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from kuaitui.channels.port import (
    IdentifyingChannel,
    NotIdentifiedBecause,
    PayeeIdentified,
    PayeeKind,
)
from kuaitui.channels.registry import build_channels
from kuaitui.deposits import operations as deposit_operations
from kuaitui.deposits import queries as deposits
from kuaitui.deposits.types import Destination
from kuaitui.interfaces.portal import identities
from kuaitui.interfaces.portal.forms import PayeeForm
from kuaitui.interfaces.portal.rendering import show
from kuaitui.interfaces.portal.requests import ShopRequest, is_in_wechat
from kuaitui.interfaces.portal.views.destinations import enter_new, way_back
from kuaitui.kernel.clock import read_clock
from kuaitui.kit import kept_forms
from kuaitui.kit.web import permission

ASK_WITHIN_S = 5.0
"""A person waits for this call; it moves no money and can be begun again."""
WORDS = {
    NotIdentifiedBecause.EXPIRED: gettext_lazy(
        "What WeChat told us was used before or is too old. Please begin again."
    ),
    NotIdentifiedBecause.GUEST: gettext_lazy(
        "WeChat showed you this page as a guest, and a guest cannot be paid. In WeChat, press "
        "“Use full service” at the bottom, then begin again."
    ),
    NotIdentifiedBecause.UNREACHABLE: gettext_lazy(
        "WeChat did not answer just now. Nothing was changed; please begin again."
    ),
    NotIdentifiedBecause.REFUSES_US: gettext_lazy(
        "WeChat does not tell us just now who you are, and that is not up to you. Please call the "
        "marketplace, or name a bank account instead."
    ),
}
log = structlog.get_logger(__name__)


@permission("refund.apply")
@require_http_methods(["GET", "HEAD", "POST"])
def wechat_new(request: ShopRequest, shop_id: str) -> HttpResponseBase:  # noqa: ARG001
    """Let WeChat say who looks at this page, then enter them; where some channel pays WeChat users."""
    channel = _identifying()
    if request.method == "GET" and "state" in request.GET:
        _hear(request, channel)
        # Without the code: it is used up, and belongs into nobody's history.
        return HttpResponseRedirect(_here(request))
    openid = identities.named(request, now=read_clock())
    if openid is None and request.method == "POST":
        kept_forms.keep_own(request)
        _say(request, NotIdentifiedBecause.EXPIRED)
        return HttpResponseRedirect(_here(request))
    if openid is None:
        return _ask(request, channel)

    def enter(form: forms.Form) -> Destination:
        return deposit_operations.add_wechat_user(
            shop_key=request.shop.key,
            holder_name=form.cleaned_data["holder_name"],
            openid=openid,
            actor=request.viewer.actor,
            now=read_clock(),
        )

    return enter_new(request, PayeeForm, "portal/wechat_new.html", enter)


def _identifying() -> IdentifyingChannel:
    name = deposits.identifying_channel(PayeeKind.WECHAT_USER)
    if name is None:
        raise Http404
    entry = settings.KUAITUI_CHANNELS[name]
    return build_channels({name: entry}, clock=read_clock).identifying(name)


def _ask(request: ShopRequest, channel: IdentifyingChannel) -> HttpResponseBase:
    """The page that leads to WeChat. Only WeChat itself can open what it leads to."""
    here, back = request.build_absolute_uri(_here(request)), request.GET.get("back", "")
    context = {
        "page": channel.identification_page(
            state=identities.mark_for(request, now=read_clock()), return_to=here
        ),
        "here": here,
        "is_in_wechat": is_in_wechat(request),
        "back": back,
        "way_back": way_back(request.shop.id, back),
    }
    return show(request, "portal/wechat_ask.html", context)


def _hear(request: ShopRequest, channel: IdentifyingChannel) -> None:
    """Take in what somebody came back from WeChat with."""
    now = read_clock()
    if not identities.take_mark(request, request.GET["state"], now=now):
        # A second press, or somebody else's link; what was taken in before stays.
        if identities.named(request, now=now) is None:
            _say(request, NotIdentifiedBecause.EXPIRED)
        return
    told = channel.identify(request.GET.get("code", ""), deadline_s=ASK_WITHIN_S)
    if isinstance(told, PayeeIdentified):
        identities.keep(request, told.account_number, now=now)
        return
    write = log.error if told.because is NotIdentifiedBecause.REFUSES_US else log.info
    write("payee.not_identified", because=told.because.value, cause=told.cause)
    _say(request, told.because)


def _say(request: ShopRequest, because: NotIdentifiedBecause) -> None:
    messages.warning(request, str(WORDS[because]))


def _here(request: ShopRequest) -> str:
    """This page, with the way back from it."""
    back = request.GET.get("back") or request.POST.get("back", "")
    return f"{request.path}?{urlencode({'back': back})}" if back else request.path
