"""What a seller can do about an application: withdraw, answer, appeal, name another account.

Each has its own page with its form, so that the same address shows it again with everything typed.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from kuaitui.deposits import queries as deposits
from kuaitui.interfaces.portal.forms import (
    AnswerForm,
    ChooseDestinationForm,
    TextForm,
    show_refusal,
)
from kuaitui.interfaces.portal.rendering import show
from kuaitui.interfaces.portal.requests import ShopRequest
from kuaitui.interfaces.portal.ways import came_back, total
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal, RefusalKind
from kuaitui.kit import kept_forms
from kuaitui.kit.web import permission
from kuaitui.refunds import operations as refund_operations
from kuaitui.refunds import queries as refunds
from kuaitui.refunds.queries import ApplicationView
from kuaitui.refunds.states import SellerAct
from kuaitui.refunds.types import WayBack

Act = Callable[[ApplicationView, forms.Form], None]


@permission("refund.apply")
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: ShopRequest, shop_id: str, application_id: str) -> HttpResponseBase:  # noqa: ARG001
    """Take an application back, as long as the bank does not have it."""

    def act(application: ApplicationView, form: forms.Form) -> None:  # noqa: ARG001
        refund_operations.withdraw_application(
            application_id=application.application_id,
            shop_key=request.shop.key,
            actor=request.viewer.actor,
            now=read_clock(),
        )

    done = gettext("The application is withdrawn. The money is available in your deposit again.")
    return _act(
        request, application_id, SellerAct.WITHDRAW, forms.Form, "portal/withdraw.html", act, done
    )


@permission("refund.apply")
@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: ShopRequest, shop_id: str, application_id: str) -> HttpResponseBase:  # noqa: ARG001
    """Answer the reviewer's question."""

    def act(application: ApplicationView, form: forms.Form) -> None:
        refund_operations.provide_information(
            application_id=application.application_id,
            shop_key=request.shop.key,
            text=form.cleaned_data["text"],
            destination_id=form.cleaned_data["destination"],
            actor=request.viewer.actor,
            now=read_clock(),
        )

    done = gettext("Thank you. The review goes on; your place in the queue is kept.")
    return _act(
        request,
        application_id,
        SellerAct.PROVIDE_INFORMATION,
        AnswerForm,
        "portal/answer.html",
        act,
        done,
    )


@permission("refund.apply")
@require_http_methods(["GET", "HEAD", "POST"])
def appeal(request: ShopRequest, shop_id: str, application_id: str) -> HttpResponseBase:  # noqa: ARG001
    """Ask somebody else at the marketplace to look at a rejection."""

    def act(application: ApplicationView, form: forms.Form) -> None:
        refund_operations.appeal_rejection(
            application_id=application.application_id,
            shop_key=request.shop.key,
            text=form.cleaned_data["text"],
            actor=request.viewer.actor,
            now=read_clock(),
        )

    done = gettext("Your appeal is in. Somebody else than before decides.")
    return _act(
        request, application_id, SellerAct.APPEAL, TextForm, "portal/appeal.html", act, done
    )


@permission("refund.apply")
@require_http_methods(["GET", "HEAD", "POST"])
def repair(request: ShopRequest, shop_id: str, application_id: str) -> HttpResponseBase:  # noqa: ARG001
    """Name another account for money the bank sent back."""

    def act(application: ApplicationView, form: forms.Form) -> None:
        refund_operations.repair_destination(
            application_id=application.application_id,
            shop_key=request.shop.key,
            destination_id=form.cleaned_data["destination"],
            actor=request.viewer.actor,
            now=read_clock(),
        )

    done = gettext("The new account is being checked. After that the payment goes out again.")
    return _act(
        request,
        application_id,
        SellerAct.REPAIR_DESTINATION,
        ChooseDestinationForm,
        "portal/repair.html",
        act,
        done,
    )


_FIELDS = {
    "refund.text_missing": "text",
    "refund.note_too_long": "text",
    "refund.destination_unchanged": "destination",
    "refund.destination_of_another_shop": "destination",
    "destination.unknown": "destination",
    "destination.required": "destination",
    "deposit.no_way_out": "destination",
    "deposit.part_too_small": "destination",
    "deposit.part_too_large": "destination",
}


def _act(
    request: ShopRequest,
    application_id: str,
    wanted: SellerAct,
    form_class: type[forms.Form],
    template: str,
    act: Act,
    done: str,
) -> HttpResponseBase:
    """Show the page of an act, or do it; one that is no longer possible leads to how things stand."""
    now = read_clock()
    application = refunds.application(
        application_id=application_id, shop_key=request.shop.key, now=now
    )
    form = form_class(request.POST if request.method == "POST" else kept_forms.take(request))
    if request.method == "POST" and form.is_valid():
        try:
            act(application, form)
        except Refusal as refusal:
            if refusal.kind is RefusalKind.CONFLICT:
                messages.warning(request, gettext(refusal.message))
                return redirect("progress", request.shop.id, application_id)
            show_refusal(form, refusal, _FIELDS)
        else:
            messages.success(request, done)
            return redirect("progress", request.shop.id, application_id)
    if request.method != "POST" and wanted not in application.seller_acts:
        return redirect("progress", request.shop.id, application_id)
    choices = deposits.destinations(shop_key=request.shop.key)
    back = came_back(application)
    refused = {way.destination.destination_id for way in back if way.destination}
    context = {
        "application": application,
        "form": form,
        "was_kept": form.is_bound and request.method != "POST",
        "choices": choices,
        "amount": total(back),
        "refused": refused,
        "may_need_account": application.plan.needs_destination
        or any(part.way_back is not WayBack.OPEN for part in application.parts),
        "can_choose": any(one.destination_id not in refused for one in choices),
        "now": now,
    }
    is_refused = request.method == "POST"
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK
    return show(request, template, context, status=status)
