"""Payee accounts of the shop's owner."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from kuaitui.channels.port import PayeeKind
from kuaitui.deposits import operations as deposit_operations
from kuaitui.deposits import queries as deposits
from kuaitui.deposits.types import Destination
from kuaitui.interfaces.portal.forms import (
    DESTINATION_FIELDS,
    AlipayForm,
    DestinationForm,
    PayeeForm,
    show_refusal,
)
from kuaitui.interfaces.portal.rendering import show
from kuaitui.interfaces.portal.requests import ShopRequest
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kit import kept_forms
from kuaitui.kit.web import permission, status_of

Enter = Callable[[forms.Form], Destination]


@permission("refund.apply")
@sensitive_post_parameters("account_number")
@require_http_methods(["GET", "HEAD", "POST"])
def destination_new(request: ShopRequest, shop_id: str) -> HttpResponseBase:  # noqa: ARG001
    """Enter a bank account; then back to where it was asked for."""

    def enter(form: forms.Form) -> Destination:
        return deposit_operations.add_destination(
            shop_key=request.shop.key,
            holder_name=form.cleaned_data["holder_name"],
            bank_name=form.cleaned_data["bank_name"],
            account_number=form.cleaned_data["account_number"],
            bank_code=form.cleaned_data["bank_code"],
            is_company=form.cleaned_data["is_company"],
            actor=request.viewer.actor,
            now=read_clock(),
        )

    return enter_new(request, DestinationForm, "portal/destination_new.html", enter)


@permission("refund.apply")
@sensitive_post_parameters("account_number")
@require_http_methods(["GET", "HEAD", "POST"])
def alipay_new(request: ShopRequest, shop_id: str) -> HttpResponseBase:  # noqa: ARG001
    """Enter an Alipay account, where some channel pays such accounts."""
    if not _offers_alipay():
        raise Http404

    def enter(form: forms.Form) -> Destination:
        return deposit_operations.add_alipay_account(
            shop_key=request.shop.key,
            holder_name=form.cleaned_data["holder_name"],
            account_number=form.cleaned_data["account_number"],
            actor=request.viewer.actor,
            now=read_clock(),
        )

    return enter_new(request, AlipayForm, "portal/alipay_new.html", enter)


def enter_new(
    request: ShopRequest, form_class: type[PayeeForm], template: str, enter: Enter
) -> HttpResponseBase:
    """The form of an account: shown, refused with what was typed, or entered."""
    if request.method != "POST":
        kept = kept_forms.take(request)
        back = {"back": request.GET.get("back", "")}
        form = form_class(kept) if kept else form_class(initial=back)
        return _page(request, template, form, was_kept=kept is not None)
    form = form_class(request.POST)
    if not form.is_valid():
        return _page(request, template, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        added = enter(form)
    except Refusal as refusal:
        show_refusal(form, refusal, DESTINATION_FIELDS)
        return _page(request, template, form, status=HTTPStatus(status_of(refusal)))
    if added.kind is PayeeKind.WECHAT_USER:
        words = gettext("Your WeChat is entered.")
    else:
        words = gettext("The account ending in %(tail)s is entered.") % {"tail": added.tail4}
    messages.success(request, words)
    return HttpResponseRedirect(way_back(request.shop.id, form.cleaned_data["back"]))


def way_back(shop_id: str, wanted: str) -> str:
    """Where an account was asked for, if that is a page of this shop."""
    home = reverse("home", args=[shop_id])
    is_ours = wanted.startswith(home) and wanted.isprintable()
    return wanted if is_ours else reverse("mine", args=[shop_id])


def _offers_alipay() -> bool:
    return PayeeKind.ALIPAY_ACCOUNT in deposits.payable_kinds()


def _page(
    request: ShopRequest,
    template: str,
    form: forms.Form,
    *,
    was_kept: bool = False,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponseBase:
    back = form["back"].value() or ""
    context = {
        "form": form,
        "was_kept": was_kept,
        "back": back,
        "way_back": way_back(request.shop.id, back),
        "offers_alipay": _offers_alipay(),
        "offers_wechat": deposits.identifying_channel(PayeeKind.WECHAT_USER) is not None,
    }
    return show(request, template, context, status=status)
