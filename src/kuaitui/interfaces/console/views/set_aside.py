"""What the machine has set aside for a person: parts of payouts, and payments coming in."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from kuaitui.accounts.rules import Permission, may
from kuaitui.deposits.operations import release_pay_in
from kuaitui.deposits.queries import pay_in_for_staff
from kuaitui.interfaces.console.asides import aside_of_order, asides
from kuaitui.interfaces.console.forms import FindingForm
from kuaitui.interfaces.console.requests import StaffRequest
from kuaitui.kernel.clock import read_clock
from kuaitui.kernel.errors import Refusal
from kuaitui.kit import kept_forms
from kuaitui.kit.web import permission, status_of


@permission("payout.view")
@require_safe
def show(request: StaffRequest) -> HttpResponse:
    """Everything set aside, the longest waiting first."""
    context = {
        "section": "payouts",
        "now": read_clock(),
        "found": asides(),
        "may_hold": may(request.viewer, Permission.PAYOUT_HOLD, None),
    }
    return render(request, "console/payouts/set_aside.html", context)


@permission("payout.hold")
@require_http_methods(["GET", "HEAD", "POST"])
def release(request: StaffRequest, order_id: str) -> HttpResponse:
    """Let a payment order go on, after a look at why it was set aside."""
    order = pay_in_for_staff(order_id)
    is_sent = request.method == "POST"
    form = FindingForm(request.POST if is_sent else kept_forms.take(request))
    refusal: Refusal | None = None
    if is_sent and form.is_valid():
        try:
            release_pay_in(
                order_id=order_id,
                reason=form.cleaned_data["reason"],
                actor=request.viewer.actor,
                now=read_clock(),
            )
        except Refusal as caught:
            refusal = caught
        else:
            messages.success(request, _("This order goes on from where it stood."))
            return HttpResponseRedirect(reverse("console:set_aside"))
    context = {
        "section": "payouts",
        "now": read_clock(),
        "order": order,
        "aside": aside_of_order(order) if order.set_aside_at else None,
        "form": form,
        "refusal": refusal,
    }
    status = status_of(refusal) if refusal else 422 if is_sent else 200
    return render(request, "console/payouts/release_order.html", context, status=status)
