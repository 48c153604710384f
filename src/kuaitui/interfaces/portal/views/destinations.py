"""Payee accounts of the shop's owner."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from kuaitui.deposits import operations as deposit_operations
from kuaitui.interfaces.portal.forms import DESTINATION_FIELDS, DestinationForm, show_refusal
from kuaitui.interfaces.portal.rendering import show
from kuaitui.interfaces.portal.requests import ShopRequest
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kit import kept_forms
from kuaitui.kit.web import permission, status_of


@permission("refund.apply")
@sensitive_post_parameters("account_number")
@require_http_methods(["GET", "HEAD", "POST"])
def destination_new(request: ShopRequest, shop_id: str) -> HttpResponseBase:
    """Enter a payee account; then back to where it was asked for."""
    if request.method != "POST":
        kept = kept_forms.take(request)
        back = {"back": request.GET.get("back", "")}
        form = DestinationForm(kept) if kept else DestinationForm(initial=back)
        return _page(request, form, was_kept=kept is not None)
    form = DestinationForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        added = deposit_operations.add_destination(
            shop_key=request.shop.key,
            holder_name=form.cleaned_data["holder_name"],
            bank_name=form.cleaned_data["bank_name"],
            account_number=form.cleaned_data["account_number"],
            bank_code=form.cleaned_data["bank_code"],
            is_company=form.cleaned_data["is_company"],
            actor=request.viewer.actor,
            now=read_clock(),
        )
    except Refusal as refusal:
        show_refusal(form, refusal, DESTINATION_FIELDS)
        return _page(request, form, status=HTTPStatus(status_of(refusal)))
    words = gettext("The account ending in %(tail)s is entered.") % {"tail": added.tail4}
    messages.success(request, words)
    return HttpResponseRedirect(_way_back(shop_id, form.cleaned_data["back"]))


def _way_back(shop_id: str, wanted: str) -> str:
    home = reverse("home", args=[shop_id])
    is_ours = wanted.startswith(home) and wanted.isprintable()
    return wanted if is_ours else reverse("mine", args=[shop_id])


def _page(
    request: ShopRequest,
    form: DestinationForm,
    *,
    was_kept: bool = False,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponseBase:
    context = {"form": form, "was_kept": was_kept}
    return show(request, "portal/destination_new.html", context, status=status)
