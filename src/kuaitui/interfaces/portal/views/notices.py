"""What the shop is told: every step that matters, the newest first."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from kuaitui.interfaces.portal.notice_words import NOTICES, NoticeWords
from kuaitui.interfaces.portal.rendering import show
from kuaitui.interfaces.portal.requests import ShopRequest
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.ids import IdPrefix, is_id
from kuaitui.kit.web import permission
from kuaitui.notifications.operations import mark_notices_read
from kuaitui.notifications.queries import notices_of
from kuaitui.notifications.types import Notice

PAGE_NOTICES = 20
_PAGES = {
    IdPrefix.REFUND_APPLICATION: "progress",
    IdPrefix.PAY_IN: "pay_in_order",
    IdPrefix.DEPOSIT_LOT: "receipt",
    IdPrefix.DEPOSIT_ACCOUNT: "eligibility",
    IdPrefix.DEDUCTION_CASE: "deduction",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A notice as a page shows it."""

    notice: Notice
    words: NoticeWords
    href: str


@permission("deposit.view")
@require_safe
def notices(request: ShopRequest, shop_id: str) -> HttpResponseBase:
    """One page of notices. Whoever looks at it has read them, for all of the shop."""
    before = request.GET.get("before", "")
    found = notices_of(shop_key=request.shop.key, before=before, limit=PAGE_NOTICES + 1)
    if before and not found:
        return redirect("notices", shop_id)
    shown = found[:PAGE_NOTICES]
    if request.method == "GET":
        new = [notice.notice_id for notice in shown if not notice.is_read]
        mark_notices_read(shop_key=request.shop.key, notice_ids=new, now=read_clock())
    context = {
        "told": [
            Told(notice, NOTICES[notice.code], _page_of(shop_id, notice.object_id))
            for notice in shown
        ],
        "older": shown[-1].notice_id if len(found) > len(shown) else "",
        "is_first": not before,
    }
    return show(request, "portal/notices.html", context, place="notices")


def _page_of(shop_id: str, object_id: str) -> str:
    for prefix, page in _PAGES.items():
        if is_id(object_id, prefix):
            return reverse(page, args=[shop_id, object_id])
    if is_id(object_id, IdPrefix.DEDUCTION):
        return f"{reverse('deductions', args=[shop_id])}#{object_id}"
    if is_id(object_id, IdPrefix.DESTINATION):
        return f"{reverse('mine', args=[shop_id])}#accounts"
    return reverse("home", args=[shop_id])
